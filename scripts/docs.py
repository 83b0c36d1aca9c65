"""Write the reference pages that are made from the code, then say which links in the documents lead nowhere.

`docs/reference/commands.md` comes from the commands' own help.
"""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
REFERENCE = ROOT / "docs/reference"
sys.path.insert(0, str(ROOT))

from tests.architecture.test_documented import leads_somewhere, links  # noqa: E402  the test's own idea of a link


def main() -> None:
    if importlib.util.find_spec("heard.cli.main"):
        write(REFERENCE / "commands.md", commands_page())
    dead = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in (*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"))
        for link in links(path.read_text(encoding="utf-8"))
        if not leads_somewhere(path, link)
    ]
    for line in dead:
        print(f"leads nowhere: {line}")
    sys.exit(1 if dead else 0)


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")
        print(f"wrote {path.relative_to(ROOT)}")


def commands_page() -> str:
    """Each command under its own heading: what it does, its arguments and options, an example."""
    import typer.main

    from heard.cli import main as cli

    parts = [
        "# Commands",
        "Made by `make docs` from the commands' own help. Every command works beside a running `heard serve` on the same "
        "data folder. With `--json`, standard output is one JSON document. Exit 0 done, 1 failed, 2 wrong usage.",
    ]
    for path, command in leaves(typer.main.get_command(cli.app), ("heard",)):
        parts += [f"## `{' '.join(path)}`", (command.help or command.callback.__doc__ or "").strip()]
        if rows := [parameter_row(parameter) for parameter in command.params if not parameter.hidden_from_docs]:
            parts.append("| | |\n|---|---|\n" + "\n".join(rows))
    return "\n\n".join(part for part in parts if part) + "\n"


def leaves(command: Any, path: tuple[str, ...]) -> list[tuple[tuple[str, ...], Any]]:
    if not hasattr(command, "commands"):
        return [(path, command)]
    return [leaf for word, below in command.commands.items() for leaf in leaves(below, (*path, word))]


def parameter_row(parameter: Any) -> str:
    names = ", ".join(parameter.opts) if parameter.param_type_name == "option" else parameter.make_metavar()
    return f"| `{names}` | {(getattr(parameter, 'help', None) or '').strip()} |"


if __name__ == "__main__":
    main()
