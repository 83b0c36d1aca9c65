"""The log's disk is full and all else has room: messages are refused, the rest goes on, and it mends itself."""

from __future__ import annotations

import resource
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.contracts.mail_server import MailServer
from tests.faults import promises
from tests.faults.customers import html, orders
from tests.flow.running import RunningHeard, answer, eventually, links_in

SEGMENT = 1 << 20
MENDED_WITHIN = 5.0  # seconds, although senders keep on asking
PAD = "x" * 20_000
Room = Callable[[RunningHeard], None]


@contextmanager
def small_disk(folder: Path) -> Iterator[tuple[Room, Room]]:
    """A file system of three megabytes; there is room again when it is made larger."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk needs root")
    try:
        larger = ["mount", "-o", "remount,size=32m", str(folder)]
        yield lambda _: None, lambda _: subprocess.run(larger, check=True) and None
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=False)


@contextmanager
def short_files(_: Path) -> Iterator[tuple[Room, Room]]:
    """No file of the collector may grow beyond half a segment, until it may."""

    def limit(heard: RunningHeard, soft: int) -> None:
        collector = heard.part("heard.collector")
        resource.prlimit(collector, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))

    yield lambda heard: limit(heard, SEGMENT // 2), lambda heard: limit(heard, resource.RLIM_INFINITY)


@pytest.mark.parametrize("disk", [small_disk, short_files])
def test_a_full_disk_refuses_messages_and_nothing_else(tmp_path: Path, disk: Any):
    with MailServer() as mailbox, disk(tmp_path / "data/log") as (take_room, give_room):
        environment = {"HEARD_SMTP_URL": mailbox.url, "HEARD_LOG_SEGMENT_BYTES": str(SEGMENT)}
        with RunningHeard(tmp_path / "data", environment=environment) as heard:
            orders(heard, "ted")
            heard.settle()
            take_room(heard)

            taken = fill(heard)

            assert httpx.get(f"{heard.url}/health").json()["status"] == "degraded"
            assert "log" in httpx.get(f"{heard.url}/ready").json()["missing"]
            heard.settle()
            kept = {each["message_id"] for each in heard.get("messages", limit=200)["data"]}
            assert set(taken) <= kept
            (mail,) = mailbox.taken
            assert answer(links_in(html(mail))[9], comment="You still answer").status_code == 200
            assert [each["comment"] for each in heard.get("responses")["data"]] == ["You still answer"]

            give_room(heard)
            eventually(lambda: track(heard, "after").status_code == 200, seconds=MENDED_WITHIN, what="the first 200")

            assert httpx.get(f"{heard.url}/health").json() == {"status": "ok"}
            assert heard.is_ready()
            orders(heard, "robin")
            heard.settle()
            heard.stop()
            promises.check_all(heard.data, acknowledged=[*taken, "after"], mails=mailbox.taken, most_unknown=0)
            assert len(mailbox.taken) == 2


def fill(heard: RunningHeard) -> list[str]:
    """Send until it is refused; gives the messageIds that were acknowledged."""
    taken: list[str] = []
    while (said := track(heard, f"large-{len(taken)}")).status_code == 200:
        taken.append(f"large-{len(taken)}")
        assert len(taken) < 190
    assert said.status_code == 503
    assert int(said.headers["retry-after"]) > 0
    assert said.json()["code"] == "log_unavailable"
    return taken


def track(heard: RunningHeard, message_id: str) -> httpx.Response:
    body = {"userId": "ted", "event": "Page Scrolled", "messageId": message_id, "properties": {"pad": PAD}}
    return httpx.post(f"{heard.url}/v1/track", json=body, auth=("wk_acme_website", ""), timeout=10)
