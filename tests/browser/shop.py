"""A customer's web site in a real browser: pages on an origin of their own that load what Heard serves."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Request, Response, sync_playwright

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"
NOTHING = HERE / "nothing"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


class Pages(SimpleHTTPRequestHandler):
    """The site's own pages, and its scripts beside them."""

    pages: Mapping[str, str] = {}

    def do_GET(self) -> None:
        page = self.pages.get(self.path.partition("?")[0])
        if page is None:
            return super().do_GET()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(page.encode())
        return None

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def shop(pages: Mapping[str, str], *, scripts: Path = NOTHING) -> Iterator[str]:
    """The address of a site with these pages, and the scripts of a folder."""
    handler = type("Shop", (Pages,), {"pages": pages})
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(handler, directory=scripts)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


class Visit:
    """A page in a browser; `complaints` is whatever a customer would not want in it, `posted` what it sent."""

    def __init__(self, browser: Browser, *hosts: str) -> None:
        """`hosts`: the addresses that the page may turn to."""
        self.hosts = hosts
        self.asked: list[str] = []
        self.posted: list[bytes] = []
        self.complaints: list[str] = []
        self.page: Page = browser.new_page(ignore_https_errors=True)
        self.page.on("request", self._watch)
        self.page.on("requestfailed", lambda asked: self.complaints.append(f"failed: {asked.url} {asked.failure}"))
        self.page.on("response", self._look)
        self.page.on("pageerror", lambda problem: self.complaints.append(f"error: {problem}"))
        self.page.on("console", lambda said: self._heard(said.type, said.text))

    def _watch(self, asked: Request) -> None:
        self.asked.append(f"{asked.method} {asked.url}")
        if asked.method == "POST":
            self.posted.append(asked.post_data_buffer or b"")
        if not asked.url.startswith(self.hosts):
            self.complaints.append(f"asked somebody else: {asked.url}")

    def _look(self, said: Response) -> None:
        if said.status >= 400:
            self.complaints.append(f"{said.status} {said.url}")

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(f"{kind}: {text}")

    def asked_for(self, part: str) -> list[str]:
        return [each for each in self.asked if part in each]


@contextmanager
def browsing(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield running
        running.close()


def bundled(node: Path, program: str, folder: Path) -> Path:
    """What a customer's own build makes of a program that imports npm packages: a folder with `stdin.js` in it."""
    command = [MODULES / ".bin/esbuild", "--bundle", "--splitting", "--format=esm", f"--outdir={folder}"]
    environment = os.environ | {"PATH": f"{node.parent}{os.pathsep}{os.environ['PATH']}"}
    subprocess.run(command, input=program, cwd=HERE, env=environment, capture_output=True, text=True, check=True)
    return folder
