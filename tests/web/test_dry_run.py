"""A dry run that takes a while says how far it is, on its page and to programs, and gives what it found once."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import httpx
import pytest

from tests.flow.running import ACME, RunningHeard
from tests.web.visitors import owner

T = TypeVar("T")

MANY = 6000  # contacts: nobody judges so many in a tenth of a second


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("dry") / "data", workspace=ACME) as running:
        seen = owner(running)
        page = seen.post("/lists", {"name": "Everybody"})
        table = "email\n" + "\n".join(f"person{number}@customer.example" for number in range(MANY))
        seen.post(page, files={"file": ("people.csv", table.encode(), "text/csv")})
        fields = {"name": "Relationship", "survey": "Relationship NPS", "subject": "One question", "intro": "Hi,"}
        seen.post("/campaigns/new", fields | {"recipients": "list", "list": "Everybody"})
        yield running


def ask(heard: RunningHeard, body: dict[str, Any]) -> httpx.Response:
    bearer = {"Authorization": f"Bearer {heard.secret_key}"}
    return httpx.post(f"{heard.url}/api/campaigns/Relationship/dry-run", json=body, headers=bearer, timeout=120)


def until_done(look: Callable[[], T | None]) -> T:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (found := look()) is not None:
            return found
        time.sleep(0.2)
    raise AssertionError("it is not done after a minute")


def test_the_page_says_how_far_it_is_and_then_what_was_found(heard: RunningHeard):
    seen = owner(heard)
    (page,) = set(re.findall(r'href="(/campaigns/\d+)"', seen.get("/campaigns"))) - {"/campaigns/1"}

    begun = seen.get(f"{page}/dry-run?again=1")
    assert "Asking the rules again" in begun
    assert re.search(rf"[\d,]+ of ({MANY:,} people|1 days of messages)", begun)
    assert 'hx-trigger="load delay:1s"' in begun

    def look() -> str | None:
        shown = seen.get(f"{page}/dry-run?again=1")
        return None if "Asking the rules again" in shown else shown

    found = until_done(look)
    assert f"of {MANY:,} people" in found
    assert "It would invite" in found
    assert "Asking the rules again" in seen.get(f"{page}/dry-run?again=1"), "it was given, and is asked anew"


def test_a_program_asks_after_it(heard: RunningHeard):
    first = ask(heard, {"since": "7d", "wait": False})
    assert first.status_code == 202
    assert first.headers["Retry-After"] == "1"
    assert first.json()["campaign"] == "Relationship"
    assert first.json()["progress"].keys() == {"done", "of", "unit"}

    def look() -> dict[str, Any] | None:
        answer = ask(heard, {"since": "7d", "wait": False})
        return answer.json() if answer.status_code == 200 else None

    found = until_done(look)
    assert (found["would"]["invited"], found["people"]) == (MANY, MANY)
    waited_for = ask(heard, {"since": "7d"}).json()
    assert waited_for["would"]["invited"] == MANY


def test_what_is_no_moment_is_said_at_once(heard: RunningHeard):
    refused = ask(heard, {"since": "last week", "wait": False})
    assert refused.status_code == 400
    assert refused.json()["error"]["field"] == "since"
