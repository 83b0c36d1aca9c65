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
    """Say why somebody was, or was not, asked: every kept decision, and what would be decided now.

    \b
    Example: heard why user-42 --campaign Post-purchase
    """
    found = reach.ask("why", data=data, user_id=user_id, campaign=campaign, workspace=workspace)
    if json:
        show.document(found)
        return
    from heard.cli.why_view import view

    view(found, asked_for=user_id, now=reach.now(data), console=show.console())
