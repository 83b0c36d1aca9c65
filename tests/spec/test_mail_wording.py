"""What is asked, and in which words: each kind and each language carries all of its own."""

from __future__ import annotations

import pytest

from heard import replace
from heard.campaigns.campaign import Template
from heard.surveys.kinds import KINDS
from heard.surveys.locales import LOCALES, locale
from heard.surveys.spoken import language_for
from heard.surveys.survey import Survey
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


@pytest.mark.parametrize(
    ("traits", "language"),
    [
        ({"language": "de"}, "de"),
        ({"locale": "de-AT"}, "de"),
        ({"locale": "de_DE.UTF-8"}, "de"),
        ({"language": "DE"}, "de"),
        ({"language": "tlh", "locale": "de"}, "de"),
        ({"language": "fr"}, "en"),
        ({"language": 7}, "en"),
        ({}, "en"),
    ],
)
def test_somebody_is_asked_in_their_language_where_the_survey_speaks_it(traits: dict[str, object], language: str):
    survey = Survey(id=1, workspace=1, name="NPS", kind="nps", languages=("en", "de"))

    assert language_for(survey, traits) == language


@pytest.mark.parametrize("code", LOCALES)
def test_our_own_words_can_be_replaced_in_every_language(code: str):
    replace.check(LOCALES[code].mail.subject)
    replace.check(LOCALES[code].mail.intro)


def test_english_is_what_a_campaign_says_without_a_word():
    assert (LOCALES["en"].mail.subject, LOCALES["en"].mail.intro) == (Template().subject, Template().intro)
