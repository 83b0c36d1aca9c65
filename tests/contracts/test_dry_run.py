"""A dry run equals what happened, decision by decision, wherever its inputs are kept; and changes nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import Connection

from heard.errors import DeliveryFailed, Invalid
from heard.operations import dry_run
from heard.scores.window import rfc3339
from heard.steps import leave, waves
from heard.store import contacts, tables
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_consents import MINDING, said, saying
from tests.contracts.test_waves import ask_list, put_on_list
from tests.examples import DAY, HOUR, NOON

PEOPLE = [f"u{number}" for number in range(12)]
FAILURES = (None, None, None, DeliveryFailed("550 never", permanent=True))
KEPT = (
    tables.contacts,
    tables.decisions,
    tables.deliveries,
    tables.touches,
    tables.suppressions,
    tables.campaigns,
    tables.cursors,
    tables.tallies,
    tables.anonymous_ids,
)


def result(desk: Desk, campaign: int = 1, *, days: int = 60) -> dict[str, Any]:
    def look(connection: Connection) -> dict[str, Any]:
        known = desk.directory
        steps = dry_run.result(connection, known, known.campaigns[campaign], desk.now - days * DAY, desk.now)
        return dry_run.last(steps)

    return desk.store.read_now(look)


def a_story(
    desk: Desk,
    random: Random,
    days: int,
    *,
    looks: float = 1,
    failures: Sequence[Any] = FAILURES,
    zones: Sequence[dict[str, Any]] = ({},),
) -> None:
    """Two campaigns compete for the same few people, who change their traits, leave, come back and arrive late.

    `looks`: how often somebody looks whether anything is due. `zones`: what their browsers may say of where they are.
    """
    for _ in range(days * 4):
        desk.wait(timedelta(hours=random.randint(3, 9), minutes=random.randint(0, 59)))
        user = random.choice(PEOPLE)
        what = random.random()
        if what < 0.3:
            plan = random.choice(["Free", "Premium"])
            email = None if random.random() < 0.1 else f"{user}@x.example"
            where = {"context": random.choice(zones)} if len(zones) > 1 else {}
            desk.receive(desk.identify(user, email=email, plan=plan) | where)
        elif what < 0.75:
            event = random.choice(["Order Completed", "Order Completed", "Ticket Solved"])
            desk.receive(desk.track(user, event, total=random.randint(1, 100)))
        elif what < 0.8:
            desk.receive(desk.track(user, at=desk.now - random.randint(1, 4) * DAY, total=50))
        elif what < 0.85:
            wish = random.choice([leave.subscribe, leave.subscribe, leave.less_often])
            say_of_surveys(desk, user, wish, on=random.random() < 0.6)
        elif what < 0.9:  # the browser is known by its anonymous id, then by whose it is
            stranger = desk.track(None, total=40) | {"anonymousId": f"a{random.randint(0, 4)}"}
            desk.receive(stranger)
            if random.random() < 0.5:
                desk.wait(timedelta(minutes=5))
                desk.receive(desk.identify(user, email=f"{user}@x.example") | {"anonymousId": stranger["anonymousId"]})
        if random.random() < looks:
            desk.lapse()
        desk.wait(timedelta(seconds=1))  # what arrives is routed before anybody looks whether something is due
        if random.random() < looks:
            desk.send(failing=random.choice(failures))
    desk.wait(timedelta(seconds=1))
    desk.send()


def say_of_surveys(desk: Desk, user: str, wish: Callable[..., None], *, on: bool) -> None:
    def say(connection: Connection) -> None:
        if (known := contacts.by_user_id(connection, ACME, [user]).get(user)) is not None:
            wish(connection, ACME, known.id, known.email_key, on=on, cause="said so", now=desk.now)

    desk.store.write_now(say)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_it_equals_what_happened_decision_by_decision(desk: Desk, seed: int):
    desk.campaign(1, where="properties.total > 20 and traits.plan != 'Free'", throttle="20d", delay="1d", reminder="3d")
    desk.campaign(2, event="Ticket Solved", throttle="5d", sample="70%", reminder="24h")
    survey = {"quiet_period": "10d"}
    desk.store.write_now(lambda connection: connection.execute(tables.surveys.update().values(settings=survey)))
    a_story(desk, Random(seed), 40)
    before = {table.name: desk.rows(table) for table in KEPT}

    for campaign in (1, 2):
        for days in (365, 15):
            found = result(desk, campaign, days=days)
            assert found["differences"] == []
            assert (found["different"], found["same"]) == (0, found["really"]["decided"])
            assert found["would"] == found["really"]
            assert found["same"] > 3

    assert {table.name: desk.rows(table) for table in KEPT} == before, "nothing was kept"


@pytest.mark.parametrize("seed", [1, 2])
def test_it_equals_what_happened_when_mails_were_put_off(desk: Desk, seed: int):
    hours = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}
    desk.campaign(1, throttle="10d", delay="1d", reminder="3d", window=hours)
    desk.campaign(2, event="Ticket Solved", throttle="5d", window=hours | {"to": "12:00"}, reminder="24h")
    busy = DeliveryFailed("450 later", permanent=False)
    a_story(desk, Random(seed), 60, looks=0.4, failures=(*FAILURES, busy, busy))

    for campaign in (1, 2):
        for days in (365, 25):
            found = result(desk, campaign, days=days)
            assert found["differences"] == []
            assert found["would"] == found["really"]
    assert {each.why for each in desk.rows(tables.postponements)} == {"rules", "failed"}


@pytest.mark.parametrize("seed", [1, 2])
def test_it_equals_what_happened_on_the_clock_of_each_browser(desk: Desk, seed: int):
    hours = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "12:00", "zone": "contact"}
    desk.campaign(1, throttle="10d", delay="6h", reminder="3d", window=hours)
    desk.campaign(2, event="Ticket Solved", throttle="5d", window=hours, reminder="24h")
    names = ["America/Los_Angeles", "Asia/Tokyo", "Europe/Berlin", "Pacific/Kiritimati", "Middle Earth", None, 7]
    a_story(desk, Random(seed), 60, zones=[{}, *({"timezone": name} for name in names)])

    for campaign in (1, 2):
        for days in (365, 25):
            found = result(desk, campaign, days=days)
            assert found["differences"] == []
            assert found["would"] == found["really"]
    kept = {each.zone for each in desk.rows(tables.contacts)} - {None}
    assert kept <= set(names[:4])
    assert len(kept) > 2


def test_the_zone_that_a_browser_said_counts_from_when_it_said_so(desk: Desk):
    desk.campaign(throttle="10d", window={"from": "09:00", "to": "10:00", "zone": "contact"})
    ted, sent = desk.identify("ted", email="ted@mosby.example"), list[datetime]()
    desk.receive(ted)
    desk.wait(2 * DAY)
    for name in (None, "America/Los_Angeles", "Asia/Tokyo", "Middle Earth"):
        if name:
            desk.receive({**ted, "messageId": name, "context": {"timezone": name}})
        desk.receive(desk.track("ted"))
        desk.now = max(each.due_at for each in desk.rows(tables.deliveries))
        sent += [desk.now for _ in desk.send()]
        desk.wait(11 * DAY)
    assert [each.hour for each in sent] == [9, 17, 0, 0], "nine in UTC, in Los Angeles, and in Tokyo twice"

    for days, left_out in ((60, 0), (46, 0), (30, 2)):  # what was said before the second and third is gone through too
        found = result(desk, days=days)

        assert found["differences"] == []
        assert found["would"] == found["really"]
        due = sorted(each["due_at"] for each in found["sample"])
        assert due == [rfc3339(each) for each in sent[left_out:]]


@pytest.mark.parametrize("seed", [1, 2])
def test_it_equals_what_happened_when_a_day_was_full(desk: Desk, seed: int):
    hours = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00"}
    desk.campaign(1, throttle="5d", delay="1d", reminder="3d", daily_cap=1)
    desk.campaign(2, event="Ticket Solved", throttle="5d", window=hours, reminder="24h", daily_cap=1, quota=5)
    busy = DeliveryFailed("450 later", permanent=False)
    a_story(desk, Random(seed), 60, looks=0.4, failures=(*FAILURES, busy, busy))

    for campaign in (1, 2):
        for days in (365, 40, 25, 10):  # asks of before are counted as well
            found = result(desk, campaign, days=days)
            assert found["differences"] == []
            assert found["would"] == found["really"]
    assert {each.why for each in desk.rows(tables.postponements)} == {"rules", "failed", "cap"}
    reasons = {no.reason.value for each in desk.rows(tables.decisions) for no in each.objections}
    assert {"campaign_daily_cap", "quota_reached"} <= reasons
    days = Counter((row.campaign_id, row.at.date()) for row in desk.rows(tables.touches) if is_first_and_made(row))
    assert set(days.values()) == {1}


def is_first_and_made(row: Any) -> bool:
    return row.kind == "first" and row.state == "made"


def test_what_was_said_before_and_arrived_after_stood_in_nobodys_way(desk: Desk):
    desk.intake(**MINDING)
    desk.campaign(throttle="30d")
    desk.receive(saying(desk.identify("ted", email="ted@mosby.example"), Marketing=True))
    desk.wait(DAY)
    desk.receive(desk.track("ted", total=30))
    desk.wait(HOUR)
    desk.receive(said(desk, "ted", desk.now - 12 * HOUR, browser="b1", Marketing=False))
    desk.wait(40 * DAY)
    desk.receive(desk.track("ted", total=30))

    found = result(desk)

    assert found["differences"] == []
    assert (found["really"]["invited"], found["really"]["reasons"]) == (1, {"consent_denied": 1})


def test_what_is_said_after_an_event_but_before_anybody_looked_came_after_it(desk: Desk):
    desk.intake(**MINDING)
    desk.campaign(throttle="30d", delay="3d")
    desk.receive(saying(desk.identify("ted", email="ted@mosby.example"), Marketing=True))
    desk.wait(DAY)
    event = desk.record({"batch": [desk.track("ted", total=30)]})
    desk.wait(HOUR)
    word = desk.record({"batch": [said(desk, "ted", Marketing=False)]})
    desk.wait(HOUR)
    again = desk.record({"batch": [desk.track("ted", total=30)]})
    desk.wait(HOUR)
    desk.route([event, word, again])
    desk.wait(4 * DAY)
    desk.send()

    found = result(desk)

    assert found["differences"] == []
    assert found["would"] == found["really"]
    assert found["really"]["reasons"] == {"consent_denied": 2}


def test_what_another_setting_would_have_changed_is_followed_on(desk: Desk):
    desk.campaign(throttle="30d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"))
    for _ in range(5):
        desk.receive(desk.track("ted", total=30))
        desk.send()
        desk.wait(5 * DAY)
    desk.store.write_now(
        lambda connection: connection.execute(
            tables.campaigns.update().values(
                settings={"channel": "email", "event": "Order Completed", "throttle": "10d", "reminder": "24h"}
            )
        )
    )

    found = result(desk)

    assert found["really"]["invited"] == 1
    assert found["would"]["invited"] == 3
    assert (found["would"]["sent"], found["would"]["reminded"]) == (3, 3)
    assert found["different"] == 2
    assert {each["did"]["outcome"] for each in found["differences"]} == {"declined"}


def test_a_draft_can_be_tried_before_it_asks_anybody(desk: Desk):
    desk.campaign(status="draft", daily_cap=2, throttle="90d")
    for number in range(5):
        desk.receive(desk.identify(f"u{number}", email=f"u{number}@x.example"), desk.track(f"u{number}"))
        desk.wait(HOUR)
    desk.receive(desk.track("nobody"))
    desk.wait(HOUR)

    found = result(desk)

    assert found["really"]["invited"] == 0
    assert found["would"]["invited"] == 2
    assert found["would"]["reasons"] == {"campaign_daily_cap": 3, "not_identified": 1}
    assert sorted({each["outcome"] for each in found["sample"]}) == ["declined", "invited"]


def test_messages_that_are_gone_are_spoken_of(desk: Desk):
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"))
    desk.wait(3 * DAY)
    desk.receive(desk.track("ted"))
    desk.store.write_now(lambda connection: connection.exec_driver_sql(f"DELETE FROM messages_{NOON:%Y%m%d}"))

    found = result(desk)

    assert found["would"]["invited"] == 1
    assert any("first identify is kept no longer" in sentence for sentence in found["could_not_know"])


def test_a_list_is_told_whom_it_would_ask_now_and_an_api_campaign_has_no_past(desk: Desk):
    put_on_list(desk, 12)
    ask_list(desk, drip="3d")
    found = result(desk)
    assert found["really"] is None
    assert [each["invited"] for each in found["would"]["by_day"]] == [4, 4, 4]
    assert desk.rows(tables.decisions) == []
    assert desk.store.read_now(lambda each: waves.anything(each, directory=desk.directory, now=desk.now))

    ask_list(desk, number=2, recipients="api", list=None)
    with pytest.raises(Invalid, match="whom a program names"):
        result(desk, 2)
