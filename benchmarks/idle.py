"""What `heard serve` costs while nothing happens, and how soon it is back after a `kill -9` of all of it.

    .venv/bin/python benchmarks/idle.py [--seconds 10] [--restarts 10]

Memory is the proportional set size of each process (`smaps_rollup`), beside a Python that has imported nothing and a
bare ASGI application in uvicorn, which is about the least that could answer. A restart is measured from the start of
the command to the first 200 for a message, and to /ready.
"""

from __future__ import annotations

import argparse
import os
import platform
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from pathlib import Path

from tree import KEY, Tree, cpu_seconds, megabytes

TARGET = 150  # MB of the whole tree
COLLECTS_TARGET, READY_TARGET = 1.0, 1.5  # seconds
BARE = "import time; print('up', flush=True); time.sleep(600)"
BARE_ASGI = """
import uvicorn
async def app(scope, receive, send):
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})
print("up", flush=True)
uvicorn.run(app, port=0, log_config=None, lifespan="off")
"""
BODY = '{"userId":"probe","event":"Probed"}'
PROBE = (
    f"POST /v1/track HTTP/1.1\r\nhost: x\r\nconnection: close\r\n"
    f"authorization: Basic {b64encode(f'{KEY}:'.encode()).decode()}\r\ncontent-length: {len(BODY)}\r\n\r\n{BODY}"
)


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--seconds", type=float, default=10)
    asked.add_argument("--restarts", type=int, default=10)
    given = asked.parse_args()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    with tempfile.TemporaryDirectory() as folder, Tree(Path(folder)) as tree:
        time.sleep(2)
        _idle(tree, given.seconds)
        _restarts(tree, given.restarts)


def _idle(tree: Tree, seconds: float) -> None:
    pids = tree.pids()
    before = {name: cpu_seconds(pid) for name, pid in pids.items()}
    time.sleep(seconds)
    print(f"\nidle {'PSS MB':>16} {'USS MB':>8} {'cpu':>7}")
    for name, pid in pids.items():
        own = megabytes(pid, "Private_Clean") + megabytes(pid, "Private_Dirty")
        print(f"  {name:<12} {megabytes(pid):8.1f} {own:8.1f} {(cpu_seconds(pid) - before[name]) / seconds:7.1%}")
    whole = sum(megabytes(pid) for pid in pids.values())
    print(f"  {'the tree':<12} {whole:8.1f}   target < {TARGET}: {_holds(whole < TARGET)}")
    for name, program in (("bare Python", BARE), ("bare uvicorn", BARE_ASGI)):
        process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(1)
        print(f"  {name:<12} {megabytes(process.pid):8.1f}")
        process.kill()
        process.wait()


def _restarts(tree: Tree, times: int) -> None:
    collects: list[float] = []
    ready: list[float] = []
    cpu: dict[str, list[float]] = {}
    for _ in range(times):
        for pid in tree.pids().values():
            os.kill(pid, signal.SIGKILL)
        tree.reap()
        began = time.monotonic()
        tree.launch()
        collects.append(_until(lambda: _answers(tree.port, PROBE), began))
        ready.append(_until(lambda: tree.answers("/ready"), began))
        for name, pid in tree.pids().items():
            cpu.setdefault(name, []).append(cpu_seconds(pid))
    print(f"\nback after kill -9 of the tree, {times} times")
    for what, seconds, target in (("first 200", collects, COLLECTS_TARGET), ("ready", ready, READY_TARGET)):
        middle = statistics.median(seconds)
        print(
            f"  {what:<10} median {middle:.2f} s, longest {max(seconds):.2f} s, target {target:g} s: "
            f"{_holds(middle < target)}"
        )
    taken = ", ".join(f"{name} {statistics.median(each):.2f} s" for name, each in cpu.items())
    print(f"  of which cpu, to ready: {taken} (the supervisor's holds the command's)")


def _until(done: object, began: float) -> float:
    while not done():  # type: ignore[operator]
        time.sleep(0.005)
    return time.monotonic() - began


def _answers(port: int, request: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as opened:
            opened.sendall(request.encode())
            return opened.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def _holds(it_does: bool) -> str:
    return "holds" if it_does else "FALLS SHORT"


if __name__ == "__main__":
    main()
