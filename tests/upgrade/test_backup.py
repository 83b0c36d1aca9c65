"""A backup made while Heard runs brings everything back, and nobody is asked twice."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from heard.store import schema
from tests.flow.running import ACME, HEARD, RunningHeard, eventually

LATER = ACME.replace("throttle: 90d", "throttle: 90d\n    delay: 2d")


@pytest.fixture
def heard(tmp_path: Path) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path / "data", workspace=LATER) as running:
        yield running


def elsewhere(heard: RunningHeard, name: str = "elsewhere") -> RunningHeard:
    """The same settings on another, empty folder."""
    other = RunningHeard(heard.data.parent / name)
    other.secret_key = heard.secret_key
    return other


def ask_and_order(heard: RunningHeard, user: str) -> None:
    heard.send("identify", userId=user, traits={"email": f"{user}@eriksen.example"})
    heard.send("track", userId=user, event="Order Completed", properties={"total": 50})


def a_day_later(path: Path) -> Path:
    """The same backup, restored 25 hours later."""
    later = path.with_name("later.tar.gz")
    with tarfile.open(path) as archive, tarfile.open(later, "w:gz") as copy:
        for member in archive.getmembers():
            content = archive.extractfile(member)
            assert content is not None
            data = content.read()
            if member.name == "manifest.json":
                manifest = json.loads(data)
                manifest["clock_offset_us"] += 25 * 3600 * 10**6
                data = json.dumps(manifest).encode()
            member.size = len(data)
            copy.addfile(member, io.BytesIO(data))
    return later


def test_everything_comes_back_in_another_folder(heard: RunningHeard, tmp_path: Path):
    ask_and_order(heard, "marshall")
    heard.settle()
    written = heard.cli("backup", str(tmp_path / "b.tar.gz"), "--json")
    other = elsewhere(heard)
    done = other.cli("restore", written["path"], "--json")

    assert (done["unknown"], done["moved_to"]) == (0, None)
    assert other.cli("export") == heard.cli("export")
    assert other.cli("why", "marshall", "--json")["decisions"] == heard.cli("why", "marshall", "--json")["decisions"]
    other.start()
    assert other.get("contacts/marshall")["email"] == "marshall@eriksen.example"  # with the former secret key
    other.send("identify", userId="lily", traits={"email": "lily@aldrin.example"})
    other.settle()
    assert other.get("contacts/lily")["user_id"] == "lily"
    other.stop()


def test_what_is_due_later_goes_out_and_what_was_due_does_not_go_out_again(heard: RunningHeard, tmp_path: Path):
    ask_and_order(heard, "marshall")
    heard.settle()
    heard.advance("1d")
    ask_and_order(heard, "lily")
    heard.settle()
    heard.cli("backup", str(tmp_path / "b.tar.gz"))

    other = elsewhere(heard)
    done = other.cli("restore", str(a_day_later(tmp_path / "b.tar.gz")), "--json")
    other.start()
    other.advance("3d")
    states = {each["user_id"]: each["state"] for each in other.get("deliveries")["data"]}
    other.stop()

    assert done["unknown"] == 1
    assert states == {"marshall": "unknown", "lily": "sent"}


def test_no_acknowledged_message_is_missing_from_a_backup_under_load(heard: RunningHeard, tmp_path: Path):
    acknowledged: list[str] = []
    stop = threading.Event()

    def send() -> None:
        with httpx.Client(auth=("wk_acme_website", "")) as client:
            while not stop.is_set():
                user = f"u{len(acknowledged)}"
                sent = {"userId": user, "traits": {"email": f"{user}@eriksen.example"}}
                if client.post(f"{heard.url}/v1/identify", json=sent).status_code == 200:
                    acknowledged.append(user)

    sending = threading.Thread(target=send)
    sending.start()
    eventually(lambda: len(acknowledged) > 50, what="some load")
    before = len(acknowledged)
    heard.cli("backup", str(tmp_path / "b.tar.gz"))
    assert len(acknowledged) > before, "the backup was not made under load"
    stop.set()
    sending.join()

    other = elsewhere(heard)
    other.cli("restore", str(tmp_path / "b.tar.gz"))
    other.start()
    for number in (0, before // 2, before - 1):
        assert other.get(f"contacts/u{number}")["email"] == f"u{number}@eriksen.example"
    other.stop()


def test_restore_refuses_a_folder_that_is_served_or_full_and_a_file_that_is_no_backup(
    heard: RunningHeard, tmp_path: Path
):
    path = tmp_path / "b.tar.gz"
    heard.cli("backup", str(path))
    assert "Stop it before you restore" in heard.cli("restore", str(path), code=1)
    assert "exists already" in heard.cli("backup", str(path), code=1)
    heard.stop()
    assert "is not empty" in heard.cli("restore", str(path), code=1)
    assert "There is no file" in heard.cli("restore", str(tmp_path / "none"), code=1)
    (tmp_path / "half").write_bytes(path.read_bytes()[:-2000])
    assert "not a whole backup" in heard.cli("restore", str(tmp_path / "half"), "--force", code=1)
    assert heard.cli("why", "marshall", "--json")["decisions"] == [], "a refused restore changes nothing"

    done = heard.cli("restore", str(path), "--force", "--json")
    assert (Path(done["moved_to"]) / "heard.db").exists()
    assert heard.cli("export")


def test_a_delivery_that_was_due_when_the_backup_was_made_becomes_unknown(heard: RunningHeard, tmp_path: Path):
    ask_and_order(heard, "marshall")
    heard.settle()
    heard.post("campaigns/Post-purchase/pause")
    heard.advance("3d")  # due, and waiting
    heard.cli("backup", str(tmp_path / "b.tar.gz"))
    other = elsewhere(heard)
    done = other.cli("restore", str(tmp_path / "b.tar.gz"), "--json")

    assert done["unknown"] == 1
    other.start()
    (delivery,) = other.get("deliveries")["data"]
    assert delivery["state"] == "unknown"
    assert "may have been sent since" in delivery["error"]
    other.post("campaigns/Post-purchase/activate")
    other.advance("1d")
    assert other.get("deliveries")["data"][0]["state"] == "unknown"
    other.stop()


def test_an_archive_is_for_its_owner_only_and_writes_nowhere_else(heard: RunningHeard, tmp_path: Path):
    path = tmp_path / "b.tar.gz"
    heard.cli("backup", str(path))
    assert path.stat().st_mode & 0o077 == 0

    evil, outside = tmp_path / "evil.tar.gz", tmp_path / "outside"
    with tarfile.open(path) as good, tarfile.open(evil, "w:gz") as bad:
        for member in good.getmembers():
            bad.addfile(member, good.extractfile(member))
        outside.write_text("mine")
        bad.add(outside, arcname="../outside-of-it")
    elsewhere(heard).cli("restore", str(evil))

    assert not (tmp_path / "outside-of-it").exists()


def test_migrate_has_nothing_to_do_beside_a_running_server(heard: RunningHeard):
    assert heard.cli("migrate", "--json") == {"from": schema.CURRENT, "to": schema.CURRENT, "backup": None}


def test_backup_of_nothing_is_one_sentence(tmp_path: Path):
    environment = {**os.environ, "HEARD_DATA": str(tmp_path / "none")}
    said = subprocess.run(
        [str(HEARD), "backup", str(tmp_path / "b")], env=environment, capture_output=True, text=True, check=False
    )

    assert (said.returncode, said.stderr) == (1, f"There is no Heard in {tmp_path / 'none'}.\n")
    assert json.dumps(sorted(each.name for each in tmp_path.iterdir())) == "[]"
