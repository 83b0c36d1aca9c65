"""Every language says all that English says, with the same things filled in, in a space as small."""

from __future__ import annotations

import string
import unicodedata
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import babel
import msgspec
import pytest

from heard.accounts.workspace import Brand
from heard.channels.email.look import BECAUSE, look
from heard.errors import Invalid
from heard.operations.file_survey import survey_line
from heard.surveys import plurals
from heard.surveys.because import because, in_words
from heard.surveys.locales import LOCALES, locale, matching
from heard.surveys.locales.sentences import Locale
from heard.surveys.wording import worded

THE_32 = "ar ca cs da de el en es fa fi fr hr hu id is it ja lt lv nl no pl pt pt-br ru sk sl sv tr uk zh zh-tw"
TRANSLATED = sorted(set(LOCALES) - {"en"})
BUTTONS = ("send", "stop_button", "less", "this_one", "undo", "change")
WIDEST = 44  # columns; 17 px semibold in the 254 px that a button has on a page of 320, on two lines at the most
CLDR = {"pt": "pt_PT", "pt-br": "pt_BR", "zh-tw": "zh_Hant_TW"}


def sentences(said: Locale) -> Iterator[tuple[str, str]]:
    """Every sentence of a language by its place; what members may write (subject, intro) in it as well."""
    for part in ("mail", "page"):
        for name, text in msgspec.structs.asdict(getattr(said, part)).items():
            yield f"{part}.{name}", text
    yield "on_day", said.on_day
    yield "event_on_day", said.event_on_day


def filled_in(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text.replace("{{", "").replace("}}", "")) if name}


def columns(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)


def test_the_languages_are_those_that_people_come_with():
    assert sorted(LOCALES) == sorted(THE_32.split())
    assert {code for code, each in LOCALES.items() if each.direction == "rtl"} == {"ar", "fa"}


def test_only_what_a_speaker_has_read_says_so():
    assert {code for code, each in LOCALES.items() if each.reviewed} == {"en"}


@pytest.mark.parametrize("code", LOCALES)
def test_a_language_has_a_name_of_its_own(code: str):
    assert (LOCALES[code].code, LOCALES[code].name != "", LOCALES[code].english != "") == (code, True, True)
    assert sum(each.name == LOCALES[code].name for each in LOCALES.values()) == 1
    assert sum(each.english == LOCALES[code].english for each in LOCALES.values()) == 1


@pytest.mark.parametrize("code", TRANSLATED)
def test_every_sentence_is_filled_in_with_what_the_english_one_is(code: str):
    english = dict(sentences(LOCALES["en"]))

    differing = {
        place: (text, english[place])
        for place, text in sentences(LOCALES[code])
        if not place.endswith(".intro") and filled_in(text) != filled_in(english[place])
    }

    assert differing == {}


@pytest.mark.parametrize("code", TRANSLATED)
def test_no_sentence_was_left_in_english(code: str):
    english = dict(sentences(LOCALES["en"]))
    ours = LOCALES[code]

    assert [place for place, text in sentences(ours) if text == english[place] and place != "on_day"] == []
    assert [event for event, text in ours.happened.items() if text == LOCALES["en"].happened[event]] == []
    assert worded("nps", brand="Acme", language=code).language == code
    assert worded("nps", brand="Acme", language=code).question != worded("nps", brand="Acme").question


@pytest.mark.parametrize("code", LOCALES)
def test_nothing_is_empty_or_carries_what_a_line_cannot(code: str):
    said = [*dict(sentences(LOCALES[code])).values(), *LOCALES[code].happened.values(), *LOCALES[code].months]

    assert [text for text in said if not text.strip() or text != text.strip() or "  " in text] == []
    assert [text for text in said if any(unicodedata.category(each) == "Cc" for each in text)] == []


@pytest.mark.parametrize("code", LOCALES)
def test_what_happened_is_put_into_words_for_the_same_events(code: str):
    assert list(LOCALES[code].happened) == list(LOCALES["en"].happened)


@pytest.mark.parametrize("code", LOCALES)
def test_buttons_fit_a_narrow_phone(code: str):
    page = LOCALES[code].page

    assert {name: getattr(page, name) for name in BUTTONS if columns(getattr(page, name)) > WIDEST} == {}
    assert columns(LOCALES[code].mail.unsubscribe) <= 30
    wording = worded("nps", brand="Acme", language=code)
    assert max(columns(wording.least), columns(wording.most)) <= WIDEST


@pytest.mark.parametrize("code", LOCALES)
def test_the_plural_is_the_one_that_cldr_says(code: str):
    rule = babel.Locale.parse(CLDR.get(code, code)).plural_form

    assert [n for n in range(2001) if plurals.category(code, n) != rule(n)] == []


@pytest.mark.parametrize("code", LOCALES)
@pytest.mark.parametrize("unit", "dhms")
def test_a_language_can_count_every_length(code: str, unit: str):
    phrases = LOCALES[code].lengths[unit]
    categories = {n: plurals.category(code, n) for n in range(1, 1001)}

    assert set(phrases) == set(categories.values())
    for category, phrase in phrases.items():
        # one day, but never "one day" of 21, which is also `one` in half of Europe
        numbers = [n for n, of in categories.items() if of == category]
        assert "{count}" in phrase or len(numbers) == 1


@pytest.mark.parametrize(
    ("code", "days", "said"),
    [
        ("en", 1, "one day"),
        ("en", 90, "90 days"),
        ("pl", 22, "22 dni"),
        ("ru", 21, "21 день"),
        ("ru", 22, "22 дня"),
        ("ru", 90, "90 дней"),
        ("sl", 2, "2 dneva"),
        ("sl", 90, "90 dni"),
        ("ar", 2, "يومين"),
        ("ar", 90, "90 يومًا"),
        ("lv", 21, "21 dienā"),
        ("fr", 90, "tous les 90 jours"),
        ("pt-br", 1, "por dia"),
        ("ja", 90, "90日"),
    ],
)
def test_a_length_is_said_as_speakers_count(code: str, days: int, said: str):
    assert in_words(timedelta(days=days), language=code) == said


@pytest.mark.parametrize("code", LOCALES)
def test_a_date_never_ends_a_sentence_twice(code: str):
    for now in (datetime(2026, 11, 19, tzinfo=UTC), datetime(2028, 1, 1, tzinfo=UTC)):
        day = LOCALES[code].on(datetime(2026, 5, 1, tzinfo=UTC), now=now)
        dated = [text for place, text in sentences(LOCALES[code]) if "." in place and "{day}" in text]
        said = [text.format_map(Filled(day)) for text in dated]
        why = because("Order Completed", datetime(2026, 5, 1, tzinfo=UTC), now=now, language=code)
        said += [LOCALES[code].mail.because.format(because=why), LOCALES[code].page.asked_because.format(because=why)]

        assert [text for text in said if ".." in text or ". ." in text] == []
        assert [text for text in said if text[-1] not in ".:。：）" and not text.endswith(day)] == []


class Filled(dict[str, str]):
    def __init__(self, day: str) -> None:
        super().__init__(day=day)

    def __missing__(self, name: str) -> str:
        return "x"


@pytest.mark.parametrize(
    ("tag", "code"),
    [
        ("pt-BR", "pt-br"),
        ("pt_BR", "pt-br"),
        ("pt_BR.UTF-8", "pt-br"),
        ("pt-PT", "pt"),
        ("PT", "pt"),
        ("pt-AO", "pt"),
        ("zh-Hant", "zh-tw"),
        ("zh-Hant-HK", "zh-tw"),
        ("zh-TW", "zh-tw"),
        ("zh-HK", "zh-tw"),
        ("zh-Hans-CN", "zh"),
        ("zh-CN", "zh"),
        ("nb", "no"),
        ("nb-NO", "no"),
        ("nn", "no"),
        ("in", "id"),
        ("in_ID", "id"),
        ("de-CH-1996", "de"),
        ("tlh", "en"),
    ],
)
def test_a_tag_is_matched_however_it_is_written(tag: str, code: str):
    assert locale(tag).code == code


@pytest.mark.parametrize(
    ("code", "said"), [("fr", "1er mai"), ("pt-br", "1º de maio"), ("en", "1 May"), ("ja", "5月1日")]
)
def test_the_first_of_a_month_is_said_as_speakers_do(code: str, said: str):
    may = datetime(2026, 5, 1, tzinfo=UTC)

    assert LOCALES[code].on(may, now=may) == said


def test_sentences_of_chinese_and_japanese_stand_close():
    brand, wording = Brand(name="Acme", reply_to="a@x.example"), worded("nps", brand="Acme", language="ja")
    html, text = look(brand, wording, timedelta(days=90))

    assert "開きます。このメール" in html
    assert f"{BECAUSE}この" in text


def test_the_workspace_file_takes_a_language_however_it_is_written():
    line = survey_line({"name": "NPS", "kind": "nps", "languages": ["EN", "pt_BR", "zh-TW", "en"]}, "surveys[0]")

    assert line.settings["languages"] == ["en", "pt-br", "zh-tw"]
    with pytest.raises(Invalid, match=r"surveys\[0\].languages\[1\]: not yet: .* not tlh"):
        survey_line({"name": "NPS", "kind": "nps", "languages": ["en", "tlh"]}, "surveys[0]")


def test_a_relative_is_closer_than_nothing():
    assert matching("pt", ["en", "pt-br"]) == "pt-br"
    assert matching("pt-BR", ["en", "pt"]) == "pt"
    assert matching("zh-CN", ["en", "zh-tw"]) == "zh-tw"
    assert matching("sv", ["en", "no"]) is None
    assert matching("", ["en", "no"]) is None
