"""Write the reference pages that are made from the code, so that they cannot be wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from scripts import docs_api, docs_destinations

REFERENCE = Path(__file__).resolve().parent.parent / "docs/reference"

COMMANDS_HEAD = """\
# Commands

Made by `make docs` from the commands' own help (`heard COMMAND --help`). Every command works beside a running
`heard serve` on the same data folder. With `--json`, standard output is one JSON document, and logs go to standard
error. Exit 0: done. 1: failed, with one sentence why. 2: wrong usage.
"""

SETTINGS_HEAD = """\
# Settings

Made by `make docs` from `heard/config.py`. Settings are environment variables; DATA stands for what `HEARD_DATA`
says. An empty one counts as absent, and booleans are `1 true yes on` or `0 false no off`. A name that begins with
`HEARD_` and is not in this list stops the start, so that a typo is noticed; only `HEARD_PORT*` and `HEARD_SERVICE_*`
are let pass, because Kubernetes injects them. Everything else is in the workspace file.

| setting | default | what it does |
|---|---|---|
"""

ROLES_HEAD = """\
# Roles

Made by `make docs` from `heard/accounts/member.py`, which the server asks before every page and every change. A member
belongs to one workspace and has one role, which `heard users add ADDRESS --role ROLE` gives. Each role may do all that
the ones before it may.

Nobody hands out, or takes away, a role that may more than their own. The last owner of a workspace stays. Who can run
`heard` on the machine may do everything. Secret keys are for programs and have no role but a scope: `full` does what
the [API](api.md) offers in its workspace, `read` changes nothing.

"""

ACTIONS = {
    "see": "see everything: scores, answers, contacts, decisions, deliveries, messages",
    "ask": "make and change surveys and campaigns, send a survey to oneself, unsubscribe a contact, say that an answer"
    " was a person's or a machine's",
    "set_up": "set up brand, quiet period, sources, destinations, audiences; erase and suppress people; apply a"
    " workspace file",
    "keys": "make, rotate and revoke secret keys",
    "members": "invite members, change their roles, remove them",
    "audit": "read who changed what",
    "workspaces": "make another workspace, make owners",
}


def main() -> None:
    for name, page in pages().items():
        path, text = REFERENCE / name, page()
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
            print(f"wrote docs/reference/{name}")


def pages() -> dict[str, Callable[[], str]]:
    """Each page's file name, and what makes it."""
    return {
        "settings.md": settings_page,
        "commands.md": commands_page,
        "api.md": docs_api.api_page,
        "roles.md": roles_page,
        "destinations.md": docs_destinations.destinations_page,
    }


def settings_page() -> str:
    from heard.config import SETTINGS

    rows = (f"| `{each.name}` | {cell(each.default)} | {cell(each.help)} |\n" for each in SETTINGS)
    return SETTINGS_HEAD + "".join(rows)


def commands_page() -> str:
    import typer.main

    from heard.cli.main import app  # pyright: ignore

    commands = leaves(typer.main.get_command(app), "heard")
    return COMMANDS_HEAD + "".join(section(path, command) for path, command in commands)


def roles_page() -> str:
    """A row for each action, a column for each role, the one that may least first."""
    from heard.accounts.member import Action, Role, may

    roles = list(reversed(Role))
    head = f"| to | {' | '.join(roles)} |\n|---|{'---|' * len(roles)}\n"
    rows = (
        f"| {ACTIONS[action]} | {' | '.join('yes' if may(role, action) else '–' for role in roles)} |\n"
        for action in Action
    )
    return ROLES_HEAD + head + "".join(rows)


def leaves(command: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Every command that does something, with its group's name before it: `heard users add`."""
    if not hasattr(command, "commands"):
        yield path, command
        return
    for word, below in command.commands.items():
        if not below.hidden:
            yield from leaves(below, f"{path} {word}")


def section(path: str, command: Any) -> str:
    """One command under its own heading: what it does with its example, then its arguments and options."""
    rows = [row(parameter) for parameter in command.params if not getattr(parameter, "hidden", False)]
    table = "\n| | |\n|---|---|\n" + "\n".join(rows) + "\n" if rows else ""
    # Help marks with \b where its lines must not be joined; here they are lines of text already.
    said = (command.help or "").replace("\b", "").strip()
    return f"\n## `{path}`\n\n{said}\n{table}"


def row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    name = ", ".join((*parameter.opts, *parameter.secondary_opts)) if is_option else parameter.name.upper()
    return f"| `{name}` | {cell((getattr(parameter, 'help', None) or '').strip())} |"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    main()
