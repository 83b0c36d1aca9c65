"""What somebody was asked by, and what that version of the campaign and of the survey said."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import Any

import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import ACME, RunningHeard, answer, links_in
from tests.web.visitors import Visitor, member, owner

SENDS_BACK = """destinations:
  - {name: Hook, type: webhook, settings: {url: "https://hooks.acme.example/heard"}}
"""
ANSWERED = ACME.replace("throttle: 90d", "throttle: 30d").replace(
    "languages: [en]}", "languages: [en, de], quiet_period: 30d, send_back: {to: [Hook], events: {answered: Scored}}}"
)
LATER = ANSWERED.replace("throttle: 30d", 'template: {subject: "{{ brand }} & you"}').replace("    status: ready\n", "")


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """Asked by the second version of both, or a later one; afterwards both change once more."""
    with RunningHeard(tmp_path_factory.mktemp("versions") / "data", workspace=ACME) as heard:
        heard.apply(ANSWERED + SENDS_BACK)
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"})
        heard.send("track", userId="ted", event="Order Completed", properties={"total": 40})
        heard.settle()
        (mail,) = (heard.data / "outbox").glob("*.eml")
        html = opened(mail.read_bytes()).get_body(("html",))
        assert html is not None
        answer(links_in(html.get_content())[9], comment="Legendary")
        heard.apply(LATER + SENDS_BACK)
        yield heard


@pytest.fixture(scope="module")
def viewer(heard: RunningHeard) -> Visitor:
    return member(heard, "robin@scherbatsky.example", "viewer")


@pytest.fixture(scope="module")
def said(heard: RunningHeard) -> dict[str, Any]:
    (found,) = heard.get("responses")["data"]
    return found


def changes(page: str) -> dict[str, tuple[str, str]]:
    """Setting: (before, from then on)."""
    cells = r'<th role="rowheader"[^>]*>(.*?)</th>\s*<td[^>]*>(.*?)</td>\s*<td[^>]*>(.*?)</td>'
    found = [[re.sub(r"<[^>]+>", "", each) for each in row] for row in re.findall(cells, page, re.S)]
    return {place: (before, after) for place, before, after in found}


def settings(page: str) -> dict[str, str]:
    found = re.findall(r"<dt><code>(.*?)</code></dt><dd[^>]*>(.*?)</dd>", page, re.S)
    return dict(found)


def test_an_answer_names_what_it_was_asked_by_and_leads_there(said: dict[str, Any], viewer: Visitor):
    campaign, survey = said["campaign_version"], said["survey_version"]
    page = viewer.get(f"/responses/{said['id']}")

    assert f'<a href="/campaigns/1/versions/{campaign}">version {campaign} of Post-purchase</a>' in page
    assert f'<a href="/surveys/1/versions/{survey}">version {survey} of Relationship NPS</a>' in page
    then = settings(viewer.get(f"/campaigns/1/versions/{campaign}"))
    assert (then["throttle"], then["where"]) == ("30d", "properties.total > 20")
    asked = settings(viewer.get(f"/surveys/1/versions/{survey}"))
    assert (asked["kind"], asked["languages"], asked["quiet_period"]) == ("nps", "en, de", "30d")
    assert (asked["send_back.to"], asked["send_back.events.answered"]) == ("Hook", "Scored")


def test_the_decision_the_mail_and_the_files_name_it_too(heard: RunningHeard, said: dict[str, Any], viewer: Visitor):
    (delivery,) = heard.get("deliveries")["data"]
    versions = {name: said[name] for name in ("campaign_version", "survey_version")}
    assert {name: delivery[name] for name in versions} == versions
    (row,) = csv.DictReader(io.StringIO(viewer.browser.get("/responses.csv").text))
    assert {name: row[name] for name in versions} == {name: str(each) for name, each in versions.items()}
    link = f"/campaigns/1/versions/{said['campaign_version']}"
    why = viewer.get("/contacts/1")
    assert re.search(rf'id="h-why">.*Asked by <a href="{link}">.*, <a href="/surveys/1/versions/', why, re.S)
    assert link in viewer.get(f"/outbox/{delivery['id']}")


def test_a_version_says_what_it_changed_and_how_long_it_held(said: dict[str, Any], viewer: Visitor):
    then, now = said["campaign_version"], said["campaign_version"] + 1
    page = viewer.get(f"/campaigns/1/versions/{then}")
    assert re.search(r"From \d+ \w+.*, \d\d:\d\d until \d+ ", page)
    assert "Holds now" not in page
    assert f'rel="next" href="/campaigns/1/versions/{now}"' in page

    page = viewer.get(f"/campaigns/1/versions/{now}")
    assert "Holds now" in page
    assert changes(page) == {
        "throttle": ("30d", "not set"),
        "template.subject": ("not set", "{{ brand }} & you"),
        "status": ("ready", "active"),  # it became so by itself, with the first event
    }
    assert 'rel="next"' not in page
    assert f'<a class="badge version" href="/campaigns/1/versions/{now}">version {now}</a>' in viewer.get(
        "/campaigns/1"
    )

    survey = changes(viewer.get(f"/surveys/1/versions/{said['survey_version']}"))
    assert survey["languages"] == ("en", "en, de")
    assert survey["quiet_period"] == ("not set", "30d")


def test_a_pause_is_a_version_of_its_own(heard: RunningHeard):
    ted = owner(heard)
    (before,) = map(int, re.findall(r">version (\d+)</a>", ted.get("/campaigns/1")))
    ted.post("/campaigns/1/pause")
    page = ted.get(f"/campaigns/1/versions/{before + 1}")

    assert changes(page)["status"][1] == "paused"
    assert len(changes(page)) == 1


def test_the_first_one_changed_nothing_and_what_never_was_is_not_there(viewer: Visitor):
    for noun in ("campaign", "survey"):
        page = viewer.get(f"/{noun}s/1/versions/1")
        assert f"It is the first one: the {noun} was made with it." in page
        assert changes(page) == {}
        assert 'rel="prev"' not in page
        for number in ("0", "99", "2147483647", "9223372036854775807", "99999999999999999999"):
            assert f"never had a version {number}" in viewer.get(f"/{noun}s/1/versions/{number}", status=404)


def test_a_destination_that_is_gone_is_still_told_of(heard: RunningHeard, viewer: Visitor, said: dict[str, Any]):
    owner(heard).post("/destinations/2/remove")
    page = viewer.get(f"/surveys/1/versions/{said['survey_version']}")

    assert settings(page)["send_back.to"] == "destination 2, which is gone"
