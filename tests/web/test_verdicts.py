"""Verdicts as members meet them: seen with their evidence, and set by hand."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import RunningHeard, answer, links_in
from tests.web.visitors import Visitor, member, owner

BROWSER = {"User-Agent": "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Mobile/15E148"}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("verdicts") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def robin(heard: RunningHeard) -> Visitor:
    return owner(heard)


def mailed(heard: RunningHeard, user: str) -> list[str]:
    """The survey links of the mail to somebody new, an hour after it came."""
    heard.send("identify", userId=user, traits={"email": f"{user}@mosby.example", "firstName": user.title()})
    heard.send("track", userId=user, event="Order Completed", properties={"total": 40})
    heard.settle()
    heard.advance("1h")
    for mail in (heard.data / "outbox").glob("*.eml"):
        read = opened(mail.read_bytes())
        if f"{user}@mosby.example" in read["To"]:
            body = read.get_body(("html",))
            assert body is not None
            return links_in(body.get_content())
    raise AssertionError(f"no mail to {user}")


def tap(link: str, **headers: str) -> None:
    assert httpx.get(link, headers={**BROWSER, **headers}).status_code == 200


def response_of(heard: RunningHeard, user: str) -> dict:
    (found,) = heard.get("responses", user_id=user)["data"]
    return found


def score(heard: RunningHeard) -> int:
    return heard.get("scores", survey="Relationship NPS")["n"]


def test_a_tap_is_shown_as_not_confirmed_and_a_member_makes_it_count(heard: RunningHeard, robin: Visitor):
    tap(mailed(heard, "ted")[9])
    before = score(heard)
    found = response_of(heard, "ted")
    assert (found["verdict"], found["value"]) == ("provisional", 9)
    assert "Ted" not in robin.get("/responses")
    assert "Why not" in robin.get("/responses?verdict=provisional")
    page = robin.get(f"/responses/{found['id']}")
    assert "It does not count" in page
    assert "nobody has sent the form" in page
    assert "score 9" in page
    assert BROWSER["User-Agent"] in page
    assert "127.0.0.1" in page

    robin.post(f"/responses/{found['id']}/verdict", {"verdict": "human"})

    assert response_of(heard, "ted")["verdict"] == "human"
    assert score(heard) == before + 1
    page = robin.get(f"/responses/{found['id']}")
    assert f"{heard.owner[0]} said that it was a person." in page
    assert "said who gave the answer" in robin.get("/settings/audit")
    assert [each["state"] for each in heard.get("deliveries", user_id="ted")["data"]] == ["answered"]

    robin.post(f"/responses/{found['id']}/verdict", {"verdict": "bot"})
    assert score(heard) == before
    assert [each["verdict"] for each in heard.get("responses", user_id="ted")["data"]] == ["bot"]


def test_a_machine_is_told_with_what_gave_it_away(heard: RunningHeard, robin: Visitor):
    links = mailed(heard, "lily")
    for link in links:
        tap(link)
    found = response_of(heard, "lily")
    page = robin.get(f"/responses/{found['id']}")

    assert found["verdict"] == "bot"
    assert "11 different scores were opened within" in page
    contact = heard.get("contacts/lily")["id"]
    timeline = robin.get(f"/contacts/{contact}?show=asked")
    assert "Link opened, by a machine" in timeline.replace("</b>", "")
    assert f'/responses/{found["id"]}">Evidence</a>' in timeline

    answer(links[4], comment="Too much mail")
    assert response_of(heard, "lily")["verdict"] == "human"
    assert "A person sent the form." in robin.get(f"/responses/{found['id']}")


def test_the_hidden_link_opens_a_harmless_page(heard: RunningHeard):
    link = mailed(heard, "marshall")[0].partition("?")[0].replace("/s/", "/about/")
    for method in ("HEAD", "GET"):
        page = httpx.request(method, link, headers=BROWSER)
        assert page.status_code == 200
    assert "There is no page here" in page.text
    assert "Back to the question" in page.text
    assert "<form" not in page.text
    assert httpx.get(link[:-2]).status_code == 404
    assert heard.get("responses", user_id="marshall")["data"] == []


def test_who_only_looks_changes_no_verdict(heard: RunningHeard):
    tap(mailed(heard, "barney")[3])
    number = response_of(heard, "barney")["id"]
    viewer = member(heard, "viewer@acme.example", "viewer")

    assert "It was a person" not in viewer.get(f"/responses/{number}")
    viewer.post(f"/responses/{number}/verdict", {"verdict": "human"}, status=403)
    assert response_of(heard, "barney")["verdict"] == "provisional"


@pytest.mark.parametrize("verdict", ["test", "provisional", "", "nobody"])
def test_another_verdict_is_refused(heard: RunningHeard, robin: Visitor, verdict: str):
    number = response_of(heard, "barney")["id"]

    assert "Choose human or bot." in robin.post(f"/responses/{number}/verdict", {"verdict": verdict}, status=400)


def test_what_is_no_answer_is_not_there(robin: Visitor):
    for path in ("/responses/999999", "/responses/x", "/responses/1e3"):
        robin.get(path, status=404)


def test_the_policy_is_set_in_settings_and_time_alone_makes_it_count(heard: RunningHeard, robin: Visitor):
    form = {"name": "Acme", "from": "Acme <feedback@acme.example>", "unconfirmed_clicks": "balanced"}
    robin.post("/settings/brand", form)
    assert "unconfirmed_clicks: balanced" in heard.cli("export")
    tap(mailed(heard, "zoey")[8])
    before = score(heard)
    assert "It counts from" in robin.get(f"/responses/{response_of(heard, 'zoey')['id']}")

    heard.advance("23h")
    assert score(heard) == before
    heard.advance("1h")
    assert score(heard) == before + 1
    found = response_of(heard, "zoey")
    assert (found["verdict"], found["value"]) == ("human", 8)
    assert "Nobody sent the form within 1 day" in robin.get(f"/responses/{found['id']}")

    refused = robin.post("/settings/brand", form | {"unconfirmed_clicks": "sometimes"}, status=422)
    assert "strict, balanced, lenient" in refused
    robin.post("/settings/brand", form | {"unconfirmed_clicks": "strict"})
    assert "unconfirmed_clicks" not in heard.cli("export")
