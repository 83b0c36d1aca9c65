from __future__ import annotations

import fcntl
import shlex
import shutil
import socket
import sys
from pathlib import Path
from typing import Annotated

import typer

from heard import config
from heard.cli import reach, show
from heard.cli.options import Data
from heard.cli.serve import become_the_server
from heard.errors import HeardError

WORKSPACE = Path(__file__).with_name("demo_workspace.yaml")
WRITE_KEY = "wk_demo_website"
SURVEY, OWNER = "Relationship NPS", "owner@localhost"
PORTS_TRIED = 100


def demo(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The first port to try; a taken one leads to the next.", min=1, max=65535)
    ] = 8800,
    data: Data = None,
) -> None:
    """Serve an example workspace, and say what to try: two lines of curl lead to a survey mail in the outbox.

    Without --data it lives in the folder `demo` inside the data folder, so that it never meets your own data.

    \b
    Example: heard demo
    """
    from heard.operations import yaml_text
    from heard.operations.first_run import in_words

    free = _free_port(host, port)
    folder = data or _free_folder(config.read().data / "demo")
    made = reach.ask("init", data=folder, workspace="Acme")
    reach.ask("apply", data=folder, content=yaml_text.load(WORKSPACE.read_text(encoding="utf-8")))
    if "owner_password" in made:
        show.text(in_words(made | {"write_key": WRITE_KEY}))
    settings = config.read(data=folder)
    url = settings.base_url or f"http://{'localhost' if host in ('0.0.0.0', '::') else host}:{free}"  # noqa: S104
    become_the_server(settings, host=host, port=free, say=what_to_try(url, folder))


def what_to_try(url: str, folder: Path) -> list[str]:
    """Lines that work when they are pasted."""
    heard = (shutil.which("heard") and "heard") or str(Path(sys.executable).with_name("heard"))
    on = f"--data {shlex.quote(str(folder))}"

    def curl(call: str, body: str) -> str:
        return f"  curl -u {WRITE_KEY}: {url}/v1/{call} -H 'Content-Type: application/json' -d '{body}'"

    return [
        "",
        "What to try",
        "",
        "1. Somebody buys something:",
        curl(
            "identify",
            '{"userId":"ann","traits":{"email":"ann@example.com","firstName":"Ann","plan":"Premium"}}',
        ),
        curl("track", '{"userId":"ann","event":"Order Completed","properties":{"total":42}}'),
        f"2. The survey mail is in the outbox, {url}/outbox (sign in as {OWNER}). Open it, tap a number, confirm.",
        f"   The password was printed at the first start; `{heard} users password {OWNER} {on}` makes another.",
        "3. Ask for the score, and why Ann is not asked again:",
        f"  {heard} score {shlex.quote(SURVEY)} {on}",
        f"  {heard} why ann {on}",
        "",
        "Ctrl-C stops it.",
    ]


def _free_port(host: str, first: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        try:
            with socket.create_server((host, port), family=family):
                return port
        except OSError:
            continue
    raise HeardError(f"Every port from {first} on is taken. Name a free one with --port.")


def _free_folder(wanted: Path) -> Path:
    """The demo's folder, or the next one while another demo is served from it."""
    number, folder = 1, wanted
    while _is_served(folder):
        number += 1
        folder = wanted.with_name(f"{wanted.name}-{number}")
    return folder


def _is_served(folder: Path) -> bool:
    try:
        with (folder / "serve.lock").open("rb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except FileNotFoundError:
        return False
    except OSError:
        return True
    return False
