"""The destination that is Heard itself: what its surveys took, what waits, and what becomes of it switched off."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from tests.flow.running import RunningHeard
from tests.web.visitors import Visitor, owner


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("ours") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def figures(page: str) -> dict[str, str]:
    return dict(re.findall(r'<div class="figure"><dt>([^<]+)</dt><dd><span class="n">([^<]+)</span>', page))


def test_the_page_of_our_own_surveys_says_what_they_took_and_what_was_kept_from_them(heard: RunningHeard, ted: Visitor):
    (ours,) = [each for each in heard.get("destinations")["data"] if each["type"] == "surveys"]
    before = ours["last_24_hours"]["delivered"]
    heard.send("identify", userId="ann")
    heard.send("track", userId="ann", event="Order Completed", integrations={"Heard": False})
    heard.settle()

    for window in ("hour", "day", "week"):
        page = ted.get(f"/destinations/{ours['id']}?window={window}")
        shown = figures(page)
        assert shown.keys() == {"Taken", "Kept from it", "Waiting"}
        assert int(shown["Kept from it"].replace(",", "")) >= 1
        assert "<code>integrations_object</code>" in page
    (ours,) = [each for each in heard.get("destinations")["data"] if each["type"] == "surveys"]
    assert figures(ted.get(f"/destinations/{ours['id']}"))["Taken"] == f"{before + 1:,}"
    assert ours["last_24_hours"]["delivered"] == before + 1
    assert ours["last_24_hours"]["retried"] is None


def test_what_waits_for_the_next_day_is_counted_and_said(heard: RunningHeard, ted: Visitor):
    (ours,) = [each["id"] for each in heard.get("destinations")["data"] if each["type"] == "surveys"]
    form = {"name": "Heard", "fed_by": "every", "enabled": "1"}
    ted.post(f"/destinations/{ours}/settings", {**form, "settings.daily_limit": "1"})
    for number in range(3):
        heard.send("track", userId="ann", event=f"Waits {number}")
    heard.settle()

    listed = ted.get("/destinations")
    assert "Full for today" in listed
    assert re.search(r"[23] messages wait for the next day, from midnight UTC on", listed)
    page = ted.get(f"/destinations/{ours}")
    assert "Full for today" in page
    assert figures(page)["Waiting"] in ("2", "3")
    ted.post(f"/destinations/{ours}/settings", {**form, "settings.daily_limit": ""})
    heard.settle()
    assert "Full for today" not in ted.get("/destinations")


def test_heard_switched_off_asks_nobody_and_says_so_until_it_is_on_again(heard: RunningHeard, ted: Visitor):
    found = re.search(r'href="(/destinations/\d+)">Heard<', ted.get("/destinations"))
    assert found is not None
    ours, form = found[1], {"name": "Heard", "fed_by": "every"}
    heard.send("identify", userId="barney", traits={"email": "barney@stinson.example"})
    ted.post(f"{ours}/settings", form)
    heard.send("track", userId="barney", event="Order Completed", properties={"total": 80})
    heard.settle()

    assert heard.get("contacts/barney/why")["decisions"] == []
    assert heard.get("deliveries", user_id="barney")["data"] == []
    (off,) = [each for each in heard.get("messages", user_id="barney")["data"] if each["type"] == "track"]
    page = ted.get(f"/messages/{off['id']}")
    assert "<code>disabled</code>" in page
    assert "Heard is switched off; switch it on to send to it again." in page
    assert "Switched off" in ted.get(ours)

    ted.post(f"{ours}/settings", {**form, "enabled": "1"})
    heard.send("track", userId="barney", event="Order Completed", properties={"total": 80})
    heard.settle()
    (decision,) = heard.get("contacts/barney/why")["decisions"]
    assert decision["outcome"] == "invited"
    assert len(heard.get("deliveries", user_id="barney")["data"]) == 1
