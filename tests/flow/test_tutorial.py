"""The tutorial, pasted: every shell block of its pages, in order, with the server running in between.

The demo is served without its history, which takes a minute to make and has tests of its own.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from heard.channels.email.outbox import opened
from tests.architecture.tree import ROOT
from tests.flow.running import answer, eventually, free_port, links_in

DEMO, YOUR_OWN = ((ROOT / f"docs/tutorial/{page}.md").read_text(encoding="utf-8") for page in ("demo", "your-own"))
BLOCK = re.compile(r'^```(sh|yaml)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SERVES = {
    "heard serve\n": "heard serve --port {port}",
    "make demo\n": ".venv/bin/heard demo --empty --data heard-data/demo --port {port}",
}
SETUP = "make setup\n"
LEADS_TO_A_MAIL = re.compile(
    r'"total": (42|45)\b'
)  # the order after which a page says that a mail came, and to answer it


class Reader:
    """Somebody who pastes block after block into a shell, in a folder that has nothing but a `.venv`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.said: list[tuple[str, str]] = []  # (block, what it printed)
        self.server: subprocess.Popen[bytes] | None = None
        (folder / ".venv").symlink_to(Path(sys.executable).parent.parent)
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEARD_")}
        self.environment = clean | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def read(self, page: str) -> None:
        for language, file, text in BLOCK.findall(page):
            if language == "yaml":
                (self.folder / file).write_text(text)
            elif text in SERVES:
                self.serve(SERVES[text].format(port=self.port))
            elif text != SETUP:
                self.paste(text)
            if LEADS_TO_A_MAIL.search(text):
                self.answer_the_mail()

    def paste(self, text: str) -> None:
        """In a shell that keeps what was exported."""
        here = text.replace("localhost:8800", f"localhost:{self.port}").replace("curl ", "curl -sf ")
        done = self._bash(f"set -e; {SAME_SHELL}\n{here}\nexport -p | grep ' HEARD_' > .exported || true")
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        self.said.append((text, done.stdout))

    def serve(self, command: str) -> None:
        with (self.folder / "out").open("w") as out:
            self.server = subprocess.Popen(
                ["bash", "-c", f"{SAME_SHELL}; exec {command}"],
                cwd=self.folder,
                env=self.environment,
                stdout=out,
                stderr=out,
            )
        eventually(lambda: "Heard is ready" in (self.folder / "out").read_text(), seconds=60, what="ready")

    def answer_the_mail(self) -> None:
        """What is done in the browser: open the mail in the outbox, tap a number, confirm."""
        (mail,) = eventually(lambda: list(self.folder.glob("*/outbox/*.eml")) or list(self.folder.glob("*/*/outbox/*")))
        html = opened(mail.read_bytes()).get_body(("html",))
        assert html is not None
        assert answer(links_in(html.get_content())[9]).status_code == 200

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            assert self.server.wait(timeout=15) == 0

    def last(self, command: str) -> str:
        """What this command printed the last time."""
        return next(printed for text, printed in reversed(self.said) if command in text)

    def _bash(self, script: str) -> subprocess.CompletedProcess[str]:
        command = ["bash", "-c", script]
        return subprocess.run(
            command, cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60, check=False
        )


SAME_SHELL = "[ ! -f .exported ] || . ./.exported"


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    somebody = Reader(tmp_path)
    yield somebody
    somebody.stop()


def test_the_demo_page_works_as_pasted_and_says_what_comes(reader: Reader):
    reader.read(DEMO)

    assert re.search(r"\b100\b.*\b1 answer\b", reader.last("heard score"), re.DOTALL)
    assert "four rules objected" in reader.last("heard why zoe")
    assert "four rules objected" in DEMO
    assert reader.last("heard users password").strip()


def test_the_page_about_ones_own_workspace_works_as_pasted_and_says_what_comes(reader: Reader):
    reader.read(YOUR_OWN)

    first_why = next(printed for text, printed in reader.said if text == "heard why ann\n")
    assert "Order Completed" in first_why
    assert "nothing was decided" in first_why
    assert re.search(r"\b100\b.*\b1 answer\b", reader.last("heard score"), re.DOTALL)
    named = YOUR_OWN.partition("Four rules object")[2].partition("holds whatever")[0]
    because = reader.last("heard why ann")
    assert [reason for reason in re.findall(r"`(\w+)`", named) if reason not in because] == []
    assert "four rules objected" in because
