from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from urllib.parse import urlsplit

import typer

from heard import config
from heard.channels.email.relay import relay
from heard.cli.options import Data
from heard.config import Settings


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


def become_the_server(
    settings: Settings,
    *,
    host: str,
    port: int,
    only: str | None = None,
    test_clock: bool = False,
    say: Sequence[str] = (),
) -> None:
    """Turn into the supervisor, which keeps nothing of the command line in memory.

    `say`: lines to print after the ready line.
    """
    if settings.smtp_url:
        relay(settings.smtp_url)  # refused here, before anything starts
    arguments = [
        f"--data={settings.data}",
        f"--host={host}",
        f"--port={port}",
        f"--segment-bytes={settings.segment_bytes}",
        f"--trusted-proxies={','.join(map(str, settings.trusted_proxies))}",
        *(f"--say={line}" for line in say),
    ]
    if settings.base_url:
        arguments += [f"--base-url={settings.base_url}", f"--base-path={urlsplit(settings.base_url).path}"]
    if only:
        arguments.append(f"--only={only}")
    if test_clock:
        arguments.append("--test-clock")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "heard.serve", *arguments])  # noqa: S606
