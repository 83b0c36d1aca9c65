"""Sources: made, renamed, given another write key; each says what came from it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.flow.running import RunningHeard
from tests.web.visitors import Visitor, code_in, error_at, member, owner


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("sources") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def sent_with(heard: RunningHeard, key: str) -> int:
    message = {"userId": "u_1", "event": "Order Completed"}
    return httpx.post(f"{heard.url}/v1/track", json=message, auth=(key, "")).status_code


def test_a_source_is_made_and_waits_for_its_first_event(heard: RunningHeard, ted: Visitor):
    path = ted.post("/sources", {"name": " Shop "})
    page = ted.get(path)
    assert "Waiting for the first event of Shop" in page
    assert ted.browser.get(f"{path}/arrived").status_code == 204

    key = code_in(page, "Write key")
    assert key in code_in(page, "Python code")
    assert sent_with(heard, key) == 200
    heard.settle()

    assert "Order Completed" in ted.get(f"{path}/arrived")
    page = ted.get(path)
    assert "Receiving" in page
    assert "1 today, 0 yesterday" in page
    assert "Waiting for the first" in ted.get("/sources")  # Website heard nothing yet


def test_counts_are_of_utc_days(heard: RunningHeard, ted: Visitor):
    path = ted.post("/sources", {"name": "Counted"})
    key = code_in(ted.get(path), "Write key")
    for _ in range(3):
        sent_with(heard, key)
    heard.advance("24h")
    sent_with(heard, key)
    heard.settle()

    assert "1 today, 3 yesterday" in ted.get(path)


def test_a_name_that_is_taken_is_refused_at_its_field_and_kept(ted: Visitor):
    page = ted.post("/sources", {"name": "Website"}, status=422)

    assert error_at(page, "name") == "There is a source called 'Website' already."
    assert 'value="Website"' in page
    assert 'aria-invalid="true"' in page


@pytest.mark.parametrize("name", ["", "   ", "n" * 101])
def test_a_source_has_a_name(ted: Visitor, name: str):
    assert error_at(ted.post("/sources", {"name": name}, status=422), "name") == (
        "Give the source a name of 1 to 100 characters."
    )


def test_a_source_is_renamed(ted: Visitor):
    path = ted.post("/sources", {"name": "Befor"})
    assert error_at(ted.post(path, {"name": "Website"}, status=422), "name").startswith("There is a source")

    ted.post(path, {"name": "After"})

    assert "<h1>After</h1>" in ted.get(path)
    assert "renamed the source Befor to After" in ted.get("/settings/audit")


def test_the_old_write_key_stops_at_once(heard: RunningHeard, ted: Visitor):
    path = ted.post("/sources", {"name": "Leaked"})
    page = ted.get(path)
    old = code_in(page, "Write key")
    assert "The old key stops at once" in page
    assert sent_with(heard, old) == 200

    ted.post(f"{path}/key")

    new = code_in(ted.get(path), "Write key")
    assert new != old
    assert (sent_with(heard, old), sent_with(heard, new)) == (401, 200)
    assert "replaced the write key of Leaked" in ted.get("/settings/audit")


def test_sources_are_set_up_by_admins(heard: RunningHeard):
    for role, status in (("viewer", 403), ("member", 403), ("admin", 303)):
        visitor = member(heard, f"{role}@sources.example", role)
        offered = 'action="/sources' in visitor.get("/sources") + visitor.get("/sources/1")
        answer = visitor.browser.post("/sources", data={"form_token": visitor.token(), "name": role})

        assert offered == (status == 303)
        assert answer.status_code == status


def test_a_source_that_is_not_there_is_not_found(ted: Visitor):
    ted.get("/sources/999", status=404)
    ted.post("/sources/999", {"name": "x"}, status=404)
    ted.post("/sources/999/key", status=404)


def test_the_page_says_where_segments_webhook_posts_to_and_that_works(heard: RunningHeard, ted: Visitor):
    address = code_in(ted.get(ted.post("/sources", {"name": "Segment's cloud"})), "Address")
    answered = httpx.post(address, json={"type": "track", "userId": "ann", "event": "Passed On", "messageId": "p1"})

    assert (answered.status_code, answered.json()) == (200, {"success": True})
    heard.settle()
    assert "Passed On" in [each["event"] for each in heard.get("messages")["data"]]
