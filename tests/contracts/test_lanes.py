"""A lane for each mail server: what is due is taken by lane, and a server that is changed takes nothing more."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from heard.accounts.mail_settings import MailServer
from heard.channels.channel import Channel
from heard.channels.email.mail import Mail
from heard.channels.lanes import Lanes, Unusable
from heard.deliveries.delivery import HandedTo
from heard.errors import DeliveryFailed
from heard.store import deliveries
from tests.contracts.desk import ACME, Desk
from tests.examples import MINUTE, NOON

SERVER = MailServer(host="mail.acme.example", port=587, user="acme")
MAIL = Mail(delivery_id="0" * 32, at=NOON, sender="a@acme.example", recipient="ted@mosby.example", content=b"")


def test_what_is_due_is_taken_by_lane(desk: Desk):
    desk.campaign()
    for user in ("ted", "robin"):
        desk.receive(desk.identify(user, email=f"{user}@mosby.example"), desk.track(user))
    desk.wait(MINUTE)

    def of(campaigns: list[int], workspace: int = ACME) -> list[str]:
        look = partial(deliveries.due_of, workspace=workspace, campaigns=campaigns, now=desk.now, limit=9)
        return sorted(each.user_id or "" for each in desk.store.read_now(look))

    assert of([1]) == ["robin", "ted"]
    assert of([2]) == of([]) == of([1], ACME + 1) == []
    assert len(desk.store.read_now(partial(deliveries.due, now=desk.now, limit=9, without=[ACME + 1]))) == 2
    assert desk.store.read_now(partial(deliveries.due, now=desk.now, limit=9, without=[ACME])) == []


def test_whether_anything_waits_for_a_server_is_asked_by_lane(desk: Desk):
    desk.campaign()
    desk.receive(desk.identify("ted", email="ted@mosby.example"), desk.track("ted"))

    def tried(**which: object) -> bool:
        return desk.store.read_now(partial(deliveries.any_tried, **which))

    assert not tried()
    desk.send(failing=DeliveryFailed("nobody there", unreachable=True))
    assert tried()
    assert tried(workspace=ACME)
    assert tried(without=[ACME + 1])
    assert not tried(workspace=ACME + 1)
    assert not tried(without=[ACME])


def test_a_workspace_has_its_own_lane_while_it_has_a_server():
    made: list[tuple[int, MailServer]] = []

    def open_own(workspace: int, server: MailServer) -> Channel:
        made.append((workspace, server))
        return Unusable(f"{server.host} takes nothing.")

    lanes = Lanes(Unusable("The shared one takes nothing."), over=HandedTo.OUTBOX, open_own=open_own)
    assert lanes.of(1) is lanes.of(2) is lanes.shared
    assert lanes.set({1: SERVER}) == []
    own = lanes.of(1)
    assert (own.over, own.workspace, lanes.of(2).over) == (HandedTo.SERVER, 1, HandedTo.OUTBOX)
    assert lanes.set({1: SERVER, 2: SERVER}) == []
    assert lanes.of(1) is own  # what did not change is not opened anew
    assert lanes.of(2) is not own
    assert [number for number, _ in made] == [1, 2]

    moved = MailServer(host="other.acme.example", port=587)
    assert lanes.set({1: moved}) != []
    assert lanes.of(1) is not own
    assert lanes.of(2) is lanes.shared
    with pytest.raises(DeliveryFailed, match=r"other\.acme\.example"):
        asyncio.run(lanes.of(1).channel.hand_over(MAIL))
    assert [lane.workspace for lane in lanes.apart] == [1]
