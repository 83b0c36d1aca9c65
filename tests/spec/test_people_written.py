"""People as somebody writes them down: tables of spreadsheets, and bare addresses."""

from __future__ import annotations

import pytest

from heard.contacts.written import Fault, Person, read
from heard.errors import Invalid


def test_bare_addresses_one_a_line():
    people, faults = read("ann@example.com\n\n  bob@example.com \nno address\n")

    assert people == [Person(email="ann@example.com"), Person(email="bob@example.com")]
    assert faults == [Fault(line=4, what="no address is no e-mail address.")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_a_table_names_its_columns_and_the_others_are_traits(delimiter: str):
    rows = [("E-Mail", "firstName", "plan"), ("ann@example.com", "Ann", "Premium"), ("bob@example.com", "", "Free")]
    people, faults = read("\ufeff" + "\r\n".join(delimiter.join(row) for row in rows))

    assert faults == []
    assert people == [
        Person(email="ann@example.com", traits={"firstName": "Ann", "plan": "Premium"}),
        Person(email="bob@example.com", traits={"plan": "Free"}),
    ]


def test_a_cell_may_hold_quotes_commas_and_lines():
    people, faults = read('user_id,company\n7,"Mosby, Inc."\n8,"two\nlines"\n')

    assert faults == []
    assert [person.traits for person in people] == [{"company": "Mosby, Inc."}, {"company": "two\nlines"}]
    assert [person.user_id for person in people] == ["7", "8"]


def test_every_row_that_is_wrong_is_named_by_its_line():
    people, faults = read("email,plan\nann@example.com,Premium\nann@@x,Free\n,Free\n")

    assert [person.email for person in people] == ["ann@example.com"]
    assert [fault.line for fault in faults] == [3, 4]
    assert "by an e-mail address, by a userId, or by both" in faults[1].what


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "nobody in it"), ("\n \n", "nobody in it"), ("name,plan\nAnn,Free", "names no column `email` or `user_id`")],
)
def test_what_is_no_table_is_refused(text: str, words: str):
    with pytest.raises(Invalid, match=words):
        read(text)
