from __future__ import annotations

import sys
from json import dumps
from pathlib import Path
from typing import Annotated, Any

import typer

from heard.cli import reach, show
from heard.cli.options import Data, Json, Workspace
from heard.errors import HeardError, Invalid


def apply(
    file: Annotated[str, typer.Argument(help="The workspace file, YAML; `-` reads it from standard input.")],
    data: Data = None,
    json: Json = False,
) -> None:
    """Make a workspace what a file says, and print what changed.

    The workspace is made when there is none of that name. What the file does not speak of is left alone; what it lists
    is as the file says, whole. Applying a file twice changes nothing. All of it is in effect when the command returns,
    write keys included; an error names the place, and then nothing was changed.

    \b
    Example: heard apply acme.yaml
    """
    from heard.operations import yaml_text

    name = "standard input" if file == "-" else file
    content = yaml_text.load(_read(file), name=name)
    if content is None:
        raise Invalid(f"The file is empty: {name} needs at least the line `workspace: NAME`.")
    result = reach.ask("apply", data=data, content=_plain(content))
    for warning in result["warnings"]:
        sys.stderr.write(f"Warning: {warning}\n")
    if json:
        show.document(result)
    else:
        show.text(in_words(result))


def export(
    data: Data = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Print a workspace as the file that `heard apply` reads.

    \b
    Example: heard export > acme.yaml
    """
    from heard.operations import yaml_text

    content = reach.ask("export", data=data, workspace=workspace)
    if json:
        show.document(content)
    else:
        sys.stdout.write(yaml_text.dump(content))


def in_words(result: dict[str, Any]) -> str:
    """One line a change: `+` added, `~` changed, and what it was; one `=` when nothing did."""
    if not result["changes"]:
        return f"= {result['workspace']}: nothing changed"
    return "\n".join(line for change in result["changes"] for line in _lines(change))


def _lines(change: dict[str, Any]) -> list[str]:
    place, before, after = change["place"], change.get("before"), change.get("after")
    if change.get("added"):
        return [f"+ {place}" + (f" ({after})" if after is not None else "")]
    if isinstance(before, dict) or isinstance(after, dict):  # settings, switches: only the keys that differ
        was, now = before or {}, after or {}
        keys = [key for key in {**was, **now} if was.get(key) != now.get(key)]
        return [f"~ {place}.{key}: {_shown(was.get(key))} -> {_shown(now.get(key))}" for key in keys]
    return [f"~ {place}: {_shown(before)} -> {_shown(after)}"]


def _shown(value: Any) -> str:
    if value is None or value == []:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(_shown, value))
    return str(value) if isinstance(value, str) else dumps(value, ensure_ascii=False, default=str)


def _read(file: str) -> str:
    try:
        return sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not UTF-8 text"
        raise HeardError(f"{file} cannot be read: {why}.") from None


def _plain(content: Any) -> Any:
    """Dates as text, so that the content can travel."""
    import msgspec

    return msgspec.json.decode(msgspec.json.encode(content))
