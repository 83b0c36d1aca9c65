"""A drip's days are as even as quiet periods let them be, and a dry run deals them alike; on both engines."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from functools import partial
from typing import Any

from heard.campaigns.campaign import Status
from heard.operations import campaigns_eligible
from heard.steps import waves
from heard.store import tables
from heard.store import waves as kept_waves
from heard.store.types import micros
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_waves import ask, ask_list, live, put_on_list, save
from tests.examples import DAY, HOUR, MINUTE, NOON


def quiet(desk: Desk, days: int) -> None:
    period = {"quiet_period": micros(datetime.fromtimestamp(0, NOON.tzinfo) + days * DAY)}
    desk.store.write_now(lambda connection: connection.execute(tables.workspaces.update().values(**period)))


def chunk(desk: Desk) -> None:
    desk.store.write_now(partial(waves.go_on, directory=desk.directory, now=desk.now))


def planned(desk: Desk, campaign: int, since: datetime) -> dict[int, datetime]:
    """When each contact is to be asked by a wave that began then."""
    made = desk.rows(tables.deliveries)
    asked = [row for row in made if row.kind == "first" and row.campaign_id == campaign and row.event_at >= since]
    return {row.contact_id: row.due_at for row in asked}


def a_day(moments: Any, start: datetime, days: int) -> list[int]:
    counted = Counter((at - start).days for at in moments)
    return [counted[n] for n in range(days)]


def test_those_who_were_just_asked_are_dealt_over_the_days_that_are_free(desk: Desk):
    put_on_list(desk, 300)
    ask_list(desk)
    live(desk, NOON + 6 * HOUR, step=HOUR)
    quiet(desk, 10)
    desk.now = start = NOON + 6 * HOUR
    ask_list(desk, number=2, drip="30d")

    ask(desk)

    days = a_day(planned(desk, 2, start).values(), start, 30)
    assert (days[:9], sum(days)) == ([0] * 9, 300)
    assert set(days[10:]) == {15}


def test_days_that_are_open_to_everybody_differ_by_one_and_no_other_is_further_ahead(desk: Desk):
    put_on_list(desk, 200)
    ask_list(desk, sample="50%")
    live(desk, NOON + 6 * HOUR, step=HOUR)
    quiet(desk, 10)
    desk.now = start = NOON + 6 * HOUR
    ask_list(desk, number=2, drip="20d")

    ask(desk)

    days = a_day(planned(desk, 2, start).values(), start, 20)
    assert sum(days) > 190
    for_everybody, for_some = days[10:], days[:10]
    assert max(for_everybody) - min(for_everybody) <= 1
    assert max(for_some) <= min(for_everybody) + 1
    assert min(for_some) > 0


def test_a_drip_is_even_however_many_chunks_it_takes_and_however_long_they_take(desk: Desk):
    put_on_list(desk, 1203)
    ask_list(desk, drip="10d", reminder="24h")
    chunk(desk)
    desk.wait(MINUTE)
    while desk.send():
        pass
    chunk(desk)
    desk.wait(MINUTE)
    chunk(desk)

    assert sorted(a_day(planned(desk, 1, NOON).values(), NOON, 10)) == [120] * 7 + [121] * 3


def test_a_wave_that_stopped_for_days_deals_the_rest_over_the_days_that_are_left(desk: Desk):
    put_on_list(desk, 600)
    ask_list(desk, drip="10d")
    chunk(desk)
    save(desk, 1, Status.PAUSED)
    desk.wait(HOUR)
    save(desk, 1, Status.ACTIVE)
    desk.now = NOON + 5 * DAY + HOUR
    chunk(desk)

    assert a_day(planned(desk, 1, NOON).values(), NOON, 10) == [50] * 5 + [70] * 5


def test_another_wave_deals_its_own_people_whatever_is_left_of_the_last_one(desk: Desk):
    put_on_list(desk, 30)
    ask_list(desk, drip="10d")
    ask(desk)
    desk.now = start = NOON + 5 * DAY
    put_on_list(desk, 20, first=31)
    desk.store.write_now(partial(kept_waves.begin, workspace=ACME, campaign=1, everyone=False, now=desk.now))

    ask(desk)

    assert a_day(planned(desk, 1, start).values(), start, 10) == [2] * 10


def test_a_drip_whose_days_are_full_goes_on_behind_them(desk: Desk):
    put_on_list(desk, 40)
    ask_list(desk, drip="5d", daily_cap=6)

    ask(desk)

    days = Counter(at.date() for at in planned(desk, 1, NOON).values())
    assert sorted(days.values()) == [4, 6, 6, 6, 6, 6, 6]


def test_a_dry_run_of_a_list_deals_as_the_wave_does(desk: Desk):
    put_on_list(desk, 700)
    ask_list(desk, list="Customers", sample="30%")
    live(desk, NOON + 6 * HOUR, step=HOUR)
    quiet(desk, 6)
    desk.now = start = NOON + 2 * DAY
    ask_list(desk, number=2, drip="15d", daily_cap=45)
    campaign = desk.directory.campaigns[2]

    would = desk.store.read_now(
        lambda connection: {
            each.contact.id: each.due
            for each in campaigns_eligible.judged(connection, desk.directory, campaign, desk.now, everyone=False)
            if each.contact and each.due
        }
    )
    ask(desk)

    assert len(would) > 600
    assert planned(desk, 2, start) == would
