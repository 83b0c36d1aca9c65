"""Contacts on pages: found, told, asked why, left alone; and what another workspace or a viewer may not."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

import httpx
import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import ACME, RunningHeard, answer, links_in

WORKSPACE = (
    ACME.replace("workspace: Acme", "workspace: Acme\nquiet_period: 30d")
    + """
  - name: After support
    survey: Relationship NPS
    channel: email
    event: Ticket Solved
    status: ready
"""
)
OTHER = ACME.replace("Acme", "MacLaren").replace("acme", "maclaren").replace("Post-purchase", "After a pint")
MARA = {
    "email": "mara@fjallbutik.example",
    "name": "Mara Lindqvist",
    "company": {"name": "Fjällbutik AB"},
    "plan": "Premium",
    "seats": 12,
}


class Acme(NamedTuple):
    heard: RunningHeard
    owner: httpx.Client
    viewer: httpx.Client
    ids: dict[str, int]  # of contacts, by userId
    robin: int  # a contact of another workspace

    def page(self, path: str, *, status: int = 200) -> str:
        found = self.owner.get(path, follow_redirects=True)
        assert found.status_code == status, found.text
        return found.text


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    with RunningHeard(tmp_path_factory.mktemp("contacts") / "data", workspace=WORKSPACE) as heard:
        heard.cli("init", "--workspace", "MacLaren", "--json")
        heard.apply(OTHER)
        robin = {"userId": "robin", "traits": {"name": "Robin Scherbatsky", "email": "robin@maclaren.example"}}
        assert httpx.post(f"{heard.url}/v1/identify", json=robin, auth=("wk_maclaren_website", "")).status_code == 200
        heard.send("identify", userId="mara", traits=MARA)
        heard.send("identify", userId="mara-too", traits={"email": "Mara@Fjallbutik.example", "plan": "Free"})
        heard.send("identify", userId="noaddress", traits={"firstName": "Nora", "plan": "Free"})
        heard.send("track", userId="mara", event="Order Completed", properties={"total": 249})
        heard.settle()
        mail = opened(next((heard.data / "outbox").glob("*.eml")).read_bytes()).get_body(("html",))
        assert mail is not None
        answer(links_in(mail.get_content())[9], comment="That says it all.")
        heard.advance("20d")
        heard.send("track", userId="mara", event="Order Completed", properties={"total": 49})
        heard.send("track", userId="noaddress", event="Order Completed", properties={"total": 49})
        heard.send("track", userId="stranger", event="Order Completed", properties={"total": 49})
        heard.settle()
        made = heard.cli("users", "add", "viewer@acme.example", "--role", "viewer", "--workspace", "Acme", "--json")
        ids = {user: heard.get(f"contacts/{user}")["id"] for user in ("mara", "mara-too", "noaddress")}
        other = heard.cli("why", "robin", "--workspace", "MacLaren", "--json")["contact"]["id"]
        owner = signed_in(heard, *heard.owner)
        viewer = signed_in(heard, "viewer@acme.example", made["password"])
        with owner, viewer:
            yield Acme(heard, owner, viewer, ids, other)


def signed_in(heard: RunningHeard, email: str, password: str) -> httpx.Client:
    sent = httpx.post(f"{heard.url}/sign-in", data={"email": email, "password": password}, timeout=20)
    assert sent.status_code == 303
    return httpx.Client(base_url=heard.url, cookies=sent.cookies, timeout=20)


def text(page: str) -> str:
    """What one reads of the page's main part."""
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).replace(" .", ".").replace(" ;", ";").replace(" ,", ",")


# ---------------------------------------------------------------- one contact


def test_the_page_says_why_somebody_was_not_asked(acme: Acme):
    page = acme.page(f"/contacts/{acme.ids['mara']}")
    said = text(page)

    assert "Why wasn’t Mara asked?" in said
    assert "Two rules objected. The last of them lapses on" in said
    assert "This campaign asked Mara 20 days before" in said
    assert "Post-purchase waits 90 days between two questions to one person. It last asked on" in said
    assert "Acme keeps 30 days between any two surveys, over all channels. Post-purchase asked on" in said
    assert "<code>campaign_throttle</code>" in page
    assert "<code>workspace_quiet_period</code>" in page
    assert "lapses" in said
    assert "in 70 days" in said
    assert "19 other rules had no objection" in said
    assert page.count('class="l-left"') == 2


def test_the_page_says_what_would_be_decided_now(acme: Acme):
    said = text(acme.page(f"/contacts/{acme.ids['mara']}"))
    now = said[said.index("If it happened now") : said.index("Timeline")]

    assert re.search(r"After support Workspace quiet period from \d+ \w+", now)
    assert re.search(r"Post-purchase Campaign throttle, workspace quiet period from \d+ \w+", now)


def test_the_page_tells_the_whole_story(acme: Acme):
    page = acme.page(f"/contacts/{acme.ids['mara']}")
    said = text(page)
    story = said[said.index("Timeline") :]

    moments = [
        "Declined by Post-purchase",
        "Relationship NPS by e-mail",
        "Link opened",
        "Mail sent",
        "Invited by",
        "identify",
    ]
    assert [story.index(each) for each in moments] == sorted(story.index(each) for each in moments)
    assert "That says it all." in story
    for fact in ("Premium", "Segment List", "1 in the last 90 days", "mara-too", "mara@fjallbutik.example"):
        assert fact in story, fact


def test_the_story_can_be_narrowed(acme: Acme):
    asked = text(acme.page(f"/contacts/{acme.ids['mara']}?show=asked"))
    messages = text(acme.page(f"/contacts/{acme.ids['mara']}?show=messages"))

    assert "total 49" not in asked
    assert "Mail sent" in asked
    assert "total 49" in messages
    assert "Mail sent" not in messages


def test_an_earlier_decision_can_be_read(acme: Acme):
    page = acme.page(f"/contacts/{acme.ids['mara']}")
    first = min(int(each) for each in re.findall(r"decision=(\d+)", page))
    said = text(acme.page(f"/contacts/{acme.ids['mara']}?decision={first}"))

    assert "Mara was asked" in said
    assert "No rule objected. The mail went out on" in said
    assert "was answered on" in said


def test_what_waiting_does_not_mend_is_said_so(acme: Acme):
    said = text(acme.page(f"/contacts/{acme.ids['noaddress']}"))

    assert "One rule objected. Waiting does not help." in said
    assert "Nora has no e-mail address" in said
    assert "does not lapse by itself" in said


def test_a_contact_nobody_decided_about_is_told_what_campaigns_wait_for(acme: Acme):
    said = text(acme.page(f"/contacts/{acme.ids['mara-too']}"))

    assert "Nothing was decided about this contact yet" in said
    assert "Campaigns wait for: Order Completed, Ticket Solved." in said


@pytest.mark.parametrize(
    "path", ["/contacts/999999", "/contacts/mara", "/contacts/-1", "/contacts/99999999999999999999"]
)
def test_somebody_unknown_is_not_found(acme: Acme, path: str):
    assert "There is no such contact in this workspace." in acme.page(path, status=404)


def test_another_workspaces_contact_is_not_found(acme: Acme):
    for path in ("", "/export"):
        assert "Robin" not in acme.page(f"/contacts/{acme.robin}{path}", status=404)


def test_a_decision_about_somebody_else_is_not_found(acme: Acme):
    theirs = re.findall(r"decision=(\d+)", acme.page(f"/contacts/{acme.ids['noaddress']}"))[0]
    acme.page(f"/contacts/{acme.ids['mara']}?decision={theirs}", status=404)


def test_the_export_holds_everything_shown(acme: Acme):
    found = acme.owner.get(f"/contacts/{acme.ids['mara']}/export")
    document = found.json()

    assert "attachment" in found.headers["content-disposition"]
    assert document["contact"]["traits"]["plan"] == "Premium"
    assert [each["outcome"] for each in document["decisions"]] == ["declined", "invited"]
    assert document["responses"][0]["comment"] == "That says it all."
    assert document["responses"][0]["traits"]["plan"] == "Premium"
    assert document["messages"][-1]["body"]["traits"]["name"] == "Mara Lindqvist"


# ---------------------------------------------------------------- leaving somebody alone


def test_a_viewer_reads_and_changes_nothing(acme: Acme):
    path = f"/contacts/{acme.ids['mara']}"
    page = acme.viewer.get(path)
    assert page.status_code == 200
    assert ">Unsubscribe<" not in page.text

    token = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert token
    assert acme.viewer.post(f"{path}/unsubscribe", data={"form_token": token[1]}).status_code == 403


def test_a_member_notes_a_wish_and_takes_it_back(acme: Acme):
    path = f"/contacts/{acme.ids['mara']}"
    form = {"form_token": re.findall(r'name="form_token" value="(\w+)"', acme.page(path))[0]}

    assert acme.owner.post(f"{path}/unsubscribe", data={}).status_code == 403  # not from our page
    assert acme.owner.post(f"{path}/unsubscribe", data=form).status_code == 303
    said = text(acme.page(path))
    assert "Mara Lindqvist is asked no more. What was planned is cancelled." in said
    assert "Unsubscribed by owner@localhost" in said
    assert "no mail, since" in said
    assert acme.heard.get("contacts/mara")["status"] == "unsubscribed"
    assert acme.heard.get("contacts/mara-too")["status"] == "unsubscribed"  # one mailbox, one person
    assert "Mara Lindqvist" in text(acme.page("/contacts?status=unsubscribed"))

    assert acme.owner.post(f"{path}/resubscribe", data=form).status_code == 303
    assert acme.heard.get("contacts/mara")["status"] == "active"
    acme.page("/contacts")  # says what the act came to, once
    assert "Mara Lindqvist" not in text(acme.page("/contacts?status=unsubscribed"))
    with sqlite3.connect(f"file:{acme.heard.data / 'heard.db'}?mode=ro", uri=True) as database:
        noted = database.execute("SELECT what, subject, \"by\" FROM audit WHERE what LIKE 'contact.%' ORDER BY id")
        assert noted.fetchall() == [
            ("contact.unsubscribed", "mara", "owner@localhost"),
            ("contact.resubscribed", "mara", "owner@localhost"),
        ]


# ---------------------------------------------------------------- the list


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", {"mara", "mara-too", "noaddress"}),
        ("q=mara", {"mara", "mara-too"}),
        ("q=MARA%40fjallbutik.example", {"mara", "mara-too"}),
        ("q=mara%40fj", {"mara", "mara-too"}),
        ("q=noadd", {"noaddress"}),
        ("q=lindqvist+mara", {"mara"}),
        ("q=fj%C3%A4llbutik", {"mara"}),
        ("q=nora", {"noaddress"}),
        ("q=nobody", set()),
        ("where=traits.plan+%3D+%27Premium%27", {"mara"}),
        ("where=traits.seats+%3E+5", {"mara"}),
        ("where=traits.plan+%3D+%27Free%27+and+email+%21%3D+null", {"mara-too"}),
        ("where=traits.plan+%3D+%27Free%27&q=nora", {"noaddress"}),
        ("status=active", {"mara", "mara-too", "noaddress"}),
        ("status=bounced", set()),
        ("q=robin", set()),
    ],
)
def test_contacts_are_found(acme: Acme, query: str, found: set[str]):
    page = acme.page(f"/contacts?{query}")
    shown = {int(each) for each in re.findall(r'class="who" href="/contacts/(\d+)"', page)}

    assert shown == {acme.ids[user] for user in found}


def test_a_filter_is_added_by_its_form_and_taken_away_by_its_chip(acme: Acme):
    sent = acme.owner.get("/contacts?q=mara&field=plan&operator=is&value=Premium")
    assert sent.status_code == 303
    assert sent.headers["location"] == "/contacts?q=mara&where=traits.plan+%3D+%27Premium%27"

    page = acme.page(sent.headers["location"])
    assert '<td role="cell" data-label="plan">Premium</td>' in page  # what one filters by, one sees
    assert re.search(r'class="chip-x" href="/contacts\?q=mara" aria-label="Remove filter: plan is Premium"', page)


def test_a_filter_that_cannot_be_read_says_where(acme: Acme):
    page = acme.page("/contacts?where=traits.plan+%3D", status=400)

    assert "This cannot be read at 14" in text(page)
    assert 'aria-describedby="where-error"' in page


def test_a_page_of_somebody_known_by_user_id_alone_leads_to_the_contact(acme: Acme):
    assert acme.owner.get("/contacts/of?user_id=mara").headers["location"] == f"/contacts/{acme.ids['mara']}"
    assert acme.owner.get("/contacts/of?user_id=no+one").headers["location"] == "/contacts?q=no+one"


# ---------------------------------------------------------------- decisions


def decided(page: str) -> list[str]:
    rows = page.split("<tr")[2:]
    return [re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", row)) for row in rows]


def test_decisions_are_the_people_of_a_funnel_step(acme: Acme):
    campaign = re.findall(r'href="/campaigns/(\d+)">Post-purchase', acme.page("/decisions"))[0]
    step = f"/decisions?campaign={campaign}&outcome=declined"

    throttled = decided(acme.page(f"{step}&reason=campaign_throttle"))
    assert len(throttled) == 1
    assert "Mara Lindqvist" in throttled[0]
    assert "This campaign asked Mara 20 days before" in throttled[0]
    # as the funnel counts: by the first rule that objected
    assert decided(acme.page(f"{step}&reason=workspace_quiet_period")) == []
    assert len(decided(acme.page(step))) == 2


def test_somebody_never_identified_is_shown_with_what_was_decided(acme: Acme):
    held = decided(acme.page("/decisions?outcome=held"))

    assert len(held) == 1
    assert "stranger" in held[0]
    assert "never identified" in held[0]


def test_decisions_of_a_period(acme: Acme):
    today = acme.heard.advance("0s")[:10]

    assert len(decided(acme.page(f"/decisions?from={today}"))) == 3
    assert len(decided(acme.page(f"/decisions?to={today}"))) == 4
    assert decided(acme.page("/decisions?to=2020-01-01")) == []


def test_another_workspaces_decisions_are_not_found(acme: Acme):
    assert "After a pint" not in acme.page("/decisions")
    assert "There is no such campaign in this workspace." in acme.page("/decisions?campaign=3", status=400)
    assert "reason is one of" in acme.page("/decisions?reason=bored", status=400)
