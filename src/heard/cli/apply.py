from __future__ import annotations

import sys
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
    return "\n".join(_line(change) for change in result["changes"])


def _line(change: dict[str, Any]) -> str:
    if change.get("added"):
        value = change.get("after")
        return f"+ {change['place']}" + (f" ({value})" if value is not None else "")
    return f"~ {change['place']}: {_shown(change.get('before'))} -> {_shown(change.get('after'))}"


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    return ", ".join(map(str, value)) or "none" if isinstance(value, list) else str(value)


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
