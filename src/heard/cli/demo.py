from __future__ import annotations

import errno
import fcntl
import os
import secrets
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
from heard.errors import HeardError, NotFound
from heard.sockets import why_not

WORKSPACE = Path(__file__).with_name("demo_workspace.yaml")
WRITE_KEY = "wk_demo_website"
SURVEY, OWNER = "Relationship NPS", "owner@localhost"
PORTS_TRIED = 100
NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gia", "Hugo")


def demo(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The first port to try; a taken one leads to the next.", min=1, max=65535)
    ] = 8800,
    data: Data = None,
) -> None:
    """Serve an example workspace, and say what to try.

    Two lines of curl lead to a survey mail in the outbox. Without --data it lives in the folder `demo` inside the data
    folder, so that it never meets your own data.

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
    become_the_server(settings, host=host, port=free, say=what_to_try(url, folder, somebody_new(folder)))


def somebody_new(folder: Path) -> str:
    """A first name that no earlier run of this demo has told about: whoever was asked is left alone for a while."""
    for name in NAMES:
        try:
            reach.ask("contact", data=folder, user_id=name.lower())
        except NotFound:
            return name
    return f"Zoe-{secrets.token_hex(3)}"


def what_to_try(url: str, folder: Path, name: str) -> list[str]:
    """Lines that work when they are pasted into any shell that stands in the folder this one stands in."""
    heard, user_id = shlex.quote(_command()), name.lower()
    on = f"--data {shlex.quote(str(folder))}"

    def curl(call: str, body: str) -> str:
        return f"  curl -u {WRITE_KEY}: {url}/v1/{call} -H 'Content-Type: application/json' -d '{body}'"

    return [
        "",
        "What to try",
        "",
        f"1. {name} buys something:" if name == NAMES[0] else f"1. {_earlier(name)} {name} buys something:",
        curl(
            "identify",
            f'{{"userId":"{user_id}","traits":{{"email":"{user_id}@example.com","firstName":"{name}","plan":"Premium"}}}}',
        ),
        curl("track", f'{{"userId":"{user_id}","event":"Order Completed","properties":{{"total":42}}}}'),
        f"2. The survey mail is in the outbox, {url}/outbox (sign in as {OWNER}). Open it, tap a number, confirm.",
        f"   The password was printed at the first start; `{heard} users password {OWNER} {on}` makes another.",
        f"3. Ask for the score, and why {name} is not asked again:",
        f"  {heard} score {shlex.quote(SURVEY)} {on}",
        f"  {heard} why {user_id} {on}",
        "",
        "Ctrl-C stops it.",
    ]


def _earlier(name: str) -> str:
    """Why it is not Ann this time."""
    before = list(NAMES[: NAMES.index(name)] if name in NAMES else NAMES)
    who = f"{', '.join(before[:-1])} and {before[-1]}" if len(before) > 1 else before[0]
    return f"{who} {'was' if len(before) == 1 else 'were'} here in an earlier run, and nobody is asked again so soon."


def _command() -> str:
    """How this very `heard` is called from here: `.venv/bin/heard`, or its whole path where that is shorter."""
    ours = Path(sys.executable).with_name("heard")
    if not ours.exists():
        return shutil.which("heard") or "heard"
    near = os.path.relpath(ours)
    near = near if os.sep in near else f".{os.sep}{near}"
    return min(near, str(ours), key=len)


def _free_port(host: str, first: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in range(first, min(first + PORTS_TRIED, 65536)):
        try:
            with socket.create_server((host, port), family=family):
                return port
        except (OSError, UnicodeError) as problem:
            if getattr(problem, "errno", None) not in (errno.EADDRINUSE, errno.EACCES):
                raise HeardError(why_not(host, port, problem)) from None
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
