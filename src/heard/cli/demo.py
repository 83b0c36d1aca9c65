from __future__ import annotations

import errno
import os
import secrets
import shlex
import shutil
import socket
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from heard import config
from heard.cli import reach, show
from heard.cli.options import Data
from heard.cli.progress import progress_bar
from heard.cli.serve import become_the_server
from heard.config import Settings
from heard.errors import HeardError, NotFound
from heard.sockets import why_not

if TYPE_CHECKING:
    from heard.demo.folder import Made
    from heard.demo.suggestions import Suggestions

WRITE_KEY = "wk_demo_website"
SURVEY, OWNER = "Relationship NPS", "owner@localhost"
PORTS_TRIED = 100
NAMES = ("Ann", "Ben", "Cleo", "Dan", "Eve", "Finn", "Gia", "Hugo")
STALE = timedelta(days=2)


def demo(
    host: Annotated[str, typer.Option(help="The address to listen on; 0.0.0.0 for every one.")] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(help="The first port to try; a taken one leads to the next.", min=1, max=65535)
    ] = 8800,
    data: Data = None,
    empty: Annotated[bool, typer.Option("--empty", help="The same workspace without anybody in it.")] = False,
) -> None:
    """Serve a living example workspace, and say what to try.

    At its first start it makes 2,000 contacts and 18 months of history, which takes a minute or two; later starts
    serve what is there. Without --data it lives in the folder `demo` inside the data folder, so that it never meets
    your own data. Its mails stay in its outbox, whatever HEARD_SMTP_URL says.

    \b
    Example: heard demo
    """
    from heard.demo import folder as folders

    free_port = _free_port(host, port)
    if os.environ.pop("HEARD_DATABASE_URL", None):
        raise HeardError("HEARD_DATABASE_URL is set, and the demo keeps its own database. Unset it for this command.")
    os.environ.pop("HEARD_SMTP_URL", None)
    folder = _folder(data, empty=empty)
    settings = config.read(data=folder)
    url = settings.base_url or f"http://{'localhost' if host in ('0.0.0.0', '::') else host}:{free_port}"  # noqa: S104
    with folders.taken(settings.data):
        made = folders.read(settings.data)
        if made is None or not made.whole:
            made = _made_afresh(settings, url, unfinished=made is not None, empty=empty)
        lines = what_to_try(url, folder, _whom(settings, made), _age(made, folder))
    become_the_server(settings, host=host, port=free_port, say=lines)


def _made_afresh(settings: Settings, url: str, *, unfinished: bool, empty: bool) -> Made:
    """The workspace with its history, or without. What an interrupted start left is removed first."""
    import uvloop

    from heard import logging
    from heard.demo import folder as folders
    from heard.demo import history
    from heard.operations.first_run import in_words

    if unfinished:
        show.text(f"The history in {settings.data} was interrupted; it is made afresh.")
        folders.clear(settings.data)
    now = datetime.now(UTC)
    folders.write(settings.data, folders.Made(whole=False, at=now))
    logging.set_up("error")
    with progress_bar(pieces="days") as tell:

        def days(done: int, of: int) -> None:
            tell("Making 18 months of history", done, of)

        if empty:
            first, made = uvloop.run(history.none(settings, base_url=url, now=now))
        else:
            if not sys.stderr.isatty():
                show.text("Making 18 months of history; this takes a minute or two.")
            first, made = uvloop.run(history.make(settings, base_url=url, now=now, tell=days))
    folders.write(settings.data, made)
    show.text(in_words(first | {"write_key": WRITE_KEY}))
    return made


def _whom(settings: Settings, made: Made) -> Suggestions:
    import uvloop

    from heard.demo.suggestions import suggestions
    from heard.operations.opening import open_installation

    async def look() -> Any:
        app = open_installation(settings)
        try:
            return await suggestions(app, made)
        finally:
            await app.close()

    return uvloop.run(look())


def what_to_try(url: str, folder: Path, whom: Suggestions, age: str | None) -> list[str]:
    """Lines that work when they are pasted into any shell that stands in the folder this one stands in."""
    heard, on = shlex.quote(_command()), f"--data {shlex.quote(str(folder))}"
    lines = [
        "",
        "Where to look",
        "",
        f"  {url}/   sign in as {OWNER},",
        f"  with the password above. It is printed at the first start only; this makes another: {heard} users password"
        f" {OWNER} {on}",
        *([f"  {age}"] if age else []),
        "",
        "What to try",
        "",
    ]
    if whom.free:
        user_id, name = whom.free
        lines += [f"1. {name} has not been asked for long. Let an order come in:", _order(url, user_id)]
    else:
        name = _somebody_new(folder)
        user_id = name.lower()
        lines += [
            f"1. {name} buys something:" if name == NAMES[0] else f"1. {_earlier(name)} {name} buys something:",
            _order(url, user_id, email=f"{user_id}@example.com", first_name=name),
        ]
    lines += [
        f"2. The survey mail is in the outbox, {url}/outbox. Open it, tap a number, confirm, and see the score move.",
        "3. Ask for the score, also by plan:",
        f"  {heard} score {shlex.quote(SURVEY)} --by plan {on}",
    ]
    if whom.refused:
        refused, who, count = whom.refused
        rules = "one rule" if count == 1 else f"{count} rules"
        lines += [f"4. {who} was not asked lately, because {rules} objected. Ask why:", f"  {heard} why {refused} {on}"]
    else:
        lines += [f"4. Ask why {name} is not asked again:", f"  {heard} why {user_id} {on}"]
    return [*lines, "", "Ctrl-C stops it."]


def _order(url: str, user_id: str, *, email: str | None = None, first_name: str | None = None) -> str:
    """One line of curl: somebody known orders, or somebody new says who they are and orders."""
    track = f'"userId":"{user_id}","event":"Order Completed","properties":{{"total":42}}'
    call, body = "track", f"{{{track}}}"
    if email:
        who = f'"userId":"{user_id}","traits":{{"email":"{email}","firstName":"{first_name}","plan":"Team"}}'
        call, body = "batch", f'{{"batch":[{{"type":"identify",{who}}},{{"type":"track",{track}}}]}}'
    return f"  curl -u {WRITE_KEY}: {url}/v1/{call} -H 'Content-Type: application/json' -d '{body}'"


def _age(made: Made, folder: Path) -> str | None:
    days = (datetime.now(UTC) - made.at) / timedelta(days=1)
    if not made.free or days < STALE / timedelta(days=1):
        return None
    return f"Its history ends {days:.0f} days ago; remove {folder} for one up to today."


def _somebody_new(folder: Path) -> str:
    """A first name that no earlier run of this demo has told about: whoever was asked is left alone for a while."""
    for name in NAMES:
        try:
            reach.ask("contact", data=folder, user_id=name.lower())
        except NotFound:
            return name
    return f"Zoe-{secrets.token_hex(3)}"


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


def _folder(wanted: Path | None, *, empty: bool) -> Path:
    """The demo's folder: the one that was named, or the first of its own that nobody is served from.

    Raises:
        HeardError: something else lives in the folder that was named.
    """
    from heard.demo import folder as folders

    if wanted is not None:
        if not folders.may_be_used(wanted):
            raise HeardError(f"{wanted} holds something that is not a demo. Name a new folder with --data.")
        return wanted
    first = config.read().data / ("demo-empty" if empty else "demo")
    number, folder = 1, first
    while folders.is_served(folder) or not folders.may_be_used(folder):
        number += 1
        folder = first.with_name(f"{first.name}-{number}")
    return folder
