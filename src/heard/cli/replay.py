from __future__ import annotations

import time
from typing import Annotated, Any

import typer

from heard import config
from heard.cli import reach, show
from heard.cli.options import Data, Json, Workspace
from heard.cli.progress import progress_bar
from heard.errors import HeardError

LOOK_EVERY = 0.2  # seconds


def replay(
    destination: Annotated[str, typer.Argument(help="The destination's name.")],
    since: Annotated[
        str | None,
        typer.Option(help="From when: 2026-11-01, 2026-11-01T09:00Z, or 7d for a week ago.", show_default=False),
    ] = None,
    until: Annotated[str | None, typer.Option(help="Until before when; now.", show_default=False)] = None,
    dead: Annotated[bool, typer.Option("--dead", help="Instead of a time, everything that was given up.")] = False,
    reason: Annotated[
        str | None,
        typer.Option(help="With --dead: only what was given up for this, like http_400.", show_default=False),
    ] = None,
    data: Data = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Send a destination again what was, or what it did not take.

    --since: in their order, with the ids they had. What the sender wished becomes this destination alone; consent and
    filters hold, the switches of its events do not. It works on a destination that is switched off, and goes on by
    itself when this command is stopped.

    --dead: what was given up is tried again, as it would have been the first time, as often and as long. Put right
    first what was wrong.

    \b
    Example: heard replay "Warehouse hook" --since 7d
    Example: heard replay "Warehouse hook" --dead --reason http_400
    """
    _check_usage(since, until, dead=dead, reason=reason)
    if dead:
        given_up = reach.ask("replay_dead", data=data, destination=destination, reason=reason, workspace=workspace)
        if json:
            show.document(given_up)
        else:
            show.console().print(_in_words(given_up))
        return
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


def _check_usage(since: str | None, until: str | None, *, dead: bool, reason: str | None) -> None:
    if dead and (since is not None or until is not None):
        raise typer.BadParameter(
            "it is all that was given up, whenever it came; leave --since and --until out.", param_hint="--dead"
        )
    if reason is not None and not dead:
        raise typer.BadParameter("it chooses among what was given up; write --dead too.", param_hint="--reason")
    if since is None and not dead:
        raise typer.BadParameter("say from when, like 7d; or --dead for what was given up.", param_hint="--since")


def _in_words(given_up: dict[str, Any]) -> str:
    n, name = given_up["messages"], given_up["destination"]
    why = f" for {given_up['reason']}" if given_up["reason"] else ""
    if not n:
        return f"Nothing that was to go to {name} is given up{why}."
    said = f"{n:,} message{'' if n == 1 else 's'} given up{why}: tried again, as soon as {name} can."
    return said if given_up["enabled"] else f"{said} It is switched off: they wait until it is switched on."
