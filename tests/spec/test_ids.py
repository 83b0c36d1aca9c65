"""Computed names: the same ask has the same id for ever, and a link cannot be made by anybody else."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard import ids
from heard.ids import LENGTH, Link, LinkKeys, delivery_id, message_id

KEYS = LinkKeys(b"the secret of a test, 32 octets!")
ANOTHER = LinkKeys(b"the secret of another server !!!")
DELIVERY = delivery_id(3, 14, "1:order-1", "first")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

workspaces = st.integers(0, 2**32 - 1)
deliveries = st.binary(min_size=16, max_size=16).map(bytes.hex)


def test_a_delivery_keeps_its_id_from_release_to_release():
    # Written down, not computed: a change would send every waiting survey a second time.
    assert DELIVERY == "be1ed7a1513fd70965d71c15987912f2"


@pytest.mark.parametrize(
    "other",
    [
        delivery_id(4, 14, "1:order-1", "first"),
        delivery_id(3, 15, "1:order-1", "first"),
        delivery_id(3, 14, "1:order-2", "first"),
        delivery_id(3, 14, "1:order-1", "reminder"),
        delivery_id(31, 4, "1:order-1", "first"),
    ],
)
def test_another_ask_has_another_id(other: str):
    assert other != DELIVERY
    assert len(other) == 32


def test_two_parts_never_run_together():
    assert delivery_id(1, 1, 'a","first', "x") != delivery_id(1, 1, "a", 'first","x')


def test_a_mail_is_known_by_its_delivery():
    assert message_id(DELIVERY, "acme.example") == f"<{DELIVERY}@acme.example>"


@given(workspaces, deliveries)
def test_a_token_says_which_workspace_and_which_delivery(workspace: int, delivery: str):
    token = KEYS.token(workspace, delivery)

    assert KEYS.read(token) == Link(workspace, delivery)
    assert len(token) == LENGTH
    assert set(token) <= set(ALPHABET)


@given(st.integers(0, LENGTH - 1), st.sampled_from(ALPHABET))
def test_no_character_of_a_token_can_be_changed(place: int, character: str):
    token = KEYS.token(7, DELIVERY)
    changed = token[:place] + character + token[place + 1 :]

    assert KEYS.read(changed) == (Link(7, DELIVERY) if changed == token else None)


@given(st.text(max_size=80))
def test_no_other_text_is_a_token(text: str):
    assert KEYS.read(text) is None


def test_a_token_of_another_server_opens_nothing():
    assert KEYS.read(ANOTHER.token(7, DELIVERY)) is None


def test_a_token_cannot_be_carried_to_another_workspace():
    ours, theirs = KEYS.token(7, DELIVERY), KEYS.token(8, DELIVERY)

    assert ours[:8] != theirs[:8]
    assert KEYS.read(theirs[:8] + ours[8:]) is None


def test_a_token_for_another_purpose_opens_nothing():
    assert KEYS.read(KEYS.token(7, DELIVERY, purpose=b"preview")) is None


def test_links_outlive_a_change_of_the_secret():
    changed = LinkKeys(b"the new secret of the server !!!", former=[b"the secret of a test, 32 octets!"])

    assert changed.read(KEYS.token(7, DELIVERY)) == Link(7, DELIVERY)
    assert KEYS.read(changed.token(7, DELIVERY)) is None


def test_a_secret_that_can_be_guessed_is_refused():
    with pytest.raises(ValueError, match="guessed"):
        LinkKeys(b"short")


def test_a_mail_to_oneself_has_an_id_that_no_delivery_has_and_says_whose_it_is():
    at = datetime(2026, 11, 22, 9, 12, 0, 250_000, tzinfo=UTC)
    made = ids.preview_id(3, 12, at)

    assert len(made) == 32
    assert ids.previewed(made) == ids.Previewed(workspace=3, campaign=12, at=at)
    assert ids.previewed(ids.preview_id(3, 12, at, 31)) == ids.Previewed(3, 12, at, 31)
    assert ids.previewed(delivery_id(12, 1, "1:m1", "first")) is None


def test_a_preview_link_opens_nobodys_invitation():
    keys = LinkKeys(b"the secret of a test, 32 octets!")
    made = ids.preview_id(3, 12, datetime(2026, 11, 22, tzinfo=UTC))

    assert keys.read(keys.token(3, made, purpose=ids.PREVIEW)) is None
    assert keys.read(keys.token(3, made, purpose=ids.PREVIEW), purpose=ids.PREVIEW) == Link(3, made)


def test_a_public_link_is_of_one_campaign_and_one_turn_and_outlives_a_change_of_the_secret():
    old, other = b"the secret of a test, 32 octets!", b"another secret, of 32 octets too"
    keys, changed = LinkKeys(old), LinkKeys(other, former=[old])
    which = [(1, 1, 0), (1, 1, 1), (1, 2, 0), (2, 1, 0), (1, 11, 0)]
    tokens = [keys.campaign_tokens(*each)[0] for each in which]
    secrets = [keys.campaign_secrets(*each)[0] for each in which]

    assert len({*tokens, *secrets}) == 2 * len(which)
    assert {len(each) for each in tokens} == {22}
    assert changed.campaign_tokens(1, 1, 0)[1:] == tokens[:1]
    assert changed.campaign_secrets(1, 1, 0)[1:] == secrets[:1]
    assert changed.campaign_tokens(1, 1, 0)[0] != tokens[0]


def test_what_somebody_opens_of_a_public_link_is_kept_under_an_id_of_its_own():
    assert ids.visit_id(1, 12) != ids.visit_id(11, 2)
    assert len(ids.visit_id(1, 12)) == len(DELIVERY)
