"""Any stream, read twice, with time going by: members are who they would be if all was counted anew."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heard.operations import audiences_preview
from heard.store import tables
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_audiences import compute_all, define, slide
from tests.examples import NOON

HOUR = timedelta(hours=1)
USERS = ("ann", "bob")
MODEST = {"not": {"audience": "big"}}
DEFINED: tuple[dict[str, Any], ...] = (
    {"name": "twice", "where": {"event": "Order Completed", "at_least": 2, "within": "3d"}},
    {"name": "once at most", "where": {"event": "Sign In", "at_most": 1, "within": "2d"}},
    {"name": "big", "where": {"event": "Order Completed", "where": "properties.total > 5"}},
    {"name": "premium", "where": {"traits": "traits.plan = 'Premium'"}},
    {"name": "either", "where": {"any": [{"audience": "twice"}, {"all": [MODEST, {"audience": "premium"}]}]}},
    {"name": "orders", "count": {"event": "Order Completed"}},
    {"name": "spent", "sum": {"event": "Order Completed", "property": "total", "within": "3d"}},
    {"name": "latest", "last": {"event": "Order Completed", "property": "total"}},
    {"name": "often", "where": {"traits": "traits.orders >= 3"}},
)  # fmt: skip

message = st.one_of(
    st.tuples(st.just("identify"), st.sampled_from(USERS), st.sampled_from(["Premium", "Free"])),
    st.tuples(st.just("Order Completed"), st.sampled_from(USERS), st.integers(1, 9)),
    st.tuples(st.just("Sign In"), st.sampled_from(USERS), st.integers(1, 9)),
)
step = st.tuples(st.lists(message, min_size=1, max_size=4), st.integers(0, 40), st.booleans())


def after(stream: Any, folder: Path, *, live: bool) -> dict[str, Any]:
    """What everybody has at the end; defined before anything came, or after all of it."""
    desk = Desk(f"sqlite:///{folder / f'{live}.db'}")
    try:
        if live:
            define(desk, *DEFINED)
            compute_all(desk)
        for batch, hours, read_twice in stream:
            sent = [
                desk.identify(who, plan=said) if kind == "identify" else desk.track(who, kind, total=said)
                for kind, who, said in batch
            ]
            record = desk.record({"batch": sent})
            desk.route([record])
            if read_twice:
                desk.route([record])
            slide(desk, hours * HOUR)
        if not live:
            define(desk, *DEFINED)
            compute_all(desk)
        return {
            row.user_id: {
                key: value for key, value in msgspec.json.decode(row.traits).items() if value not in (False, 0, None)
            }
            for row in desk.rows(tables.contacts)
        }
    finally:
        desk.close()


def counted_anew(stream: Any) -> dict[str, dict[str, Any]]:
    """The same by brute force, from every event and its moment."""
    now, events, plans = NOON, [], {}
    for batch, hours, _ in stream:
        for kind, who, said in batch:
            if kind == "identify":
                plans[who] = said
            else:
                events.append((who, kind, said, now))
        now += hours * HOUR
    found: dict[str, dict[str, Any]] = {}
    for who, plan in plans.items():
        mine = [each for each in events if each[0] == who]
        orders = [each for each in mine if each[1] == "Order Completed"]
        recent = [each for each in orders if each[3] > now - timedelta(days=3)]
        by_day = [each for each in orders if _end_of_day(each[3]) + timedelta(days=3) > now]
        signed_in = [each for each in mine if each[1] == "Sign In" and each[3] > now - timedelta(days=2)]
        told: dict[str, Any] = {
            "plan": plan, "twice": len(recent) >= 2, "once_at_most": len(signed_in) <= 1,
            "big": any(each[2] > 5 for each in orders), "premium": plan == "Premium",
            "orders": len(orders), "often": len(orders) >= 3,
            "spent": sum(each[2] for each in by_day) if by_day else None,
        }  # fmt: skip
        told["either"] = told["twice"] or (told["premium"] and not told["big"])
        if orders:
            last = max(each[3] for each in orders)
            told["latest"] = max((each[2] for each in orders if each[3] == last), key=str)
        found[who] = {key: value for key, value in told.items() if value not in (False, 0, None)}
    return found


def _end_of_day(moment: Any) -> Any:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stream=st.lists(step, min_size=1, max_size=6))
def test_members_are_who_they_would_be_if_all_was_counted_anew(stream):
    expected = counted_anew(stream)
    with tempfile.TemporaryDirectory() as folder:
        assert after(stream, Path(folder), live=True) == expected
        assert after(stream, Path(folder), live=False) == expected


@given(st.lists(step, min_size=1, max_size=8))
@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_preview_counts_who_is_a_member_once_it_is_kept(stream: Any):
    with tempfile.TemporaryDirectory() as folder:
        desk = Desk(f"sqlite:///{Path(folder) / 'preview.db'}")
        try:
            define(desk, *DEFINED)
            compute_all(desk)
            for batch, hours, _ in stream:
                desk.receive(
                    *(
                        desk.identify(who, plan=said) if kind == "identify" else desk.track(who, kind, total=said)
                        for kind, who, said in batch
                    )
                )
                slide(desk, hours * HOUR)
            known = desk.directory.book(ACME)
            for each in known.all:
                draft = audiences_preview.with_draft(known, each, instead=each.id)
                found = desk.store.read_now(partial(audiences_preview.look, workspace=ACME, known=draft, now=desk.now))
                people = [msgspec.json.decode(row.traits).get(each.key) for row in desk.rows(tables.contacts)]
                assert found.fit == sum(bool(value) for value in people), each.name
                assert [value for _, value in found.examples] == [value for value in reversed(people) if value]
                assert (found.looked_at, found.whole) == (len(people), True)
                assert found.look is None or found.look.whole
        finally:
            desk.close()
