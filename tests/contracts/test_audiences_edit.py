"""An audience before it is kept, and after it was taken away, over both databases."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from heard.audiences import read
from heard.audiences.audience import Audience, key_of
from heard.operations import audiences_edit, audiences_preview, audiences_seen
from heard.operations.audiences_preview import Counted
from heard.store import audiences, tables
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_audiences import KEY, RECENT, TOTAL, compute_all, define, slide, told, traits_of
from tests.examples import DAY


def preview(desk: Desk, where: dict[str, Any]) -> Counted:
    wanted = Audience(id=0, workspace=ACME, name="Draft", key="draft", condition=read.condition(where, "where"))
    known = audiences_preview.with_draft(desk.directory.book(ACME), wanted)
    return desk.store.read_now(partial(audiences_preview.look, workspace=ACME, known=known, now=desk.now))


def leave(desk: Desk, number: int) -> None:
    desk.store.write_now(lambda connection: audiences.leave(connection, ACME, number))


def asking(desk: Desk, number: int) -> list[str]:
    found = desk.store.read_now(lambda connection: audiences_edit.asking_by(connection, ACME, number))
    return [each.says for each in found]


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """Five contacts; the first three ordered, 20 days ago, and the first once more today."""
    desk.receive(*(desk.identify(f"user {n}", plan="Premium" if n < 2 else "Free") for n in range(5)))
    desk.receive(*(desk.track(f"user {n}", total=10 * n) for n in range(3)), desk.track("nobody"))
    desk.wait(20 * DAY)
    desk.receive(desk.track("user 0", "Completed Order", total=100))
    return desk


@pytest.mark.parametrize(
    ("where", "fit"),
    [
        ({"event": "Order Completed"}, 3),
        ({"event": "Order Completed", "at_least": 2}, 1),
        ({"event": "Order Completed", "within": "7d"}, 1),
        ({"event": "Order Completed", "at_most": 0}, 2),
        ({"event": "Order Completed", "where": "properties.total >= 20"}, 2),
        ({"traits": "traits.plan = 'Premium'"}, 2),
        ({"all": [{"traits": "traits.plan = 'Premium'"}, {"event": "Order Completed", "exactly": 1}]}, 1),
        ({"not": {"event": "Order Completed"}}, 2),
        ({"event": "Never heard of"}, 0),
    ],
)
def test_a_preview_is_how_many_there_are_once_it_is_kept(shop: Desk, where: dict[str, Any], fit: int):
    found = preview(shop, where)
    assert (found.fit, found.looked_at, found.whole) == (fit, 5, True)
    define(shop, {"name": "Draft", "where": where})
    compute_all(shop)
    assert [row.members for row in shop.rows(tables.audiences)] == [fit]


def test_a_preview_leaves_nothing_behind(shop: Desk):
    before = {table: shop.rows(table) for table in (tables.audiences, tables.audience_people, tables.contacts)}
    preview(shop, {"event": "Order Completed"})
    assert before == {table: shop.rows(table) for table in before}


def test_a_preview_asks_another_audience_and_says_while_that_is_still_computed(shop: Desk):
    define(shop, RECENT)
    assert preview(shop, {"audience": RECENT["name"]}).computing == [RECENT["name"]]
    compute_all(shop)
    found = preview(shop, {"all": [{"audience": RECENT["name"]}, {"traits": "traits.plan = 'Free'"}]})
    assert (found.fit, found.computing) == (1, [])
    assert [contact.user_id for contact, _ in found.examples] == ["user 2"]


def test_a_preview_of_much_says_what_it_looked_at(shop: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audiences_preview, "MOST_MESSAGES", 3)
    found = preview(shop, {"event": "Order Completed"})
    assert (found.fit, found.messages) == (2, 3)  # the newest order, nobody's, and that of user 2
    assert found.look is not None
    assert not found.look.whole
    assert found.look.since == shop.now - 20 * DAY
    recent = preview(shop, {"event": "Order Completed", "within": "7d"})
    assert (recent.fit, recent.look and recent.look.whole) == (1, True)  # nothing older could count

    monkeypatch.setattr(audiences_preview, "MOST_CONTACTS", 2)
    monkeypatch.setattr(audiences_preview, "PEOPLE", 2)
    found = preview(shop, {"traits": "traits.plan = 'Free'"})
    assert (found.fit, found.looked_at, found.whole, found.look) == (2, 2, False, None)


def test_a_preview_stops_when_enough_was_counted(shop: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audiences_preview, "MOST_COUNTED", 1)
    monkeypatch.setattr(audiences_preview, "MESSAGES", 1)
    found = preview(shop, {"event": "Order Completed"})
    assert (found.fit, found.messages) == (1, 1)
    assert found.look is not None
    assert not found.look.whole


def test_what_is_taken_away_leaves_no_trait_and_tells_nobody(shop: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("heard.steps.compute.PEOPLE", 2)
    define(shop, RECENT, TOTAL)
    compute_all(shop)
    assert traits_of(shop, "user 0") == {"plan": "Premium", KEY: True, "total_orders": 2}
    before = told(shop)
    number = next(row.id for row in shop.rows(tables.audiences) if row.key == KEY)
    leave(shop, number)
    assert number not in shop.directory.book(ACME).by_id
    compute_all(shop)

    assert traits_of(shop, "user 0") == {"plan": "Premium", "total_orders": 2}
    assert KEY not in traits_of(shop, "user 2")
    assert shop.rows(tables.audience_memberships) == []
    assert [row.key for row in shop.rows(tables.audiences)] == ["total_orders"]
    assert told(shop) == before
    shop.receive(shop.track("user 4"))
    assert traits_of(shop, "user 4") == {"plan": "Free", "total_orders": 1}


def test_another_one_may_have_its_name_at_once(shop: Desk):
    define(shop, RECENT)
    compute_all(shop)
    (row,) = shop.rows(tables.audiences)
    leave(shop, row.id)
    define(shop, {**RECENT, "where": {"event": "Order Completed", "at_least": 2}})
    compute_all(shop)
    assert [traits_of(shop, f"user {n}").get(KEY) for n in range(3)] == [True, None, None]
    assert [row.name for row in shop.rows(tables.audiences)] == [RECENT["name"]]


def test_a_trait_that_somebody_has_of_their_own_stays(shop: Desk):
    define(shop, {"name": "plan", "count": {"event": "Nothing"}})
    compute_all(shop)
    (row,) = shop.rows(tables.audiences)
    leave(shop, row.id)
    compute_all(shop)
    assert traits_of(shop, "user 3") == {"plan": "Free"}


def test_what_goes_by_an_audience_is_known_by_its_name_and_by_its_trait(shop: Desk):
    by_trait = {"name": "By trait", "where": {"traits": f"traits.{KEY}"}}
    by_count = {"name": "By count", "where": {"traits": "traits.total_orders > 2"}}
    define(shop, RECENT, TOTAL, {"name": "By name", "where": {"not": {"audience": RECENT["name"]}}}, by_trait, by_count)
    shop.campaign(1, audience=RECENT["name"])
    shop.campaign(2, where=f"traits.{KEY} and properties.total > 5")
    shop.campaign(3, where="traits.total_orders > 2")
    numbers = {row.key: row.id for row in shop.rows(tables.audiences)}

    assert asking(shop, numbers[KEY]) == [
        "the campaign Campaign 1", "the campaign Campaign 2", "the audience By name", "the audience By trait",
    ]  # fmt: skip
    assert asking(shop, numbers["total_orders"]) == ["the campaign Campaign 3", "the audience By count"]
    assert asking(shop, numbers[key_of("By name")]) == []


def test_members_are_listed_page_by_page_who_entered_last_first(desk: Desk, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(audiences_seen, "PAGE", 2)
    monkeypatch.setattr(audiences_seen, "EXAMINED", 3)
    define(desk, RECENT)
    compute_all(desk)
    for number in range(9):
        user = f"user {number}"
        desk.receive(desk.identify(user), desk.track(user))
        slide(desk, 3 * DAY if number == 3 else DAY / 24)
    desk.receive(desk.track("user 8"), desk.track("user 1"))
    slide(desk, 27 * DAY + DAY / 24)  # the first four leave, but for who ordered again
    (row,) = desk.rows(tables.audiences)
    page = partial(audiences_seen._members, workspace=ACME, number=row.id)  # pyright: ignore[reportPrivateUsage]
    pages: list[list[str | None]] = []
    before = None
    while len(pages) < 20:
        found = desk.store.read_now(partial(page, before=before))
        pages.append([contact.user_id for contact, _ in found.people])
        before = found.further
        if before is None:
            break
    assert [user for some in pages for user in some] == ["user 8", "user 7", "user 6", "user 5", "user 4", "user 1"]
    assert max(map(len, pages)) == 2
    assert row.members == 6
