"""A progress bar with a rate and an end, on stderr, where somebody watches."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def progress_bar(*, pieces: str | None = None) -> Iterator[Callable[..., None]]:
    """Gives a function to call with what is being done, how many bytes are done, and of how many.

    `pieces`: what is counted when it is not bytes, like `days`; where that is known only on the way, the function is
    told it, as its fourth.
    """
    if not sys.stderr.isatty():
        yield lambda *_: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    counted = [DownloadColumn(), TransferSpeedColumn()]
    if pieces is not None:
        counted = [TextColumn("{task.completed}/{task.total} {task.fields[unit]}"), TextColumn("{task.fields[rate]}")]
    columns = (TextColumn("{task.description}"), BarColumn(), *counted, TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        tasks = {}

        def tell(what: str, done: int, total: int, unit: str | None = pieces) -> None:
            if what not in tasks:
                tasks[what] = bar.add_task(what, total=total, rate="", unit=unit)
            speed = bar.tasks[tasks[what]].speed if unit else None  # unknown until the second call
            rate = f"{speed:.0f} {unit}/s" if speed else ""
            bar.update(tasks[what], completed=done, total=total, rate=rate)

        yield tell
