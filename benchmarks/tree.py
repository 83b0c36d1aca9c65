"""A whole `heard serve` for the benchmarks: a workspace that asks after an order, and what its processes cost."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType

KEY = "wk_benchmark"
WORKSPACE = f"""
workspace: Acme
brand: {{name: Acme, from: "Acme <feedback@acme.example>", address: "Acme, 1 Main St"}}
sources:
  - {{name: Website, write_key: {KEY}}}
surveys:
  - {{name: Relationship NPS, kind: nps, languages: [en]}}
campaigns:
  - name: Post-purchase
    survey: Relationship NPS
    channel: email
    event: Order Completed
    where: "properties.total > 20"
    list: Segment List
    throttle: 90d
    status: ready
"""
HEARD = str(Path(sys.executable).parent / "heard")
TICK = 1 / os.sysconf("SC_CLK_TCK")
PARTS = {"heard.serve": "supervisor", "heard.collector": "collector", "heard.heart": "heart"}


class Tree:
    """`with Tree(folder) as tree:` is ready when the body begins."""

    def __init__(self, folder: Path, *, environment: Mapping[str, str] | None = None) -> None:
        self.data = folder / "data"
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port: int = probe.getsockname()[1]
        ours = {name: value for name, value in os.environ.items() if not name.startswith("HEARD_")}
        self.environment = {**ours, "HEARD_LOG_LEVEL": "error", **(environment or {}), "HEARD_DATA": str(self.data)}
        self._file = folder / "heard.yaml"

    def __enter__(self) -> Tree:
        self._file.write_text(WORKSPACE)
        for arguments in (["init"], ["apply", str(self._file)]):
            subprocess.run([HEARD, *arguments], env=self.environment, check=True, stdout=subprocess.DEVNULL)
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(30)

    def launch(self) -> None:
        """Start, without waiting for anything."""
        self._process = subprocess.Popen(
            [HEARD, "serve", "--port", str(self.port)],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def reap(self) -> None:
        """After it was killed."""
        self._process.wait(10)

    def start(self) -> None:
        self.launch()
        until = time.monotonic() + 30
        while not self.answers("/ready"):
            if time.monotonic() > until or self._process.poll() is not None:
                self._process.kill()
                raise SystemExit("heard serve does not become ready")
            time.sleep(0.01)

    def answers(self, path: str) -> bool:
        try:
            return self.get(path).startswith("HTTP/1.1 200")
        except OSError:
            return False

    def get(self, path: str) -> str:
        """The whole answer, head and body."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=5) as opened:
            opened.sendall(f"GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n".encode())
            return b"".join(iter(lambda: opened.recv(65536), b"")).decode()

    def metric(self, name: str) -> float:
        lines = [line for line in self.get("/metrics").splitlines() if line.startswith(f"{name} ")]
        return float(lines[0].split()[1])

    def pids(self) -> dict[str, int]:
        """`supervisor`, `collector` and `heart`."""
        found: dict[str, int] = {}
        queue = [self._process.pid]
        while queue:
            pid = queue.pop()
            words = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            found |= {name: pid for module, name in PARTS.items() if module in words}
            for children in Path(f"/proc/{pid}/task").glob("*/children"):
                queue += [int(child) for child in children.read_text().split()]
        return found


def cpu_seconds(pid: int) -> float:
    """User and system time of all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) * TICK


def megabytes(pid: int, what: str = "Pss") -> float:
    """Proportional set size: what is shared with others counts in parts."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{what}:"):
            return int(line.split()[1]) / 1024
    return 0.0


def share(ordered: list[float], percent: float) -> float:
    """The value below which `percent` of a sorted list lie."""
    return ordered[min(len(ordered) - 1, int(len(ordered) * percent / 100))]
