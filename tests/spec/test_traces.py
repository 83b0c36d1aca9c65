"""Where somebody is named in a text, however it is spelled, and where somebody else is."""

from __future__ import annotations

import json
from base64 import b64encode
from urllib.parse import quote

import pytest

from heard.contacts.traces import Traces, is_distinct

ANN, MAIL = "user-ann-1842", "ann.perkins@pawnee.example"
OF_ANN = Traces(ids=[ANN], addresses=[MAIL])


@pytest.mark.parametrize(
    "text",
    [
        f'{{"userId":"{ANN}"}}',
        f'{{"url":"https://a.example/users/{ANN}/edit?x=1"}}',
        f'{{"to":"Ann <{MAIL.upper()}>"}}',
        f'{{"url":"https://a.example/?mail={quote(MAIL, safe="")}&x"}}',
        f'{{"url":"https://a.example/%3D{quote(MAIL, safe="")}"}}',
        f'{{"note":"first line\\n{MAIL}"}}',
        f'{{"note":"write to {MAIL}."}}',
        json.dumps({"encoded": b64encode(MAIL.encode()).decode()}),
        '{"mail":"ann.perkins\\u0040pawnee.example"}',
    ],
)
def test_somebody_is_found_however_they_are_spelled(text: str):
    assert OF_ANN.stand_in(text)
    assert not OF_ANN.stand_in(OF_ANN.taken_from(text))
    json.loads(OF_ANN.taken_from(text))


@pytest.mark.parametrize(
    "text",
    [
        '{"userId":"user-ann-18422"}',
        '{"userId":"a-user-ann-1842"}',
        '{"mail":"joann.perkins@pawnee.example"}',
        '{"mail":"x.ann.perkins@pawnee.example"}',
        '{"mail":"ann.perkins@pawnee.example.org"}',
        '{"mail":"annxperkins@pawnee.example"}',
    ],
)
def test_somebody_else_who_is_written_alike_is_not_them(text: str):
    assert not OF_ANN.stand_in(text)
    assert OF_ANN.taken_from(text) == text


def test_a_short_id_counts_only_where_an_id_stands():
    forty_two = Traces(ids=["42"], addresses=[])

    assert forty_two.stand_in('{"type":"alias","previousId": "42"}')
    assert forty_two.stand_in('{"previousId":42,"x":1}')
    assert not forty_two.stand_in('{"properties":{"size":"42","price":42}}')
    assert not forty_two.stand_in('{"previousId":"421"}')
    assert json.loads(forty_two.taken_from('{"previousId":42,"userId":"u"}')) == {"previousId": 0, "userId": "u"}
    assert json.loads(forty_two.taken_from('{"previousId": "42"}')) == {"previousId": "(erased)"}


def test_an_id_of_digits_leaves_a_number_where_one_was():
    of_her = Traces(ids=["123456789"], addresses=[])

    assert json.loads(of_her.taken_from('{"who":123456789,"text":"123456789"}')) == {"who": 0, "text": "0"}


def test_a_word_is_nobodys_own_id():
    assert [is_distinct(each) for each in ("admin", "42", "1234567", "u_123", "leslieknope")] == [
        False, False, False, True, True,
    ]  # fmt: skip


def test_nobody_stands_nowhere():
    assert not Traces(ids=[], addresses=[]).stand_in("anything")
