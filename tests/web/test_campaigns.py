"""Campaigns and surveys on pages: made, changed, previewed, tried out, activated; and what others may not."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import ACME, RunningHeard, answer, links_in
from tests.web.visitors import Visitor, member, owner

OTHER = ACME.replace("Acme", "MacLaren").replace("acme", "maclaren").replace("Post-purchase", "After a pint")
FORM = {
    "name": "After a visit",
    "survey": "Relationship NPS",
    "event": "Visit Ended",
    "subject": "{{ brand }}: one question",
    "intro": "Hi {{ firstName | there }},",
}


@pytest.fixture
def heard(tmp_path: Any) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path / "data", workspace=ACME.replace("status: ready", "status: draft")) as running:
        yield running


@pytest.fixture
def ted(heard: RunningHeard) -> Visitor:
    return member(heard, "ted@mosby.example", "member")


def saved(heard: RunningHeard, name: str) -> dict[str, Any]:
    exported = heard.cli("export", "--json")
    return next(each for each in exported["campaigns"] if each["name"] == name)


def shoppers(heard: RunningHeard) -> None:
    """Eight who order: seven for enough, five of those identified, four with an address, of which two share theirs."""
    for number, email in enumerate(("a@x.example", "b@x.example", "shared@x.example", "Shared@x.example", None)):
        heard.send(
            "identify", userId=f"u{number}", traits={"firstName": f"N{number}"} | ({"email": email} if email else {})
        )
    for number in range(8):
        heard.send(
            "track", userId=f"u{number}", event="Order Completed", properties={"total": 10 if number == 7 else 40}
        )
    heard.settle()


def below(page: str, key: str) -> str:
    """What stands below a field: its help, and what is wrong with it."""
    found = re.search(
        rf'id="m-{key}">((?:<div class="help">.*?</div>)?(?:<p class="error">.*?</p>)*)</div>', page, re.S
    )
    assert found is not None, key
    return re.sub(r"<[^>]+>", "", found[1])


def version(page: str) -> str:
    found = re.search(r'name="version" value="(\d+)"', page)
    assert found is not None
    return found[1]


def test_a_campaign_is_made_as_a_draft_and_the_file_says_the_same(heard: RunningHeard, ted: Visitor):
    where = ted.post(
        "/campaigns/new",
        {**FORM, "delay": "3d", "throttle": "90d", "reminder": "3d", "sample": "25%", "daily_cap": "1,500",
         "window": "1", "days": ["mon", "fri"], "from": "09:00", "to": "17:00", "zone": "Europe/Berlin"},
    )  # fmt: skip

    assert saved(heard, "After a visit") == {
        "name": "After a visit",
        "survey": "Relationship NPS",
        "channel": "email",
        "event": "Visit Ended",
        "delay": "3d",
        "throttle": "90d",
        "reminder": "3d",
        "sample": "25%",
        "daily_cap": 1500,
        "window": {"days": ["mon", "fri"], "from": "09:00", "to": "17:00", "zone": "Europe/Berlin"},
        "status": "draft",
    }
    page = ted.get(where)
    assert 'value="Visit Ended"' in page
    assert re.search(r'value="fri" checked', page)
    assert 'href="' + where + '">After a visit' in ted.get("/campaigns")


def test_what_cannot_be_obeyed_is_said_at_its_field_with_the_fix_and_nothing_is_lost(heard: RunningHeard, ted: Visitor):
    written = {**FORM, "delay": "3 dyas", "where": "properties.total >", "sample": "25", "intro": "{{ greeting }}"}

    page = ted.post("/campaigns/new", written, status=422)

    assert "Use 3d" in below(page, "delay")
    assert "Use 25%" in below(page, "sample")
    assert below(page, "where")
    assert "{{ traits.greeting }}" in below(page, "template-intro")
    assert 'value="3 dyas"' in page
    assert [each["name"] for each in heard.cli("export", "--json")["campaigns"]] == ["Post-purchase"]

    mended = ted.post("/campaigns/new/preview", {**written, "use": "delay=3d"}, status=200)
    assert 'value="3d"' in mended
    assert "Use 3d" not in mended


def test_a_reminder_is_explained_as_a_date_and_not_taken_within_a_day(ted: Visitor):
    page = ted.post("/campaigns/new/preview", {**FORM, "delay": "0d", "reminder": "3d"}, status=200)
    assert "reminded once if there is no answer by then" in page

    page = ted.post("/campaigns/new", {**FORM, "reminder": "12h"}, status=422)
    assert "24h or more" in below(page, "reminder")


def test_what_is_still_to_be_written_is_no_mistake_until_it_is_saved(ted: Visitor):
    empty = {"name": "", "survey": "Relationship NPS", "event": ""}

    assert 'class="error"' not in ted.post("/campaigns/new/preview", empty, status=200)
    page = ted.post("/campaigns/new", empty, status=422)
    assert "Name the event" in below(page, "event")
    assert "Write a name" in below(page, "name")


def test_a_name_belongs_to_one_campaign(ted: Visitor):
    page = ted.post("/campaigns/new", {**FORM, "name": "Post-purchase"}, status=422)

    assert "Another campaign has this name" in below(page, "name")


def test_saving_what_did_not_change_makes_no_version_and_changes_make_one(heard: RunningHeard, ted: Visitor):
    form = {"name": "Post-purchase", "survey": "Relationship NPS", "event": "Order Completed",
            "where": "properties.total > 20", "list": "Segment List", "throttle": "90d"}  # fmt: skip
    ted.post("/campaigns/1", {**form, "version": "1"})
    assert version(ted.get("/campaigns/1")) == "1"

    ted.post("/campaigns/1", {**form, "throttle": "30d", "version": "1"})

    assert version(ted.get("/campaigns/1")) == "2"
    assert saved(heard, "Post-purchase")["throttle"] == "30d"
    assert "ted@mosby.example" in owner(heard).get("/settings/audit")


def test_who_saves_an_old_version_is_told_and_loses_nothing(heard: RunningHeard, ted: Visitor):
    form = {"name": "Post-purchase", "survey": "Relationship NPS", "event": "Order Completed", "version": "1"}
    ted.post("/campaigns/1", {**form, "throttle": "30d"})

    page = ted.post("/campaigns/1", {**form, "throttle": "60d"}, status=409)

    assert "Somebody saved version 2 while you edited." in page
    assert 'name="throttle" value="60d"' in page
    assert saved(heard, "Post-purchase")["throttle"] == "30d"
    ted.post("/campaigns/1", {**form, "throttle": "60d", "version": version(page)})
    assert saved(heard, "Post-purchase")["throttle"] == "60d"


def test_the_preview_says_what_then_really_happens(heard: RunningHeard, ted: Visitor):
    shoppers(heard)

    page = ted.get("/campaigns/1/preview")
    told = re.search(r'<span class="big">(\d+)</span><span class="soft">of (\d+) contacts', page)
    assert told is not None
    assert (told[1], told[2]) == ("3", "7")
    tally = dict(re.findall(r"<li><span>([^<]+)</span><span>(\d+)</span>", page))
    assert tally == {"Never identified": "2", "No address": "1", "Campaign throttle": "1"}
    assert not heard.get("deliveries")["data"]

    ted.post("/campaigns/1/activate", {"daily_cap": ""})
    for number in range(8):
        heard.send(
            "track", userId=f"u{number}", event="Order Completed", properties={"total": 10 if number == 7 else 40}
        )
    heard.settle()
    with sqlite3.connect(f"file:{heard.data / 'heard.db'}?mode=ro", uri=True) as database:
        outcomes = dict(
            database.execute(
                "SELECT outcome, count(*) FROM decisions WHERE id > 8 AND user_id <> 'u7' GROUP BY outcome"
            )
        )
    assert outcomes == {"invited": 3, "declined": 2, "held": 2}


def test_the_preview_follows_changes_that_are_not_saved(heard: RunningHeard, ted: Visitor):
    shoppers(heard)
    form = {"name": "Post-purchase", "survey": "Relationship NPS", "event": "Order Completed", "version": "1"}

    page = ted.post("/campaigns/1/preview", {**form, "where": "traits.firstName = 'N1'"}, status=200)

    assert re.search(r'<span class="big">1</span><span class="soft">of 4 contacts', page)  # three are not known by name
    assert "Unsaved changes" in page
    assert saved(heard, "Post-purchase")["where"] == "properties.total > 20"


def test_the_mail_to_oneself_is_the_very_mail_and_nothing_comes_of_its_answer(heard: RunningHeard, ted: Visitor):
    shoppers(heard)

    where = ted.post("/campaigns/1/send")

    assert "one question" in ted.get(where)
    (file,) = (heard.data / "outbox").glob("*.eml")
    mail = opened(file.read_bytes())
    assert "ted@mosby.example" in str(mail["To"])
    body = mail.get_body(("html",))
    assert body is not None
    link = links_in(body.get_content())[9]
    assert "This is a preview; nothing is kept." in httpx.get(link).text
    thanked = answer(link, comment="Legendary")
    assert thanked.status_code == 200
    assert "Legendary" in thanked.text
    assert httpx.post(str(mail["List-Unsubscribe"]).strip("<>")).status_code == 200
    assert heard.get("responses")["data"] == []
    assert heard.get("deliveries")["data"] == []
    with sqlite3.connect(f"file:{heard.data / 'heard.db'}?mode=ro", uri=True) as database:
        for table in ("touches", "clicks", "suppressions", "responses"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone() == (0,), table
    assert owner(heard).get(where)
    other = where.replace("sent=00000000000001", "sent=00000000000002")
    ted.get(other, status=404)


def test_a_campaign_is_activated_with_a_cap_and_paused_with_what_waits(heard: RunningHeard, ted: Visitor):
    shoppers(heard)
    assert "3 of 7" in ted.get("/campaigns/1/activate").replace("<b>", "")
    assert "a whole number" in ted.post("/campaigns/1/activate", {"daily_cap": "few"}, status=422)
    ted.post("/campaigns/1/activate", {"daily_cap": "2"})
    assert (saved(heard, "Post-purchase")["status"], saved(heard, "Post-purchase")["daily_cap"]) == ("ready", 2)

    ted.post("/campaigns/1/draft")
    assert saved(heard, "Post-purchase")["status"] == "draft"
    form = {"name": "Post-purchase", "survey": "Relationship NPS", "event": "Order Completed", "delay": "1d"}
    ted.post("/campaigns/1", {**form, "version": version(ted.get("/campaigns/1"))})
    ted.post("/campaigns/1/activate", {"daily_cap": ""})
    heard.send("track", userId="u1", event="Order Completed", properties={"total": 40})
    heard.settle()

    assert "1 scheduled mail waits" in ted.get("/campaigns/1/pause")
    ted.post("/campaigns/1/pause")
    assert saved(heard, "Post-purchase")["status"] == "paused"
    heard.advance("2d")
    assert heard.get("deliveries")["data"][0]["state"] == "scheduled"
    ted.post("/campaigns/1/draft")  # its life does not lead there
    assert saved(heard, "Post-purchase")["status"] == "paused"


def test_results_count_what_happened(heard: RunningHeard, ted: Visitor):
    shoppers(heard)
    ted.post("/campaigns/1/activate", {"daily_cap": ""})
    for number in range(8):
        heard.send("track", userId=f"u{number}", event="Order Completed", properties={"total": 40})
    heard.settle()
    for file in (heard.data / "outbox").glob("*.eml"):
        body = opened(file.read_bytes()).get_body(("html",))
        assert body is not None
        if "b@x.example" in str(opened(file.read_bytes())["To"]):
            answer(links_in(body.get_content())[9])

    page = ted.get("/campaigns/1/results")

    assert "<b>1</b> of 3 handed over" in page
    assert "+100" in page
    assert "reason=no_address" in page


def test_others_see_what_they_may_and_no_more(heard: RunningHeard):
    viewer = member(heard, "lily@aldrin.example", "viewer")

    assert "disabled" in viewer.get("/campaigns/1")
    viewer.get("/campaigns/1/preview")
    viewer.get("/campaigns/new", status=403)
    for path in ("/campaigns/1", "/campaigns/1/activate", "/campaigns/1/send", "/campaigns/new", "/surveys/new"):
        viewer.post(path, {**FORM, "version": "1"}, status=403)
    assert saved(heard, "Post-purchase")["status"] == "draft"


def test_another_workspace_has_no_such_campaign(heard: RunningHeard, ted: Visitor):
    heard.cli("init", "--workspace", "MacLaren", "--json")
    heard.apply(OTHER)

    for path in ("/campaigns/2", "/campaigns/2/preview", "/campaigns/2/mail", "/campaigns/2/results", "/surveys/2"):
        ted.get(path, status=404)
    for path in ("/campaigns/2", "/campaigns/2/preview", "/campaigns/2/activate", "/campaigns/2/send", "/surveys/2"):
        ted.post(path, {**FORM, "version": "1"}, status=404)
    assert "After a pint" not in ted.get("/campaigns")
    assert "After a pint" not in ted.get("/campaigns/new?survey=2")


def test_surveys_are_made_and_changed_with_their_versions(heard: RunningHeard, ted: Visitor):
    page = ted.post("/surveys/new", {"name": "Onboarding", "kind": "nps", "quiet_period": "90"}, status=422)
    assert "Use 90d" in page

    where = ted.post("/surveys/new", {"name": "Onboarding", "kind": "nps", "use": "90d"})
    ted.post(where, {"name": "Onboarding", "kind": "nps", "quiet_period": "60d", "version": "1"})
    assert "Somebody saved version 2" in ted.post(
        where, {"name": "Onboarding", "kind": "nps", "quiet_period": "30d", "version": "1"}, status=409
    )

    made = next(each for each in heard.cli("export", "--json")["surveys"] if each["name"] == "Onboarding")
    assert made == {"name": "Onboarding", "kind": "nps", "quiet_period": "60d"}
    assert "Onboarding" in ted.get("/surveys")
    assert "60 days between two NPS questions" in ted.get("/campaigns/1")


def test_a_survey_is_taught_languages_and_says_which_no_speaker_has_read(heard: RunningHeard, ted: Visitor):
    onboarding = {"name": "Onboarding", "kind": "nps", "language": "de"}
    assert "speaks ar, ca, cs" in ted.post("/surveys/new", {**onboarding, "also": "tlh"}, status=422)

    where = ted.post("/surveys/new", {**onboarding, "also": ["pt-br", "de", "ar"]})

    made = next(each for each in heard.cli("export", "--json")["surveys"] if each["name"] == "Onboarding")
    assert made["languages"] == ["de", "ar", "pt-br"]
    page = ted.get(where)
    assert "not yet reviewed by a speaker: all but English." in page
    assert 'value="ar" checked' in page
    assert '<div lang="ar" dir="rtl">' in page
    assert "Wie wahrscheinlich ist es, dass Sie Acme" in page


def test_a_number_of_thousands_of_digits_is_no_number(ted: Visitor):
    endless = "9" * 4_500

    ted.get(f"/campaigns/new?copy={endless}")
    ted.get(f"/campaigns/new?survey={endless}")
    ted.post("/campaigns/1/activate", {"daily_cap": endless}, status=422)
    ted.post("/campaigns/1", {"name": "Post-purchase", "event": "Pint Ordered", "version": endless}, status=422)
    ted.post("/surveys/1", {"name": "Relationship NPS", "kind": "nps", "version": endless}, status=409)
