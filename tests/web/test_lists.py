"""Lists by form and by API, without a script; and the campaigns that ask them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from heard.operations.campaigns_eligible import MOST_PEOPLE
from tests.flow.running import ACME, RunningHeard
from tests.web.visitors import Visitor, error_at, owner

TABLE = "email;firstName;plan\nann@example.com;Ann;Premium\nbob@example.com;Bob;Free\n"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("lists") / "data", workspace=ACME) as running:
        yield running


@pytest.fixture
def seen(heard: RunningHeard) -> Visitor:
    return owner(heard)


def made(seen: Visitor, name: str) -> str:
    return seen.post("/lists", {"name": name})


def campaign(seen: Visitor, name: str, **more: str) -> str:
    """A campaign made by the form; gives its page."""
    fields = {"name": name, "survey": "Relationship NPS", "subject": "One question", "intro": "Hi,", **more}
    return seen.post("/campaigns/new", fields)


def test_a_table_is_put_on_a_list_and_its_columns_are_traits(heard: RunningHeard, seen: Visitor):
    page = made(seen, "Customers")
    seen.post(page, {"people": TABLE})

    shown = seen.get(page)
    assert "2 contacts" in shown
    assert "2 contacts on the list: 2 new, 0 known before." in shown
    ann = heard.get("contacts/email:ann@example.com")
    assert (ann["traits"]["plan"], ann["user_id"], ann["lists"]) == ("Premium", None, ["Customers"])

    seen.post(
        page, files={"file": ("more.csv", TABLE.replace("Premium", "Team").encode("utf-16"), "text/csv")}, status=422
    )
    seen.post(page, files={"file": ("more.csv", TABLE.replace("Premium", "Team").encode(), "text/csv")})
    assert heard.get("contacts/email:ann@example.com")["traits"]["plan"] == "Team"
    assert "2 contacts" in seen.get(page)


def test_nothing_of_a_table_is_kept_while_a_row_is_wrong(heard: RunningHeard, seen: Visitor):
    page = made(seen, "Careful")
    refused = seen.post(page, {"people": "email\ncarl@example.com\ncarl@@example\n"}, status=422)

    assert "Nothing was kept: 1 row cannot be read." in refused
    assert "Line 3: carl@@example is no e-mail address." in refused
    assert "carl@@example" in refused.partition("</textarea>")[0], "what was written is still there"
    heard.get("contacts/email:carl@example.com", status=404)
    assert "names no column" in error_at(seen.post(page, {"people": "a,b\n1,2"}, status=422), "people")
    assert "Write a name" in error_at(seen.post("/lists", {"name": "  "}, status=422), "name")


def test_somebody_is_taken_off_and_a_list_that_is_asked_stays(heard: RunningHeard, seen: Visitor):
    page = made(seen, "Friends")
    seen.post(page, {"people": "dora@example.com\nemil@example.com"})
    number = re.search(r'name="contact" value="(\d+)"', seen.get(page))
    assert number is not None
    seen.post(f"{page}/take-off", {"contact": number[1]})
    assert "1 contact" in seen.get(page)

    asking = campaign(seen, "To friends", recipients="list", list="Friends")
    seen.post(f"{page}/remove")
    assert "To friends asks this list; let it ask another one first." in seen.get(page)
    assert "To friends" in seen.get("/lists")

    seen.post(
        asking,
        {"name": "To friends", "survey": "Relationship NPS", "recipients": "list", "list": "Customers", "version": "1"},
    )
    seen.post(f"{page}/remove")
    assert "Friends is removed" in seen.get("/lists")
    assert heard.get("contacts/email:emil@example.com")["lists"] == []


def test_a_campaign_over_a_list_says_whom_it_could_ask_and_asks_them(heard: RunningHeard, seen: Visitor):
    page = made(seen, "Yearly")
    seen.post(page, {"people": "fay@example.com\ngus@example.com\nhal@example.com"})
    heard.post("lists/Yearly/contacts", {"contacts": [{"user_id": "ina", "traits": {"plan": "Free"}}]})
    made_at = campaign(seen, "Yearly NPS", recipients="list", list="Yearly")

    preview = seen.get(f"{made_at}/preview")
    assert re.search(r'<span class="big">3</span><span class="soft">of 4', preview)
    assert "No address" in preview
    asked_first = seen.get(f"{made_at}/activate")
    assert "3 of 4" in asked_first
    seen.post(f"{made_at}/activate", {"daily_cap": ""})
    heard.settle()

    sent = heard.get("deliveries", campaign="Yearly NPS")["data"]
    assert len(sent) == 3
    results = seen.get(f"{made_at}/results")
    assert "Complete" in results
    assert "4 decided about, 3 invited" in results
    why = heard.get("contacts/ina/why", campaign="Yearly NPS")["decisions"]
    assert [no["reason"] for no in why[0]["objections"]] == ["no_address"]

    seen.post(page, {"people": "jim@example.com"})
    again = seen.get(f"{made_at}/again")
    assert "1 of 5 could be asked now" in again
    assert "the first" not in again
    assert "dry run</a> counts" not in again
    seen.post(f"{made_at}/again", {"to": "new"})
    heard.settle()
    assert len(heard.get("deliveries", campaign="Yearly NPS")["data"]) == 4


def test_more_than_a_page_looks_through_are_said_to_be_the_first_of_them(heard: RunningHeard, seen: Visitor):
    made(seen, "Crowd")
    for thousand in range(MOST_PEOPLE // 1000 + 1):
        people = [{"user_id": f"crowd{thousand}-{number}"} for number in range(1000)]
        heard.post("lists/Crowd/contacts", {"contacts": people[:1] if thousand == 20 else people})
    page = campaign(seen, "To the crowd", recipients="list", list="Crowd")
    seen.post(f"{page}/activate", {"daily_cap": "1"})
    heard.settle()

    again = seen.get(f"{page}/again")
    assert again.count("0 of the first 20,000 could be asked now") == 2
    assert "Of the first 20,000, now" in again
    assert f'The <a href="{page}/dry-run">dry run</a> counts everybody.' in again
    assert re.search(r"of 20,001\s+people", seen.get(f"{page}/dry-run"))


def test_a_program_asks_for_one_person_and_the_same_key_asks_once(heard: RunningHeard):
    body = {
        "email": "kim@example.com",
        "traits": {"plan": "Team"},
        "properties": {"total": 70},
        "idempotency_key": "ticket-7",
    }
    first = heard.post("campaigns/Post-purchase/ask", body)
    assert (first["outcome"], first["objections"]) == ("invited", [])
    assert heard.post("campaigns/Post-purchase/ask", body) == first

    other = heard.post("campaigns/Post-purchase/ask", {**body, "idempotency_key": "ticket-8"})
    assert {no["reason"] for no in other["objections"]} >= {"asked_within_24h"}
    stranger = heard.post("campaigns/Post-purchase/ask", {"user_id": "nobody-yet", "properties": {"total": 70}})
    assert [no["reason"] for no in stranger["objections"]] == ["not_identified"]
    heard.get("contacts/nobody-yet", status=404)


def test_what_cannot_be_asked_is_said_at_its_field(seen: Visitor):
    fields = {"name": "X", "survey": "Relationship NPS", "recipients": "list", "drip": "36h", "recurring": "7d"}
    page = seen.post("/campaigns/new", fields, status=422)

    for words in ("Name the list whose contacts are asked.", "Write whole days, 1d to 365d", "Write 30d to 365d"):
        assert words in page
