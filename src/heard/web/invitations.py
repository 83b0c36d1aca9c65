"""What stands behind the survey pages: links become invitations, forms become answers."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from functools import partial

from sqlalchemy import Connection

from heard.contacts import traits
from heard.contacts.standing import Kind, standing, wishes
from heard.deliveries.delivery import Delivery, State
from heard.errors import NotFound
from heard.ids import Link
from heard.installation import Installation
from heard.responses import clicks
from heard.responses.response import Response
from heard.steps import answer as answers
from heard.steps import click, leave
from heard.store import contacts, deliveries, funnel, responses
from heard.surveys.because import because
from heard.surveys.spoken import language_for
from heard.surveys.survey import Survey
from heard.surveys.wording import worded
from heard.web import previews
from heard.web.respondents import Answered, Asked, Closed, Wish

ALIVE = frozenset({State.SENDING, State.SENT, State.UNKNOWN, State.ANSWERED, State.FAILED, State.EXPIRED})


class Invitations:
    """`heard.web.respondents.Respondents`, over the store."""

    def __init__(self, app: Installation) -> None:
        self._app = app

    async def find(self, token: str) -> Asked | Closed | None:
        link = self._app.keys.read(token)
        if link is None:
            return previews.asked(self._app, token)
        return await self._app.store.read(partial(self._look, link=link))

    async def clicked(
        self, token: str, *, link: clicks.Link, method: str, value: int | None = None, agent: str, client: str
    ) -> None:
        if found := self._app.keys.read(token):
            at = self._app.clock.now()
            one = clicks.Click(at=at, method=method, link=link, value=value, agent=agent, client=client)
            keep = partial(click.clicked, workspace=found.workspace, delivery_id=found.delivery_id, click=one)
            await self._app.store.write(partial(keep, directory=self._app.directory))

    async def answer(self, token: str, *, value: int, comment: str, agent: str, client: str) -> Asked | Closed | None:
        link = self._app.keys.read(token)
        if link is None:
            return previews.answered(self._app, token, value=value, comment=comment)

        def keep(connection: Connection) -> Asked | Closed | None:
            with suppress(NotFound, answers.Closed):  # the page then shows what is there: nobody, or a closed one
                answers.answer(
                    connection,
                    link.workspace,
                    link.delivery_id,
                    value=value,
                    comment=comment,
                    agent=agent,
                    client=client,
                    directory=self._app.directory,
                    now=self._app.clock.now(),
                )
            return self._look(connection, link=link)

        kept = await self._app.store.write(keep)
        self._app.couriers.wake()  # those who are told of answers
        return kept

    async def wish(self, token: str, wish: Wish, *, on: bool) -> Asked | Closed | None:
        link = self._app.keys.read(token)
        if link is None:
            return previews.wished(self._app, token, wish, on=on)

        def keep(connection: Connection) -> Asked | Closed | None:
            delivery = deliveries.by_id(connection, link.workspace, link.delivery_id)
            before = self._look(connection, link=link)
            if delivery is None or before is None or _holds(before, wish) == on:
                return before
            person = contacts.by_id(connection, link.workspace, [delivery.contact]).get(delivery.contact)
            key = person.email_key if person else None
            survey = self._app.directory.surveys[delivery.survey]
            said = {"on": on, "cause": _cause(wish, survey, on=on), "now": self._app.clock.now()}
            match wish:
                case Wish.NONE:
                    leave.subscribe(connection, link.workspace, delivery.contact, key, **said)
                    funnel.unsubscribed(connection, delivery, said["now"], on=on)
                case Wish.LESS:
                    leave.less_often(connection, link.workspace, delivery.contact, key, **said)
                case Wish.NOT_THIS:
                    leave.not_this_one(connection, link.workspace, delivery.contact, key, survey, **said)
            return self._look(connection, link=link)

        return await self._app.store.write(keep)

    def _look(self, connection: Connection, *, link: Link) -> Asked | Closed | None:
        delivery = deliveries.by_id(connection, link.workspace, link.delivery_id)
        if delivery is None or delivery.state not in ALIVE or link.workspace not in self._app.directory.workspaces:
            return None
        directory, now = self._app.directory, self._app.clock.now()
        brand = directory.workspaces[link.workspace].brand
        survey = directory.surveys[delivery.survey]
        person = contacts.by_id(connection, link.workspace, [delivery.contact]).get(delivery.contact)
        known = traits.decode(person.traits) if person else {}
        language = language_for(survey, known)
        wording = worded(survey.kind, brand=brand.name, language=language)
        keys = [person.email_key] if person and person.email_key else []
        rows = contacts.suppressions_of(connection, link.workspace, [delivery.contact], keys)
        wished = wishes(rows)
        hold = {
            "unsubscribed": Kind.UNSUBSCRIBED in standing(rows),
            "less_often": wished.less_often,
            "not_this_one": survey.id in wished.surveys,
        }
        answered = _answered(responses.of_delivery(connection, link.workspace, delivery.id))
        if delivery.state == State.EXPIRED or now >= delivery.closes_at:
            return Closed(
                delivery_id=delivery.id,
                brand=brand,
                wording=wording,
                closed_at=delivery.closes_at,
                answered=answered,
                **hold,
            )
        return Asked(
            delivery_id=delivery.id,
            brand=brand,
            wording=wording,
            first_name=traits.first_name(known) if person else None,
            because=because(delivery.event, delivery.event_at, now=now, language=language),
            closes_at=delivery.closes_at,
            answered=answered,
            quiet_until=self._quiet_until(delivery),
            **hold,
        )

    def _quiet_until(self, delivery: Delivery) -> datetime | None:
        """This survey does not come again before then: what the mail promised, with its day. None: no promise."""
        directory = self._app.directory
        period = self._app.promise(directory.campaigns[delivery.campaign], directory.surveys[delivery.survey])
        return (delivery.sent_at or delivery.due_at) + period if period else None


def _holds(asked: Asked | Closed, wish: Wish) -> bool:
    return {Wish.NONE: asked.unsubscribed, Wish.LESS: asked.less_often, Wish.NOT_THIS: asked.not_this_one}[wish]


def _cause(wish: Wish, survey: Survey, *, on: bool) -> str:
    """What the contact's page says of it."""
    if not on:
        return "took it back by the link in a mail" if wish is not Wish.NONE else "took the unsubscribing back"
    match wish:
        case Wish.NONE:
            return "unsubscribed by the link in a mail"
        case Wish.LESS:
            return "asked for it by the link in a mail"
        case Wish.NOT_THIS:
            return f"asked not to get {survey.name} again, by the link in a mail"


def _answered(response: Response | None) -> Answered | None:
    """What they sent; a score that was only tapped is nothing they have said."""
    if response is None or response.value is None or not response.confirmed:
        return None
    return Answered(value=response.value, comment=response.comment or "", at=response.updated_at)
