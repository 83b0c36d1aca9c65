from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from heard import config
from heard.cli import show
from heard.cli.options import Data, Json
from heard.cli.progress import progress_bar


def backup(
    path: Annotated[Path, typer.Argument(help="The .tar.gz to write, or a folder to write it into.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Write everything into one file, while Heard runs or not.

    In it are the state, what waits on the log, the outbox, the keys and the secret; whatever was acknowledged when the
    command began is there. Keep it safe: it holds personal data and the secret.

    \b
    Example: heard backup /backups/
    """
    from heard.store.backup import backup as write

    with progress_bar() as progress:
        written = write(config.read(data=data), Path(os.path.normpath(path)), progress=progress)
    size = written.stat().st_size
    if json:
        show.document({"path": str(written), "bytes": size})
    else:
        show.text(f"Wrote {written}, {show.size(size)}.")


def restore(
    path: Annotated[Path, typer.Argument(help="A backup that `heard backup` wrote.")],
    force: Annotated[
        bool, typer.Option("--force", help="Also into a folder that is not empty; its content is moved aside.")
    ] = False,
    data: Data = None,
    json: Json = False,
) -> None:
    """Put a backup into an empty data folder.

    The server has to be stopped. Nobody is mailed twice: surveys that were due when the backup was made, or have become
    due since, may have gone out already, so they become `unknown` and are not sent; the number is printed. Those due
    later go out on their day.

    \b
    Example: heard restore /backups/heard-20261122T030000Z.tar.gz --data ./heard-data
    """
    import asyncio

    from heard import logging
    from heard.operations.restore import restore as put_back

    settings = config.read(data=data)
    logging.set_up(settings.log_level)
    with progress_bar() as progress:
        done = asyncio.run(put_back(settings, path, force=force, progress=progress))
    if json:
        show.document(done)
        return
    show.text(f"Restored the backup of {done['at']} into {settings.data}.")
    if done["unknown"]:
        show.text(
            f"{done['unknown']} deliveries may have been sent since: they are unknown now, and are not sent again."
        )
    if done["moved_to"]:
        show.text(f"What was there before is in {done['moved_to']}.")
