"""`python -m heard.serve`: the supervisor. It starts the collector and the heart, keeps them alive, and ends with them.

It stays small on purpose (the standard library only), because it does nothing for as long as all is well. The children
hold one end of a pipe each; should the supervisor be killed, the pipe ends and so do they.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import IO, NoReturn

from heard.sockets import short_path, why_not

TERM_AFTER, KILL_AFTER = 5.0, 9.0  # seconds after the signal to stop: the heart is told, everybody is killed
FIRST_PAUSE, LONGEST_PAUSE = 0.05, 5.0  # seconds before a child that died is started again, doubled each time
STEADY = 10.0  # seconds a child has to live for its deaths to be forgotten
LOOK = 0.02  # seconds between two questions whether all is ready
LEAVING = 10.0  # seconds that children of a former supervisor have to be gone
STOP = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


class Child:
    """One process, started again when it dies."""

    def __init__(self, name: str, arguments: Sequence[str]) -> None:
        self.name, self.arguments = name, arguments
        self.pid = 0
        self.deaths = 0
        self.started = 0.0
        self.start_at = 0.0  # on the monotonic clock

    def start(self) -> None:
        command = [sys.executable, "-m", *self.arguments]
        # Its stdout is ours only for the heart, which says once who may sign in; ours says when all is ready.
        to_stderr = [(os.POSIX_SPAWN_DUP2, 2, 1)] if self.name == "collector" else []
        self.pid = os.posix_spawn(sys.executable, command, os.environ, file_actions=to_stderr, setsigmask=[])
        self.started = time.monotonic()

    def died(self) -> None:
        self.pid = 0
        now = time.monotonic()
        self.deaths = 1 if now - self.started > STEADY else self.deaths + 1
        self.start_at = now + min(FIRST_PAUSE * 2**self.deaths, LONGEST_PAUSE)


def main() -> NoReturn:
    os.umask(0o077)  # what we make is for our own user only, folders above the data folder included
    given = _arguments()
    signal.pthread_sigmask(signal.SIG_BLOCK, {*STOP, signal.SIGCHLD})
    data = given.data.absolute()
    locks = _sole_supervisor(data, given.only)
    _wait_for_former_children(data, given.only)
    port = _free_port(given.host, given.port) if given.only != "heart" else given.port
    host = f"[{given.host}]" if ":" in given.host else given.host
    url = f"http://{'localhost' if host in ('0.0.0.0', '[::]') else host}:{port}"  # noqa: S104
    alive, parent = os.pipe()
    os.set_inheritable(alive, True)
    children = [
        Child(name, arguments)
        for name, arguments in {
            "collector": _collector(given, data, port, alive),
            "heart": _heart(given, data, url, alive),
        }.items()
        if given.only in (None, name)
    ]
    code = _watch(children, lambda: _is_ready(given, data, port), _ready_lines(given, data, url))
    os.close(parent)
    for lock in locks:
        lock.close()
    sys.exit(code)


def _watch(children: Sequence[Child], is_ready: object, lines: Sequence[str]) -> int:
    """Until we are told to stop; gives the exit code."""
    ready = False
    for child in reversed(children):  # the heart takes longer
        child.start()
    while True:
        got = signal.sigtimedwait({*STOP, signal.SIGCHLD}, _patience(children, ready))
        if got is not None and got.si_signo in STOP:
            return _stop(children)
        for child, status in _ended(children):
            code = os.waitstatus_to_exitcode(status)
            if code >= 0 and not ready:  # it has said why; a child that was killed is only started again
                _stop(children)
                return 1
            how = f"was ended by signal {-code}" if code < 0 else f"ended with {code}"
            _say(f"the {child.name} {how}; starting it again", sys.stderr)
        now = time.monotonic()
        for child in children:
            if not child.pid and child.start_at <= now:
                child.start()
        if not ready and is_ready():  # type: ignore[operator]
            ready = True
            for line in lines:
                _say(line, sys.stdout)


def _patience(children: Sequence[Child], ready: bool) -> float:
    if not ready:
        return LOOK
    waiting = [child.start_at for child in children if not child.pid]
    return max(0.0, min(waiting) - time.monotonic()) if waiting else 3600.0


def _ended(children: Sequence[Child]) -> list[tuple[Child, int]]:
    """The children that died since the last look; SIGCHLD may stand for several."""
    ended = []
    for child in children:
        if child.pid:
            pid, status = os.waitpid(child.pid, os.WNOHANG)
            if pid:
                child.died()
                ended.append((child, status))
    return ended


def _stop(children: Sequence[Child]) -> int:
    """First the collector, so that whoever is in the middle of an answer still finds the heart; then the heart."""
    begun = time.monotonic()
    for child, until in zip(children, (TERM_AFTER, KILL_AFTER)[-len(children) :], strict=True):
        _signal(child, signal.SIGTERM)
        while child.pid and time.monotonic() - begun < until:
            signal.sigtimedwait({signal.SIGCHLD}, 0.1)
            _ended(children)
    for child in children:
        if child.pid:
            _signal(child, signal.SIGKILL)
            os.waitpid(child.pid, 0)
    return 0


def _signal(child: Child, number: signal.Signals) -> None:
    if child.pid:
        os.kill(child.pid, number)


def _is_ready(given: argparse.Namespace, data: Path, port: int) -> bool:
    """Whether what we run answers for itself."""
    if given.only == "heart":
        with short_path(data / "web.sock") as address:
            return _answers(socket.AF_UNIX, address, "/ready")
    family = socket.AF_INET6 if ":" in given.host else socket.AF_INET
    reached = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(given.host, given.host)  # noqa: S104
    return _answers(family, (reached, port), "/ready")


def _answers(family: int, address: object, path: str) -> bool:
    try:
        with socket.socket(family) as asking:
            asking.settimeout(2)
            asking.connect(address)  # type: ignore[arg-type]
            asking.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
            return asking.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _ready_lines(given: argparse.Namespace, data: Path, url: str) -> list[str]:
    if given.only == "heart":
        return [f"Heard is ready: the heart, on {data / 'web.sock'}"]
    lines = [f"Heard is ready: {url}"]
    if not os.environ.get("HEARD_SMTP_URL") and given.only is None:
        lines.append(f"Mails go to the outbox: {given.base_url or url}/outbox and {data / 'outbox'}")
    return lines + given.say


def _collector(given: argparse.Namespace, data: Path, port: int, alive: int) -> list[str]:
    arguments = ["heard.collector", f"--data={data}", f"--host={given.host}", f"--port={port}", f"--parent-fd={alive}"]
    if given.segment_bytes:
        arguments.append(f"--segment-bytes={given.segment_bytes}")
    if given.rate_limit:
        arguments.append(f"--rate-limit={given.rate_limit}")
    if given.trusted_proxies:
        arguments.append(f"--trusted-proxies={given.trusted_proxies}")
    if given.only:
        arguments.append("--alone")
    if given.base_path:
        arguments.append(f"--base-path={given.base_path}")
    return arguments


def _heart(given: argparse.Namespace, data: Path, url: str, alive: int) -> list[str]:
    arguments = ["heard.heart", f"--data={data}", f"--base-url={url}", f"--parent-fd={alive}"]
    return [*arguments, "--test-clock"] if given.test_clock else arguments


def _sole_supervisor(data: Path, only: str | None) -> list[IO[bytes]]:
    """The locks that say what of this folder is being served: all of it, or one part beside the other one's server."""
    try:
        data.mkdir(mode=0o700, parents=True, exist_ok=True)
        whole = (data / "serve.lock").open("ab")
        part = (data / f"serve-{only}.lock").open("ab") if only else None
    except OSError as problem:
        _fail(f"The data folder {data} cannot be written: {problem.strerror}.")
    try:
        fcntl.flock(whole, (fcntl.LOCK_SH if part else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        if part:
            fcntl.flock(part, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        _fail(f"Another `heard serve` runs on {data}. Stop it, or choose another folder with --data.")
    return [whole, part] if part else [whole]


def _wait_for_former_children(data: Path, only: str | None) -> None:
    """A supervisor that was killed leaves children that are just about to notice."""
    until = time.monotonic() + LEAVING
    for name in (only,) if only else ("collector", "heart"):
        with (data / f"{name}.lock").open("ab") as lock:
            while time.monotonic() < until:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except OSError:
                    time.sleep(LOOK)


def _free_port(host: str, port: int) -> int:
    """The port, known to be free; for 0 any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        with socket.create_server((host, port), family=family) as trying:
            return trying.getsockname()[1]
    except (OSError, OverflowError, UnicodeError) as problem:
        _fail(why_not(host, port, problem))


def _arguments() -> argparse.Namespace:
    asked = argparse.ArgumentParser(prog="python -m heard.serve", description="Runs everything; see `heard serve`.")
    asked.add_argument("--data", type=Path, required=True)
    asked.add_argument("--host", default="127.0.0.1")
    asked.add_argument("--port", type=int, default=8800, help="0 = any free one")
    asked.add_argument("--only", choices=("collector", "heart"))
    asked.add_argument("--test-clock", action="store_true")
    asked.add_argument("--base-url", help="what HEARD_BASE_URL says")
    asked.add_argument("--base-path", default="")
    asked.add_argument("--segment-bytes", type=int)
    asked.add_argument("--rate-limit", type=int)
    asked.add_argument("--trusted-proxies", default="")
    asked.add_argument("--say", action="append", default=[], help="a line to print after the ready line")
    return asked.parse_args()


def _say(line: str, stream: IO[str]) -> None:
    stream.write(line + "\n")
    stream.flush()


def _fail(why: str) -> NoReturn:
    sys.exit(why)


if __name__ == "__main__":
    main()
