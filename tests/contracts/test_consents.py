"""What people said of consent is kept where it changed something, and asked before anybody is; on both engines."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any

from sqlalchemy import event

from heard.contacts.consent import Change, changes, consent_at
from heard.store import consents, decisions, tables
from tests.contracts.desk import ACME, Desk
from tests.examples import DAY, MINUTE, NOON

TED: dict[str, Any] = {"email": "ted@mosby.example"}
MINDING = {"consent_categories": ["Marketing"]}


def saying(message: dict[str, Any], **preferences: Any) -> dict[str, Any]:
    return message | {"context": {"consent": {"categoryPreferences": preferences}}}


def said(desk: Desk, user: str | None, at: datetime | None = None, *, browser: str | None = None, **preferences: Any):
    """A track that no campaign waits for, of a user, a browser, or both."""
    message = saying(desk.track(user, "Looked Around", at=at), **preferences)
    return message | ({"anonymousId": browser} if browser else {})


def history(desk: Desk, user: str = "ted") -> list[tuple[datetime, str, bool]]:
    found = desk.store.read_now(partial(consents.of_user, workspace=ACME, user_id=user))
    return [(each.at, each.category, each.yes) for each in reversed(changes(found))]


def on_record(desk: Desk, user: str = "ted", at: datetime | None = None) -> dict[str, bool]:
    found = desk.store.read_now(partial(consents.of_user, workspace=ACME, user_id=user))
    return {category: each.yes for category, each in consent_at(found, at).items()}


def details(desk: Desk, user: str = "ted") -> list[str]:
    found = desk.store.read_now(partial(decisions.about, workspace=ACME, user_id=user, contact=None))
    return [no.detail for each in reversed(found) for no in each.objections]


@contextmanager
def counted(desk: Desk) -> Iterator[Counter[str]]:
    """How often rows of which table were asked for by what writes."""
    found: Counter[str] = Counter()

    def note(*arguments: Any) -> None:
        statement: str = arguments[2]
        if statement.startswith("SELECT"):
            found.update(name for name in ("consents", "categoryPreferences") if name in statement + str(arguments[3]))

    engine: Any = desk.store._writing
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield found
    finally:
        event.remove(engine, "before_cursor_execute", note)


# ── what is kept ──


def test_a_word_is_kept_where_it_changes_something_with_where_it_came_from(desk: Desk):
    desk.receive(said(desk, "ted", Marketing=True, Sale=False), said(desk, "ted", Marketing=True, Sale=False))
    desk.wait(DAY)
    desk.receive(said(desk, "ted", Marketing=True, Sale=False), said(desk, "ted", Marketing=False, Sale=False))
    desk.wait(DAY)
    desk.receive(said(desk, "ted", Marketing=False, Sale=False))

    found = desk.store.read_now(partial(consents.of_user, workspace=ACME, user_id="ted"))
    assert len(desk.rows(tables.consents)) == 2
    assert changes(found)[0] == Change(at=NOON + DAY, category="Marketing", yes=False, source=1, message_id="m4")
    assert on_record(desk) == {"Marketing": False, "Sale": False}
    assert on_record(desk, at=NOON) == {"Marketing": True, "Sale": False}


def test_every_type_of_call_counts_and_the_track_that_tells_of_it(desk: Desk):
    updated = desk.track("ted", "Segment Consent Preference Updated")
    desk.receive(saying(updated, Marketing=True))
    for number, kind in enumerate(("identify", "page", "screen", "group")):
        desk.wait(MINUTE)
        rest = {"groupId": "g"} if kind == "group" else {}
        desk.receive(saying(desk._message(kind, "ted", None, **rest), Marketing=bool(number % 2)))

    assert [yes for _, _, yes in history(desk)] == [True, False, True, False, True]


def test_what_says_nothing_is_not_kept(desk: Desk):
    odd = [{}, {"consent": {}}, {"consent": {"categoryPreferences": {}}}, {"consent": "yes"}, {"consent": None}]
    desk.receive(*(desk.track("ted") | {"context": context} for context in odd))
    desk.receive(said(desk, None, browser="null", Marketing=False))  # nobody's: it would make one person of many

    assert desk.rows(tables.consents) == []


def test_a_batchs_own_context_counts_for_its_messages(desk: Desk):
    body = {"batch": [desk.track("ted")], "context": {"consent": {"categoryPreferences": {"Marketing": False}}}}
    desk.route([desk.record(body)])

    assert on_record(desk) == {"Marketing": False}


def test_it_is_kept_also_where_surveys_do_not_get_the_message(desk: Desk):
    desk.intake(**MINDING)
    desk.receive(saying(desk.identify("ted", **TED), Marketing=False))

    assert desk.rows(tables.contacts) == []
    assert on_record(desk) == {"Marketing": False}


def test_nobody_elses_words_are_in_it(desk: Desk):
    desk.receive(said(desk, "ted", Marketing=False), said(desk, "lily", Marketing=True))
    desk.receive(said(desk, None, browser="ted", Marketing=True))  # a browser that is called like a user

    assert (on_record(desk), on_record(desk, "lily"), on_record(desk, "robin")) == (
        {"Marketing": False},
        {"Marketing": True},
        {},
    )


def test_a_category_may_be_called_anything(desk: Desk):
    odd: dict[str, Any] = {"100 %": True, "ärger \U0001f600": True, "x" * 5000: False, '"': True}
    desk.receive(said(desk, "ted", **odd))

    assert on_record(desk) == odd


# ── late words ──


def test_an_older_word_that_arrives_late_stands_at_its_place(desk: Desk):
    desk.receive(said(desk, "ted", Marketing=False))
    desk.wait(DAY)
    desk.receive(said(desk, "ted", NOON - DAY, Marketing=True))

    assert history(desk) == [(NOON - DAY, "Marketing", True), (NOON, "Marketing", False)]
    assert on_record(desk) == {"Marketing": False}


def test_a_late_yes_does_not_outweigh_a_no_that_was_only_said_again(desk: Desk):
    """The second no changed nothing, so no row says that it was later than the yes: their messages do."""
    desk.receive(said(desk, "ted", Marketing=False))
    desk.wait(2 * DAY)
    desk.receive(said(desk, "ted", Marketing=False))
    desk.wait(2 * DAY)
    desk.receive(said(desk, "ted", Marketing=False))
    assert len(desk.rows(tables.consents)) == 1
    desk.wait(DAY)
    desk.receive(said(desk, "ted", NOON + DAY, Marketing=True))

    assert [(at - NOON, yes) for at, _, yes in history(desk)] == [
        (0 * DAY, False),
        (1 * DAY, True),
        (2 * DAY, False),
    ]


def test_in_one_batch_too(desk: Desk):
    desk.wait(4 * DAY)
    days = (1, 3, 4, 2)
    desk.receive(*(said(desk, "ted", NOON + day * DAY, Marketing=day == 2) for day in days))

    assert [((at - NOON) // DAY, yes) for at, _, yes in history(desk)] == [(1, False), (2, True), (3, False)]


def test_a_clock_that_is_ahead_says_nothing_of_tomorrow(desk: Desk):
    desk.receive(said(desk, "ted", NOON + DAY, Marketing=True))
    desk.wait(MINUTE)
    desk.receive(said(desk, "ted", Marketing=False))

    assert on_record(desk) == {"Marketing": False}


# ── who said it ──


def test_what_a_browser_said_joins_the_user_when_an_identify_names_both(desk: Desk):
    desk.receive(said(desk, None, browser="laptop", Marketing=False))
    desk.wait(DAY)
    assert on_record(desk) == {}
    desk.receive(desk.identify("ted", **TED) | {"anonymousId": "laptop"})

    assert history(desk) == [(NOON, "Marketing", False)]


def test_an_alias_does_the_same_and_what_the_browser_says_later_is_theirs(desk: Desk):
    desk.receive(said(desk, None, browser="laptop", Marketing=False))
    desk.receive(desk._message("alias", "ted", None, previousId="laptop"))
    desk.wait(DAY)
    desk.receive(said(desk, None, browser="laptop", Marketing=True))

    assert history(desk) == [(NOON, "Marketing", False), (NOON + DAY, "Marketing", True)]


def test_two_who_turn_out_to_be_one_said_it_all_in_the_order_of_time(desk: Desk):
    """Each said something again that changed nothing of its own; together it does."""
    for n, (user, browser, yes) in enumerate(
        [("ted", None, True), (None, "phone", False), ("ted", None, True), (None, "phone", False)]
    ):
        desk.now = NOON + n * DAY
        desk.receive(said(desk, user, browser=browser, Marketing=yes))
    assert len(desk.rows(tables.consents)) == 2
    desk.receive(desk.identify("ted", **TED) | {"anonymousId": "phone"})

    assert [((at - NOON) // DAY, yes) for at, _, yes in history(desk)] == [(0, True), (1, False), (2, True), (3, False)]


def test_two_browsers_that_become_theirs_at_once(desk: Desk):
    desk.receive(said(desk, None, browser="phone", Marketing=False))
    desk.wait(DAY)
    desk.receive(said(desk, None, browser="laptop", Marketing=True))
    desk.wait(DAY)
    desk.receive(said(desk, None, browser="phone", Marketing=False))
    desk.receive(*(desk.identify("ted") | {"anonymousId": each} for each in ("phone", "laptop")))

    assert [((at - NOON) // DAY, yes) for at, _, yes in history(desk)] == [(0, False), (1, True), (2, False)]


def test_what_a_browser_said_before_is_its_first_users_alone(desk: Desk):
    """Also when a late word of the next one has their messages read again."""
    desk.receive(said(desk, None, browser="tablet", Marketing=True))
    desk.wait(DAY)
    desk.receive(desk.identify("ted") | {"anonymousId": "tablet"}, said(desk, None, browser="tablet", Sale=True))
    desk.wait(DAY)
    desk.receive(desk.identify("lily") | {"anonymousId": "tablet"}, said(desk, "lily", Marketing=False))
    desk.wait(DAY)
    desk.receive(said(desk, "lily", NOON - DAY, Marketing=False, Sale=False))
    desk.receive(said(desk, "lily", NOON - DAY / 2, Sale=True), said(desk, "lily", NOON - DAY / 4, Sale=False))

    assert on_record(desk) == {"Marketing": True, "Sale": True}
    assert on_record(desk, "lily") == {"Marketing": False, "Sale": False}


def test_a_shared_browser_says_it_of_whoever_identified_last(desk: Desk):
    desk.receive(desk.identify("ted") | {"anonymousId": "tablet"}, said(desk, None, browser="tablet", Marketing=False))
    desk.wait(DAY)
    desk.receive(desk.identify("lily") | {"anonymousId": "tablet"}, said(desk, None, browser="tablet", Marketing=True))

    assert (on_record(desk), on_record(desk, "lily")) == ({"Marketing": False}, {"Marketing": True})


# ── what it costs ──


def test_a_batch_asks_once_and_only_where_it_carries_consent(desk: Desk):
    desk.receive(desk.identify("ted") | {"anonymousId": "laptop"}, said(desk, "ted", Marketing=True))
    desk.wait(MINUTE)
    with counted(desk) as asked:
        desk.receive(desk.identify("ted") | {"anonymousId": "laptop"}, desk.track("ted"), desk.track("lily"))
    assert asked["consents"] == 0

    with counted(desk) as asked:
        desk.receive(*(said(desk, f"user {n}", Marketing=n % 2 == 0) for n in range(50)))
    assert asked == {"consents": 1}

    desk.wait(2 * MINUTE)
    with counted(desk) as asked:
        desk.receive(*(said(desk, f"user {n}", desk.now - MINUTE, Marketing=n % 2 == 1) for n in range(50)))
    assert asked == {"consents": 1, "categoryPreferences": 1}
    assert on_record(desk, "user 0") == {"Marketing": False}


def test_a_word_of_now_reads_no_message_of_before(desk: Desk):
    desk.receive(said(desk, "ted", Marketing=True))
    desk.wait(MINUTE)
    with counted(desk) as asked:
        desk.receive(said(desk, "ted", Marketing=False))

    assert asked["categoryPreferences"] == 0
    assert on_record(desk) == {"Marketing": False}


# ── who is asked ──


def test_who_refused_on_record_is_not_asked_for_an_event_that_says_nothing(desk: Desk):
    desk.intake(**MINDING)
    desk.campaign()
    desk.receive(desk.identify("ted", **TED), said(desk, "ted", Marketing=False))
    desk.wait(DAY)
    desk.receive(desk.track("ted"))

    assert desk.decisions("ted") == [("declined", ["consent_denied"])]
    assert details(desk) == [f"No consent to Marketing since {NOON.day} {NOON:%b %Y}."]


def test_what_was_never_spoken_of_is_not_enforced(desk: Desk):
    desk.intake(**MINDING)
    desk.campaign()
    desk.receive(desk.identify("ted", **TED), said(desk, "ted", Sale=False), desk.track("ted"))

    assert desk.decisions("ted") == [("invited", [])]


def test_the_newest_word_counts_for_an_event_that_carried_an_older_yes(desk: Desk):
    desk.intake(**MINDING)
    desk.campaign()
    desk.receive(desk.identify("ted", **TED), said(desk, "ted", Marketing=False))
    desk.receive(saying(desk.track("ted", at=NOON - MINUTE), Marketing=True))
    desk.receive(saying(desk.track("ted", at=NOON + MINUTE), Marketing=True))  # the clock is ahead: said at NOON

    assert [reasons for _, reasons in desk.decisions("ted")] == [["consent_denied"]] * 2
    desk.wait(MINUTE)
    desk.receive(saying(desk.track("ted"), Marketing=True))
    assert desk.decisions("ted")[-1] == ("invited", [])


def test_a_refusal_of_before_the_identify_counts_for_what_waited(desk: Desk):
    desk.intake(**MINDING)
    desk.campaign()
    browser = {"anonymousId": "laptop"}
    desk.receive(said(desk, None, browser="laptop", Marketing=False), desk.track(None) | browser)
    desk.receive(desk.identify("ted", **TED) | browser)

    assert desk.decisions("ted") == [("declined", ["consent_denied"])]


def test_who_withdraws_between_decision_and_mail_is_not_mailed(desk: Desk):
    desk.intake(**MINDING)
    desk.campaign(delay="2d")
    desk.receive(desk.identify("ted", **TED), saying(desk.track("ted"), Marketing=True))
    assert desk.decisions("ted") == [("invited", [])]
    desk.wait(DAY)
    desk.receive(said(desk, "ted", Marketing=False))
    desk.wait(2 * DAY)

    assert desk.send() == []
    assert desk.states() == ["cancelled"]
    (kept,) = desk.store.read_now(partial(decisions.about, workspace=ACME, user_id="ted", contact=None))
    assert [(each.cause, each.outcome) for each in kept.revisions] == [("reconsidered when due", "invited")]
    assert details(desk) == [f"No consent to Marketing since {(NOON + DAY).day} {NOON + DAY:%b %Y}."]


def test_who_says_yes_again_in_time_is_mailed(desk: Desk):
    desk.intake(**MINDING)
    desk.campaign(delay="2d")
    desk.receive(desk.identify("ted", **TED), desk.track("ted"))
    for yes in (False, True):
        desk.wait(DAY)
        desk.receive(said(desk, "ted", Marketing=yes))

    assert [each.address for each in desk.send()] == ["ted@mosby.example"]
