"""Addresses as members and applications write them, and as servers read them; and why somebody is asked."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from heard.channels.colour import EDGE, INK, NIGHT, PAPER, TEXT, WHITE, contrast, edge, on_colour
from heard.channels.email.address import Mailbox, key, mailbox, reachable, wire
from heard.errors import Invalid
from heard.surveys.because import because, in_words

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "box"),
    [
        ("feedback@acme.example", Mailbox("", "feedback@acme.example")),
        ("Acme <feedback@acme.example>", Mailbox("Acme", "feedback@acme.example")),
        ('"Acme, Inc." <feedback@acme.example>', Mailbox("Acme, Inc.", "feedback@acme.example")),
        ('"The \\"A\\" team" <a@acme.example>', Mailbox('The "A" team', "a@acme.example")),
        ("Grüße <hallo@bücher.example>", Mailbox("Grüße", "hallo@xn--bcher-kva.example")),
        ("<feedback@acme.example>", Mailbox("", "feedback@acme.example")),
    ],
)
def test_an_address_is_read_with_its_name(text: str, box: Mailbox):
    assert mailbox(text) == box


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Acme",
        "acme.example",
        "a b@acme.example",
        "Acme <>",
        "a@b@c",
        "A\r\nBcc: x <a@acme.example>",
        "Acme <a@b> <c@d>",
    ],
)
def test_what_names_no_mailbox_is_refused(text: str):
    with pytest.raises(Invalid) as caught:
        mailbox(text, field="brand.from")

    assert caught.value.field == "brand.from"


@pytest.mark.parametrize(
    "address", ["ann@example.com", "ann+tag@example.com", "o'hara@example.com", "ann@münchen.example", "ann@localhost"]
)
def test_a_mail_can_be_sent_there(address: str):
    assert reachable(address)


@pytest.mark.parametrize(
    "address",
    [
        None,
        12,
        "",
        "ann",
        "ann@",
        "@example.com",
        "ann@exa mple.com",
        "ann\n@example.com",
        "a\x00@example.com",
        ".a@x.example",
        "a..b@x.example",
        "a" * 65 + "@example.com",
        "a@" + "b" * 64 + ".example",
        "ann@example.com\r\nBcc: x@y.example",
    ],
)
def test_no_mail_can_be_sent_there(address: object):
    assert not reachable(address)


def test_a_letter_that_had_another_meaning_in_2003_keeps_its_own():
    assert wire("ann@straße.example") == "ann@xn--strae-oqa.example"


def test_case_does_not_make_a_mailbox():
    assert key("Ann@Example.COM") == key("ann@example.com")
    assert key("ann+shop@example.com") != key("ann@example.com")


# ---------------------------------------------------------------- why, and how often


@pytest.mark.parametrize(
    ("event", "said"),
    [
        ("Order Completed", "you placed an order on 19 November"),
        ("Completed Order", "you placed an order on 19 November"),
        ("Trial Extended", "of “Trial Extended” on 19 November"),
        ("  Trial\r\nExtended ", "of “Trial Extended” on 19 November"),
        ("x" * 200, "of “" + "x" * 79 + "…” on 19 November"),
        (None, None),
        ("  ", None),
    ],
)
def test_a_reason_is_said_in_words_a_person_knows(event: str | None, said: str | None):
    assert because(event, NOON - timedelta(days=3), now=NOON) == said


def test_a_day_of_another_year_has_its_year():
    assert because("Order Completed", NOON - timedelta(days=365), now=NOON) == "you placed an order on 22 November 2025"


def test_lengths_are_said_in_words():
    assert in_words(timedelta(days=90)) == "90 days"
    assert in_words(timedelta(days=1)) == "one day"
    assert in_words(timedelta(hours=36)) == "36 hours"


# ---------------------------------------------------------------- a brand's colour


@pytest.mark.parametrize(
    ("color", "on"),
    [("#2563eb", WHITE), ("#000000", WHITE), ("#ffee00", INK), ("#ffffff", INK), ("#ff0000", "#000000")],
)
def test_text_on_a_brand_colour_is_white_or_ink(color: str, on: str):
    assert on_colour(color) == on


@pytest.mark.parametrize(
    "color", [f"#{r:02x}{g:02x}{b:02x}" for r in (0, 128, 255) for g in (0, 128, 255) for b in (0, 128, 255)]
)
def test_every_brand_colour_can_be_read_and_seen(color: str):
    assert contrast(color, on_colour(color)) >= TEXT
    assert contrast(edge(color, PAPER), PAPER) >= EDGE
    assert contrast(edge(color, NIGHT), NIGHT) >= EDGE


def test_a_colour_that_shows_is_left_alone():
    assert edge("#2563eb", PAPER) == "#2563eb"


@pytest.mark.parametrize("color", ["red", "#fff", "#12345g", "2563eb", "#2563eb;", ""])
def test_a_colour_is_written_in_one_way(color: str):
    with pytest.raises(Invalid):
        on_colour(color)
