"""The words of a campaign's mail: written, shown for a contact in a language, warned about, and kept."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.flow.running import ACME, RunningHeard, links_in
from tests.web.visitors import Visitor, error_at, member

WORDS = {"subject": "{{ brand }} asks", "intro": "Dear {{ firstName | friend }},", "outro": "Ann, {{ traits.plan }}"}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    workspace = ACME.replace("status: ready", "status: draft").replace("languages: [en]", "languages: [en, ar, de]")
    with RunningHeard(tmp_path_factory.mktemp("mail") / "data", workspace=workspace) as running:
        for user, traits in {
            "u1": {"firstName": "Robin", "email": "robin@x.example", "plan": "Premium", "address": {"city": "Rome"}},
            "u2": {"email": "lily@x.example", "plan": "Free", "language": "de"},
            "u3": {"firstName": "Barney", "email": "barney@x.example"},
        }.items():
            running.send("identify", userId=user, traits=traits)
        running.settle()
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return member(heard, "ted@mosby.example", "member")


def look(of: Visitor, **fields: str) -> str:
    """What the page shows of words that are not kept: without a script, as an address."""
    answer = of.browser.get("/campaigns/1/mail", params={**WORDS, **fields})
    assert answer.status_code == 200, answer.text
    part = of.browser.get("/campaigns/1/mail/look", params={**WORDS, **fields})
    assert part.status_code == 200, part.text
    for line in part.text.strip().splitlines()[2:]:
        assert line in answer.text or "/s/" in line or "/u/" in line  # links name the moment
    return of.get(f"/campaigns/1/mail/look?{answer.request.url.query.decode()}").replace("\r\n", "\n")


def html(of: Visitor, **fields: str) -> str:
    return of.browser.get("/campaigns/1/mail/html", params=fields).text


def test_words_are_shown_for_a_contact_before_they_are_kept(heard: RunningHeard, ted: Visitor):
    page = look(ted, who="u1")

    assert "Acme asks</h2>" in page
    assert "Not saved yet" in page
    assert "Dear Robin,\n" in page
    assert "Ann, Premium\n" in page
    assert "Dear friend,\n" in look(ted, who="LILY@x.example")
    assert "Dear friend,\n" in look(ted, who="u1", bare="1")
    assert "Ann, Premium</p>" in html(ted, who="u1", **WORDS)
    assert "template" not in heard.cli("export", "--json")["campaigns"][0]


def test_a_contact_who_is_not_there_is_named(ted: Visitor):
    assert "No contact has the userId or address marshall." in look(ted, who="marshall")
    assert ted.browser.get("/campaigns/1/mail/html?who=marshall").status_code == 404


def test_it_is_shown_in_every_language_the_survey_speaks(ted: Visitor):
    assert "empfehlen?" in look(ted, who="u2")
    assert "empfehlen?" in look(ted, who="u1", language="de")
    assert "recommend Acme" in look(ted, who="u2", language="en")
    assert "recommend Acme" in look(ted, who="u1", language="fr")  # which it does not speak
    arabic = html(ted, language="ar", who="u1")
    assert '<html lang="ar" dir="rtl"' in arabic
    assert "تحية طيبة،" in arabic
    assert 'value="ar">Arabic, by machine</option>' in ted.get("/campaigns/1/mail")


def test_the_numbers_open_the_page_in_the_language_of_the_mail(heard: RunningHeard, ted: Visitor):
    for language, asks in (("ar", 'lang="ar" dir="rtl"'), ("de", "empfehlen?"), ("en", "recommend Acme")):
        page = httpx.get(links_in(html(ted, language=language, who="u1"))[9])
        assert page.status_code == 200
        assert asks in page.text
        assert "This is a preview; nothing is kept." in page.text
    assert "empfehlen?" in httpx.get(links_in(html(ted, who="u2"))[9]).text


def test_a_theme_is_put_on(ted: Visitor):
    assert "@media all" in html(ted, theme="dark")
    assert "@media not all" in html(ted, theme="light")
    assert "@media (prefers-color-scheme: dark)" in html(ted, theme="<script>")


def test_what_some_or_all_contacts_lack_is_said(ted: Visitor):
    page = look(ted, intro="Hi {{ firstName | there }}, on {{ traits.plam }}")

    assert "<b>1</b> of 3 contacts have no <code>firstName</code>; they read “there”." in page
    assert "<b>1</b> of 3 contacts have no <code>traits.plan</code>; they read nothing there." in page
    assert "Nobody has <code>traits.plam</code>; they read nothing there." in page
    assert "Did you mean <code>{{ traits.plan }}</code>?" in page
    assert "of 3 contacts" not in look(ted, intro="Hi", outro="{{ email }} {{ brand }}")
    listed = ted.get("/campaigns/1/mail")
    assert '<code>{{ traits.plan }}</code> <span class="help">2 have it</span>' in listed
    assert '<code>{{ traits.address.city }}</code> <span class="help">1 have it</span>' in listed


def test_words_that_cannot_be_obeyed_are_refused_at_their_field(heard: RunningHeard, ted: Visitor):
    page = ted.post("/campaigns/1/mail", {**WORDS, "intro": "{{ plan }}"}, status=422)

    assert "Write {{ traits.plan }}" in error_at(page, "intro")
    assert "Acme asks</h2>" in page  # the rest is shown
    assert "at most 2,000 characters" in error_at(
        ted.post("/campaigns/1/mail", {"outro": "x" * 2001}, status=422), "outro"
    )
    assert "<script>alert" not in ted.browser.get("/campaigns/1/mail?subject=<script>alert(1)</script>").text
    assert "<script>alert" not in html(ted, intro="<script>alert(1)</script>")


def test_words_are_kept_as_a_version_and_what_is_left_empty_is_ours(heard: RunningHeard, ted: Visitor):
    def kept() -> Any:
        return heard.cli("export", "--json")["campaigns"][0].get("template")

    ted.post("/campaigns/1/mail", WORDS)
    assert kept() == WORDS
    assert "Saved the words of the mail." in ted.get("/campaigns/1/mail")
    assert "Dear Robin," in html(ted, who="u1")

    page = ted.post("/campaigns/1/mail", {"outro": "Lily", "version": "1"}, status=409)
    assert "Somebody saved version 2 while you edited." in page
    assert 'name="version" value="2"' in page
    assert "Lily</textarea>" in page
    form = {"name": "Post-purchase", "survey": "Relationship NPS", "event": "Order Completed", "version": "2"}
    ted.post("/campaigns/1", {**form, **WORDS})  # its settings carry all of them
    assert kept() == WORDS

    ted.post("/campaigns/1/mail", {"subject": "", "intro": "", "outro": "Lily"})
    assert kept() == {"outro": "Lily"}
    ted.post("/campaigns/1/mail", {"outro": ""})
    assert kept() is None


def test_who_may_not_ask_sees_and_cannot_write(heard: RunningHeard):
    viewer = member(heard, "lily@aldrin.example", "viewer")

    page = viewer.get("/campaigns/1/mail")
    assert "takes the role member; yours is viewer" in page
    assert "Save the words" not in page
    viewer.post("/campaigns/1/mail", WORDS, status=403)
