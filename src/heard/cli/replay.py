from __future__ import annotations

import time
from typing import Annotated

import typer

from heard import config
from heard.cli import reach, show
from heard.cli.options import Data, Json, Workspace
from heard.cli.progress import progress_bar
from heard.errors import HeardError

LOOK_EVERY = 0.2  # seconds


def replay(
    destination: Annotated[str, typer.Argument(help="The destination's name.")],
    since: Annotated[str, typer.Option(help="From when: 2026-11-01, 2026-11-01T09:00Z, or 7d for a week ago.")],
    until: Annotated[str | None, typer.Option(help="Until before when; now.", show_default=False)] = None,
    data: Data = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Send the messages of a time to a destination once more.

    In their order, with the ids they had. What the sender wished becomes this destination alone; consent and filters
    hold, the switches of its events do not. It works on a destination that is switched off, and goes on by itself
    when this command is stopped.

    \b
    Example: heard replay "Warehouse hook" --since 7d
    """
    found = reach.ask("replay", data=data, destination=destination, since=since, until=until, workspace=workspace)
    with progress_bar(pieces="messages") as tell:
        total = found["looked_at"] + found["left"]
        while found["state"] == "running" and reach.is_served(config.read(data=data)):
            tell(f"Replaying to {found['destination']}", total - found["left"], total)
            time.sleep(LOOK_EVERY)
            found = reach.ask("replay_progress", data=data, id=found["id"], workspace=workspace)
    if json:
        show.document(found)
        return
    if found["kept_since"]:
        show.console().print(f"Messages from before {found['kept_since'][:16]} UTC are kept no longer.")
    if found["state"] == "running":
        raise HeardError(
            f"{found['destination']} took {found['sent']:,} so far, and takes no more just now."
            " The replay goes on by itself when `heard serve` runs."
        )
    if found["state"] == "cancelled":
        show.console().print(f"Cancelled: {found['sent']:,} of {found['looked_at']:,} messages were sent.")
        return
    said = f"{found['destination']} took {found['sent']:,} of {found['looked_at']:,} messages"
    show.console().print(f"{said} received from {found['since'][:16]} to {found['until'][:16]} UTC.")
