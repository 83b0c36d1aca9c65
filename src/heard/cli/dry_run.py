from __future__ import annotations

from typing import Annotated

import typer

from heard.cli import show
from heard.cli.options import Data, Json, Workspace
from heard.cli.progress import progress_bar


def dry_run(
    campaign: Annotated[str, typer.Argument(help="The campaign's name.")],
    since: Annotated[str, typer.Option(help="From when: 30d, 2026-11-01 or 2026-11-01T09:00Z.")] = "30d",
    data: Data = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Say what a campaign would have done, and what really happened.

    The messages that are kept go once more past the same rules, by the clock of then; nothing is kept and nobody is
    written to. It reads the data folder by itself, beside a running server or without one.

    \b
    Example: heard dry-run Post-purchase --since 90d
    """
    from heard.cli.dry_run_view import view
    from heard.operations.dry_run import look
    from heard.steps.rehearse import Progress

    with progress_bar(pieces="days") as tell:
        for step in look(data=data, campaign=campaign, since=since, workspace=workspace):
            if isinstance(step, Progress):
                tell("Asking the rules again", step.done, step.of, step.unit)
            else:
                found = step
    if json:
        show.document(found)
        return
    view(found, console=show.console())
