"""Between all surveys and none: fewer, or not this one. For the mailbox too, for what is queued, and until undone."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection

from heard.contacts.standing import Wishes, standing, wishes
from heard.steps import leave
from heard.store import contacts, decisions, directory, tables
from tests.contracts.desk import ACME, SURVEY, Desk
from tests.examples import DAY, HOUR


def wish(desk: Desk, which: str, user: str = "ted", *, on: bool = True, survey: int = SURVEY) -> None:
    def keep(connection: Connection) -> None:
        person = contacts.by_user_id(connection, ACME, [user])[user]
        said: dict[str, Any] = {"on": on, "cause": "by the link in a mail", "now": desk.now}
        whose = (connection, ACME, person.id, person.email_key)
        if which == "less":
            leave.less_often(*whose, **said)
        else:
            leave.not_this_one(*whose, directory.load(connection).surveys[survey], **said)

    desk.store.write_now(keep)


def holds(desk: Desk) -> Wishes:
    def look(connection: Connection) -> Wishes:
        person = contacts.by_user_id(connection, ACME, ["ted"])["ted"]
        rows = contacts.suppressions_of(connection, ACME, [person.id], [])
        assert standing(rows) == frozenset()
        return wishes(rows)

    return desk.store.read_now(look)


def asked(desk: Desk, user: str = "ted", *, event: str = "Order Completed") -> list[str]:
    """Who is mailed after this user's next event."""
    desk.receive(desk.identify(user, email="ted@mosby.example"), desk.track(user, event))
    return [each.user_id or "" for each in desk.send()]


@pytest.fixture
def shop(desk: Desk) -> Desk:
    """Two campaigns of two surveys; Ted got the first one's mail, and has a reminder to come."""
    desk.add(tables.surveys, workspace_id=ACME, id=2, name="After support", kind="csat", settings={}, version=1)
    desk.campaign(reminder="3d")
    desk.campaign(2, event="Ticket Solved")
    two = tables.campaigns.update().where(tables.campaigns.c.id == 2).values(survey_id=2)
    desk.store.write_now(lambda connection: connection.execute(two))
    assert asked(desk) == ["ted"]
    desk.wait(2 * DAY)
    return desk


def test_less_often_is_one_survey_in_180_days_over_all_campaigns(shop: Desk):
    wish(shop, "less")
    assert holds(shop) == Wishes(less_often=True)
    shop.wait(170 * DAY)
    assert asked(shop, event="Ticket Solved") == []
    assert shop.decisions("ted")[-1] == ("declined", ["workspace_quiet_period"])
    shop.wait(8 * DAY)

    assert asked(shop, event="Ticket Solved") == ["ted"]
    shop.wait(2 * DAY)
    assert asked(shop) == []


def test_less_often_takes_the_reminder_back(shop: Desk):
    wish(shop, "less")
    shop.wait(2 * DAY)

    assert shop.send() == []
    assert shop.states() == ["cancelled", "sent"]
    (reminder,) = [row for row in shop.rows(tables.deliveries) if row.kind == "reminder"]
    assert reminder.error == "Not sent: workspace_quiet_period."


def test_less_often_is_minded_by_what_is_queued(shop: Desk):
    shop.campaign(3, event="Signed Up", delay="5d")
    shop.receive(shop.track("ted", "Signed Up"))
    wish(shop, "less")
    shop.wait(6 * DAY)

    assert shop.send() == []
    found = shop.store.read_now(partial(decisions.about, workspace=ACME, user_id="ted", contact=None))[0]
    assert found.outcome.value == "declined"
    assert "They asked to be asked less often." in found.objections[0].detail


def test_not_this_one_leaves_the_others(shop: Desk):
    wish(shop, "not this", survey=SURVEY)
    assert holds(shop) == Wishes(surveys=frozenset({SURVEY}))
    shop.wait(400 * DAY)

    assert asked(shop) == []
    assert shop.decisions("ted")[-1] == ("declined", ["unsubscribed"])
    assert asked(shop, event="Ticket Solved") == ["ted"]


def test_not_this_one_cancels_what_is_queued_of_it_at_once(shop: Desk):
    shop.campaign(3, event="Signed Up", delay="5d")  # of the first survey
    shop.receive(shop.track("ted", "Signed Up"))
    wish(shop, "not this", survey=2)
    assert shop.states() == ["scheduled", "scheduled", "sent"]
    wish(shop, "not this", survey=SURVEY)

    assert shop.states() == ["cancelled", "cancelled", "sent"]


@pytest.mark.parametrize("which", ["less", "not this"])
def test_a_wish_holds_for_everybody_behind_the_mailbox(shop: Desk, which: str):
    wish(shop, which)
    shop.wait(3 * DAY)

    assert asked(shop, "evelyn") == []


@pytest.mark.parametrize("which", ["less", "not this"])
def test_a_wish_can_be_taken_back_and_both_stay_on_record(shop: Desk, which: str):
    wish(shop, which)
    shop.wait(HOUR)
    wish(shop, which, on=False)

    assert holds(shop) == Wishes()
    assert [bool(row.on) for row in shop.rows(tables.suppressions)] == [True, False]
    shop.wait(3 * DAY)
    assert asked(shop) == ["ted"]
