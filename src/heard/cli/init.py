from __future__ import annotations

from typing import Annotated

import typer

from heard.cli import reach, show
from heard.cli.options import Data, Json


def init(
    workspace: Annotated[
        str | None,
        typer.Option(
            "--workspace",
            help="The name of the workspace to make; it stands beside others there are.",
            show_default=False,
        ),
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a data folder with a workspace, its keys and an owner.

    The workspace has a first source. The secret key and the owner's password are printed once. Run again, it changes
    nothing and prints no secret; with the name of another workspace it makes that one too, with keys and an owner of
    its own.

    \b
    Example: heard init --workspace Acme --json
    """
    made = reach.ask("init", data=data, workspace=workspace)
    if json:
        show.document(made)
        return
    from heard.operations.first_run import in_words

    show.text(in_words(made))
