"""At most `daily_cap` first mails go out on one UTC day, whatever was in the way meanwhile; on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise

import pytest

from heard.accounts.mail_settings import MailSettings, Rates
from heard.campaigns.campaign import Status
from heard.errors import DeliveryFailed
from heard.steps import send
from heard.store import deliveries, mail_settings, tables
from tests.contracts.desk import ACME, Desk
from tests.contracts.test_waves import ask, ask_list, live, put_on_list, save
from tests.examples import DAY, HOUR, MINUTE, NOON


def by_day(moments: Iterable[datetime]) -> dict[date, int]:
    return dict(sorted(Counter(at.date() for at in moments).items()))


def promised(desk: Desk) -> dict[date, int]:
    """What the ledger has for each day, reminders left out."""
    kept = desk.rows(tables.touches)
    return by_day(each.at for each in kept if each.kind == "first" and each.state != "released")


def happens(desk: Desk, count: int, *, first: int = 0) -> None:
    """So many people do the event, all but at once."""
    for number in range(first, first + count):
        user = f"u{number:03}"
        desk.receive(desk.identify(user, email=f"{user}@x.example"), desk.track(user))
        desk.wait(timedelta(seconds=1))


def overdue(desk: Desk) -> list[str]:
    """What waits to go out, in the order in which it fell due."""
    waits = [row for row in desk.rows(tables.deliveries) if row.state == "scheduled" and row.due_at <= desk.now]
    return [row.id for row in sorted(waits, key=lambda row: (row.due_at, row.id))]


def went_in_order(desk: Desk, names: Iterable[str]) -> bool:
    sent = {row.id: row.sent_at for row in desk.rows(tables.deliveries)}
    return all(sent[earlier] <= sent[later] for earlier, later in pairwise(names))


def test_a_list_that_was_paused_goes_on_with_no_more_a_day_than_its_cap(desk: Desk):
    put_on_list(desk, 60)
    ask_list(desk, daily_cap=10)
    live(desk, NOON + 2 * DAY)
    save(desk, 1, Status.PAUSED)
    assert live(desk, NOON + 5 * DAY) == []
    waited = overdue(desk)
    save(desk, 1, Status.ACTIVE)

    assert max(promised(desk).values()) == 10, "no more is promised"
    after = by_day(live(desk, NOON + 12 * DAY))

    assert list(after) == [(NOON + n * DAY).date() for n in range(5, 8)]
    assert list(after.values()) == [10] * 3
    assert went_in_order(desk, waited)


def test_what_an_event_led_to_is_laid_around_what_is_planned_already(desk: Desk):
    desk.campaign(delay="7d", daily_cap=3)
    for number in range(9):
        happens(desk, 3, first=3 * number)
        desk.now = NOON + (number + 1) * DAY
    save(desk, 1, Status.PAUSED)
    desk.now = NOON + 14 * DAY + 2 * HOUR
    assert desk.send() == []
    save(desk, 1, Status.ACTIVE)

    assert set(promised(desk).values()) == {3}
    assert by_day(live(desk, NOON + 30 * DAY, step=HOUR)) == promised(desk)
    assert len(desk.rows(tables.deliveries)) == 27


def test_on_the_day_of_a_pause_what_went_out_before_counts(desk: Desk):
    put_on_list(desk, 12)
    ask_list(desk, daily_cap=10)
    ask(desk)
    first = [each.delivery for each in claimed(desk, 4)]
    for each in first:
        goes_out(desk, each.id)
    save(desk, 1, Status.PAUSED)
    desk.wait(3 * HOUR)
    save(desk, 1, Status.ACTIVE)

    assert list(by_day(live(desk, NOON + 3 * DAY)).values()) == [6, 2]


@pytest.mark.parametrize("at_once", [100, 3])
def test_a_sender_that_was_away_does_not_make_up_for_it_in_one_day(desk: Desk, at_once: int):
    put_on_list(desk, 45)
    ask_list(desk, daily_cap=10)
    ask(desk)
    desk.wait(3 * DAY)
    waited = overdue(desk)

    days: list[int] = []
    for _ in range(6):
        days.append(len(all_due(desk, at_once)))
        desk.wait(DAY)

    assert days == [10, 10, 10, 10, 5, 0]
    assert went_in_order(desk, waited)
    put_off = desk.rows(tables.postponements)
    assert {each.why for each in put_off} == {"cap"}
    assert all(row.state == "made" for row in desk.rows(tables.touches))


def test_what_is_put_off_comes_when_the_window_opens_and_not_on_a_closed_day(desk: Desk):
    put_on_list(desk, 9)
    window = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00", "zone": "Europe/Berlin"}
    ask_list(desk, daily_cap=3, window=window)  # 22 November 2026 is a Sunday
    ask(desk)
    desk.now = datetime.fromisoformat("2026-11-26T10:00:00+00:00")  # Thursday

    assert len(desk.send()) == 3
    assert promised(desk) == {date(2026, 11, 26): 3, date(2026, 11, 27): 3, date(2026, 11, 30): 3}
    waiting = sorted(row.due_at for row in desk.rows(tables.deliveries) if row.state == "scheduled")
    assert {each.replace(microsecond=0).isoformat()[11:] for each in waiting} == {"08:00:00+00:00"}
    assert len(live(desk, NOON + 14 * DAY, step=HOUR)) == 6
    assert max(promised(desk).values()) == 3


def test_reminders_are_not_counted_and_not_put_off(desk: Desk):
    put_on_list(desk, 8)
    ask_list(desk, daily_cap=2, reminder="1d")
    ask(desk)
    desk.wait(3 * DAY + HOUR)

    for _ in range(6):
        all_due(desk)
        desk.wait(DAY)

    kinds = Counter((row.kind, row.sent_at.date()) for row in desk.rows(tables.deliveries))
    assert [kinds["first", (NOON + n * DAY).date()] for n in range(3, 8)] == [2, 2, 2, 2, 0]
    assert [kinds["reminder", (NOON + n * DAY).date()] for n in range(3, 9)] == [0, 2, 2, 2, 2, 0]


def test_whom_a_mail_server_did_not_take_leaves_room_for_the_next(desk: Desk):
    put_on_list(desk, 6)
    ask_list(desk, daily_cap=2)
    ask(desk)
    desk.wait(2 * DAY)

    assert len(desk.send(failing=DeliveryFailed("550 nobody of that name", permanent=True))) == 2
    desk.now = desk.now.replace(hour=0) + DAY + MINUTE
    assert len(desk.send()) == 2
    assert len(desk.send()) == 0
    assert len(live(desk, NOON + 9 * DAY, step=HOUR)) == 2


def test_what_is_under_way_counts_although_nobody_knows_yet_what_came_of_it(desk: Desk):
    put_on_list(desk, 6)
    ask_list(desk, daily_cap=2)
    ask(desk)
    desk.wait(2 * DAY)

    held = claimed(desk, 1)
    desk.wait(MINUTE)
    sending = claimed(desk, 1, without=[each.delivery.id for each in held])
    desk.store.write_now(partial(send.begin, delivery=sending[0].delivery))
    desk.wait(MINUTE)

    assert claimed(desk, 10, without=[each.delivery.id for each in (*held, *sending)]) == []


def test_one_that_a_crash_left_behind_takes_its_own_place(desk: Desk):
    put_on_list(desk, 3)
    ask_list(desk, daily_cap=1)
    ask(desk)
    desk.wait(2 * DAY)
    before = claimed(desk, 1)
    desk.wait(MINUTE)

    assert [each.id for each in desk.send()] == [each.delivery.id for each in before]


def test_a_rate_and_a_cap_hold_together(desk: Desk):
    put_on_list(desk, 10)
    ask_list(desk, daily_cap=4)
    ask(desk)
    desk.store.write_now(partial(mail_settings.keep, workspace=ACME, settings=MailSettings(rates=Rates(hour=3))))
    desk.wait(3 * DAY)

    assert len(desk.send()) == 3
    assert {each.why for each in desk.rows(tables.postponements)} == {"rate"}
    desk.now = desk.now.replace(minute=0) + HOUR + MINUTE
    assert len(desk.send()) == 1
    assert {each.why for each in desk.rows(tables.postponements)} == {"rate", "cap"}
    assert list(by_day(live(desk, NOON + 9 * DAY, step=MINUTE * 61)).values()) == [4, 2]


def test_campaigns_have_a_cap_each(desk: Desk):
    put_on_list(desk, 6)
    put_on_list(desk, 5, first=11, name="Others")
    ask_list(desk, daily_cap=2)
    ask_list(desk, number=2, list="Others")
    ask(desk)
    desk.wait(2 * DAY)

    assert Counter(each.campaign for each in desk.send()) == {1: 2, 2: 5}


def claimed(desk: Desk, limit: int, *, without: Iterable[str] = ()) -> list[send.Ready]:
    """What a postman takes, who holds `without` already."""
    held = set(without)
    due = desk.store.read_now(partial(deliveries.due, now=desk.now, limit=limit + len(held)))
    others = [each for each in due if each.id not in held]
    return desk.store.write_now(partial(send.still_wanted, claimed=others, directory=desk.directory, now=desk.now))


def goes_out(desk: Desk, name: str) -> None:
    found = desk.store.read_now(partial(deliveries.by_id, workspace=ACME, delivery_id=name))
    assert found is not None
    sending = desk.store.write_now(partial(send.begin, delivery=found))
    desk.store.write_now(partial(send.sent, delivery=sending, directory=desk.directory, now=desk.now))


def all_due(desk: Desk, at_once: int = 100) -> list[str]:
    """Everybody who is asked now, claim after claim."""
    went: list[str] = []
    while desk.store.read_now(partial(deliveries.due, now=desk.now, limit=1)):
        for each in claimed(desk, at_once):
            goes_out(desk, each.delivery.id)
            went.append(each.delivery.id)
    return went
