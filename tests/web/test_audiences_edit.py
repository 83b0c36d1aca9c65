"""Audiences and computed traits by form, without a script: made, counted before they are kept, changed, taken away."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import httpx
import pytest

from heard.audiences import aggregates
from heard.web.api.audiences import Kind
from tests.flow.running import ACME, RunningHeard, eventually
from tests.web.visitors import Visitor, owner

VIP = """
audiences:
  - {name: VIP, where: {traits: "traits.plan = 'Premium'"}}
"""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """Ann and Bob ordered, Ann for more; Carl did nothing."""
    with RunningHeard(tmp_path_factory.mktemp("forms") / "data", workspace=ACME + VIP) as running:
        for user, plan in (("ann", "Premium"), ("bob", "Free"), ("carl", "Free")):
            running.send("identify", userId=user, traits={"email": f"{user}@example.com", "plan": plan})
        running.send("track", userId="ann", event="Order Completed", properties={"total": 80})
        running.send("track", userId="bob", event="Order Completed", properties={"total": 8})
        running.settle()
        yield running


@pytest.fixture
def seen(heard: RunningHeard) -> Visitor:
    return owner(heard)


def event(name: str = "Order Completed", path: str = "w.0", **more: str) -> dict[str, str]:
    fields = {
        "kind": "event",
        "is": "",
        "event": name,
        "often": "at_least",
        "n": "1",
        "length": "",
        "unit": "d",
        **more,
    }
    return {f"{path}.{key}": value for key, value in fields.items()}


def form(name: str, *rows: dict[str, str], **more: Any) -> dict[str, Any]:
    whole: dict[str, Any] = {"name": name, "w.kind": "group", "w.join": "all", "to": ["Heard"], "as": "traits"}
    for row in rows:
        whole |= row
    return whole | more


def would_be(page: str) -> tuple[str, str]:
    """How many the form would come to, and what is said of it."""
    found = re.search(r'<span class="big">(.*?)</span><span class="soft">(.*?)</span>', page)
    assert found is not None, page[-3000:]
    return found[1], found[2]


def made(seen: Visitor, fields: dict[str, Any], path: str = "/audiences/new") -> int:
    return int(seen.post(path, fields).rpartition("/")[2])


def members(heard: RunningHeard, name: str) -> list[str]:
    return [user for user in ("ann", "bob", "carl") if name in heard.get(f"contacts/{user}")["audiences"]]


def test_an_audience_is_counted_before_it_is_made_and_is_so_afterwards(heard: RunningHeard, seen: Visitor):
    page = seen.get("/audiences/new")
    assert '<option value="Order Completed">' in page
    rows = event(**{"length": "30", "f0.field": "total", "f0.operator": "more_than", "f0.value": "20"})
    page = seen.post("/audiences/new/preview", form("Large orders", rows), status=200)
    assert would_be(page) == ("1", "of 3 contacts would be a member now")
    assert "ann@example.com" in page
    assert "Seen 2 times in the last 30 days" in page

    number = made(seen, form("Large orders", rows))
    eventually(lambda: members(heard, "Large orders"), what="the members")
    assert members(heard, "Large orders") == ["ann"]
    page = seen.get(f"/audiences/{number}")
    assert "ann@example.com" in page
    assert "performed Order Completed at least once within 30 days where properties.total > 20" in page
    assert "ann@example.com" in seen.get(f"/audiences/{number}?q=ann")
    assert "No member of that name" in seen.get(f"/audiences/{number}?q=bob")
    assert "made the audience Large orders" in seen.get("/settings/audit")
    exported = heard.cli("export", "--json")["audiences"]
    assert exported[-1] == {
        "name": "Large orders",
        "where": {"event": "Order Completed", "at_least": 1, "within": "30d", "where": "properties.total > 20"},
        "to": ["Heard"],
    }


def test_rows_come_and_go_by_buttons(seen: Visitor):
    fields = form("", event())
    page = seen.post("/audiences/new/preview", {**fields, "act": "add-traits w"}, status=200)
    assert 'name="w.1.f0.field"' in page
    page = seen.post("/audiences/new/preview", {**fields, "act": "add-group w"}, status=200)
    assert 'name="w.1.0.event"' in page
    page = seen.post("/audiences/new/preview", {**fields, "act": "drop w.0"}, status=200)
    assert 'name="w.0.kind"' not in page
    page = seen.post("/audiences/new/preview", {**fields, "act": "text"}, status=200)
    assert "event: Order Completed" in page
    text = form("Text", text="any:\n  - {event: Order Completed, at_least: 2}\n  - {audience: VIP}")
    page = seen.post("/audiences/new/preview", text, status=200)
    assert would_be(page) == ("1", "of 3 contacts would be a member now")
    page = seen.post("/audiences/new/preview", {**text, "act": "rows"}, status=200)
    assert "<option selected>VIP</option>" in page


def test_an_event_that_was_never_seen_is_said_beside_it_with_what_was_meant(seen: Visitor):
    page = seen.post("/audiences/new/preview", form("", event("Order Complete")), status=200)
    assert "Not seen in the last 30 days, but Order Completed was." in page
    assert 'value="use w.0 Order Completed"' in page
    page = seen.post(
        "/audiences/new/preview", {**form("", event("Order Complete")), "act": "use w.0 Order Completed"}, status=200
    )
    assert would_be(page) == ("2", "of 3 contacts would be members now")


@pytest.mark.parametrize(
    ("fields", "at", "said"),
    [
        (form("", event()), "m-name", "Give it a name."),
        (form("VIP", event()), "m-name", "There is one called 'VIP' already; choose another name."),
        (form("vip!", event()), "m-name", "The trait vip is that of VIP; choose another name."),
        (form("A", event("")), "m-w-0", "Name the event."),
        (form("A", event(n="x")), "m-w-0", "Write a whole number from 0 to 1000000."),
        (form("A", event(fql="total >")), "m-w-0", "expected"),
        (form("A", event(**{"f0.field": "total", "f0.operator": "at_least", "f0.value": "x"})), "m-w-0-f0", "a number"),
        (form("A"), "m-w", "Add a condition."),
        (form("A", text="event: ["), "m-text", "line 1"),
        (form("A", event(), to=["Nowhere"]), "m-to", "There is no destination 'Nowhere'."),
    ],
)  # fmt: skip
def test_what_cannot_be_obeyed_is_said_at_its_field_and_nothing_is_kept(
    heard: RunningHeard, seen: Visitor, fields: dict[str, Any], at: str, said: str
):
    before = heard.cli("export", "--json")
    page = seen.post("/audiences/new", fields, status=422)
    (slot,) = re.findall(rf'<div class="slot" id="{at}">(.*?)</div>', page, re.S)
    assert said in slot
    assert heard.cli("export", "--json") == before


def test_a_circle_is_said_at_the_row_that_leads_round(heard: RunningHeard, seen: Visitor):
    one = made(seen, form("One", event()))
    made(seen, form("Two", {"w.0.kind": "audience", "w.0.is": "not", "w.0.audience": "One"}))
    back = {"w.1.kind": "audience", "w.1.is": "", "w.1.audience": "Two"}
    stamp = stamp_of(seen, one)
    for path, status in ((f"/audiences/{one}/preview", 200), (f"/audiences/{one}/edit", 422)):
        page = seen.post(path, form("One", event(), back, stamp=stamp), status=status)
        (slot,) = re.findall(r'<div class="slot" id="m-w-1">(.*?)</div>', page, re.S)
        assert "These audiences go round in a circle" in slot
        assert '<span class="big">' not in page
    page = seen.post("/audiences/new", form("Own", {"w.0.kind": "traits", "w.0.fql": "traits.own"}), status=422)
    (slot,) = re.findall(r'<div class="slot" id="m-w-0">(.*?)</div>', page, re.S)
    assert "Own -> Own" in slot


def test_a_change_is_kept_and_a_form_that_is_old_says_so(heard: RunningHeard, seen: Visitor):
    number = made(seen, form("Changing", event()))
    heard.settle()
    assert members(heard, "Changing") == ["ann", "bob"]
    stamp = stamp_of(seen, number)
    fields = form("Changing", event(f"{'Order Completed'}", **{"is": "not"}), stamp=stamp)
    page = seen.post(f"/audiences/{number}/preview", fields, status=200)
    assert would_be(page) == ("1", "of 3 contacts would be a member now")
    assert seen.post(f"/audiences/{number}/edit", fields) == f"/audiences/{number}"
    heard.settle()
    assert members(heard, "Changing") == ["carl"]

    page = seen.post(f"/audiences/{number}/edit", form("Changing", event(), stamp=stamp), status=409)
    assert "Somebody saved it while you edited" in page
    assert members(heard, "Changing") == ["carl"]
    stamp = stamp_in(page)
    seen.post(f"/audiences/{number}/edit", form("Changing", event(), stamp=stamp))
    page = seen.post(f"/audiences/{number}/edit", form("Another", event(), stamp=stamp_of(seen, number)), status=422)
    assert "Its name stays" in page
    assert "changed the audience Changing" in seen.get("/settings/audit")


def test_a_copy_has_another_name_and_the_same_condition(seen: Visitor):
    number = made(seen, form("Original", event("Sign In", often="at_most", n="2", length="7")))
    page = seen.get(f"/audiences/new?copy={number}")
    assert 'value="Copy of Original"' in page
    assert 'value="Sign In"' in page
    assert 'value="at_most" selected' in page


def test_what_goes_by_it_keeps_an_audience_where_it_is(heard: RunningHeard, seen: Visitor):
    number = made(seen, form("Going", event()))
    other = made(seen, form("By name", {"w.0.kind": "audience", "w.0.is": "", "w.0.audience": "Going"}))
    heard.settle()
    assert heard.get("contacts/ann")["traits"]["going"] is True
    page = seen.get(f"/audiences/{number}/remove")
    assert f'/audiences/{other}">By name</a>' in page
    assert "btn--danger" not in page
    page = seen.post(f"/audiences/{number}/remove", status=409)
    assert "It stays as long as something goes by it" in page

    assert "Remove By name" in seen.get(f"/audiences/{other}/remove")
    assert seen.post(f"/audiences/{other}/remove") == "/audiences"
    assert seen.post(f"/audiences/{number}/remove") == "/audiences"
    heard.settle()
    assert not {"going", "by_name"} & heard.get("contacts/ann")["traits"].keys()
    seen.get(f"/audiences/{number}", status=404)
    assert "removed the audience Going" in seen.get("/settings/audit")


def test_a_computed_trait_is_made_the_same_way(heard: RunningHeard, seen: Visitor):
    fields = form("Spent", event(), of="sum", property="total")
    page = seen.post("/audiences/new/trait/preview", fields, status=200)
    assert would_be(page) == ("2", "of 3 contacts would have a value now")
    assert re.search(r">ann@example.com</a><span>80</span>", page)
    number = made(seen, fields, "/audiences/new/trait")
    heard.settle()
    assert heard.get("contacts/bob")["traits"]["spent"] == 8
    fields |= {"of": "max", "stamp": stamp_of(seen, number)}
    seen.post(f"/audiences/{number}/edit", fields)
    heard.settle()
    assert "The most total over Order Completed" in seen.get(f"/audiences/{number}")
    assert seen.post(f"/audiences/{number}/remove") == "/audiences"
    heard.settle()
    assert "spent" not in heard.get("contacts/bob")["traits"]


def test_nothing_is_kept_by_a_preview(heard: RunningHeard, seen: Visitor):
    before = heard.cli("export", "--json")
    seen.post("/audiences/new/preview", form("Ghost", event()), status=200)
    assert heard.cli("export", "--json") == before


def stamp_of(seen: Visitor, number: int) -> str:
    return stamp_in(seen.get(f"/audiences/{number}/edit"))


def stamp_in(page: str) -> str:
    found = re.search(r'name="stamp" value="([0-9a-f]+)"', page)
    assert found is not None
    return found[1]


# ── the same by the API ──


def call(heard: RunningHeard, method: str, path: str, body: Any = None) -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {heard.secret_key}"}
    answer = httpx.request(method, f"{heard.url}/api/{path}", headers=headers, json=body, timeout=20)
    return answer.status_code, answer.json()


def test_an_audience_is_made_changed_and_removed_by_the_api(heard: RunningHeard):
    status, made = call(heard, "POST", "audiences", {"name": "By API / 1", "where": {"event": "Order Completed"}})
    assert (status, made["trait"], made["state"], made["to"]) == (200, "by_api_1", "computing", ["Heard"])
    heard.settle()
    assert call(heard, "GET", "audiences/By%20API%20%2F%201")[1]["members"] == 2
    changed = {"where": {"not": {"event": "Order Completed"}}, "to": []}
    assert call(heard, "PUT", "audiences/By%20API%20%2F%201", changed)[1]["to"] == []
    heard.settle()
    assert members(heard, "By API / 1") == ["carl"]
    listed = call(heard, "GET", "audiences")[1]
    assert [each["members"] for each in listed["data"] if each["name"] == "By API / 1"] == [1]
    assert call(heard, "DELETE", "audiences/By%20API%20%2F%201") == (200, {"removed": "By API / 1"})
    assert call(heard, "GET", "audiences/By%20API%20%2F%201")[0] == 404


def test_a_computed_trait_likewise(heard: RunningHeard):
    asked = {"kind": "sum", "event": "Order Completed", "property": "total"}
    status, made = call(heard, "POST", "computed-traits", {"name": "api sum", **asked})
    assert (status, made["kind"], made["property"], made["within"]) == (200, "sum", "total", None)
    heard.settle()
    assert heard.get("contacts/ann")["traits"]["api_sum"] == 80
    assert call(heard, "PUT", "computed-traits/api%20sum", {**asked, "kind": "count"})[0] == 400
    assert call(heard, "PUT", "computed-traits/api%20sum", {"kind": "count", "event": "Order Completed"})[0] == 200
    assert call(heard, "DELETE", "computed-traits/api%20sum")[0] == 200
    assert get_args(Kind) == aggregates.KINDS


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "field"),
    [
        ("POST", "audiences", {"name": "VIP", "where": {"event": "A"}}, 400, "name"),
        ("POST", "audiences", {"name": "A", "where": {"event": "A", "at_least": "x"}}, 400, "where.at_least"),
        ("POST", "audiences", {"name": "A", "where": {"traits": None}}, 400, "where.traits"),
        ("POST", "audiences", {"name": "A\nB", "where": {"event": "A"}}, 400, "name"),
        ("POST", "audiences", {"name": "A", "where": {"audience": "A"}}, 400, None),
        ("POST", "audiences", {"name": "A", "where": {"audience": "None"}}, 400, "where"),
        ("POST", "audiences", {"where": {"event": "A"}}, 400, "name"),
        ("PUT", "audiences/None", {"where": {"event": "A"}}, 404, None),
        ("DELETE", "audiences/None", None, 404, None),
        ("POST", "computed-traits", {"name": "A", "kind": "sum", "event": "A"}, 400, "property"),
        ("POST", "computed-traits", {"name": "A", "kind": "count", "event": "A", "within": "x"}, 400, "within"),
    ],
)
def test_what_cannot_be_obeyed_names_its_field(
    heard: RunningHeard, method: str, path: str, body: Any, status: int, field: str | None
):
    answered, said = call(heard, method, path, body)
    assert (answered, said["error"].get("field")) == (status, field), said


def test_what_a_campaign_asks_by_is_not_removed(heard: RunningHeard):
    heard.apply("""
workspace: Acme
audiences:
  - {name: Asked, where: {event: Order Completed}}
campaigns:
  - {name: To the asked, survey: Relationship NPS, channel: email, event: Support Closed, audience: Asked}
""")
    status, said = call(heard, "DELETE", "audiences/Asked")
    assert (status, said["error"]["code"]) == (409, "conflict")
    assert said["error"]["message"] == "Asked stays: the campaign To the asked goes by it."
