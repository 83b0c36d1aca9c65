"""`heard demo` with fewer people, made in a quarter of the time: python -m tests.browser.small_demo FOLDER URL"""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from pathlib import Path

import uvloop

from heard import config, logging
from heard.demo import folder as folders
from heard.demo import history

PEOPLE = 300


def make(folder: Path, url: str) -> None:
    folder.mkdir(parents=True)
    now = datetime.now(UTC)
    folders.write(folder, folders.Made(whole=False, at=now))
    logging.set_up("error")
    settings = config.read(data=folder)
    _, made = uvloop.run(history.make(settings, base_url=url, now=now, tell=lambda done, of: None, people=PEOPLE))
    folders.write(folder, made)


if __name__ == "__main__":
    make(Path(sys.argv[1]), sys.argv[2])
