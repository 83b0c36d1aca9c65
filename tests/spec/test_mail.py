"""A survey mail, read the way a mail client reads it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from email import policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from email.parser import BytesParser
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from heard.accounts.workspace import Brand
from heard.campaigns.campaign import Template
from heard.channels.email.invitation import Invitation, Reminded
from heard.channels.email.render import render
from heard.errors import DeliveryFailed, Invalid
from heard.ids import delivery_id
from heard.surveys.wording import worded

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
LINK = "https://heard.acme.example/s/AcoAAAAHg7Wjv0lSfo_LBf4hum0e7A0Zs6KpeXBc8BD89WUMnlc"
LEAVE = LINK.replace("/s/", "/u/")
HIDDEN = "https://heard.example/about/TOKEN"
ACME = Brand(
    name="Acme",
    from_="Acme <feedback@acme.example>",
    reply_to="success@acme.example",
    color="#2563eb",
    address="Acme GmbH, Lindenstraße 4, 10969 Berlin",
)


def an_invitation(**changes) -> Invitation:
    brand = changes.get("brand", ACME)
    marshall = Invitation(
        delivery_id=delivery_id(1, 1, "order 1", "first"),
        to_address="marshall@example.com",
        to_name="Marshall Eriksen",
        brand=brand,
        wording=worded("nps", brand=brand.name),
        traits={"firstName": "Marshall"},
        link=LINK,
        hidden=HIDDEN,
        unsubscribe=LEAVE,
        because="you placed an order on 19 November",
        at_most=timedelta(days=90),
    )
    return structs.replace(marshall, **changes)


def mail(**changes) -> EmailMessage:
    content = render(an_invitation(**changes), at=NOON).content
    read = BytesParser(EmailMessage, policy=policy.default).parsebytes(content)
    assert isinstance(read, EmailMessage)
    assert not read.defects
    return read


def html(**changes) -> str:
    return part("html", **changes)


def text(**changes) -> str:
    return part("plain", **changes)


def part(kind: str, **changes) -> str:
    body = mail(**changes).get_body((kind,))
    assert body is not None
    assert not body.defects
    return body.get_content().replace("\r\n", "\n")


class Links(HTMLParser):
    """Every `<a>`: its address, its whole text, and whether a screen reader hears more."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []
        self.names: dict[str, str] = {}
        self._open: list[str] | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            said = dict(attrs)
            self._open = [said["href"] or "", ""]
            self.names[said["href"] or ""] = said.get("aria-label") or ""

    def handle_data(self, data: str) -> None:
        if self._open:
            self._open[1] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "a" and self._open:
            self.found.append((self._open[0], self._open[1]))
            self._open = None


# ---------------------------------------------------------------- what it says


def test_each_score_is_a_link_whose_whole_text_is_the_number():
    links = Links(html()).found

    assert links[:11] == [(f"{LINK}?a={score}", str(score)) for score in range(11)]
    assert links[11:] == [(LEAVE, "Unsubscribe"), (HIDDEN, "")]


def test_the_ends_of_the_scale_say_what_they_mean_aloud():
    names = Links(html()).names

    assert names[f"{LINK}?a=0"] == "0 of 10, not at all likely"
    assert names[f"{LINK}?a=7"] == "7 of 10"
    assert names[f"{LINK}?a=10"] == "10 of 10, extremely likely"


@pytest.mark.parametrize("said", [html, text])
def test_both_parts_say_what_is_asked_why_and_how_to_stop(said):
    body = said()

    assert "Hi Marshall," in body
    assert "How likely is it that you would recommend Acme to a friend or colleague?" in body
    assert "You get this because you placed an order on 19 November. This survey comes at most once in 90 days." in body
    assert "Acme GmbH, Lindenstraße 4, 10969 Berlin" in body
    assert LEAVE in body


def test_the_text_part_lists_every_link():
    assert re.findall(r"https://\S+", text()) == [f"{LINK}?a={score}" for score in range(11)] + [LEAVE]


def test_the_text_part_comes_first():
    assert [each.get_content_type() for each in mail().iter_parts()] == ["text/plain", "text/html"]


def test_nothing_is_promised_that_is_not_kept():
    body = html(at_most=None, because=None, brand=structs.replace(ACME, reply_to=None))

    assert "At most once" not in body
    assert "Replies to this mail" not in body
    assert "You get this because Acme would like to hear how you feel." in body


def test_a_mail_in_english_says_so():
    assert '<html lang="en" dir="ltr"' in html()


def test_the_html_loads_nothing():
    assert not re.search(r"<(img|script|link|iframe|form|object)\b|url\(|@import", html())


def test_a_mail_is_small_whatever_members_write():
    content = render(an_invitation(template=Template(intro="word " * 1000)), at=NOON).content

    assert len(render(an_invitation(), at=NOON).content) < 20_000
    assert len(content) < 40_000


def test_the_same_invitation_gives_the_same_octets():
    assert render(an_invitation(), at=NOON) == render(an_invitation(), at=NOON)


# ---------------------------------------------------------------- the reminder

REMINDER = {"delivery_id": "f" * 32, "reminds_of": Reminded("0" * 32, "19 November")}


@pytest.mark.parametrize("said", [html, text])
def test_a_reminder_greets_as_the_first_mail_did_and_says_that_it_is_the_only_one(said):
    body = " ".join(said(**REMINDER).split())

    assert "Hi Marshall," in body
    assert "We asked you this on 19 November." in body
    assert "This is the only reminder" in body
    assert f"{LINK}?a=9" in body
    assert LEAVE in body
    assert "reminder" not in said()


def test_a_reminder_stands_below_the_first_mail():
    read = mail(**REMINDER, template=Template(subject="{{ firstName }}, how was it?"))

    assert read["Subject"] == "Reminder: Marshall, how was it?"
    assert read["Message-ID"] == f"<{'f' * 32}@acme.example>"
    assert read["In-Reply-To"] == read["References"] == f"<{'0' * 32}@acme.example>"
    assert mail()["In-Reply-To"] is None


# ---------------------------------------------------------------- headers


def test_the_headers_of_a_survey_mail():
    read = mail()

    assert read["From"] == "Acme <feedback@acme.example>"
    assert read["To"] == "Marshall Eriksen <marshall@example.com>"
    assert read["Reply-To"] == "success@acme.example"
    assert read["Subject"] == "Acme: one question"
    assert read["Date"] == "Sun, 22 Nov 2026 12:00:00 +0000"
    assert read["Message-ID"] == f"<{an_invitation().delivery_id}@acme.example>"
    assert read["Auto-Submitted"] == "auto-generated"


def test_one_click_is_enough_to_leave():
    read = mail()

    assert read["List-Unsubscribe"] == f"<{LEAVE}>"
    assert read["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


def test_without_a_sender_of_its_own_a_workspace_still_has_one():
    assert mail(brand=Brand(name="Acme"))["From"] == "Acme <feedback@localhost>"


@pytest.mark.parametrize(
    "name",
    [
        "Jürgen Müller",
        "李小龙",
        "Lee, Ann",
        'Ann "the boss" Lee',
        "Ann <evil@x.example>",
        "back\\slash",
        "a=?utf-8?q?b?=",
    ],
)
def test_any_name_survives_its_header(name: str):
    to = mail(to_name=name)["To"].addresses

    assert [(each.display_name, each.addr_spec) for each in to] == [(name, "marshall@example.com")]


def test_words_of_a_members_own_end_the_mail():
    outro = Template(outro="Thank you,\n{{ firstName }} <b>")
    assert "Thank you,<br>\nAnn &lt;b&gt;</p>" in html(template=outro, traits={"firstName": "Ann"})
    assert "?a=10\n\nThank you,\nAnn <b>\n\n" in text(template=outro, traits={"firstName": "Ann"})


def test_a_name_too_long_for_a_line_is_folded_between_characters():
    content = render(an_invitation(to_name="ü" * 200), at=NOON).content
    name = content[len(b"To: ") : content.index(b"<")].decode()

    assert str(make_header(decode_header(name))).strip() == "ü" * 200
    assert max(len(line) for line in name.split("\r\n")) <= 78


@pytest.mark.parametrize(
    "subject", ["Grüße aus Köln", "x" * 250, "word " * 50 + "end", "=?utf-8?b?ZXZpbA==?=", "👩‍👩‍👧‍👦" * 20]
)
def test_any_subject_survives_its_header(subject: str):
    assert mail(template=Template(subject=subject))["Subject"] == subject


EVIL = "A\r\nBcc: evil@x.example\r\n\r\nbody"


@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\x00", "\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"])
def test_no_value_can_make_a_header(breaks: str):
    evil = f"A{breaks}Bcc: evil@x.example"
    read = mail(
        to_name=evil,
        traits={"firstName": evil},
        template=Template(subject=f"Hi {{{{ firstName }}}}{breaks}Bcc: evil@x.example", intro="{{ firstName }}"),
        because=evil,
        brand=structs.replace(ACME, name=evil),
    )

    assert read["Bcc"] is None
    assert [each.addr_spec for each in read["To"].addresses] == ["marshall@example.com"]
    assert len(read.keys()) == len(mail().keys())


@given(st.text(), st.text(), st.text())
def test_whatever_people_are_called_a_mail_has_its_eleven_headers_and_two_parts(name: str, first: str, brand: str):
    read = mail(to_name=name, traits={"firstName": first}, brand=structs.replace(ACME, name=brand))

    assert len(read.keys()) == 11
    assert [each.get_content_type() for each in read.iter_parts()] == ["text/plain", "text/html"]


@given(st.text(), st.text())
def test_no_line_is_too_long_and_every_line_ends_as_it_should(intro: str, first: str):
    content = render(an_invitation(template=Template(intro=intro), traits={"firstName": first}), at=NOON).content

    assert content.isascii()
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert max(len(line) for line in content.split(b"\r\n")) <= 998


# ---------------------------------------------------------------- hostile text


@pytest.mark.parametrize(
    "typed", ["<img src=x onerror=alert(1)>", "{{7*7}}", "{% for %}", "${x}", "%s", "\x11link\x12", "=3D"]
)
def test_what_a_person_typed_is_shown_as_they_typed_it(typed: str):
    intro = Template(intro="Hi {{ firstName }},")
    escaped = typed.replace("<", "&lt;").replace(">", "&gt;")
    shown = re.sub(r"[\x11\x12]+", " ", escaped).strip()

    assert f"Hi {shown}," in html(traits={"firstName": typed}, template=intro)
    assert "<img" not in html(traits={"firstName": typed}, template=intro)


def test_a_brand_cannot_bring_markup_or_marks():
    body = html(brand=structs.replace(ACME, name="<b>\x11link\x12{{ link }}"))

    assert "&lt;b&gt; link {{ link }}" in body
    assert len(Links(body).found) == 13


def test_a_colour_that_is_none_is_refused():
    with pytest.raises(Invalid, match="#rrggbb"):
        render(an_invitation(brand=structs.replace(ACME, color="red;background:url(//x)")), at=NOON)


def test_lines_that_members_write_stay_lines():
    body = html(template=Template(intro="Hi,\n\nthanks & see you"))

    assert "Hi,<br>\n<br>\nthanks &amp; see you" in body


# ---------------------------------------------------------------- addresses


def test_a_domain_beyond_ascii_is_written_in_ascii():
    sent = render(an_invitation(to_address="marshall@bücher.example"), at=NOON)

    assert (sent.recipient, sent.utf8) == ("marshall@xn--bcher-kva.example", False)


def test_a_local_part_beyond_ascii_asks_for_a_server_that_takes_it():
    sent = render(an_invitation(to_address="jürgen@example.com"), at=NOON)

    assert (sent.recipient, sent.utf8) == ("jürgen@example.com", True)
    assert "jürgen@example.com".encode() in sent.content


def test_a_domain_that_cannot_exist_is_given_up():
    with pytest.raises(DeliveryFailed) as caught:
        render(an_invitation(to_address="marshall@" + "ü" * 70 + ".example"), at=NOON)

    assert caught.value.permanent


@pytest.mark.parametrize(
    "address",
    [EVIL, "a@x.example\r\nBcc: evil@x.example", "a\ud800@x.example", "a@x.example,evil@x.example", "a@x>", ""],
)
def test_no_address_can_make_a_header(address: str):
    with pytest.raises(DeliveryFailed) as caught:
        render(an_invitation(to_address=address), at=NOON)

    assert caught.value.permanent


def test_the_envelope_carries_the_sender_of_the_brand():
    assert render(an_invitation(), at=NOON).sender == "feedback@acme.example"
