"""Every command of `heard`, and what happens when one fails."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from heard.cli import keys, users
from heard.cli.apply import apply, export
from heard.cli.backup import backup, restore
from heard.cli.demo import demo
from heard.cli.doctor import doctor
from heard.cli.dry_run import dry_run
from heard.cli.init import init
from heard.cli.migrate import migrate
from heard.cli.replay import replay
from heard.cli.score import score
from heard.cli.serve import serve
from heard.cli.why import why
from heard.errors import HeardError


def _say_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version

        sys.stdout.write(f"heard {version('heard')}\n")
        raise typer.Exit


app = typer.Typer(
    name="heard",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for command in (init, serve, apply, export, why, dry_run, score, replay, demo, backup, restore, migrate, doctor):
    app.command()(command)


@app.callback()
def heard(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version and leave.", is_eager=True, callback=_say_version)
    ] = False,
) -> None:
    """Ask the right customers, at the right moment, how they feel."""


app.add_typer(users.app, name="users")
app.add_typer(keys.app, name="keys")


def main() -> None:
    """Exit 0: done. 1: failed, with one sentence on stderr. 2: wrong usage."""
    os.umask(0o077)  # what we make, folders above the data folder and backups included, is for our own user only
    try:
        app()
    except HeardError as problem:
        sys.exit(str(problem))
    except Exception as problem:
        if os.environ.get("HEARD_LOG_LEVEL", "").lower() == "debug":
            raise
        sys.exit(f"Heard failed: {type(problem).__name__}: {problem}. HEARD_LOG_LEVEL=debug shows where.")
