"""What is asked, and in which words: each kind and each language carries all of its own."""

from __future__ import annotations

import pytest

from heard.surveys.kinds import KINDS
from heard.surveys.locales import LOCALES, locale
from heard.surveys.wording import worded


def test_the_net_promoter_question_is_the_one_everybody_asks():
    asked = worded("nps", brand="Acme")

    assert asked.question == "How likely is it that you would recommend Acme to a friend or colleague?"
    assert (asked.low, asked.high) == (0, 10)
    assert (asked.least, asked.most) == ("not at all likely", "extremely likely")
    assert asked.follow_up == "What is the main reason for your score?"


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_says_what_it_is_for(kind: str):
    assert KINDS[kind].name == kind
    assert KINDS[kind].title
    assert KINDS[kind].help.endswith(".")
    assert KINDS[kind].scored.low < KINDS[kind].scored.high
    assert (KINDS[kind].scored.id, KINDS[kind].follow_up.id) == ("score", "comment")


@pytest.mark.parametrize("language", LOCALES)
@pytest.mark.parametrize("kind", KINDS)
def test_every_language_can_ask_every_kind(kind: str, language: str):
    asked = worded(kind, brand="{brand} & Co", language=language)

    assert asked.language in (language, "en")
    assert asked.question
    assert "{brand} & Co" in asked.question or "brand" not in KINDS[kind].scored.text


@pytest.mark.parametrize("code", LOCALES)
def test_a_language_names_its_months(code: str):
    assert len(set(LOCALES[code].months)) == 12
    assert LOCALES[code].direction in ("ltr", "rtl")


@pytest.mark.parametrize(("tag", "code"), [("en", "en"), ("en-GB", "en"), ("tlh", "en"), ("", "en")])
def test_a_language_nobody_translated_is_served_in_english(tag: str, code: str):
    assert locale(tag).code == code
