"""What respondents choose at `/u/{token}`, as it then holds for mails, and as members see it."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.flow.running import ACME, RunningHeard
from tests.web.test_verdicts import mailed
from tests.web.visitors import Visitor, owner

TWO = (
    ACME.replace(
        "  - {name: Relationship NPS, kind: nps, languages: [en]}\n",
        """\
  - {name: Relationship NPS, kind: nps, languages: [en]}
  - {name: After support, kind: nps, languages: [en]}
""",
    ).replace("    throttle: 90d\n", "    throttle: 90d\n    reminder: 3d\n")
    + """\
  - {name: Solved, survey: After support, channel: email, event: Ticket Solved, status: ready}
"""
)


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("preferences") / "data", workspace=TWO) as running:
        yield running


@pytest.fixture(scope="module")
def robin(heard: RunningHeard) -> Visitor:
    return owner(heard)


def preferences(heard: RunningHeard, user: str) -> str:
    return mailed(heard, user)[0].partition("?")[0].replace("/s/", "/u/")


def last_decision(heard: RunningHeard, user: str) -> tuple[str, dict[str, str]]:
    decision = heard.cli("why", user, "--json")["decisions"][0]
    return decision["outcome"], {each["reason"]: each["detail"] for each in decision["objections"]}


def solved(heard: RunningHeard, user: str) -> None:
    heard.send("track", userId=user, event="Ticket Solved")
    heard.settle()


def test_less_often_holds_at_once_is_seen_and_can_be_taken_back(heard: RunningHeard, robin: Visitor):
    link = preferences(heard, "ted")
    assert httpx.get(f"{link}/less").status_code == 200
    assert "Ask me less often" in httpx.get(link).text

    assert "at most one survey in 180 days" in httpx.post(f"{link}/less").text

    heard.advance("3d")
    assert [each["state"] for each in heard.get("deliveries", user_id="ted")["data"]] == ["cancelled", "sent"]
    solved(heard, "ted")
    outcome, why = last_decision(heard, "ted")
    assert outcome == "declined"
    assert why["workspace_quiet_period"].startswith("They asked to be asked less often.")
    now = {each["campaign"]: each for each in heard.get("contacts/ted/why")["now"]}
    assert "workspace_quiet_period" in [each["reason"] for each in now["Solved"]["objections"]]
    number = heard.get("contacts/ted")["id"]
    page = robin.get(f"/contacts/{number}")
    assert "at most one survey in 180 days" in page
    assert "Ted asked to be asked less often" in page
    assert heard.get("contacts/ted")["status"] == "active"
    exported = robin.browser.get(f"/contacts/{number}/export").json()["wishes"]
    assert [(each["kind"], each["on"]) for each in exported] == [("less_often", True)]

    page = httpx.get(link).text
    undo = re.search(r'action="([^"]*/undo)" method="post"><input type="hidden" name="wish" value="less">', page)
    assert undo is not None
    assert httpx.post(heard.url + undo[1], data={"wish": "less"}).status_code == 200
    solved(heard, "ted")
    assert last_decision(heard, "ted")[0] == "invited"
    assert "none that hold" in robin.get(f"/contacts/{number}")


def test_not_this_survey_again_leaves_the_others(heard: RunningHeard):
    link = preferences(heard, "lily")

    assert "This survey will not come again" in httpx.post(f"{link}/not-this").text

    heard.advance("91d")
    heard.send("track", userId="lily", event="Order Completed", properties={"total": 40})
    heard.settle()
    assert last_decision(heard, "lily") == (
        "declined",
        {"unsubscribed": "They asked not to get Relationship NPS again."},
    )
    solved(heard, "lily")
    assert last_decision(heard, "lily")[0] == "invited"
    number, robin = heard.get("contacts/lily")["id"], owner(heard)  # their session of 91 days ago is over
    page = robin.get(f"/contacts/{number}?show=asked")
    assert "no more Relationship NPS" in page
    assert "Asked not to get Relationship NPS again, by the link in a mail" in page
    (kept,) = robin.browser.get(f"/contacts/{number}/export").json()["wishes"]
    assert (kept["kind"], kept["survey"]) == ("not_this_survey", 1)


def test_one_click_from_a_mail_program_still_means_all_of_it(heard: RunningHeard):
    link = preferences(heard, "marshall")
    httpx.post(f"{link}/less")

    assert httpx.post(link, data={"List-Unsubscribe": "One-Click"}).status_code == 200

    assert heard.get("contacts/marshall")["status"] == "unsubscribed"
    assert "You will get no more surveys" in httpx.get(link).text


def test_opening_any_of_the_pages_changes_nothing(heard: RunningHeard):
    link = preferences(heard, "barney")
    for way in ("", "/less", "/not-this", "/undo"):
        for method in ("HEAD", "GET"):
            assert httpx.request(method, link + way).status_code == 200

    assert heard.get("contacts/barney")["status"] == "active"
    assert heard.get("responses", user_id="barney")["data"] == []
    solved(heard, "barney")
    assert "workspace_quiet_period" not in last_decision(heard, "barney")[1]
