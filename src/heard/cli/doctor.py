from __future__ import annotations

from typing import Any

import typer

from heard.cli import reach, show
from heard.cli.options import Data, Json, Workspace

SIGNS = {"good": ("✓", "green"), "warning": ("!", "yellow"), "wrong": ("✗", "red")}


def doctor(data: Data = None, workspace: Workspace = None, json: Json = False) -> None:
    """Look whether mails can arrive and links be opened.

    It looks at the address, the mail server, the DNS records of the sender, the secret and the disk. Each line is good,
    a warning or wrong, and says what to do. Exit 1 when something is wrong. Nothing is changed.

    \b
    Example: heard doctor
    """
    found = reach.ask("doctor", data=data, workspace=workspace)
    if json:
        show.document(found)
    else:
        _show(found["checks"])
    if found["verdict"] == "wrong":
        raise typer.Exit(1)


def _show(checks: list[dict[str, Any]]) -> None:
    console, whose = show.console(), None
    for each in checks:
        if each["workspace"] != whose:
            whose = each["workspace"]
            console.print(f"\n{whose}", style="bold", markup=False)
        sign, colour = SIGNS[each["verdict"]]
        console.print(f"{sign} ", style=colour, end="")
        console.print(f"{each['check']}: {each['said']}", markup=False)
        if each["fix"]:
            console.print(f"    {each['fix']}", markup=False)
