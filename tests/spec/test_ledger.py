"""The ledger: no two touches nearer than allowed, whatever happens in whatever order."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from heard.deliveries.case import Case, Policy
from heard.deliveries.eligibility import FLOOR, Invite, decide, reconsider
from heard.deliveries.ledger import Touch, Touches, TouchKind, TouchState, first_free_moment
from tests.examples import DAY, HOUR, MARSHALL, NOON, a_campaign, a_touch, a_trigger


def test_the_first_free_moment_looks_past_what_is_still_to_come():
    touches = [a_touch(at=NOON), a_touch(at=NOON + 40 * DAY)]

    assert first_free_moment(touches, NOON + 5 * DAY, 30 * DAY) == NOON + 70 * DAY


def test_the_first_free_moment_lies_between_two_touches_when_there_is_room():
    touches = [a_touch(at=NOON), a_touch(at=NOON + 60 * DAY)]

    assert first_free_moment(touches, NOON + 5 * DAY, 30 * DAY) == NOON + 30 * DAY


def test_without_touches_now_is_free():
    assert first_free_moment([], NOON, 30 * DAY) == NOON


moments = st.integers(0, 200 * 24).map(lambda hours: NOON + hours * HOUR)
periods = st.integers(1, 90).map(lambda days: days * DAY)


@given(st.lists(moments, max_size=6), moments, periods)
def test_the_first_free_moment_is_free_and_is_the_first(at: list[datetime], after: datetime, period: timedelta):
    touches = Touches(a_touch(at=each) for each in at)

    free = first_free_moment(touches, after, period)

    assert free >= after
    assert not touches.near(free, period)
    candidates = [after, *(each + period for each in at)]
    assert not any(after <= one < free and not touches.near(one, period) for one in candidates)


class World:
    """One mailbox, some campaigns, and a sender that is late: what really reaches the person."""

    def __init__(self, throttles: list[timedelta], quiet: timedelta | None, metric_quiet: timedelta | None) -> None:
        self.campaigns = [a_campaign(id=number, throttle=each) for number, each in enumerate(throttles)]
        self.policy = Policy(quiet_period=quiet, max_event_age=400 * DAY)
        self.metric_quiet = metric_quiet
        self.ledger: dict[str, Touch] = {}
        self.now = NOON
        self.decided: set[tuple[int, str]] = set()

    def case(self, campaign: int, due: datetime, *, leaving_out: str = "") -> Case:
        touches = Touches(self.ledger.values()).without(leaving_out)
        return Case(
            campaign=self.campaigns[campaign],
            policy=self.policy,
            now=self.now,
            due=due,
            trigger=a_trigger(at=self.now),
            contact=MARSHALL,
            touches=touches,
            metric_quiet_period=self.metric_quiet,
        )

    def trigger(self, campaign: int, message: str, delay: timedelta) -> None:
        if (campaign, message) in self.decided:
            return
        self.decided.add((campaign, message))
        if isinstance(decide(self.case(campaign, self.now + delay)), Invite):
            delivery = f"{campaign}/{message}"
            self.ledger[delivery] = a_touch(
                at=self.now + delay, campaign=campaign, state=TouchState.RESERVED, delivery=delivery
            )

    def send(self, delivery: str) -> None:
        """When due or late: the rules are asked again at the moment of sending."""
        touch = self.ledger[delivery]
        if touch.state != TouchState.RESERVED or touch.at > self.now:
            return
        answer = reconsider(self.case(touch.campaign, self.now, leaving_out=delivery))
        state = TouchState.MADE if isinstance(answer, Invite) else TouchState.RELEASED
        self.ledger[delivery] = msgspec.structs.replace(touch, state=state, at=self.now)

    def made(self) -> list[Touch]:
        return sorted((t for t in self.ledger.values() if t.state == TouchState.MADE), key=lambda touch: touch.at)


steps = st.one_of(
    st.tuples(st.just("trigger"), st.integers(0, 2), st.sampled_from("abcdefgh"), st.integers(0, 40)),
    st.tuples(st.just("wait"), st.integers(0, 24 * 40), st.none(), st.none()),
    st.tuples(st.just("put off"), st.integers(0, 9), st.integers(1, 24 * 20), st.none()),
    st.tuples(st.just("send"), st.integers(0, 9), st.none(), st.none()),
)


@settings(max_examples=400, deadline=None)
@given(
    throttles=st.lists(periods, min_size=3, max_size=3),
    quiet=st.none() | periods,
    metric_quiet=st.none() | periods,
    story=st.lists(steps, max_size=40),
)
def test_no_two_touches_are_nearer_than_allowed(
    throttles: list[timedelta], quiet: timedelta | None, metric_quiet: timedelta | None, story: list[tuple]
):
    world = World(throttles, quiet, metric_quiet)
    for what, one, two, three in story:
        waiting = [d for d, t in world.ledger.items() if t.state == TouchState.RESERVED]
        if what == "trigger":
            world.trigger(one, two, three * DAY)
        elif what == "wait":
            world.now += one * HOUR
        elif waiting and what == "put off":  # the mail server is away: the due moment moves
            delivery = waiting[one % len(waiting)]
            later = max(world.now, world.ledger[delivery].at) + two * HOUR
            world.ledger[delivery] = msgspec.structs.replace(world.ledger[delivery], at=later)
        elif waiting:
            world.send(waiting[one % len(waiting)])

    made = world.made()
    for index, touch in enumerate(made):
        for later in made[index + 1 :]:
            apart = later.at - touch.at
            assert apart >= FLOOR
            assert quiet is None or apart >= quiet
            assert metric_quiet is None or apart >= metric_quiet
            if touch.campaign == later.campaign:
                assert apart >= throttles[touch.campaign]


def test_a_reminder_is_no_first_ask():
    touches = Touches([a_touch(at=NOON, kind=TouchKind.REMINDER), a_touch(at=NOON)])

    assert [touch.kind for touch in touches.first_asks()] == [TouchKind.FIRST]
