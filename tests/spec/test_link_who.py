"""Whom a public link names: by parameters that another tool fills in, or leaves as they were; and what proves it."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from heard.campaigns.campaign import LinkIdentity
from heard.channels.link import who
from heard.channels.link.tools import TOOLS
from heard.channels.link.who import Named, Unnamed
from heard.contacts import address

SECRET, FORMER = "ls_0123456789abcdef", "ls_fedcba9876543210"


def read(identity: LinkIdentity = LinkIdentity.KNOWN, **parameters: str) -> Named | Unnamed:
    return who.read(parameters, secrets=[SECRET, FORMER], identity=identity)


def test_a_user_id_an_address_or_both():
    assert read(user_id="ann") == Named(user_id="ann")
    assert read(email="ann@acme.example") == Named(email="ann@acme.example")
    assert read(user_id=" ann ", email="ann@acme.example", lang="de") == Named(user_id="ann", email="ann@acme.example")


def test_a_plus_that_a_tool_did_not_encode_is_a_plus():
    assert read(email="ann news@acme.example") == Named(email="ann+news@acme.example")


@pytest.mark.parametrize(
    "tag",
    [
        *("{{email}}", "{{ contact.email }}", "{{ person.email|default:'' }}", "{{{email}}}", "{{${user_id}}}"),
        *("*|EMAIL|*", "*|MERGE0|*", "%recipient.email%", "%EMAIL%", "%%emailaddr%%", "{$email}", "{EMAIL}"),
        *("[EMAIL]", "[[email]]", "<%= email %>", "${email}", "##email##", "{% email %}", "<<Email>>"),
        *("undefined", "null", "None", "__test_email__", "USER_ID", "EMAIL"),
    ],
)
def test_a_tag_that_was_not_filled_in_is_nobody(tag: str):
    assert read(user_id=tag) is Unnamed.UNFILLED
    assert read(email=tag) is Unnamed.UNFILLED
    assert read(user_id=tag, email="ann@acme.example") == Named(email="ann@acme.example"), "the other one may be"
    assert read(user_id="ann", email=tag) == Named(user_id="ann")


@pytest.mark.parametrize("tool", TOOLS, ids=lambda each: each.key)
def test_every_tag_that_we_give_is_known_again_and_fits_into_an_attribute(tool):
    for tag in (tool.user_id, tool.email):
        assert not tag or who.is_unfilled(tag)
        assert not set(tag) & set('"<>& ?#') - {" "}


@pytest.mark.parametrize("said", [{}, {"user_id": ""}, {"email": " ", "user_id": ""}, {"email": "ann"}, {"a": "9"}])
def test_nobody_is_named(said: dict[str, str]):
    assert read(LinkIdentity.KNOWN, **said) is Unnamed.NOBODY


@pytest.mark.parametrize("name", ["a\nb", "a\x00", "x" * 513])
def test_what_no_user_id_can_be_names_nobody(name: str):
    assert read(user_id=name) is Unnamed.NOBODY


@pytest.mark.parametrize("name", ["ann", "42", "ann@acme.example", "100%", "[ann", "{ann", "a{b}c", "null-and-void"])
def test_what_only_looks_like_a_tag_is_a_name(name: str):
    assert read(user_id=name) == Named(user_id=name)


def test_signed_links_need_a_signature_and_one_that_is_wrong_is_never_overlooked():
    good = who.signature(SECRET, "ann", "")
    assert read(LinkIdentity.SIGNED, user_id="ann") is Unnamed.UNSIGNED
    assert read(LinkIdentity.SIGNED, user_id="ann", sig=good) == Named(user_id="ann", signed=True)
    assert read(user_id="ann", sig=good.upper()) == Named(user_id="ann", signed=True)
    assert read(user_id="ann", sig="0" * 64) is Unnamed.UNSIGNED
    assert read(user_id="ann", sig="é") is Unnamed.UNSIGNED
    assert read(user_id="ann", sig=who.signature(FORMER, "ann", "")) == Named(user_id="ann", signed=True)


names = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zs", "Zl", "Zp")), min_size=1, max_size=40).filter(
    lambda name: not who.is_unfilled(name) and name == name.strip()
)


@given(user_id=names, other=names, mail=st.sampled_from(["", "ann@acme.example", "ben+1@acme.example"]))
def test_a_signature_holds_for_these_two_and_nobody_else(user_id: str, other: str, mail: str):
    sig = who.signature(SECRET, user_id, mail)
    assert read(LinkIdentity.SIGNED, user_id=user_id, email=mail, sig=sig) == Named(
        user_id=user_id, email=address.read(mail), signed=True
    )
    assume(other != user_id)
    assert read(LinkIdentity.SIGNED, user_id=other, email=mail, sig=sig) is Unnamed.UNSIGNED
    assert read(LinkIdentity.SIGNED, user_id=user_id, email="eve@acme.example", sig=sig) is Unnamed.UNSIGNED
    assert read(LinkIdentity.SIGNED, email=mail or "ann@acme.example", sig=sig) is Unnamed.UNSIGNED


@given(sig=st.text(max_size=80))
def test_no_other_text_is_a_signature(sig: str):
    assume(sig.strip().lower() != who.signature(SECRET, "ann", ""))
    assume(sig.strip().lower() != who.signature(FORMER, "ann", ""))
    assert read(LinkIdentity.SIGNED, user_id="ann", sig=sig) is Unnamed.UNSIGNED
