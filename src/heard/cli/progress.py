"""A progress bar with a rate and an end, on stderr, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(*, pieces: str | None = None) -> Iterator[Callable[[str, int, int], None]]:
    """Gives a function to call with what is being done, how many bytes are done, and of how many.

    `pieces`: what is counted when it is not bytes, like `days`.
    """
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    counted = [DownloadColumn(), TransferSpeedColumn()]
    if pieces is not None:
        counted = [TextColumn(f"{{task.completed}}/{{task.total}} {pieces}"), TextColumn("{task.fields[rate]}")]
    columns = (TextColumn("{task.description}"), BarColumn(), *counted, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def tell(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, rate="")
            speed = bar.tasks[tasks[what]].speed if pieces else None  # unknown until the second call
            rate = f"{speed:.0f} {pieces}/s" if speed else ""
            bar.update(tasks[what], completed=done, total=total, rate=rate)

        yield tell
