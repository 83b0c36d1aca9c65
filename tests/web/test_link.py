"""A campaign's public link, from the block that another tool sends to the score; and all that must come to nothing."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from html import unescape

import httpx
import pytest

from heard.channels.link import who
from tests.flow.running import RunningHeard, answer
from tests.web.visitors import member, owner

WORKSPACE = """
workspace: Acme
brand: {name: Acme, from: "Acme <feedback@acme.example>", address: "Acme, 1 Main St"}
sources:
  - {name: Website, write_key: wk_acme_website}
surveys:
  - {name: Relationship NPS, kind: nps, languages: [en, de]}
campaigns:
  - {name: Newsletter, survey: Relationship NPS, channel: link, throttle: 90d, status: ready}
  - {name: Own program, survey: Relationship NPS, channel: link, link_identity: signed, status: ready}
  - {name: Sleeping, survey: Relationship NPS, channel: link}
  - {name: By mail, survey: Relationship NPS, channel: email, event: Order Completed}
"""
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("link") / "data", workspace=WORKSPACE) as running:
        for name in ("ann", "ben", "cy", "dot", "eve", "fay", "gus"):
            running.send("identify", userId=name, traits={"email": f"{name}@acme.example", "firstName": name.title()})
        running.settle()
        yield running


def url(heard: RunningHeard, campaign: str = "Newsletter") -> str:
    return heard.get(f"campaigns/{campaign}")["link"]["url"]


def links_of(block: str, **filled: str) -> list[str]:
    """What a mail tool makes of the block's links: 0 to 10, and the hidden one."""
    found = [unescape(each) for each in re.findall(r'href="([^"]+)"', block)]
    assert len(found) == 12
    for tag, value in filled.items():
        found = [each.replace(tag, value) for each in found]
    return found


def answers_of(heard: RunningHeard, user: str) -> list[dict]:
    return heard.get("responses", user_id=user)["data"]


def kept(heard: RunningHeard) -> tuple[int, ...]:
    with sqlite3.connect(f"file:{heard.data / 'heard.db'}?mode=ro", uri=True) as database:
        tables = ("responses", "touches", "deliveries", "decisions", "contacts", "suppressions")
        return tuple(database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] for table in tables)


def test_from_the_block_to_the_score(heard: RunningHeard):
    told = heard.get("campaigns/Newsletter", tool="customerio")
    assert (told["channel"], told["recipients"]) == ("link", "link")
    assert told["link"]["identity"] == "known"
    block = told["embed"]["html"]["en"]
    assert len(block.encode()) < 6 * 1024
    for tool in ("script", "<img", "<style", "class="):
        assert tool not in block

    links = links_of(block, **{"{{customer.id}}": "ann", "{{customer.email}}": "ann@acme.example"})
    thanks = answer(links[9], comment="Good news")
    assert (thanks.status_code, "Thank you" in thanks.text) == (200, True)
    assert "Ann" not in thanks.text, "an unsigned link shows nothing of whom it names"

    (found,) = answers_of(heard, "ann")
    assert (found["value"], found["comment"], found["channel"], found["verdict"]) == (9, "Good news", "link", "human")
    (delivery,) = heard.get("deliveries", user_id="ann")["data"]
    assert (delivery["channel"], delivery["state"], delivery["kind"]) == ("link", "answered", "first")
    (decision,) = heard.get("contacts/ann/why")["decisions"]
    assert (decision["outcome"], decision["campaign"]) == ("invited", "Newsletter")
    assert heard.get("scores", survey="Relationship NPS")["n"] == 1
    assert not list((heard.data / "outbox").glob("*.eml")), "nobody is mailed"


def test_the_block_speaks_each_language_of_the_survey(heard: RunningHeard):
    embed = heard.get("campaigns/Newsletter")["embed"]
    assert "Wie wahrscheinlich" in embed["html"]["de"]
    assert "lang=de" in embed["text"]["de"]
    page = httpx.get(url(heard), params={"user_id": "ann", "lang": "de"})
    assert 'lang="de"' in page.text


def test_a_scanner_that_opens_everything_answers_nothing(heard: RunningHeard):
    links = links_of(heard.get("campaigns/Newsletter")["embed"]["html"]["en"], USER_ID="dot", EMAIL="dot@acme.example")
    before = kept(heard)
    with httpx.Client(follow_redirects=True) as scanner:
        for link in links:
            assert scanner.head(link).status_code < 500
            page = scanner.get(link)
            for onward in re.findall(r'href="(/[^"]+)"', page.text):
                scanner.get(heard.url + onward)
    assert kept(heard) == before
    assert answers_of(heard, "dot") == []

    assert answer(links[7]).status_code == 200, "the person behind it is one all the same"
    assert [each["value"] for each in answers_of(heard, "dot")] == [7]


def test_a_second_visit_changes_the_answer(heard: RunningHeard):
    link = url(heard) + "?user_id=ben&a="
    answer(link + "9", comment="Great")
    answer(link + "3")
    (found,) = answers_of(heard, "ben")
    assert (found["value"], found["comment"]) == (3, "Great")


@pytest.mark.parametrize("tag", ["{{email}}", "*|EMAIL|*", "%recipient.email%", "", "undefined"])
def test_a_link_that_names_nobody_says_so_and_takes_nothing(heard: RunningHeard, tag: str):
    before = kept(heard)
    shown = httpx.get(url(heard), params={"email": tag, "a": "9"}, headers={"user-agent": PHONE})
    assert (shown.status_code, "does not say who you are" in shown.text) == (400, True)
    sent = httpx.post(url(heard), data={"email": tag, "score": "9"})
    assert (sent.status_code, "does not say who you are" in sent.text) == (400, True)
    assert kept(heard) == before


def test_the_page_is_the_same_for_somebody_unknown_and_nothing_is_made_of_them(heard: RunningHeard):
    known, unknown = (httpx.get(url(heard), params={"user_id": user}).text for user in ("cy", "zz"))
    nonce = re.compile(r'nonce="[^"]+"')
    assert nonce.sub("", known).replace("cy", "zz") == nonce.sub("", unknown)
    before = kept(heard)

    refused = httpx.post(url(heard), data={"user_id": "zz", "email": "zz@acme.example", "score": "9"})
    assert (refused.status_code, "could not be taken" in refused.text) == (403, True)
    assert kept(heard)[4] == before[4], "no contact"
    (decision,) = heard.get("contacts/zz/why")["decisions"]
    assert [each["reason"] for each in decision["objections"]] == ["not_identified"]


def test_whoever_unsubscribed_can_still_say_something(heard: RunningHeard):
    seen = owner(heard)
    number = heard.get("contacts/eve")["id"]
    seen.post(f"/contacts/{number}/unsubscribe")
    assert heard.get("contacts/eve")["status"] == "unsubscribed"
    assert answer(url(heard) + "?user_id=eve&a=2").status_code == 200
    assert [each["value"] for each in answers_of(heard, "eve")] == [2]


def test_a_signed_link_alone_is_believed_where_that_is_asked_for(heard: RunningHeard):
    seen, link = owner(heard), url(heard, "Own program")
    page = seen.get("/campaigns/2/link")
    (secret,) = set(re.findall(r"ls_[0-9a-f]{32}", page))
    sig = who.signature(secret, "new", "new@acme.example")
    said = {"user_id": "new", "email": "new@acme.example", "score": "8"}

    for wrong in ({}, {"sig": "0" * 64}, {"sig": sig, "user_id": "cy"}, {"sig": sig, "email": "cy@acme.example"}):
        assert httpx.post(link, data={**said, **wrong}).status_code == 400
        assert httpx.get(link, params={**said, **wrong}).status_code == 400
    assert answers_of(heard, "new") == []

    sent = httpx.post(link, data={**said, "sig": sig}, follow_redirects=True)
    assert sent.status_code == 200
    assert "/s/" in str(sent.url), "they may see and change it"
    assert heard.get("contacts/new")["email"] == "new@acme.example"
    assert [each["value"] for each in answers_of(heard, "new")] == [8]


def test_a_campaign_that_does_not_run_has_closed(heard: RunningHeard):
    link = url(heard, "Sleeping")
    assert httpx.get(link, params={"user_id": "cy"}).status_code == 410
    assert httpx.post(link, data={"user_id": "cy", "score": "9"}).status_code == 410
    assert answers_of(heard, "cy") == []


@pytest.mark.parametrize("token", ["x", "A" * 22, "A" * 51, "%20"])
def test_another_address_is_no_link(heard: RunningHeard, token: str):
    assert httpx.get(f"{heard.url}/l/{token}", params={"user_id": "cy"}).status_code == 404
    assert httpx.post(f"{heard.url}/l/{token}", data={"user_id": "cy", "score": "9"}).status_code == 404


@pytest.mark.parametrize("score", ["", "11", "-1", "nine"])
def test_a_score_that_is_none_is_asked_for_again(heard: RunningHeard, score: str):
    page = httpx.post(url(heard), data={"user_id": "cy", "score": score, "comment": "Hm"})
    assert (page.status_code, "Choose a number" in page.text, "Hm" in page.text) == (422, True, True)
    assert 'name="user_id" value="cy"' in page.text


def test_what_stands_in_the_address_is_text_on_the_page(heard: RunningHeard):
    page = httpx.get(url(heard), params={"user_id": '"><script>alert(1)</script>', "lang": '"><b>'})
    assert "<script" not in page.text


def test_the_page_of_the_link(heard: RunningHeard):
    seen = owner(heard)
    page = seen.get("/campaigns/1/link?tool=mailchimp&language=de")
    assert url(heard) in page
    assert "*|EMAIL|*" in page
    assert "user_id=" not in page.split('id="block-html"')[1].split("</textarea>")[0]
    assert "Wie wahrscheinlich" in page
    assert "tag was not filled in" in page
    assert "named nobody" in page
    frame = seen.browser.get("/campaigns/1/link/html?tool=mailchimp&theme=dark")
    assert "sandbox" in frame.headers["content-security-policy"]
    results = seen.get("/campaigns/1/results")
    assert "not known: your other tools decide" in results
    timeline = seen.get("/contacts/1")
    assert "by link" in timeline
    assert "Mail sent" not in timeline
    assert "by its link" in timeline
    assert "by its link" in seen.get("/decisions?campaign=1")

    assert seen.browser.get("/campaigns/1/mail").headers["location"] == "/campaigns/1/link"
    seen.get("/campaigns/1/mail/html", status=404)
    seen.get("/campaigns/4/link", status=404)
    assert seen.post("/campaigns/1/send") == "/campaigns/1/link"
    for path in ("", "/dry-run", "/activate", "/again"):
        assert seen.browser.get(f"/campaigns/1{path}", follow_redirects=True).status_code == 200


def test_the_secret_is_for_those_who_may_ask(heard: RunningHeard):
    seen = member(heard, "viewer@acme.example", "viewer")
    page = seen.get("/campaigns/2/link")
    assert "ls_" not in page
    assert "Make a new link" not in page


def test_by_the_form(heard: RunningHeard):
    seen = owner(heard)
    form = {"name": "After a ticket", "survey": "Relationship NPS", "recipients": "link", "throttle": "30d"}
    said_of_mails = {"event": "Ticket Solved", "reminder": "3d", "where": "x = 1", "daily_cap": "5", "subject": "Hello"}
    page = seen.post("/campaigns/new", {**form, **said_of_mails, "link_identity": "signed"})
    assert "Whoever follows its link" in seen.get(page)
    exported = heard.cli("export")
    (line,) = re.findall(r"- name: After a ticket\n(?:    .*\n)*", exported)
    assert "channel: link" in line
    assert "link_identity: signed" in line
    for key in said_of_mails:
        assert key not in line
    assert heard.apply(exported)
    assert heard.cli("export") == exported

    seen.post(f"{page}/activate", {})
    assert heard.get("campaigns/After a ticket")["status"] == "ready"


@pytest.mark.parametrize("key", ["reminder: 3d", "event: Order", "delay: 1d", "where: a = 1", "recipients: list"])
def test_the_file_names_what_a_link_cannot_obey(heard: RunningHeard, key: str):
    path = heard.data.parent / "wrong.yaml"
    line = "{name: Newsletter, survey: Relationship NPS, channel: link, " + key + "}"
    path.write_text(f"workspace: Acme\ncampaigns:\n  - {line}\n")
    said = heard.cli("apply", str(path), code=1)
    assert f"campaigns[0].{key.partition(':')[0]}: leave it out" in said


def test_what_cannot_be_asked_of_it_is_refused(heard: RunningHeard):
    asked = heard.post("campaigns/Newsletter/ask", {"user_id": "cy"}, status=400)
    assert "follows its link" in asked["error"]["message"]
    dry = heard.post("campaigns/Newsletter/dry-run", {"since": "30d"}, status=400)
    assert "follows its link" in dry["error"]["message"]
    wrong = heard.get("campaigns/Newsletter", tool="carrier-pigeon", status=400)
    assert wrong["error"]["field"] == "tool"
    by_mail = heard.get("campaigns/By mail")
    assert (by_mail["link"], by_mail["embed"]) == (None, None)


def test_the_statistics_say_what_came_of_the_link(heard: RunningHeard):
    found = heard.get("campaigns/Newsletter/statistics")
    assert found["scored"] == len(heard.get("responses", limit=200)["data"]) - 1
    assert found["sent"] == 0
    assert found["response_rate"]["share"] is None
    assert found["opened"] == 0, "a program opened it until now"
    for user in ("fay", "gus", "gus"):
        httpx.get(url(heard), params={"user_id": user, "a": "5"}, headers={"user-agent": PHONE})
    found = heard.get("campaigns/Newsletter/statistics")
    assert found["opened"] == 2
    assert found["link"]["unfilled"] >= 4
    assert found["link"]["unknown"] >= 1


def test_a_campaign_that_has_asked_keeps_its_channel(heard: RunningHeard):
    seen = owner(heard)
    form = {"name": "Newsletter", "survey": "Relationship NPS", "recipients": "event", "event": "Order", "version": "1"}
    page = seen.post("/campaigns/1", form, status=422)
    assert "has asked by link and cannot go on by email" in page
    path = heard.data.parent / "other.yaml"
    path.write_text(
        "workspace: Acme\ncampaigns:\n  - {name: Newsletter, survey: Relationship NPS, channel: email, event: Order}\n"
    )
    assert "cannot go on by email" in heard.cli("apply", str(path), code=1)


def test_answers_by_link_count_for_no_response_rate(heard: RunningHeard):
    page = owner(heard).get("/?period=all")
    assert "came by a link, and count for no rate" in page
    assert re.search(r"Response rate \d", page) is None


def test_a_link_made_anew_opens_and_the_old_one_does_not(heard: RunningHeard):
    seen, old = owner(heard), url(heard)
    seen.post("/campaigns/1/link/anew")
    assert url(heard) != old
    assert httpx.get(old, params={"user_id": "cy"}).status_code == 404
    assert httpx.get(url(heard), params={"user_id": "cy"}).status_code == 200
    assert "made the link of the campaign Newsletter anew" in seen.get("/settings/audit")


def test_an_export_of_a_person_holds_what_they_opened_without_answering(heard: RunningHeard):
    httpx.get(url(heard), params={"user_id": "cy", "a": "5"}, headers={"user-agent": "Cy's browser"})
    number = heard.get("contacts/cy")["id"]
    assert "Cy's browser" in owner(heard).get(f"/contacts/{number}/export")
