"""The surveys destination's daily limit: what is over it waits in its order for the next UTC day, and none is lost."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from heard.operations.destinations_seen import destinations
from heard.operations.why import why
from heard.store import contacts, days, deliveries, lists, waiting
from tests.contracts.front import Front, front, identify, track

SURVEYS = [{"name": "Relationship NPS", "kind": "nps"}]
CAMPAIGN = {
    "name": "Post-purchase",
    "survey": "Relationship NPS",
    "channel": "email",
    "event": "Order Completed",
    "status": "ready",
}
DAY = timedelta(days=1)


def heard_destination(**settings: Any) -> dict[str, Any]:
    return {"name": "Heard", "type": "surveys", "settings": settings}


async def limited(heard: Front, limit: int | None) -> None:
    settings = {} if limit is None else {"daily_limit": limit}
    await heard.apply(heard_destination(**settings), surveys=SURVEYS, campaigns=[CAMPAIGN])


def waits(heard: Front) -> int:
    return heard.app.store.read_now(lambda connection: waiting.count(connection, 1))


async def decisions(heard: Front, user: str) -> list[tuple[str, list[str], list[str]]]:
    """(outcome, reasons, causes of revisions), the newest first."""
    found = await why(heard.app, user_id=user)
    return [
        (each["outcome"], [no["reason"] for no in each["objections"]], [was["cause"] for was in each["revisions"]])
        for each in found["decisions"]
    ]


def test_what_is_over_the_limit_waits_for_the_next_day_and_says_so(tmp_path: Path):
    async def story(heard: Front) -> None:
        await limited(heard, 2)
        await heard.receive(identify("ann", email="ann@example.com"), identify("bob", email="bob@example.com"))
        await heard.receive(track("ann"), identify("cid", email="cid@example.com"), track("cid"))
        await heard.settle()

        assert heard.verdicts()[2:] == [("held", "intake_limit")] * 3
        assert heard.counts("Heard") == {"delivered": 2}
        assert await decisions(heard, "ann") == [("held", ["intake_limit"], [])]
        (held,) = (await why(heard.app, user_id="cid"))["decisions"]
        assert held["objections"][0]["until"].endswith("T00:00:00Z")

        await heard.pass_time(2 * DAY)
        assert waits(heard) == 0
        assert heard.verdicts() == [("accepted", None)] * 5
        assert heard.counts("Heard") == {"delivered": 5}  # each counted when it was taken
        for user in ("ann", "cid"):
            assert await decisions(heard, user) == [("invited", [], ["the day's allowance"])]
        assert len(heard.app.store.read_now(lambda found: deliveries.newest(found, 1))) == 2

    front(tmp_path, story)


def test_who_comes_later_waits_behind_those_who_wait(tmp_path: Path):
    async def story(heard: Front) -> None:
        await limited(heard, 3)
        await heard.receive(*(identify(f"user {n}") for n in range(8)))
        await heard.settle()
        assert waits(heard) == 5
        await heard.pass_time(DAY)
        assert waits(heard) == 2
        await heard.receive(identify("late"))
        await heard.settle()
        assert waits(heard) == 3
        people = heard.app.store.read_now(lambda found: contacts.by_user_id(found, 1, {"late", "user 5", "user 6"}))
        assert set(people) == {"user 5"}
        await heard.pass_time(DAY)
        assert waits(heard) == 0

    front(tmp_path, story)


def test_line_24_a_burst_of_syncs_is_counted_and_loses_no_later_track(tmp_path: Path):
    async def story(heard: Front) -> None:
        await limited(heard, 50)
        await heard.receive(identify("ann", email="ann@example.com"))
        sync = {"personas": {"computation_class": "audience"}}
        await heard.receive(*({**identify(f"user {n}", loyal=True), "context": sync} for n in range(120)))
        await heard.receive(track("ann"))
        await heard.settle()
        assert await decisions(heard, "ann") == [("held", ["intake_limit"], [])]
        await heard.pass_time(3 * DAY)
        assert await decisions(heard, "ann") == [("invited", [], ["the day's allowance"])]

    front(tmp_path, story)


def test_a_limit_that_is_taken_away_lets_everybody_in_at_once(tmp_path: Path):
    async def story(heard: Front) -> None:
        await limited(heard, 1)
        await heard.receive(identify("ann"), identify("bob"), identify("cid"))
        await heard.settle()
        assert waits(heard) == 2
        await limited(heard, None)
        await heard.settle()
        assert waits(heard) == 0

    front(tmp_path, story)


def test_a_limit_counts_the_whole_day_whenever_it_is_set_or_set_again(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.app.pipeline.advance((heard.app.clock.now() + DAY).replace(hour=11))
        await limited(heard, None)
        await heard.receive(
            *(identify(f"user {n}") for n in range(4)), {**identify("no"), "integrations": {"All": False}}
        )
        await heard.settle()
        await limited(heard, 5)  # at noon: four were taken in the morning
        await heard.receive(identify("fifth"), identify("sixth"), identify("seventh"))
        await heard.settle()
        assert waits(heard) == 2
        assert heard.verdicts()[5:] == [("accepted", None), *[("held", "intake_limit")] * 2]

        await limited(heard, None)  # and off, for the afternoon: those two are taken, and count
        await heard.receive(identify("eighth"))
        await heard.settle()
        assert waits(heard) == 0
        await limited(heard, 9)
        await heard.receive(identify("ninth"), identify("tenth"))
        await heard.settle()
        assert waits(heard) == 1
        await heard.app.pipeline.advance((heard.app.clock.now() + DAY).replace(hour=0, minute=1))
        assert waits(heard) == 0
        await heard.receive(*(identify(f"new {n}") for n in range(9)))  # the tenth was today's first
        await heard.settle()
        assert waits(heard) == 1

    front(tmp_path, story)


def test_a_track_that_waited_for_its_day_and_then_for_its_identify_is_asked(tmp_path: Path):
    async def story(heard: Front) -> None:
        await limited(heard, 1)
        await heard.receive(identify("somebody"), track("ann"))
        await heard.settle()
        await heard.app.pipeline.advance((heard.app.clock.now() + DAY).replace(hour=0, minute=1))
        assert await decisions(heard, "ann") == [("held", ["not_identified"], ["the day's allowance"])]
        await limited(heard, None)
        await heard.receive(identify("ann", email="ann@example.com"))
        await heard.settle()
        assert await decisions(heard, "ann") == [("invited", [], ["the day's allowance", "identified"])]
        assert heard.verdicts()[1] == ("accepted", None)

    front(tmp_path, story)


def test_everybody_who_is_identified_is_put_on_the_list(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(heard_destination(list="Segment List"))
        await heard.receive(identify("ann"), identify("ann", plan="Premium"), identify("bob"))
        await heard.settle()
        people = heard.app.store.read_now(lambda found: contacts.by_user_id(found, 1, {"ann", "bob"}))
        found_on = heard.app.store.read_now(
            lambda found: {user: lists.of_contact(found, 1, each.id) for user, each in people.items()}
        )
        assert found_on == {"ann": ["Segment List"], "bob": ["Segment List"]}

    front(tmp_path, story)


def test_a_decision_that_waits_for_its_day_is_told_when_nothing_waits_for_it_any_more(tmp_path: Path):
    async def story(heard: Front) -> None:
        await limited(heard, 1)
        await heard.receive(identify("somebody"), track("ann"), track("bob"))
        await heard.settle()
        assert await decisions(heard, "ann") == [("held", ["intake_limit"], [])]
        await heard.apply(
            heard_destination(daily_limit=1), surveys=SURVEYS, campaigns=[{**CAMPAIGN, "event": "Trial Ended"}]
        )
        await heard.pass_time(3 * DAY)
        assert waits(heard) == 0
        for user in ("ann", "bob"):
            assert await decisions(heard, user) == [("declined", ["campaign_not_running"], ["the day's allowance"])]

    front(tmp_path, story)


def test_what_a_filter_leaves_nothing_of_does_not_wait_and_what_waited_is_not_held_for_ever(tmp_path: Path):
    async def story(heard: Front) -> None:
        nothing = [{"if": "event = 'Order Completed'", "then": {"drop_properties": ["userId"]}}]
        await limited(heard, 1)
        await heard.receive(identify("somebody"), track("ann"))
        await heard.settle()
        await heard.apply(
            {**heard_destination(daily_limit=1), "filters": nothing}, surveys=SURVEYS, campaigns=[CAMPAIGN]
        )
        await heard.receive(track("bob"))
        await heard.settle()
        assert waits(heard) == 1
        await heard.pass_time(2 * DAY)
        assert waits(heard) == 0
        assert heard.verdicts()[1:] == [("accepted", "filtered")] * 2
        assert heard.counts("Heard") == {"delivered": 1, "refused:filtered": 2}
        assert await decisions(heard, "ann") == [("declined", ["campaign_not_running"], ["the day's allowance"])]
        assert await decisions(heard, "bob") == []

    front(tmp_path, story)


def test_one_message_that_heard_fails_at_does_not_keep_those_behind_it_waiting(tmp_path: Path):
    async def story(heard: Front) -> None:
        await limited(heard, 1)
        await heard.receive(identify("somebody"), track("ann"), identify("bob"))
        await heard.settle()

        def spoil(connection: Connection) -> None:  # as an older version, or a hand in the database, may leave one
            day = days.kept(connection)[0]
            connection.exec_driver_sql(
                f"UPDATE messages_{day} SET body = replace(body, '{{}}', '[]') WHERE user_id = 'ann'"
            )

        heard.app.store.write_now(spoil)
        await heard.pass_time(3 * DAY)
        assert waits(heard) == 0
        assert heard.verdicts()[2] == ("accepted", None)
        assert [outcome for outcome, _, _ in await decisions(heard, "ann")] == ["declined"]

    front(tmp_path, story)


def test_what_surveys_took_is_counted_by_the_hour_and_what_was_kept_from_them_beside_it(tmp_path: Path):
    async def story(heard: Front) -> None:
        await limited(heard, None)
        await heard.apply({**heard_destination(), "events": {"Page Scrolled": False}}, surveys=SURVEYS)
        await heard.receive(
            identify("ann"),
            track("ann"),
            track("ann", "Page Scrolled"),
            {**track("ann"), "integrations": {"Heard": False}},
            track("not identified yet"),
            {"type": "no such type"},
        )
        await heard.settle()
        verdicts = heard.verdicts()
        assert ("held", "not_identified") in verdicts
        assert [verdict for verdict, _ in verdicts].count("rejected") == 1
        counted = {"delivered": 3, "refused:event_switch": 1, "refused:integrations_object": 1}
        assert heard.counts("Heard") == counted

        (told,) = await destinations(heard.app, workspace=1)
        refused = {"event_switch": 1, "integrations_object": 1}
        assert told["last_24_hours"] == {"delivered": 3, "retried": None, "discarded": None, "refused": refused}
        await heard.pass_time(26 * DAY / 24)
        (told,) = await destinations(heard.app, workspace=1)
        assert told["last_24_hours"] == {"delivered": 0, "retried": None, "discarded": None, "refused": {}}

    front(tmp_path, story)
