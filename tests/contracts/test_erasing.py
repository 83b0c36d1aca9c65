"""A person is taken out of either database: every row of theirs, and their name where a row is somebody else's."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any

import msgspec
import pytest
from sqlalchemy import inspect

from heard.channels.link.who import Named
from heard.contacts.regulation import Regulation, State, SubjectType, Type
from heard.contacts.suppression import Suppressed, user_mark
from heard.responses.clicks import Click, Link
from heard.steps import follow, forget, leave, route
from heard.store import days, dialects, erasing, regulations, suppressed, tables
from tests.contracts.desk import ACME, Desk
from tests.examples import MINUTE

ANN, MAIL, ZONE = "user-ann-1842", "ann@pawnee.example", "Pacific/Kiritimati"


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    made = Desk(url)
    made.campaign()
    ann = made.identify(ANN, email=MAIL) | {"context": {"timezone": ZONE}}
    made.receive(ann, made.track(ANN), made.track("leslie", "Invited", whom=MAIL))
    made.receive(made.identify("leslie", email="leslie@pawnee.example", friend=MAIL), made.track("leslie"))
    made.send()
    yield made
    made.close()


def a_regulation(desk: Desk, kind: Type = Type.SUPPRESS_WITH_DELETE, *subjects: str) -> Regulation:
    whom = subjects or (ANN,)
    return Regulation(
        id=1,
        workspace=ACME,
        type=kind,
        subject_type=SubjectType.USER_ID,
        subjects=whom,
        marks=tuple(user_mark(b"key", each) for each in whom),
        count=len(whom),
        state=State.INITIALIZED,
        erased=0,
        tell=(),
        told=(),
        removed={},
        by="test",
        created_at=desk.now,
        finished_at=None,
    )


def erase(desk: Desk, regulation: Regulation) -> Regulation:
    write, read = desk.store.write_now, desk.store.read_now
    person = write(partial(forget.find, regulation=regulation))
    for day in read(days.kept):
        rows = read(partial(erasing.messages_about, person=person, day=day))
        regulation = write(partial(forget.remove_messages, regulation=regulation, person=person, day=day, rows=rows))
    return write(partial(forget.remove_rest, regulation=regulation, person=person, key=b"key", now=desk.now))


def everything(desk: Desk) -> str:
    """Every text of every table, but the request itself."""

    def look(connection: Any) -> str:
        names = [name for name in inspect(connection).get_table_names() if name != "regulations"]
        return "\n".join(repr(row) for name in names for row in dialects.fetch(connection, f"SELECT * FROM {name}"))

    return desk.store.read_now(look).lower()


def test_no_event_or_field_that_is_named_after_them_is_listed(desk: Desk):
    desk.receive(
        desk.track("leslie", f"Mail to {MAIL}", total=1), desk.track("leslie", "Met", **{ANN: None, "town": 2})
    )
    named = desk.rows(tables.seen_fields)
    assert MAIL in repr(desk.rows(tables.seen_events))
    assert ANN in repr(named)
    erase(desk, a_regulation(desk))

    assert ANN not in everything(desk)
    assert MAIL not in everything(desk)
    assert {row.path for row in desk.rows(tables.seen_fields) if row.name == "Met"} == {"town"}


def test_every_row_of_theirs_is_gone_and_those_of_others_stay(desk: Desk):
    desk.add(tables.set_aside, offset=1, at=desk.now, reason="odd", data=b"\xff" + MAIL.encode())
    desk.add(tables.set_aside, offset=2, at=desk.now, reason="odd", data=b"\xffsomebody else")
    before = len(desk.rows(tables.deliveries))
    regulation = a_regulation(desk)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    assert ANN in everything(desk)
    assert ZONE in {row.zone for row in desk.rows(tables.contacts)}

    done = erase(desk, regulation)

    assert ANN not in everything(desk)
    assert ZONE.lower() not in everything(desk)
    assert MAIL not in everything(desk)
    assert len(desk.rows(tables.deliveries)) == before - 1
    assert [row.user_id for row in desk.rows(tables.contacts)] == ["leslie"]
    assert [row.offset for row in desk.rows(tables.set_aside)] == [2]
    assert desk.decisions("leslie") == [("invited", [])]
    assert (done.erased, done.tell, done.removed["messages"]) == (1, (ANN,), 4)


def test_erasing_twice_is_erasing_once(desk: Desk):
    regulation = a_regulation(desk)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    erase(desk, regulation)
    again = erase(desk, regulation)

    assert again.removed["contacts"] == 0
    assert [row.user_id for row in desk.rows(tables.contacts)] == ["leslie"]


def test_what_was_found_before_a_crash_is_still_known_after_it(desk: Desk):
    regulation = a_regulation(desk)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    first = desk.store.write_now(partial(forget.find, regulation=regulation))
    desk.store.write_now(lambda connection: connection.execute(tables.contacts.delete()))

    assert MAIL in desk.store.write_now(partial(forget.find, regulation=regulation)).addresses
    assert first.contacts


def test_the_request_names_nobody_in_the_end(desk: Desk):
    regulation = a_regulation(desk)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    desk.store.write_now(partial(forget.forget_whom, regulation=erase(desk, regulation)))

    (row,) = desk.rows(tables.regulations)
    assert ANN not in repr(row)
    assert (row.subjects, row.tell, row.found, row.count) == (None, None, None, 1)


def test_a_held_track_and_what_waits_go_with_them(desk: Desk):
    desk.receive(desk.track("newcomer-77"))
    assert desk.decisions("newcomer-77") == [("held", ["not_identified"])]
    desk.add(tables.waiting, workspace_id=ACME, message=1, day=days.day_of(desk.now))
    regulation = a_regulation(desk, Type.DELETE_ONLY, "newcomer-77", ANN)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    erase(desk, regulation)

    assert "newcomer-77" not in everything(desk)
    assert desk.rows(tables.waiting) == []


def test_what_they_said_of_consent_goes_with_them(desk: Desk):
    """Theirs, what their browser said before, and of one who was never identified and is known by the address alone."""

    def saying(message: dict[str, Any], **preferences: bool) -> dict[str, Any]:
        return message | {"context": {"consent": {"categoryPreferences": preferences}}}

    browser = {"anonymousId": "browser-of-ann-77"}
    desk.receive(saying(desk.track(None, "Looked"), Marketing=False) | browser)
    desk.receive(saying(desk.identify(ANN) | browser, Marketing=True), saying(desk.track(MAIL, "Looked"), Sale=False))
    desk.receive(saying(desk.track("leslie", "Looked"), Marketing=True, **{f"Mails to {MAIL}": False}))
    desk.receive(desk._message("group", MAIL, None, groupId="parks"))
    assert len({row.person for row in desk.rows(tables.consents)}) == 4

    erase(desk, a_regulation(desk))

    assert [text for text in (ANN, MAIL, "browser-of-ann-77") if text in everything(desk)] == []
    assert [row.preferences for row in desk.rows(tables.consents)] == [{"Marketing": True, "Mails to (erased)": False}]


def test_the_database_is_scrubbed_while_others_are_served(desk: Desk):
    regulation = a_regulation(desk)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    erase(desk, regulation)
    asyncio.run(desk.store.scrub(["regulations", "contacts"]))
    desk.receive(desk.identify("ron"))

    assert {row.user_id for row in desk.rows(tables.contacts)} == {"leslie", "ron"}


def test_a_suppression_cancels_what_is_planned_and_holds_until_it_is_taken_back(desk: Desk):
    desk.campaign(2, event="Signed Up", delay="2d")
    desk.receive(desk.track(ANN, "Signed Up", at=desk.now))
    only = a_regulation(desk, Type.SUPPRESS_ONLY)
    desk.store.write_now(partial(forget.begin, regulation=only, destinations=[], now=desk.now))
    assert desk.store.read_now(suppressed.everybody) == {ACME: frozenset(only.marks)}
    assert "scheduled" not in [row.state for row in desk.rows(tables.deliveries) if row.user_id == ANN]
    (row,) = desk.rows(tables.regulations)
    assert (row.state, row.subjects) == ("FINISHED", None)

    desk.wait(MINUTE)
    back = regulations.regulation_of(row)
    taken_back = Regulation(
        **{name: getattr(only, name) for name in only.__struct_fields__} | {"id": 2, "type": Type.UNSUPPRESS}
    )
    desk.store.write_now(partial(forget.begin, regulation=taken_back, destinations=[], now=desk.now))
    assert back.is_over
    assert desk.store.read_now(suppressed.everybody) == {}
    assert [bool(each.on) for each in desk.rows(tables.suppressions)] == [True, False]


def test_a_link_that_is_followed_after_its_person_was_erased_leaves_nothing(desk: Desk):
    delivery = next(row.id for row in desk.rows(tables.deliveries) if row.user_id == ANN)
    opened = partial(desk.click, delivery, 9, client="192.0.2.7")
    opened()
    assert "192.0.2.7" in everything(desk)
    regulation = a_regulation(desk)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    erase(desk, regulation)
    opened()

    assert "192.0.2.7" not in everything(desk)


def test_what_was_opened_tapped_and_wished_in_part_goes_with_its_person(desk: Desk):
    delivery = next(row.id for row in desk.rows(tables.deliveries) if row.user_id == ANN)
    contact = next(row.id for row in desk.rows(tables.contacts) if row.user_id == ANN)
    desk.click(delivery, 9, agent="a phone of Pawnee")
    said = {"workspace": ACME, "contact": contact, "email_key": MAIL, "on": True, "cause": "by the link in a mail"}
    desk.store.write_now(partial(leave.less_often, now=desk.now, **said))
    survey = desk.directory.surveys[1]
    desk.store.write_now(partial(leave.not_this_one, survey=survey, now=desk.now, **said))
    assert "by the link in a mail" in everything(desk)
    regulation = a_regulation(desk, Type.DELETE_ONLY)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    erase(desk, regulation)

    left = everything(desk)
    for trace in (MAIL, ANN, "a phone of Pawnee", "by the link in a mail", delivery):
        assert trace not in left
    assert desk.rows(tables.suppressions) == []
    assert desk.store.read_now(suppressed.workspaces_with_wishes) == []


def test_who_wanted_no_mail_gets_none_when_they_come_back(desk: Desk):
    contact = next(row.id for row in desk.rows(tables.contacts) if row.user_id == ANN)
    wish = partial(leave.subscribe, workspace=ACME, contact=contact, email_key=MAIL, on=True, cause="", now=desk.now)
    desk.store.write_now(wish)
    regulation = a_regulation(desk, Type.DELETE_ONLY)
    desk.store.write_now(partial(forget.begin, regulation=regulation, destinations=[], now=desk.now))
    erase(desk, regulation)
    assert MAIL not in everything(desk)
    assert desk.store.read_now(suppressed.workspaces_with_wishes) == [ACME]

    known = msgspec.structs.replace(desk.directory, wishes={ACME: b"key"})
    record = desk.record({"batch": [desk.identify("ann-again", email=MAIL.upper())]})
    desk.store.write_now(
        lambda connection: route.route(
            connection, [record], directory=known, now=desk.now, days_made=desk.store.days_made
        )
    )
    desk.receive(desk.track("ann-again"))

    ((_, reasons),) = desk.decisions("ann-again")
    assert "unsubscribed" in reasons


def test_a_message_that_overtook_the_suppression_is_kept_as_a_count_without_its_person(desk: Desk):
    known = msgspec.structs.replace(
        desk.directory, suppressed={ACME: Suppressed(b"key", frozenset({user_mark(b"key", "ron-5")}))}
    )
    record = desk.record({"batch": [desk.track("ron-5", "Bought Steak"), desk.track("april", "Sighed")]})
    desk.store.write_now(
        lambda connection: route.route(
            connection, [record], directory=known, now=desk.now, days_made=desk.store.days_made
        )
    )

    assert "ron-5" not in everything(desk)
    assert "bought steak" not in everything(desk)
    assert "april" in everything(desk)


def test_what_they_opened_of_a_public_link_goes_too(desk: Desk):
    desk.campaign(2, channel="link", event=None)
    click = Click(at=desk.now, method="GET", link=Link.SURVEY, agent="ann's own browser")
    known = {"campaign": desk.directory.campaigns[2], "directory": desk.directory, "click": click}
    desk.store.write_now(partial(follow.opened, named=Named(user_id=ANN), **known))
    assert "ann's own browser" in everything(desk)

    erase(desk, a_regulation(desk))
    assert "ann's own browser" not in everything(desk)
    assert ANN not in everything(desk)


def test_an_answer_that_was_not_taken_of_somebody_unknown_goes_too(desk: Desk):
    desk.campaign(2, channel="link", event=None)
    said = {"value": 9, "comment": "My name is Nobody-77", "agent": "", "client": "", "now": desk.now}
    known = {"campaign": desk.directory.campaigns[2], "directory": desk.directory}
    desk.store.write_now(partial(follow.follow, named=Named(user_id="nobody-77"), **known, **said))
    assert "nobody-77" in everything(desk)
    assert "my name is" not in everything(desk)

    erase(desk, a_regulation(desk, Type.SUPPRESS_WITH_DELETE, "nobody-77"))
    assert "nobody-77" not in everything(desk)
