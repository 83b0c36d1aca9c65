from __future__ import annotations

from typing import Annotated

import typer

from heard.cli import reach, show
from heard.cli.options import Data, Json


def init(
    workspace: Annotated[
        str | None, typer.Option("--workspace", help="What to call the workspace.", show_default=False)
    ] = None,
    data: Data = None,
    json: Json = False,
) -> None:
    """Make the data folder, a workspace with its first source, a secret key and an owner.

    The secret key and the owner's password are printed once. Run again, it changes nothing and prints no secret.

    \b
    Example: heard init --workspace Acme --json
    """
    made = reach.ask("init", data=data, workspace=workspace)
    if json:
        show.document(made)
        return
    from heard.operations.first_run import in_words

    show.text(in_words(made))
