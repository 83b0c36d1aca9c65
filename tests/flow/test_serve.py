"""The tree of processes: it starts quickly, stays up, and stops when it is told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.flow.running import HEARD, RunningHeard, eventually, free_port

MOST_IDLE_KB = 150_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("heard") / "data") as running:
        yield running


@pytest.fixture
def heard(folder: RunningHeard) -> RunningHeard:
    """A server that is ready, whatever the test before did to it."""
    if folder.process is None:
        folder.start()
    return folder


def serve(data: Path, *arguments: str, wait: float = 20) -> subprocess.CompletedProcess[str]:
    """A `heard serve` that is expected to end by itself."""
    command = [str(HEARD), "serve", "--data", str(data), *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=wait, check=False)


def child(heard: RunningHeard, name: str) -> int:
    """The process of this part; 0 while there is none."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_text().split("\0") for pid in heard.pids()}
    return next((pid for pid, words in commands.items() if f"heard.{name}" in words), 0)


def test_it_says_when_it_is_ready_and_shows_the_first_run_once(tmp_path: Path):
    port, data = free_port(), tmp_path / "a folder"
    for run in ("first", "second"):
        with (tmp_path / run).open("w") as out:
            process = subprocess.Popen(
                [str(HEARD), "serve", "--data", str(data), "--port", str(port)], stdout=out, stderr=subprocess.DEVNULL
            )
        eventually(lambda run=run: "is ready" in (tmp_path / run).read_text(), seconds=30)
        assert httpx.get(f"http://127.0.0.1:{port}/ready").json() == {"ready": True, "missing": []}
        process.terminate()
        assert process.wait(timeout=10) == 0

    first, second = ((tmp_path / run).read_text() for run in ("first", "second"))
    assert f"Heard is ready: http://127.0.0.1:{port}\n" in first
    assert first.count("sk_") == 1
    assert "sk_" not in second
    assert "Password" not in second


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_stops_with_everything_when_told_to(heard: RunningHeard, number: signal.Signals):
    pids = heard.pids()
    assert heard.process is not None
    heard.process.send_signal(number)

    assert heard.process.wait(timeout=10) == 0
    assert [pid for pid in pids if Path(f"/proc/{pid}").exists()] == []
    heard.process = None


@pytest.mark.parametrize("part", ["collector", "heart"])
def test_a_part_that_dies_is_started_again(heard: RunningHeard, part: str):
    before = child(heard, part)
    os.kill(before, signal.SIGKILL)

    eventually(lambda: child(heard, part) not in (0, before) and heard.is_ready(), what=f"a new {part}")
    heard.send("track", userId="u", event="E")


def test_the_rest_ends_when_the_supervisor_is_killed(heard: RunningHeard):
    pids = heard.pids()
    assert heard.process is not None
    os.kill(heard.process.pid, signal.SIGKILL)
    heard.process.wait()
    heard.process = None

    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids), what="the end of the children")
    heard.start()


def test_after_kill_9_it_is_back_in_moments(heard: RunningHeard):
    """The figure belongs to the benchmarks; here only that nothing waits for a time-out."""
    heard.kill()

    assert heard.start() < 8


def test_a_data_folder_is_served_once(heard: RunningHeard):
    said = serve(heard.data, "--port", str(free_port()))

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith(f"Another `heard serve` runs on {heard.data}.")
    assert heard.is_ready()


def test_a_port_that_is_taken_is_named(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = serve(tmp_path / "data", "--port", str(port))

    assert said.returncode == 1
    assert said.stderr.startswith(f"Heard cannot listen on 127.0.0.1:{port}: Address already in use.")


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path):
    (tmp_path / "file").write_text("")
    said = serve(tmp_path / "file/data", "--port", str(free_port()))

    assert said.returncode == 1
    assert said.stderr.startswith(f"The data folder {tmp_path / 'file/data'} cannot be written: ")
    assert len(said.stderr.splitlines()) == 1


def test_a_database_of_a_newer_heard_stops_the_start(tmp_path: Path):
    subprocess.run([str(HEARD), "init", "--data", str(tmp_path)], check=True, capture_output=True)
    import sqlite3

    with sqlite3.connect(tmp_path / "heard.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    said = serve(tmp_path, "--port", str(free_port()))

    assert said.returncode == 1
    assert "written by a newer Heard (schema 9999" in said.stderr


def test_a_folder_with_a_long_name_works(tmp_path: Path):
    with RunningHeard(tmp_path / ("long" * 30) / "data") as heard:
        assert heard.cli("users", "list", "--json")


def test_the_idle_tree_is_small(heard: RunningHeard):
    httpx.get(f"{heard.url}/api/openapi.json")  # pages are loaded

    assert sum(map(_pss, heard.pids())) < MOST_IDLE_KB


def test_only_the_collector_takes_messages_for_later(heard: RunningHeard):
    heard.stop()
    port = free_port()
    process = subprocess.Popen(
        [str(HEARD), "serve", "--only", "collector", "--data", str(heard.data), "--port", str(port)],
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == f"Heard is ready: http://127.0.0.1:{port}\n"
    sent = {"userId": "marshall", "traits": {"email": "marshall@eriksen.example"}}
    taken = httpx.post(f"http://127.0.0.1:{port}/v1/identify", json=sent, auth=("wk_acme_website", ""))
    ready = httpx.get(f"http://127.0.0.1:{port}/ready")
    process.terminate()
    assert process.wait(timeout=10) == 0
    assert (taken.status_code, ready.status_code) == (200, 200)

    heard.start()
    assert eventually(lambda: heard.cli("why", "marshall", "--json")["contact"])["email"] == "marshall@eriksen.example"


def test_a_command_waits_for_a_server_that_is_just_starting(heard: RunningHeard):
    heard.kill()
    heard.launch()

    assert heard.cli("users", "list", "--json")


def _pss(pid: int) -> int:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
