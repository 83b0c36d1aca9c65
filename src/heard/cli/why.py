from __future__ import annotations

from typing import Annotated

import typer

from heard.cli import reach, show
from heard.cli.options import Data, Json, Workspace


def why(
    user_id: Annotated[str, typer.Argument(help="A userId, `email:ann@example.com` or `id:12`.")],
    campaign: Annotated[str | None, typer.Option(help="Only this campaign.", show_default=False)] = None,
    data: Data = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Say why somebody was, or was not, asked.

    Every kept decision, and what would be decided now.

    \b
    Example: heard why user-42 --campaign Post-purchase
    """
    found = reach.ask("why", data=data, user_id=user_id, campaign=campaign, workspace=workspace)
    if json:
        show.document(found)
        return
    from heard.cli.why_view import view

    lately = None
    if not found["decisions"]:
        lately = reach.ask("heard_of", data=data, user_id=found["user_id"] or user_id, workspace=workspace)
    view(found, lately=lately, asked_for=user_id, now=reach.now(data), console=show.console())
