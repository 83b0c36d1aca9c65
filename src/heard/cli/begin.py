"""The way into `heard`. A plain `heard serve` goes past everything that the other commands need.

A server that was killed is started by somebody's service manager, and every tenth of a second until it answers counts;
reading arguments with all commands loaded takes two of them. What is not plain (`--help`, a typo) goes the usual way.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from urllib.parse import urlsplit

from heard import config
from heard.config import Settings
from heard.errors import HeardError

WITH_A_VALUE = ("--host", "--port", "--data", "--only")


def main() -> None:
    if sys.argv[1:2] == ["serve"] and (given := plain(sys.argv[2:])) is not None:
        os.umask(0o077)
        try:
            become_the_server(
                config.read(data=Path(given["--data"]) if "--data" in given else None),
                host=given.get("--host", "127.0.0.1"),
                port=int(given.get("--port", "8800")),
                only=given.get("--only"),
                test_clock="--test-clock" in given,
            )
        except HeardError as problem:
            sys.exit(str(problem))
    from heard.cli.main import main as every_command

    every_command()


def plain(arguments: Sequence[str]) -> dict[str, str] | None:
    """The options of `serve`, each once and with a value that needs no explaining; None sends them the usual way."""
    given: dict[str, str] = {}
    rest = list(arguments)
    while rest:
        name, equals, value = rest.pop(0).partition("=")
        if name in WITH_A_VALUE and not equals and rest:
            value = rest.pop(0)
        if name in given or (name != "--test-clock" and (name not in WITH_A_VALUE or not value)):
            return None
        given[name] = value
    port, only = given.get("--port", "8800"), given.get("--only", "heart")
    plain_port = port.isascii() and port.isdigit() and int(port) <= 65535
    return given if plain_port and only in ("collector", "heart") else None


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
        from heard.channels.email.relay import relay

        relay(settings.smtp_url)  # refused here, before anything starts
    arguments = [
        f"--data={settings.data}",
        f"--host={host}",
        f"--port={port}",
        f"--segment-bytes={settings.segment_bytes}",
        f"--trusted-proxies={','.join(map(str, settings.trusted_proxies))}",
        *(f"--say={line}" for line in say),
    ]
    if settings.rate_limit:
        arguments.append(f"--rate-limit={settings.rate_limit}")
    if settings.base_url:
        arguments += [f"--base-url={settings.base_url}", f"--base-path={urlsplit(settings.base_url).path}"]
    if only:
        arguments.append(f"--only={only}")
    if test_clock:
        arguments.append("--test-clock")
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "heard.serve", *arguments])  # noqa: S606
