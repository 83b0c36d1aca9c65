"""The tutorial, pasted: every shell block of its second part, in order, with the server running in between."""

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

PAGE = (ROOT / "docs/tutorial/your-own.md").read_text(encoding="utf-8")
BLOCK = re.compile(r'^```(sh|yaml)(?: title="([^"]+)")?\n(.*?)^```$', re.MULTILINE | re.DOTALL)
SERVE, SETUP = "heard serve\n", "make setup\n"


class Reader:
    """Somebody who pastes block after block into a shell that stands in an empty folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.said: list[tuple[str, str]] = []  # (block, what it printed)
        self.server: subprocess.Popen[bytes] | None = None
        clean = {name: value for name, value in os.environ.items() if not name.startswith("HEARD_")}
        self.environment = clean | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}

    def read(self, page: str) -> None:
        for language, file, text in BLOCK.findall(page):
            if language == "yaml":
                (self.folder / file).write_text(text)
            elif text == SERVE:
                self.serve()
            elif text != SETUP:
                self.paste(text)
            if "/v1/" in text:
                self.answer_what_came()

    def paste(self, text: str) -> None:
        """In a shell that keeps what was exported."""
        here = text.replace("localhost:8800", f"localhost:{self.port}").replace("curl ", "curl -sf ")
        kept = "\nexport -p | grep ' HEARD_' > .exported"
        script = f"set -e; [ ! -f .exported ] || . ./.exported\n{here}{kept}"
        done = subprocess.run(
            ["bash", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert done.returncode == 0, f"{text}\n{done.stdout}\n{done.stderr}"
        self.said.append((text, done.stdout))

    def serve(self) -> None:
        command = f". ./.exported; exec heard serve --port {self.port}"
        with (self.folder / "out").open("w") as out:
            self.server = subprocess.Popen(
                ["bash", "-c", command], cwd=self.folder, env=self.environment, stdout=out, stderr=out
            )
        eventually(lambda: "Heard is ready" in (self.folder / "out").read_text(), seconds=30, what="ready")

    def answer_what_came(self) -> None:
        """Step 4, the part that is done in the browser: once, as soon as there is a mail."""
        if "campaigns:" not in (self.folder / "shop.yaml").read_text() or (self.folder / "answered").exists():
            return
        (mail,) = eventually(lambda: list((self.folder / "my-heard/outbox").glob("*.eml")), what="the mail")
        html = opened(mail.read_bytes()).get_body(("html",))
        assert html is not None
        assert answer(links_in(html.get_content())[9]).status_code == 200
        (self.folder / "answered").touch()

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            assert self.server.wait(timeout=15) == 0

    def last(self, command: str) -> str:
        """What this command printed the last time."""
        return next(printed for text, printed in reversed(self.said) if command in text)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[Reader]:
    somebody = Reader(tmp_path)
    yield somebody
    somebody.stop()


def test_every_block_works_as_pasted_and_says_what_the_page_says(reader: Reader):
    reader.read(PAGE)

    first_why = next(printed for text, printed in reader.said if text == "heard why ann\n")
    assert "Order Completed" in first_why
    assert "nothing was decided" in first_why
    assert re.search(r"\b100\b.*\b1 answer\b", reader.last("heard score"), re.DOTALL)
    because = reader.last("heard why")
    named = PAGE.partition("Four rules object")[2].partition("holds whatever")[0]
    for reason in re.findall(r"`(\w+)`", named):
        assert reason in because
    assert "four rules objected" in because
