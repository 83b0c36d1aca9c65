"""Write the reference pages that are made from the code: `docs/reference/commands.md` from the commands' own help."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs/reference/commands.md"
HEAD = """\
# Commands

Made by `make docs` from the commands' own help (`heard COMMAND --help`). Every command works beside a running
`heard serve` on the same data folder. With `--json`, standard output is one JSON document, and logs go to standard
error. Exit 0: done. 1: failed, with one sentence why. 2: wrong usage.
"""


def main() -> None:
    if importlib.util.find_spec("heard.cli") is None or importlib.util.find_spec("heard.cli.main") is None:
        return
    import typer.main

    from heard.cli.main import app

    page = HEAD + "".join(section(path, command) for path, command in leaves(typer.main.get_command(app), "heard"))
    if not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page:
        PAGE.parent.mkdir(parents=True, exist_ok=True)
        PAGE.write_text(page, encoding="utf-8")
        print(f"wrote {PAGE.relative_to(ROOT)}")


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
    # Help marks where its lines must not be joined with \b; here they are lines of text already.
    said = (command.help or "").replace("\b", "").strip()
    return f"\n## `{path}`\n\n{said}\n{table}"


def row(parameter: Any) -> str:
    is_option = parameter.param_type_name == "option"
    name = ", ".join((*parameter.opts, *parameter.secondary_opts)) if is_option else parameter.name.upper()
    said = (getattr(parameter, "help", None) or "").strip().replace("|", "\\|")
    return f"| `{name}` | {said} |"


if __name__ == "__main__":
    main()
