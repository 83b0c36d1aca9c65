"""Consent, by Segment's table of the consent and the integrations object, and what its sentences leave open."""

from __future__ import annotations

from typing import Any

import pytest

from heard.routing.answer import Refusal
from heard.routing.plan import Plan
from tests.spec.routed import a_destination, a_message, a_surveys, reason, refusal

FACEBOOK, GOOGLE_ADS, AMPLITUDE, UNMAPPED = 1, 2, 3, 4
NAMES = {FACEBOOK: "facebook", GOOGLE_ADS: "google-ads", AMPLITUDE: "amplitude", UNMAPPED: "unmapped"}
ONE_EACH = {FACEBOOK: ("ad",), GOOGLE_ADS: ("ad",), AMPLITUDE: ("analytics",)}
FACEBOOK_BOTH = ONE_EACH | {FACEBOOK: ("ad", "analytics")}
ABSENT, EMPTY, NOTHING_GIVEN = {}, {"consent": {}}, {"consent": {"categoryPreferences": {}}}
FACEBOOK_ONLY = {"facebook": True, "amplitude": False}
NEITHER = {"facebook": False, "amplitude": False}


def given(**categories: bool) -> dict[str, Any]:
    return {"consent": {"categoryPreferences": categories}}


@pytest.mark.parametrize(
    ("context", "integrations", "mapping", "to"),
    [
        (ABSENT, {}, ONE_EACH, (FACEBOOK, GOOGLE_ADS, AMPLITUDE, UNMAPPED)),
        (EMPTY, {}, ONE_EACH, (FACEBOOK, GOOGLE_ADS, AMPLITUDE, UNMAPPED)),
        (NOTHING_GIVEN, {}, ONE_EACH, (UNMAPPED,)),
        (ABSENT, FACEBOOK_ONLY, ONE_EACH, (FACEBOOK, GOOGLE_ADS, UNMAPPED)),
        (EMPTY, FACEBOOK_ONLY, ONE_EACH, (UNMAPPED,)),
        (NOTHING_GIVEN, FACEBOOK_ONLY, ONE_EACH, (UNMAPPED,)),
        (given(ad=True, analytics=False), {}, {}, (FACEBOOK, GOOGLE_ADS, AMPLITUDE, UNMAPPED)),
        (given(ad=True, analytics=False), FACEBOOK_ONLY, {}, (FACEBOOK, GOOGLE_ADS, UNMAPPED)),
        (given(ad=True, analytics=False), {}, ONE_EACH, (FACEBOOK, GOOGLE_ADS, UNMAPPED)),
        (given(ad=True, analytics=False), FACEBOOK_ONLY, ONE_EACH, (FACEBOOK, GOOGLE_ADS, UNMAPPED)),
        (given(ad=True, analytics=False), NEITHER, ONE_EACH, (GOOGLE_ADS, UNMAPPED)),
        (given(ad=True, analytics=False), FACEBOOK_ONLY, FACEBOOK_BOTH, (GOOGLE_ADS, UNMAPPED)),
        (given(ad=True, analytics=True), FACEBOOK_ONLY, FACEBOOK_BOTH, (FACEBOOK, GOOGLE_ADS, UNMAPPED)),
        (given(ad=False, analytics=True), FACEBOOK_ONLY, FACEBOOK_BOTH, (UNMAPPED,)),
        # categories that only one side knows
        (given(unheard_of=False), {}, {}, (FACEBOOK, GOOGLE_ADS, AMPLITUDE, UNMAPPED)),
        (given(ad=True), {}, ONE_EACH, (FACEBOOK, GOOGLE_ADS, UNMAPPED)),
        # what browsers send with every message is no word about destinations
        (EMPTY, {"Segment.io": True}, ONE_EACH, (FACEBOOK, GOOGLE_ADS, AMPLITUDE, UNMAPPED)),
    ],
)
def test_line_16_every_row_of_the_consent_table(
    context: dict[str, Any], integrations: dict[str, Any], mapping: dict[int, tuple[str, ...]], to: tuple[int, ...]
):
    plan = Plan(
        [a_destination(id=id_, name=name, consent_categories=mapping.get(id_, ())) for id_, name in NAMES.items()]
    )

    assert plan.route(a_message(context=context, integrations=integrations)).to == to


@pytest.mark.parametrize(
    ("consent", "goes"),
    [
        (None, True),
        ({"categoryPreferences": None}, True),
        ({"other": 1}, True),
        ({"categoryPreferences": {"ad": "true"}}, False),
        ({"categoryPreferences": {"ad": 1}}, False),
        ({"categoryPreferences": ["ad"]}, False),
        ("granted", False),
        (False, False),
        ([], False),
    ],
)
def test_line_16_only_an_exact_true_is_consent_and_what_nobody_can_read_is_none(consent: Any, goes: bool):
    assert (reason(a_destination(consent_categories=("ad",)), context={"consent": consent}) is None) is goes


def test_a_refusal_names_the_categories_and_the_destination():
    destination = a_destination(consent_categories=("ad", "analytics", "functional"))

    assert refusal(destination, context=given(ad=False, functional=True)) == Refusal(
        "consent_denied",
        "No consent to ad, analytics, which Warehouse hook needs: "
        "`context.consent.categoryPreferences` has to say true.",
    )


def test_changed_preferences_travel_whatever_they_are():
    destination = a_destination(consent_categories=("ad",))

    assert reason(destination, context=given(ad=False), event="Segment Consent Preference Updated") is None


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (a_message("track", context=given(ad=False)), None),
        (a_message("track", context=NOTHING_GIVEN), None),
        (a_message("identify", context=given(ad=False)), "consent_denied"),
        (a_message("page", context=given(ad=False)), "consent_denied"),
        (a_message("group", groupId="g", context=given(ad=False)), "consent_denied"),
        (a_message("identify", context=given(ad=True)), None),
        (a_message("track", context={"consent": "granted"}), "consent_denied"),
    ],
)
def test_surveys_judge_the_consent_of_a_track_themselves_where_it_can_be_read(message: Any, expected: str | None):
    assert reason(a_surveys(consent_categories=("ad",)), message) == expected


def test_consent_weighs_more_than_a_yes_in_the_integrations_object():
    destination = a_destination(consent_categories=("ad",))

    assert reason(destination, context=given(ad=False), integrations={"Warehouse hook": True}) == "consent_denied"
