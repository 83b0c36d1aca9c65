"""How long things are kept: the page that says so, and the pages whose windows begin before what is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import RunningHeard, answer, links_in
from tests.web.visitors import Visitor, member, owner

WORKSPACE = """
workspace: Acme
sources:
  - {name: Website, write_key: wk_acme_website}
destinations:
  - {name: Heard, type: surveys}
  - {name: Hook, type: webhook, enabled: false, settings: {url: "https://hooks.acme.example/in"}}
surveys:
  - {name: Relationship NPS, kind: nps}
campaigns:
  - {name: Post-purchase, survey: Relationship NPS, channel: email, event: Order Completed, status: ready}
"""


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """Somebody ordered, was asked and answered; then two months went by."""
    environment = {"HEARD_KEEP_MESSAGES": "30d", "HEARD_KEEP_ANSWERS": "31d", "HEARD_KEEP_MAILS": "400d"}
    folder = tmp_path_factory.mktemp("kept") / "data"
    with RunningHeard(folder, environment=environment, workspace=WORKSPACE) as running:
        running.send("identify", userId="ann", traits={"email": "ann@example.com"})
        running.send("track", userId="ann", event="Order Completed")
        running.advance("1h")
        (mail,) = (folder / "outbox").glob("*.eml")
        answer(links_in(html_of(mail))[9])
        running.advance("60d")
        running.send("identify", userId="bob", traits={"email": "bob@example.com"})
        running.advance("1h")
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def html_of(mail: Path) -> str:
    """The HTML part of a mail."""
    part = opened(mail.read_bytes()).get_body(("html",))
    assert part is not None
    return part.get_content()


def line(page: str, title: str) -> str:
    """A row of the table as text."""
    found = re.search(
        rf"<tr role=\"row\">\s*<th role=\"rowheader\" scope=\"row\"><span>{title}</span>.*?</tr>", page, re.S
    )
    assert found is not None, title
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", found[0]))


def test_the_page_says_how_long_how_much_and_what_went_last(ted: Visitor):
    page = ted.get("/settings/kept")

    assert "30 days 1" in line(page, "Messages")
    assert "nothing from before" in line(page, "Messages")
    assert "31 days 0" in line(page, "Answers")
    assert "for ever" in line(page, "Log of changes")
    assert "nothing yet" in line(page, "Log of changes")
    assert "400 days 1" in line(page, "Mails in the outbox")
    assert "Contacts, decisions, invitations and touches are kept for ever" in page
    assert re.search(r"<th role=\"rowheader\" scope=\"row\">\w{3} \d{4}</th>", page)


def test_pages_say_where_their_window_begins_before_what_is_kept(ted: Visitor):
    assert "messages from before" in ted.get("/messages")
    assert "Messages from before" in ted.get("/messages?event=Order+Completed")
    assert "Answers from before" in ted.get("/?period=all")
    assert "Answers from before" not in ted.get("/?period=30d")
    hook = re.search(r'href="(/destinations/\d+)"[^>]*>Hook', ted.get("/destinations"))
    assert hook is not None
    assert "are kept no longer" in ted.get(f"{hook[1]}/replays")


def test_a_score_says_so_too(heard: RunningHeard):
    told = heard.cli("score", "Relationship NPS", "--json")
    assert told["n"] == 0
    assert "Answers from before" in told["window_note"]
    lately = heard.cli("score", "Relationship NPS", "--from", heard.advance("0s")[:10], "--json")
    assert "kept no longer" not in lately["window_note"]


def test_a_replay_says_so_too(heard: RunningHeard):
    assert heard.cli("replay", "Hook", "--since", "90d", "--json")["kept_since"] is not None
    assert heard.cli("replay", "Hook", "--since", "20d", "--json")["kept_since"] is None


def test_every_member_may_know(heard: RunningHeard):
    assert "How long things are kept" in member(heard, "lily@acme.example", "viewer").get("/settings/kept")
