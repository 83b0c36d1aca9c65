"""The workspace of `heard demo`, served for a browser, and the people who visit it."""

from __future__ import annotations

import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from heard.accounts.member import Role
from tests.flow.running import HEARD, eventually, free_port

ROOT = Path(__file__).resolve().parents[2]
AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
HOOK = """
workspace: Acme
destinations:
  - name: Warehouse
    type: webhook
    enabled: false
    settings: {url: "https://hooks.acme.example/in", secret: whsec_c2hoaGg, headers: {X-Team: data}}
    events: {Page Scrolled: false}
    filters:
      - {if: "event = 'Order Completed' and properties.total < 20", then: drop}
      - {if: all, then: {drop_properties: [properties.email, context.ip]}}
audiences:
  - {name: Order Completed Last 30days, where: {event: Order Completed, within: 30d}, to: []}
computed_traits:
  - {name: total_orders, count: {event: Order Completed}, to: []}
campaigns:
  - {name: Newsletter, survey: Support NPS, channel: link, throttle: 90d, status: ready}
"""
COLOURS = {"runOnly": ["color-contrast", "link-in-text-block"]}
"""What can be wrong in the dark alone: all else is the same as by day."""
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]


class House(NamedTuple):
    url: str
    ids: dict[str, str]
    passwords: dict[Role, str]
    browser: Browser

    def visitor(self, role: Role | None, **how: Any) -> Visitor:
        return Visitor(self, role, **how)


class Visitor:
    """A browser window of somebody who is signed in; `complaints` is whatever should not have happened."""

    def __init__(
        self, house: House, role: Role | None, *, width: int = 1280, scheme: Any = "light", script: bool = True
    ) -> None:
        self.house = house
        self.complaints: list[str] = []
        self.context: BrowserContext = house.browser.new_context(
            viewport={"width": width, "height": 844},
            color_scheme=scheme,
            java_script_enabled=script,
            reduced_motion="reduce",
            base_url=house.url,
        )
        self.page: Page = self.context.new_page()
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        self.page.on("pageerror", lambda problem: self.complaints.append(f"error: {problem}"))
        self.page.on("request", lambda asked: self._watch(asked.url))
        if role is not None:
            self.page.goto("/sign-in")
            self.page.get_by_label("E-mail address").fill(address(role))
            self.page.get_by_label("Password").fill(house.passwords[role])
            self.page.get_by_role("button", name="Sign in").click()
            self.page.wait_for_url(lambda url: "/sign-in" not in url)

    def __enter__(self) -> Visitor:
        return self

    def __exit__(self, *_: object) -> None:
        self.context.close()

    def _heard(self, kind: str, text: str) -> None:
        refused_on_purpose = "status of 4" in text  # the pages for what is not there, or cannot be read
        if kind in ("error", "warning") and not refused_on_purpose:
            self.complaints.append(f"{self.page.url}: {text}")

    def _watch(self, url: str) -> None:
        if not url.startswith((self.house.url, "data:", "blob:", "about:")):
            self.complaints.append(f"asked somebody else for {url}")


def address(role: Role) -> str:
    return "owner@localhost" if role == Role.OWNER else f"{role}@acme.example"


@contextmanager
def served_demo(chromium: Path, folder: Path) -> Iterator[House]:
    """The demo with some of its people, served, with a member of every role."""
    port = free_port()
    log = folder.with_suffix(".log").open("w+")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HEARD_")}
    making = [sys.executable, "-m", "tests.browser.small_demo", str(folder), f"http://localhost:{port}"]
    subprocess.run(making, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT, check=True)
    command = [str(HEARD), "demo", "--data", str(folder), "--port", str(port)]
    served = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
    try:
        said = folder.with_suffix(".log")
        eventually(lambda: "Heard is ready" in said.read_text() or served.poll() is not None, seconds=180, what="demo")
        assert served.poll() is None, said.read_text()
        found = re.search(r"Heard is ready: (http://\S+)", said.read_text())
        assert found is not None
        passwords = {Role.OWNER: made(folder, "password", "owner@localhost")}
        for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER):
            passwords[role] = made(folder, "add", address(role), "--role", role.value)
        applied(folder, HOOK)
        with sync_playwright() as playwright:
            flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]
            browser = playwright.chromium.launch(executable_path=chromium, args=flags)
            yield House(found[1].rstrip("/"), ids_in(folder), passwords, browser)
            browser.close()
    finally:
        served.terminate()
        served.wait(20)
        log.close()


def applied(folder: Path, more: str) -> None:
    """What a workspace file says beside what is there."""
    path = folder.with_suffix(".yaml")
    path.write_text(more)
    command = [str(HEARD), "apply", str(path), "--data", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def made(folder: Path, *what: str) -> str:
    """The password that `heard users ...` made."""
    done = subprocess.run(
        [str(HEARD), "users", *what, "--data", str(folder), "--json"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    found = re.search(r'"password": *"([^"]+)"', done.stdout)
    assert found is not None
    return found[1]


def ids_in(folder: Path) -> dict[str, str]:
    """One of each noun, by the first letters of a route's parameter: the newest that has a story."""
    with sqlite3.connect(f"file:{folder / 'heard.db'}?mode=ro", uri=True) as database:

        def one(query: str) -> str:
            return str(database.execute(query).fetchone()[0])

        days = database.execute("SELECT name FROM sqlite_master WHERE name GLOB 'messages_2???????'")
        today = max(row[0] for row in days)
        kept = sorted((folder / "outbox").glob("*.eml"))
        return {
            "contact": one("SELECT contact_id FROM responses WHERE comment IS NOT NULL ORDER BY id DESC"),
            "campaign": one("SELECT campaign_id FROM decisions GROUP BY 1 ORDER BY count(*) DESC"),
            "linked": one("SELECT id FROM campaigns WHERE name = 'Newsletter'"),
            "survey": one("SELECT id FROM surveys"),
            "audience": one("SELECT id FROM audiences"),
            "list": one("SELECT id FROM lists"),
            "source": one("SELECT id FROM sources"),
            "destination": one("SELECT id FROM destinations ORDER BY id DESC"),
            "delivery": kept[-1].stem.rpartition("-")[2],
            "member": one("SELECT id FROM members ORDER BY id DESC"),
            "key": one("SELECT id FROM secret_keys"),
            "response": one("SELECT id FROM responses ORDER BY id DESC"),
            "message": one(f"SELECT id FROM {today} ORDER BY id DESC"),
            "invite": "1",
            "version": "1",
        }


def judged(page: Page, only: dict[str, Any] | None = None) -> list[str]:
    """What axe finds, one line each. `only`: its options, where not every rule is asked."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE.read_text())
    found = page.evaluate("how => axe.run(document, {resultTypes: ['violations'], ...how})", only or {"runOnly": TAGS})
    return [
        f"{each['id']}: {node['html'][:160]} ({node['failureSummary'][:200]})"
        for each in found["violations"]
        for node in each["nodes"][:3]
    ]


def sideways(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
