from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from heard import config
from heard.cli.begin import become_the_server
from heard.cli.options import Data


class Part(StrEnum):
    COLLECTOR = "collector"
    HEART = "heart"


def serve(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="The port to listen on; 0 for any free one.", min=0, max=65535)] = 8800,
    data: Data = None,
    only: Annotated[
        Part | None, typer.Option(help="Run just the collector or just the heart.", show_default=False)
    ] = None,
    test_clock: Annotated[
        bool, typer.Option("--test-clock", help="Allow POST /api/test-clock, which moves time. For tests.")
    ] = False,
) -> None:
    """Run everything: collect, decide, send, show.

    On the first run it makes what `heard init` makes, and prints it once. When it accepts, routes and sends it prints
    `Heard is ready: http://...`. It stops on SIGTERM or Ctrl-C within 10 seconds.

    \b
    Example: heard serve --port 8800 --data ./heard-data
    """
    become_the_server(config.read(data=data), host=host, port=port, only=only, test_clock=test_clock)
