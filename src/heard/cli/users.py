from __future__ import annotations

from typing import Annotated

import typer

from heard.cli import reach, show
from heard.cli.options import Data, Json, Workspace

app = typer.Typer(help="Members: who may sign in.", no_args_is_help=True, rich_markup_mode=None)

Email = Annotated[str, typer.Argument(help="The e-mail address.")]


@app.command("list")
def list_users(data: Data = None, workspace: Workspace = None, json: Json = False) -> None:
    """List the members of a workspace.

    \b
    Example: heard users list
    """
    members = reach.ask("users_list", data=data, workspace=workspace)
    if json:
        show.document(members)
    else:
        show.table(
            ("E-mail", "Role", "Since"), [(each["email"], each["role"], each["created_at"][:10]) for each in members]
        )


@app.command("add")
def add_user(
    email: Email,
    role: Annotated[str, typer.Option(help="owner, admin, member or viewer.")] = "member",
    data: Data = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Add a member, and print the password made for them, once.

    \b
    Example: heard users add ted@acme.example --role admin
    """
    added = reach.ask("users_add", data=data, email=email, role=role, workspace=workspace)
    if json:
        show.document(added)
    else:
        show.text(f"{added['email']} is now {added['role']}. Password, shown this once: {added['password']}")


@app.command("password")
def change_password(email: Email, data: Data = None, workspace: Workspace = None, json: Json = False) -> None:
    """Give a member a new password, and print it once.

    \b
    Example: heard users password ted@acme.example
    """
    changed = reach.ask("users_password", data=data, email=email, workspace=workspace)
    if json:
        show.document(changed)
    else:
        show.text(f"New password of {changed['email']}, shown this once: {changed['password']}")


@app.command("remove")
def remove_user(email: Email, data: Data = None, workspace: Workspace = None, json: Json = False) -> None:
    """Take a member's access away. The last owner stays.

    \b
    Example: heard users remove ted@acme.example
    """
    removed = reach.ask("users_remove", data=data, email=email, workspace=workspace)
    if json:
        show.document(removed)
    else:
        show.text(f"{removed['email']} can no longer sign in.")
