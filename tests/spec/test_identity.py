"""Whose an anonymous id is, what an alias may change, and how a group grows."""

from __future__ import annotations

import msgspec
import pytest

from heard.contacts.group import Group, told
from heard.contacts.identity import Link, Links, Unchanged, names_nobody, unchanged_by
from tests.examples import DAY, NOON


def a_link(anonymous_id: str, user_id: str) -> Link:
    return Link(anonymous_id=anonymous_id, user_id=user_id, at=NOON)


def test_the_latest_link_counts_and_only_what_changed_is_kept():
    links = Links({"phone": "ted", "laptop": "ted"})
    for link in (a_link("phone", "ted"), a_link("laptop", "robin"), a_link("laptop", "lily")):
        links.learn(link)

    assert [links.of(each) for each in ("phone", "laptop", "tablet", None)] == ["ted", "lily", None, None]
    assert links.changed == {"laptop": msgspec.structs.replace(a_link("laptop", "lily"), shared=True)}
    assert links.learn(a_link("tablet", "lily"))
    assert not links.changed["tablet"].shared


def test_fault_29_a_link_is_one_step_so_a_circle_has_no_end_to_look_for():
    links = Links()
    for link in (a_link("a", "b"), a_link("b", "a")):
        links.learn(link)

    assert (links.of("a"), links.of("b")) == ("b", "a")


def test_line_11_an_alias_of_an_id_to_itself_changes_nothing():
    assert unchanged_by("ted", "ted", contacts=set()) == Unchanged.ALIAS_OF_ITSELF
    assert unchanged_by("ted", "ted", contacts={"ted"}) == Unchanged.ALIAS_OF_ITSELF


def test_line_11_an_alias_never_makes_one_contact_of_two():
    assert unchanged_by("teddy", "ted", contacts={"ted", "teddy"}) == Unchanged.ALIAS_BETWEEN_CONTACTS
    assert unchanged_by("teddy", "ted", contacts={"ted"}) == Unchanged.ALIAS_BETWEEN_CONTACTS


def test_an_alias_links_what_is_nobodys_user_id():
    assert unchanged_by("ted", "0005e515-laptop", contacts={"ted"}) is None
    assert unchanged_by("ted", "0005e515-laptop", contacts=set()) is None


@pytest.mark.parametrize(
    "said", ["anonymous", "NULL", " undefined ", "-1", "0", "00000000-0000-0000-0000-000000000000"]
)
def test_what_stands_for_no_id_is_nobodys(said: str):
    assert names_nobody(said)
    assert unchanged_by("ted", said, contacts=set()) == Unchanged.ALIAS_OF_NOBODY


@pytest.mark.parametrize("said", ["0005e515-1c7f-4b1d-9c53-000000000000", "10", "anonymous-7", "ted"])
def test_what_may_be_the_id_of_a_browser_is_not_nobodys(said: str):
    assert not names_nobody(said)


def test_a_group_grows_key_by_key_and_says_when_it_changed():
    group = Group(
        id=1, workspace=1, group_id="acme", traits=b'{"plan":"Free","seats":3}', first_seen=NOON, updated_at=NOON
    )

    later = told(group, b'{"plan":"Premium","city":null}', at=NOON + DAY)

    assert later.traits == b'{"plan":"Premium","seats":3,"city":null}'
    assert (later.first_seen, later.updated_at) == (NOON, NOON + DAY)
    assert told(later, b'{"plan":"Premium"}', at=NOON + 2 * DAY) is later
