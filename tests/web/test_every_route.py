"""Nobody sees or changes what their role, or another workspace, keeps from them: every route, every role.

The routes come from the application itself, so a new page is swept the day it is there; one whose parameters this test
cannot fill fails it.
"""

from __future__ import annotations

import asyncio
import re
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest

from heard import config
from heard.accounts.member import Action, Role, may
from heard.channels.email.outbox import opened
from heard.operations.opening import open_installation
from heard.web import dashboard
from heard.web.dashboard.shell import Dashboard
from tests.flow.running import ACME, RunningHeard, answer, links_in

HOOK = """
destinations:
  - {name: Hook, type: webhook, enabled: false, settings: {url: "https://hooks.acme.example/in"}}
audiences:
  - {name: Hook audience, where: {event: Order Completed}}
"""
LINKED = """  - {name: Newsletter, survey: Relationship NPS, channel: link, status: ready}
"""  # after the campaigns of ACME
OTHER = (
    HOOK.replace("Hook", "Barney Stinson")
    + ACME.replace("Acme", "MacLaren").replace("acme", "maclaren").replace("Post-purchase", "After a pint")
    + LINKED
)
SECRET = "Barney Stinson"  # what only the other workspace knows
FORM = re.compile(r"/(new|edit|preview|brand|mail|look|file)\b")  # a GET that shows the form of a change, or part of it


class Route(NamedTuple):
    method: str
    path: str
    action: Action

    def filled(self, ids: dict[str, str]) -> str:
        def value(found: re.Match[str]) -> str:
            """By the parameter's name, else by what it is a number of: /messages/{number:int}."""
            for word in (found["name"], found["of"]):
                for noun, one in ids.items():
                    if word.startswith(noun):
                        return f"{found['of']}/{one}"
            raise AssertionError(f"{self.path}: this test does not know what {found['name']} is; teach it")

        return re.sub(r"(?P<of>\w+)/\{(?P<name>\w+):\w+\}", value, self.path)


def every_route(tmp_path: Path) -> list[Route]:
    """What the dashboard serves to members, from its own handlers."""
    app = open_installation(config.read({}, data=tmp_path))
    try:
        inside, _ = dashboard.router(Dashboard(app))
        return [
            Route(method, route.path, handler.opt.get("may"))
            for route in inside.routes
            for handler in route.route_handlers
            for method in sorted(handler.http_methods - {"HEAD", "OPTIONS"})
        ]
    finally:
        with ThreadPoolExecutor() as aside:  # a browser test has a loop of its own in this thread
            aside.submit(asyncio.run, app.close()).result()


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    return every_route(tmp_path_factory.mktemp("routes"))


class Two(NamedTuple):
    """A server with two workspaces, and what stands in each."""

    heard: RunningHeard
    ours: dict[str, str]
    theirs: dict[str, str]
    members: dict[Role, tuple[str, str]]

    def signed_in(self, role: Role) -> httpx.Client:
        return sign_in(self.heard.url, *self.members[role])


def sign_in(url: str, email: str, password: str) -> httpx.Client:
    browser = httpx.Client(base_url=url, timeout=20)
    assert browser.post("/sign-in", data={"email": email, "password": password}).status_code == 303
    return browser


@pytest.fixture(scope="module")
def two(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Two]:
    with RunningHeard(tmp_path_factory.mktemp("two") / "data", workspace=ACME + LINKED + HOOK) as heard:
        heard.cli("init", "--workspace", "MacLaren", "--json")
        heard.apply(OTHER)
        for key, person in (("wk_acme_website", "Ted Mosby"), ("wk_maclaren_website", SECRET)):
            first, last = person.split()
            traits = {"email": f"{first}@mosby.example", "firstName": first, "lastName": last}
            order = {"event": "Order Completed", "properties": {"total": 40}}
            for kind, body in (("identify", {"traits": traits}), ("track", order)):
                sent = httpx.post(f"{heard.url}/v1/{kind}", json={"userId": first.lower(), **body}, auth=(key, ""))
                assert sent.status_code == 200
        heard.settle()
        for mail in sorted((heard.data / "outbox").glob("*.eml")):
            html = opened(mail.read_bytes()).get_body(("html",))
            assert html is not None
            answer(links_in(html.get_content())[9], comment="Legendary")
        members = {Role.OWNER: heard.owner}
        for role in (Role.ADMIN, Role.MEMBER, Role.VIEWER):
            email = f"{role}@acme.example"
            made = heard.cli("users", "add", email, "--role", role.value, "--workspace", "Acme", "--json")
            members[role] = (email, made["password"])
        yield Two(heard, ids_of(heard, "Acme"), ids_of(heard, "MacLaren"), members)


def ids_of(heard: RunningHeard, workspace: str) -> dict[str, str]:
    """By the first letters of a route's parameter: one of each noun."""
    with sqlite3.connect(f"file:{heard.data / 'heard.db'}?mode=ro", uri=True) as database:
        days = database.execute("SELECT name FROM sqlite_master WHERE name GLOB 'messages_2???????'")
        today = max(row[0] for row in days)

        def one(column: str, table: str, which: str = "1 = 1") -> str:
            ours = "workspace_id = (SELECT id FROM workspaces WHERE name = ?)"
            query = f"SELECT {column} FROM {table} WHERE {ours} AND {which}"
            return str(database.execute(query + f" ORDER BY {column} DESC", [workspace]).fetchone()[0])

        return {
            "contact": one("id", "contacts"),
            "campaign": one("id", "campaigns", "name <> 'Newsletter'"),
            "linked": one("id", "campaigns", "name = 'Newsletter'"),
            "survey": one("id", "surveys"),
            "audience": one("id", "audiences"),
            "list": one("id", "lists"),
            "source": one("id", "sources"),
            "destination": one("id", "destinations"),
            "delivery": one("id", "deliveries"),
            "key": one("id", "secret_keys"),
            "member": one("id", "members"),
            "response": one("id", "responses"),
            "message": one("id", today),
            "invite": "999999",
            "version": "1",
        }


def test_every_route_says_what_one_must_be_allowed_to_do(routes: list[Route]):
    assert [route for route in routes if not isinstance(route.action, Action)] == []
    assert len(routes) > 30


def test_a_route_that_changes_something_is_no_get(routes: list[Route]):
    asking = [each.path for each in routes if each.method == "GET" and each.action in (Action.ASK, Action.SET_UP)]

    assert [path for path in asking if not FORM.search(path)] == []


def test_nobody_comes_in_without_a_session(routes: list[Route], two: Two):
    with httpx.Client(base_url=two.heard.url, timeout=20) as stranger:
        for route in routes:
            answer = stranger.request(route.method, route.filled(two.ours))
            assert answer.status_code == 303, route
            assert answer.headers["location"].startswith("/sign-in"), route


@pytest.mark.parametrize("role", list(Role))
def test_each_role_sees_what_it_may_and_nothing_else(routes: list[Route], two: Two, role: Role):
    with closing(two.signed_in(role)) as browser:
        for route in routes:
            if route.method == "GET":
                answer = browser.get(route.filled(two.ours))
                expected = {200, 303, 404} if "invite" in route.path else {200, 303}
                assert answer.status_code in (expected if may(role, route.action) else {403}), (
                    route,
                    answer.status_code,
                )
                assert SECRET not in answer.text, route
            else:
                assert browser.request(route.method, route.filled(two.ours)).status_code == 403, route


@pytest.mark.parametrize("role", list(Role))
def test_a_form_of_ones_own_opens_only_what_the_role_may(routes: list[Route], two: Two, role: Role):
    with closing(two.signed_in(role)) as browser:
        token = form_token(browser)
        for route in routes:
            if route.method == "POST" and not may(role, route.action):
                answer = browser.post(route.filled(two.ours), data={"form_token": token})
                assert answer.status_code == 403, route


def test_what_belongs_to_another_workspace_is_not_there(routes: list[Route], two: Two):
    with closing(two.signed_in(Role.OWNER)) as browser:
        token = form_token(browser)
        for route in routes:
            if "{" not in route.path:
                continue
            path = route.filled(two.theirs)
            answer = browser.get(path) if route.method == "GET" else browser.post(path, data={"form_token": token})
            assert answer.status_code == 404, (route, answer.status_code, answer.text[:500])
            assert SECRET not in answer.text


@pytest.mark.parametrize(
    "query",
    ["campaign={campaign}", "source={source}", "survey={survey}", "user_id=barney", "q=barney", "open={message}",
     "decision=1", "where=traits.firstName%20%3D%20'Barney'"],
)  # fmt: skip
def test_no_parameter_opens_another_workspace(routes: list[Route], two: Two, query: str):
    with closing(two.signed_in(Role.OWNER)) as browser:
        for route in routes:
            if route.method == "GET":
                answer = browser.get(f"{route.filled(two.ours)}?{query.format(**two.theirs)}")
                assert answer.status_code < 500, (route, query)
                assert SECRET not in answer.text, (route, query)


def form_token(browser: httpx.Client) -> str:
    found: Any = re.search(r'name="form_token" value="([0-9a-f]+)"', browser.get("/account").text)
    return found[1]
