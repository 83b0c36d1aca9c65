from __future__ import annotations

from typing import Annotated

import typer

from heard.cli import reach, show
from heard.cli.options import Data, Json, Workspace

app = typer.Typer(help="Secret keys: what programs use the API with.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="The key's name, or its hint as `heard keys list` shows it.")]


@app.command("list")
def list_keys(data: Data = None, workspace: Workspace = None, json: Json = False) -> None:
    """List the secret keys of a workspace, the revoked ones too. The keys themselves are kept nowhere.

    \b
    Example: heard keys list
    """
    keys = reach.ask("keys_list", data=data, workspace=workspace)
    if json:
        show.document(keys)
        return
    days = ("created_at", "last_used", "revoked_at")
    rows = [(each["name"], each["hint"], each["scope"], *((each[day] or "")[:10] for day in days)) for each in keys]
    show.table(("Name", "Key", "Scope", "Made", "Used", "Revoked"), rows)


@app.command("add")
def add_key(
    name: Annotated[str, typer.Argument(help="What the key is for.")],
    scope: Annotated[str, typer.Option(help="full, or read: it may ask, but change nothing.")] = "full",
    data: Data = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Make a secret key, and print it once.

    \b
    Example: heard keys add "data warehouse" --scope read
    """
    added = reach.ask("keys_add", data=data, name=name, scope=scope, workspace=workspace)
    if json:
        show.document(added)
    else:
        show.text(f"{added['name']}, shown this once: {added['secret_key']}")


@app.command("rotate")
def rotate_key(name: Name, data: Data = None, workspace: Workspace = None, json: Json = False) -> None:
    """Put a new key in the place of an old one, which stops working at once; print it once.

    \b
    Example: heard keys rotate "first key"
    """
    rotated = reach.ask("keys_rotate", data=data, name=name, workspace=workspace)
    if json:
        show.document(rotated)
    else:
        show.text(f"{rotated['name']}, shown this once: {rotated['secret_key']}")


@app.command("revoke")
def revoke_key(name: Name, data: Data = None, workspace: Workspace = None, json: Json = False) -> None:
    """Let a key stop working, at once and for ever.

    \b
    Example: heard keys revoke "data warehouse"
    """
    revoked = reach.ask("keys_revoke", data=data, name=name, workspace=workspace)
    if json:
        show.document(revoked)
    else:
        show.text(f"{revoked['name']} no longer works.")
