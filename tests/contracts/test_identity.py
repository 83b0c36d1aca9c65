"""Who a message without a userId is about: linked by identify and alias, held until it is known; on both engines."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from heard.store import anonymous, recent, story, tables, tail
from heard.store.tail import Wanted
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, MINUTE, NOON

TED: dict[str, Any] = {"email": "ted@mosby.example"}


def identify(desk: Desk, user: str, browser: str | None, **traits: Any) -> dict[str, Any]:
    return desk.identify(user, **(traits or {"email": f"{user}@x.example"})) | {"anonymousId": browser}


def track(desk: Desk, browser: str, event: str = "Order Completed", **properties: Any) -> dict[str, Any]:
    return desk.track(None, event, **properties) | {"anonymousId": browser}


def alias(desk: Desk, user: str, previous: str) -> dict[str, Any]:
    return desk._message("alias", user, None, previousId=previous)


def links(desk: Desk) -> dict[str, str]:
    return {row.anonymous_id: row.user_id for row in desk.rows(tables.anonymous_ids)}


def decided(desk: Desk) -> list[tuple[str | None, str, list[str]]]:
    return [
        (row.user_id, row.outcome, [no.reason.value for no in row.objections])
        for row in sorted(desk.rows(tables.decisions), key=lambda row: row.id)
    ]


def reasons(desk: Desk) -> list[tuple[str, str, str | None]]:
    """(type, verdict, reason) of every message, oldest first."""
    kept = desk.store.read_now(partial(tail.back, workspace=ACME, wanted=Wanted())).found
    return [(each.type, each.verdict, each.reason) for each in reversed(kept)]


def theirs(desk: Desk, user: str) -> list[tuple[str | None, str | None]]:
    """(event, userId) of a user's story, oldest first."""
    kept = desk.store.read_now(partial(story.messages_of, workspace=ACME, user_id=user))
    return [(each.event, each.user_id) for each in reversed(kept)]


# ── links ──


def test_an_identify_with_both_ids_links_them_and_the_latest_one_counts(desk: Desk):
    desk.receive(identify(desk, "ted", "laptop"), identify(desk, "ted", "phone"), desk.identify("lily"))
    assert links(desk) == {"laptop": "ted", "phone": "ted"}
    desk.wait(DAY)
    desk.receive(identify(desk, "lily", "laptop"))

    assert links(desk) == {"laptop": "lily", "phone": "ted"}
    assert {row.anonymous_id: row.at for row in desk.rows(tables.anonymous_ids)} == {
        "laptop": NOON + DAY,
        "phone": NOON,
    }


def test_an_id_that_stands_for_none_and_a_sync_link_nobody(desk: Desk):
    sync = {"context": {"personas": {"computation_class": "audience"}}}
    desk.receive(identify(desk, "ted", "anonymous"), identify(desk, "ted", "laptop", vip=True) | sync)

    assert links(desk) == {}


def test_a_story_holds_what_came_before_and_after_under_the_anonymous_id(desk: Desk):
    desk.receive(track(desk, "laptop", "Looked Around"), track(desk, "tablet", "Somebody Else"))
    desk.wait(DAY)
    desk.receive(identify(desk, "ted", "laptop"), desk.track("ted", "Signed In"), track(desk, "laptop", "Came Back"))

    seen = [("Looked Around", None), (None, "ted"), ("Signed In", "ted"), ("Came Back", None)]
    assert theirs(desk, "ted") == seen
    found = desk.store.read_now(partial(tail.back, workspace=ACME, wanted=Wanted(user_id="ted"), limit=3)).found
    assert [(each.event, each.user_id) for each in reversed(found)] == seen[1:]
    older = partial(tail.back, workspace=ACME, wanted=Wanted(user_id="ted"), limit=3, before=found[-1].id)
    assert [each.event for each in desk.store.read_now(older).found] == ["Looked Around"]


def test_a_story_of_several_browsers_is_in_order_and_a_shared_one_is_the_latest_users(desk: Desk):
    desk.receive(track(desk, "a", "One"), track(desk, "b", "Two"), track(desk, "a", "Three"))
    desk.receive(identify(desk, "ted", "a"), identify(desk, "ted", "b"))
    assert [event for event, _ in theirs(desk, "ted")] == ["One", "Two", "Three", None, None]

    desk.receive(identify(desk, "lily", "a"))
    assert [event for event, _ in theirs(desk, "ted")] == ["Two", None, None]
    assert [event for event, _ in theirs(desk, "lily")] == ["One", "Three", None]


# ── an anonymous track as a trigger ──


def test_a_track_of_a_linked_browser_is_a_track_of_that_contact(desk: Desk):
    desk.campaign(where="userId = 'ted' and traits.plan = 'Premium'")
    desk.receive(identify(desk, "ted", "laptop", plan="Premium", **TED))
    desk.receive(track(desk, "laptop"))

    assert decided(desk) == [("ted", "invited", [])]
    assert [(row.user_id, row.address) for row in desk.rows(tables.deliveries)] == [("ted", "ted@mosby.example")]


def test_identify_then_an_anonymous_track_in_one_batch(desk: Desk):
    desk.campaign(throttle="30d")
    desk.receive(identify(desk, "ted", "laptop"), track(desk, "laptop"), track(desk, "laptop"))

    assert decided(desk) == [
        ("ted", "invited", []),
        ("ted", "declined", ["campaign_throttle", "asked_within_24h"]),
    ]


def test_an_anonymous_track_waits_for_an_identify_with_both_ids(desk: Desk):
    desk.campaign(where="userId = 'ted'")
    desk.receive(track(desk, "laptop"), track(desk, "tablet"))
    held = (None, "held", ["not_identified"])
    assert decided(desk) == [held, held]
    waiting = desk.store.read_now(partial(tail.back, workspace=ACME, wanted=Wanted(verdict="held")))
    assert [each.anonymous_id for each in waiting.found] == ["tablet", "laptop"]

    desk.wait(9 * MINUTE)
    desk.receive(desk.identify("ted", **TED))  # says nothing of a browser
    assert decided(desk) == [held, held]
    desk.receive(identify(desk, "ted", "laptop", **TED), identify(desk, "lily", "tablet"))

    assert decided(desk) == [("ted", "invited", []), ("lily", "declined", ["conditions_not_met"])]
    assert [verdict for _, verdict, _ in reasons(desk)] == ["accepted"] * 5


def test_whatever_a_track_waits_under_its_message_is_found_and_held_no_longer(desk: Desk):
    desk.campaign()
    desk.campaign(2)
    desk.receive(alias(desk, "ted", "laptop"))
    desk.receive(track(desk, "laptop"), desk.track("ted"), track(desk, "tablet"), desk.track("barney"))
    assert [verdict for _, verdict, _ in reasons(desk)] == ["accepted", *["held"] * 4]
    desk.receive(desk.identify("ted", **TED))
    assert [verdict for _, verdict, _ in reasons(desk)] == ["accepted"] * 3 + ["held"] * 2 + ["accepted"]
    desk.wait(DAY)
    assert desk.lapse() == 4
    assert reasons(desk)[3:5] == [("track", "accepted", "not_identified")] * 2


def test_in_one_batch_an_anonymous_track_may_overtake_its_identify(desk: Desk):
    desk.campaign()
    desk.receive(track(desk, "laptop"), identify(desk, "ted", "laptop"))

    assert decided(desk) == [("ted", "invited", [])]
    assert [verdict for _, verdict, _ in reasons(desk)] == ["accepted", "accepted"]


def test_nobody_says_in_time_whose_browser_it_was(desk: Desk):
    desk.campaign()
    desk.receive(track(desk, "laptop"))
    desk.wait(10 * MINUTE)
    assert desk.lapse() == 1
    desk.receive(identify(desk, "ted", "laptop"))

    assert decided(desk) == [(None, "declined", ["not_identified"])]
    assert reasons(desk)[0][1] == "accepted"
    assert links(desk) == {"laptop": "ted"}


def test_an_identify_that_comes_too_late_does_not_wake_what_waited(desk: Desk):
    desk.campaign()
    desk.receive(track(desk, "laptop"))
    desk.wait(11 * MINUTE)
    desk.receive(identify(desk, "ted", "laptop"))  # the lapse had no time to run
    assert decided(desk) == [(None, "held", ["not_identified"])]

    assert desk.lapse() == 1
    assert decided(desk) == [(None, "declined", ["not_identified"])]


@pytest.mark.parametrize("nobody", ["null", "00000000-0000-0000-0000-000000000000"])
def test_what_no_identify_can_name_does_not_wait(desk: Desk, nobody: str):
    desk.campaign()
    desk.receive(track(desk, nobody))

    assert decided(desk) == [(None, "declined", ["not_identified"])]


def test_a_preview_takes_a_track_of_a_linked_browser_for_that_contacts(desk: Desk):
    desk.receive(track(desk, "laptop"), identify(desk, "ted", "laptop"), track(desk, "tablet"))

    look = partial(recent.of_event, workspace=ACME, names=["Order Completed"], since=NOON - DAY, most=10)
    found, _ = desk.store.read_now(look)
    assert [(each.anonymous_id, each.user_id) for each in found] == [("tablet", None), ("laptop", "ted")]


# ── alias ──


def test_line_11_an_alias_to_itself_is_said_and_changes_nothing(desk: Desk):
    """As analytics.js sends `alias("u2")` and `alias("u3", "u1")` once it knows u1."""
    desk.receive(identify(desk, "u1", "laptop"), alias(desk, "u1", "u1"), alias(desk, "u1", "u1"))

    assert reasons(desk)[1:] == [("alias", "accepted", "alias_of_itself")] * 2
    assert links(desk) == {"laptop": "u1"}
    assert len(desk.rows(tables.contacts)) == 1


def test_line_11_an_alias_between_contacts_merges_nothing(desk: Desk):
    desk.campaign(throttle="30d")
    desk.receive(identify(desk, "u1", None), identify(desk, "u2", None), desk.track("u1", "Order Completed"))
    before = (desk.rows(tables.contacts), decided(desk))
    desk.receive(alias(desk, "u2", "u1"), alias(desk, "u3", "u1"))

    assert (desk.rows(tables.contacts), decided(desk)) == before
    assert reasons(desk)[-2:] == [("alias", "accepted", "alias_between_contacts")] * 2
    assert links(desk) == {}


def test_line_11_an_alias_brings_what_was_anonymous_to_its_user(desk: Desk):
    desk.campaign()
    desk.receive(track(desk, "laptop", "Looked Around"), track(desk, "laptop"), identify(desk, "ted", None))
    desk.receive(alias(desk, "ted", "laptop"))

    assert decided(desk) == [("ted", "invited", [])]
    (row,) = desk.rows(tables.decisions)
    assert [before.cause for before in row.revisions] == ["known by an alias"]
    assert [event for event, _ in theirs(desk, "ted")] == ["Looked Around", "Order Completed", None, None]


def test_an_alias_to_somebody_unknown_waits_on_for_their_identify(desk: Desk):
    desk.campaign()
    desk.receive(track(desk, "laptop"))
    desk.wait(MINUTE)
    desk.receive(alias(desk, "ted", "laptop"))
    assert decided(desk) == [("ted", "held", ["not_identified"])]
    waiting = desk.store.read_now(partial(tail.back, workspace=ACME, wanted=Wanted(verdict="held")))
    assert [each.anonymous_id for each in waiting.found] == ["laptop"]

    desk.wait(MINUTE)
    desk.receive(desk.identify("ted", **TED))
    assert decided(desk) == [("ted", "invited", [])]


def test_fault_29_aliases_in_a_circle_end_and_merge_nobody(desk: Desk):
    circle = [alias(desk, "a", "b"), alias(desk, "b", "a"), alias(desk, "a", "b"), alias(desk, "a", "a")]
    desk.campaign()
    desk.receive(*circle, track(desk, "a"), track(desk, "b"))
    assert links(desk) == {"a": "b", "b": "a"}
    assert [(user, outcome) for user, outcome, _ in decided(desk)] == [("b", "held"), ("a", "held")]

    desk.receive(identify(desk, "a", None), identify(desk, "b", None))
    desk.receive(alias(desk, "a", "b"), alias(desk, "b", "a"))
    assert [(user, outcome) for user, outcome, _ in decided(desk)] == [("b", "invited"), ("a", "invited")]
    assert len(desk.rows(tables.contacts)) == 2
    assert reasons(desk)[-1][2] == "alias_between_contacts"


# ── whatever happens ──


def test_the_same_batch_twice_changes_nothing(desk: Desk):
    desk.campaign()
    batch = [
        track(desk, "laptop"),
        identify(desk, "ted", "laptop"),
        alias(desk, "ted", "phone"),
        track(desk, "phone"),
        desk._message("group", "ted", None, groupId="acme", traits={"plan": "Free"}),
    ]
    looked_at = (
        tables.anonymous_ids,
        tables.groups,
        tables.group_members,
        tables.decisions,
        tables.touches,
        tables.contacts,
    )
    desk.receive(*batch)
    before = [desk.rows(table) for table in looked_at]
    assert desk.receive(*batch).repeated == 5
    desk.wait(5 * DAY)  # its ids are forgotten: it is read as new
    desk.receive(*batch)

    assert [desk.rows(table) for table in looked_at] == before


def test_another_workspace_has_links_of_its_own(desk: Desk):
    desk.receive(identify(desk, "ted", "laptop"))

    assert desk.store.read_now(partial(anonymous.users_of, workspace=2, anonymous_ids=["laptop"])) == {}
    assert desk.store.read_now(partial(anonymous.of_user, workspace=2, user_id="ted")) == []


def test_ids_as_long_as_they_may_be_fit_every_index(desk: Desk):
    long = "".join(chr(0x1F300 + n) for n in range(512))
    desk.campaign()
    group_call = desk._message("group", long, None, groupId=long[::-1], traits={})
    desk.receive(track(desk, long), identify(desk, long[::-1], long, **TED), group_call)

    assert decided(desk) == [(long[::-1], "invited", [])]
    assert len(desk.rows(tables.group_members)) == 1
