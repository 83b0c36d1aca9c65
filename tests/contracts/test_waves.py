"""Campaigns that ask a list or an audience, spread over days or not, again after a while or not; on both engines."""

from __future__ import annotations

from collections import Counter
from datetime import date, datetime, timedelta
from functools import partial
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection

from heard.campaigns.campaign import Status
from heard.contacts.contact import Contact
from heard.contacts.standing import Kind, Suppression
from heard.deliveries.reasons import Reason
from heard.steps import turns, waves
from heard.store import contacts, edits, lists, tables
from heard.store import waves as kept_waves
from heard.store.types import micros
from tests.contracts.desk import ACME, SURVEY, Desk
from tests.examples import DAY, HOUR, MINUTE, NOON


def put_on_list(desk: Desk, count: int, *, first: int = 1, name: str = "Customers") -> None:
    """Contacts known by address alone."""

    def work(connection: Connection) -> None:
        people = [
            Contact(
                id=number, workspace=ACME, user_id=None, email=f"c{number}@example.com", first_seen=NOON - 400 * DAY
            )
            for number in range(first, first + count)
        ]
        contacts.keep(connection, people)
        lists.put_on(connection, ACME, name, [each.id for each in people], micros(desk.now))

    desk.store.write_now(work)


def ask_list(desk: Desk, *, number: int = 1, **settings: Any) -> None:
    """Made as a page or a file makes it, ready to run."""
    written = {"channel": "email", "recipients": "list", "list": "Customers", **settings}
    save(desk, number, Status.READY, written)


def save(desk: Desk, number: int, status: Status, settings: dict[str, Any] | None = None) -> None:
    def work(connection: Connection) -> None:
        known = {row["id"]: row for row in edits.rows_of(connection, tables.campaigns, ACME)}.get(number)
        kept = known["settings"] if known else {}
        edits.keep_campaign(
            connection,
            ACME,
            known,
            survey_name="NPS",
            now=desk.now,
            name=f"Campaign {number}",
            survey_id=SURVEY,
            settings=settings if settings is not None else kept,
            status=status.value,
        )

    desk.store.write_now(work)


def ask(desk: Desk) -> None:
    """Everything that campaigns ask by themselves now."""
    for module in (waves, turns):
        while desk.store.read_now(partial(module.anything, directory=desk.directory, now=desk.now)):
            step = module.go_on if module is waves else module.take
            asked = desk.store.write_now(partial(step, directory=desk.directory, now=desk.now))
            assert asked.worked


def live(desk: Desk, until: datetime, *, step: timedelta = 6 * HOUR) -> list[datetime]:
    """Step by step; gives when each mail went out."""
    sent: list[datetime] = []
    while desk.now < until:
        ask(desk)
        sent += [desk.now for _ in desk.send()]
        desk.wait(step)
    return sent


def status(desk: Desk) -> str:
    return desk.rows(tables.campaigns)[0].status


def outcomes(desk: Desk) -> Counter[str]:
    return Counter(row.outcome for row in desk.rows(tables.decisions))


def reasons(desk: Desk) -> Counter[Reason]:
    return Counter(no.reason for row in desk.rows(tables.decisions) for no in row.objections)


def test_everybody_on_the_list_is_asked_once_and_then_the_campaign_is_complete(desk: Desk):
    put_on_list(desk, 1203)
    ask_list(desk)

    ask(desk)

    assert outcomes(desk) == {"invited": 1203}
    assert len({row.contact_id for row in desk.rows(tables.deliveries)}) == 1203
    assert status(desk) == "active"
    while desk.send():
        pass
    ask(desk)
    assert status(desk) == "complete"


def test_a_list_without_anybody_is_waited_for(desk: Desk):
    ask_list(desk)
    ask(desk)
    assert (status(desk), desk.rows(tables.decisions)) == ("ready", [])

    put_on_list(desk, 2)
    ask(desk)

    assert outcomes(desk) == {"invited": 2}


def test_a_campaign_with_a_date_asks_nobody_before_it(desk: Desk):
    put_on_list(desk, 3)
    ask_list(desk, starts=(NOON + 2 * DAY).isoformat())

    ask(desk)
    assert desk.rows(tables.decisions) == []
    start = desk.store.read_now(partial(waves.next_start, directory=desk.directory, now=desk.now))
    assert start == NOON + 2 * DAY

    desk.wait(2 * DAY)
    ask(desk)
    assert outcomes(desk) == {"invited": 3}


def test_the_rules_hold_for_a_list_as_for_everybody(desk: Desk):
    put_on_list(desk, 4)
    nobody = Suppression(kind=Kind.UNSUBSCRIBED, on=True, at=NOON, email_key="c2@example.com")
    desk.store.write_now(lambda connection: contacts.suppress(connection, ACME, nobody, "said so"))
    ask_list(desk, where="traits.plan = 'Premium' or email != 'nobody'", sample="100%")
    ask(desk)

    assert reasons(desk)[Reason.UNSUBSCRIBED] == 1
    assert outcomes(desk)["invited"] == 3


def test_a_condition_speaks_of_traits(desk: Desk):
    desk.receive(
        desk.identify("ted", email="ted@mosby.example", plan="Premium"), desk.identify("marshall", email="m@e.x")
    )
    numbers = [row.id for row in desk.rows(tables.contacts)]
    desk.store.write_now(lambda connection: lists.put_on(connection, ACME, "Customers", numbers, micros(NOON)))
    ask_list(desk, where="traits.plan = 'Premium'")

    ask(desk)

    assert desk.decisions("ted") == [("invited", [])]
    assert desk.decisions("marshall") == [("declined", ["conditions_not_met"])]


def test_a_drip_over_thirty_days_sends_even_slices(desk: Desk):
    put_on_list(desk, 305)
    ask_list(desk, drip="30d")

    sent = Counter(at.date() for at in live(desk, NOON + 31 * DAY))

    assert len(sent) == 30
    assert sorted(sent.values()) == [10] * 25 + [11] * 5
    assert status(desk) == "complete"


def test_a_drip_on_weekdays_leaves_nobody_for_a_monday(desk: Desk):
    put_on_list(desk, 220)
    window = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00", "zone": "Europe/Berlin"}
    ask_list(desk, drip="30d", window=window)  # 22 November 2026 is a Sunday

    sent = Counter(at.date() for at in live(desk, NOON + 32 * DAY))

    assert all(day.weekday() < 5 for day in sent)
    assert max(sent.values()) - min(sent.values()) <= 1, "not three days in one"


def test_a_day_that_is_full_moves_the_rest_to_the_next(desk: Desk):
    put_on_list(desk, 25)
    ask_list(desk, daily_cap=10)

    sent = Counter(at.date() for at in live(desk, NOON + 4 * DAY))

    assert sorted(sent.values()) == [5, 10, 10]


def test_a_drip_gives_whoever_was_just_asked_a_later_day(desk: Desk):
    put_on_list(desk, 10)
    ask_list(desk, number=1)
    live(desk, NOON + DAY)
    survey = {"quiet_period": "5d"}
    desk.store.write_now(lambda connection: connection.execute(tables.surveys.update().values(settings=survey)))
    ask_list(desk, number=2, drip="10d")

    sent = live(desk, desk.now + 11 * DAY)

    assert len(sent) == 10
    assert min(sent) >= NOON + 5 * DAY


def test_sending_again_asks_the_new_ones_or_everybody(desk: Desk):
    put_on_list(desk, 3)
    ask_list(desk)
    live(desk, NOON + 2 * DAY)
    assert status(desk) == "complete"
    put_on_list(desk, 2, first=4)

    save(desk, 1, Status.READY)
    live(desk, desk.now + DAY)
    assert outcomes(desk) == {"invited": 5, "declined": 3}
    assert reasons(desk) == {Reason.ALREADY_INVITED: 3}

    save(desk, 1, Status.READY)
    again = partial(kept_waves.begin, workspace=ACME, campaign=1, everyone=True, now=desk.now)
    assert not desk.store.write_now(again), "one wave at a time"


def test_everyone_means_everyone(desk: Desk):
    put_on_list(desk, 3)
    ask_list(desk)
    live(desk, NOON + 2 * DAY)
    desk.store.write_now(partial(kept_waves.begin, workspace=ACME, campaign=1, everyone=True, now=desk.now))
    desk.store.write_now(lambda connection: connection.execute(tables.campaigns.update().values(status="ready")))

    assert len(live(desk, desk.now + DAY)) == 3


def test_whoever_was_taken_off_the_list_is_not_written_to(desk: Desk):
    put_on_list(desk, 3)
    ask_list(desk, delay="2d")
    ask(desk)
    number = desk.store.read_now(lambda connection: lists.number_of(connection, ACME, "Customers"))
    desk.store.write_now(lambda connection: lists.take_off(connection, ACME, number or 0, 2))

    live(desk, NOON + 3 * DAY)

    assert desk.states() == ["cancelled", "sent", "sent"]
    assert reasons(desk) == {Reason.NOT_IN_AUDIENCE: 1}


def test_a_crash_in_a_wave_repeats_nobody(desk: Desk):
    put_on_list(desk, 700)
    ask_list(desk)
    step = partial(waves.go_on, directory=desk.directory, now=desk.now)
    desk.store.write_now(step)
    assert len(desk.rows(tables.decisions)) == 500

    ask(desk)  # whoever comes after begins where the last transaction ended

    assert len(desk.rows(tables.decisions)) == 700


def test_a_pause_keeps_a_drip_and_resuming_goes_on_where_it_stopped(desk: Desk):
    put_on_list(desk, 40)
    ask_list(desk, drip="20d")
    before = live(desk, NOON + 5 * DAY)
    save(desk, 1, Status.PAUSED)
    assert live(desk, NOON + 12 * DAY) == []
    save(desk, 1, Status.ACTIVE)

    after = live(desk, NOON + 30 * DAY)

    assert len(before) == 10
    assert Counter(Counter(at.date() for at in after).values()) == {2: 15}
    touches = {row.delivery_id: row.at for row in desk.rows(tables.touches)}
    assert all(touches[row.id] == row.sent_at for row in desk.rows(tables.deliveries))


def test_a_drip_on_weekdays_stays_even_after_a_pause(desk: Desk):
    put_on_list(desk, 220)
    window = {"days": ["mon", "tue", "wed", "thu", "fri"], "from": "09:00", "to": "17:00", "zone": "Europe/Berlin"}
    ask_list(desk, drip="30d", window=window)
    before = live(desk, NOON + 3 * DAY)
    save(desk, 1, Status.PAUSED)
    assert live(desk, NOON + 5 * DAY) == []
    save(desk, 1, Status.ACTIVE)

    after = live(desk, NOON + 40 * DAY)

    assert len(before) + len(after) == 220
    sent = Counter(at.date() for at in (*before, *after))
    assert set(sent.values()) == {10, 11}
    days = sorted({at.date() for at in after})
    assert days == [day for day in all_days(days[0], days[-1]) if day.weekday() < 5], "one slice after the other"


def test_a_pause_in_which_no_slice_fell_due_moves_none(desk: Desk):
    put_on_list(desk, 30)
    ask_list(desk, drip="10d")
    live(desk, NOON + 2 * DAY)
    planned = sorted(row.due_at for row in desk.rows(tables.deliveries))
    desk.now = NOON + 2 * DAY - HOUR
    save(desk, 1, Status.PAUSED)
    desk.wait(MINUTE)
    save(desk, 1, Status.ACTIVE)

    assert sorted(row.due_at for row in desk.rows(tables.deliveries)) == planned


def all_days(first: date, last: date) -> list[date]:
    return [first + timedelta(days=n) for n in range((last - first).days + 1)]


def test_resuming_spreads_what_fell_due_meanwhile(desk: Desk):
    desk.campaign(delay="1d")
    for number in range(8):
        user = f"u{number}"
        desk.receive(desk.identify(user, email=f"{user}@x.example"), desk.track(user))
        desk.wait(HOUR)
    save(desk, 1, Status.PAUSED)
    desk.wait(4 * DAY)
    assert desk.send() == []
    save(desk, 1, Status.ACTIVE)

    sent = live(desk, desk.now + HOUR, step=MINUTE)

    assert len(sent) == 8
    assert [later - earlier for earlier, later in pairwise(sent)] == [MINUTE] * 7
    asked = {row.id: row.user_id for row in desk.rows(tables.deliveries)}
    touches = {row.delivery_id: row.at for row in desk.rows(tables.touches)}
    assert sorted(asked.values(), key=lambda user: touches[next(k for k, v in asked.items() if v == user)]) == [
        f"u{number}" for number in range(8)
    ], "as they had fallen due"


def test_asking_again_waits_a_round_and_never_breaks_a_quiet_period(desk: Desk):
    put_on_list(desk, 5)
    ask_list(desk, recurring="60d")
    survey = {"quiet_period": "90d"}
    desk.store.write_now(lambda connection: connection.execute(tables.surveys.update().values(settings=survey)))

    live(desk, NOON + 730 * DAY, step=DAY)

    by_contact: dict[int, list[datetime]] = {}
    for row in desk.rows(tables.deliveries):
        by_contact.setdefault(row.contact_id, []).append(row.sent_at)
    for moments in by_contact.values():
        moments.sort()
        assert all(later - earlier >= 90 * DAY for earlier, later in pairwise(moments))
        assert len(moments) == 9
    assert status(desk) == "active"


def test_whoever_unsubscribes_is_not_asked_again_and_comes_back_a_round_after(desk: Desk):
    put_on_list(desk, 1)
    ask_list(desk, recurring="30d")
    live(desk, NOON + DAY)

    def say(on: bool) -> None:
        row = Suppression(kind=Kind.UNSUBSCRIBED, on=on, at=desk.now, contact=1)
        desk.store.write_now(lambda connection: contacts.suppress(connection, ACME, row, "said so"))

    say(True)
    assert live(desk, NOON + 40 * DAY) == []
    say(False)
    assert [at - NOON for at in live(desk, NOON + 70 * DAY)] == [timedelta(days=60)]


def test_an_event_campaign_can_recur_and_an_event_between_moves_the_turn(desk: Desk):
    desk.campaign(recurring="30d", throttle="7d")
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))
    live(desk, NOON + 10 * DAY)
    desk.receive(desk.track("ted"))
    desk.send()

    sent = live(desk, NOON + 71 * DAY)

    assert [at - NOON for at in sent] == [timedelta(days=40), timedelta(days=70)]
    assert {row.campaign_version for row in desk.rows(tables.deliveries)} == {1}


def test_a_turn_waits_while_the_campaign_is_paused(desk: Desk):
    put_on_list(desk, 1)
    ask_list(desk, recurring="30d")
    live(desk, NOON + DAY)
    save(desk, 1, Status.PAUSED)
    assert live(desk, NOON + 50 * DAY) == []
    assert desk.store.read_now(partial(turns.next_due, directory=desk.directory, now=desk.now)) is None
    save(desk, 1, Status.ACTIVE)

    assert len(live(desk, desk.now + DAY)) == 1
