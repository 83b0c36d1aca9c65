"""A desk: one store of either engine, a workspace on it, and the steps that the loops take, taken by hand."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import msgspec
from sqlalchemy import event, select

from heard.accounts.workspace import Brand
from heard.deliveries.delivery import Delivery
from heard.errors import DeliveryFailed
from heard.log.log import Damage, Record
from heard.messages.accepted import Accepted
from heard.responses.clicks import Click, Link
from heard.steps import answer, click, lapse, route, send
from heard.store import decisions, deliveries, dialects, directory, schema, tables
from heard.store.store import Store
from heard.store.types import micros
from tests.examples import NOON

ACME, WEBSITE, SURVEY = 1, 1, 1
PHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Mobile/15E148"


NOT_IN_THE_DIRECTORY = re.compile(
    r"\s*(SELECT|BEGIN|COMMIT|(INSERT INTO|UPDATE|DELETE FROM) "
    r"(contacts|decisions|deliveries|touches|tallies|responses|clicks|cursors|messages_\d+|seen\w*)\b)"
)


class Desk:
    _watched: Store | None = None
    _directory: directory.Directory | None = None
    _edited = False

    def __init__(self, url: str) -> None:
        engine = dialects.open_engine(url, writer=True)
        with engine.begin() as connection:
            tables.metadata.create_all(connection)
            schema.stamp(connection, schema.CURRENT)
        engine.dispose()
        self.store = Store(url)
        self.now = NOON
        self._offset = 0
        self._messages = 0
        self.add(tables.workspaces, id=ACME, name="Acme", slug="acme", brand=Brand(name="Acme"), created_at=NOON)
        self.add(tables.sources, workspace_id=ACME, id=WEBSITE, name="Website", write_key="wk_acme", created_at=NOON)
        self.intake()
        self.add(tables.surveys, workspace_id=ACME, id=SURVEY, name="NPS", kind="nps", settings={}, version=1)

    def add(self, table: Any, **row: Any) -> None:
        self.store.write_now(lambda connection: connection.execute(table.insert(), [row]))

    def intake(self, **settings: Any) -> None:
        self.store.write_now(lambda connection: connection.execute(tables.destinations.delete()))
        self.add(
            tables.destinations,
            workspace_id=ACME,
            id=1,
            name="Heard",
            type="surveys",
            settings=settings,
            source_ids=None,
        )

    def campaign(self, number: int = 1, *, status: str = "active", **settings: Any) -> None:
        written = {"channel": "email", "event": "Order Completed", **settings}
        self.add(
            tables.campaigns,
            workspace_id=ACME,
            id=number,
            survey_id=SURVEY,
            name=f"Campaign {number}",
            settings=written,
            status=status,
            version=1,
        )

    @property
    def directory(self) -> directory.Directory:
        """Read again whenever something was written that may be in it, as a server does after an edit."""
        if self._watched is not self.store:
            event.listen(self.store._writing, "before_cursor_execute", self._note)
            event.listen(self.store._writing, "commit", self._forget)
            self._watched, self._directory = self.store, None
        found = self._directory or self.store.read_now(directory.load)
        self._directory = found
        return found

    def _note(self, *arguments: Any) -> None:
        if not NOT_IN_THE_DIRECTORY.match(arguments[2]):
            self._edited = True

    def _forget(self, *_: Any) -> None:
        if self._edited:
            self._directory, self._edited = None, False

    # ── what comes in ──

    def identify(self, user: str | None, *, at: datetime | None = None, **traits: Any) -> dict[str, Any]:
        return self._message("identify", user, at, traits=traits)

    def track(self, user: str | None, event: str = "Order Completed", *, at: datetime | None = None, **properties: Any):
        return self._message("track", user, at, event=event, properties=properties)

    def receive(self, *messages: dict[str, Any], source: int = WEBSITE) -> route.Routed:
        """One batch request, through the router."""
        return self.route([self.record({"batch": list(messages)}, source=source)])

    def record(self, body: dict[str, Any], *, source: int = WEBSITE) -> Record:
        accepted = Accepted(
            source=source,
            kind="batch",
            received_at=micros(self.now),
            client="127.0.0.1",
            agent="test",
            body=msgspec.json.encode(body),
        )
        self._offset += 1000
        return Record(self._offset - 1000, self._offset, msgspec.msgpack.encode(accepted))

    def route(self, records: Sequence[Record | Damage]) -> route.Routed:
        return self.store.write_now(
            lambda connection: route.route(
                connection, records, directory=self.directory, now=self.now, days_made=self.store.days_made
            )
        )

    # ── what goes out ──

    def send(self, *, failing: DeliveryFailed | None = None) -> list[Delivery]:
        """Claim what is due and hand it over, or fail to."""
        paused = self.directory.paused()
        due = self.store.read_now(partial(deliveries.due, now=self.now, limit=100, paused=paused))
        ready = self.store.write_now(partial(send.still_wanted, claimed=due, directory=self.directory, now=self.now))
        for each in ready:
            sending = self.store.write_now(partial(send.begin, delivery=each.delivery))
            kept = {"delivery": sending, "directory": self.directory, "now": self.now}
            if failing:
                self.store.write_now(partial(send.failed, error=failing, **kept))
            else:
                self.store.write_now(partial(send.sent, **kept))
        return [each.delivery for each in ready]

    def click(self, delivery: str, value: int | None = None, *, method: str = "GET", **said: Any) -> None:
        """A link of a mail is opened; `link` is the number's where nothing else is said."""
        opened = Click(at=self.now, method=method, value=value, **{"link": Link.SCORE, "agent": PHONE, **said})
        keep = partial(click.clicked, workspace=ACME, delivery_id=delivery, click=opened, directory=self.directory)
        self.store.write_now(keep)

    def answer(self, delivery: str, value: int, comment: str | None = None) -> None:
        """A person sends the form."""
        said = {"value": value, "comment": comment, "agent": PHONE, "client": "192.0.2.7"}
        keep = partial(answer.answer, workspace=ACME, delivery_id=delivery, directory=self.directory, now=self.now)
        self.store.write_now(partial(keep, **said))

    def lapse(self) -> int:
        return self.store.write_now(partial(lapse.decline_what_waited, now=self.now))

    def wait(self, length: timedelta) -> None:
        self.now += length

    # ── what is there ──

    def rows(self, table: Any) -> list[Any]:
        return self.store.read_now(lambda connection: list(connection.execute(select(table))))

    def decisions(self, user: str) -> list[tuple[str, list[str]]]:
        """(outcome, reasons) about a user, oldest first."""
        found = self.store.read_now(partial(decisions.about, workspace=ACME, user_id=user, contact=None))
        return [(each.outcome.value, [no.reason.value for no in each.objections]) for each in reversed(found)]

    def states(self) -> list[str]:
        return sorted(row.state for row in self.rows(tables.deliveries))

    def close(self) -> None:
        self.store.close()

    def _message(self, kind: str, user: str | None, at: datetime | None, **rest: Any) -> dict[str, Any]:
        self._messages += 1
        message = {"type": kind, "messageId": f"m{self._messages}", **rest}
        if at is not None:
            message["timestamp"] = at.isoformat()
        return message | ({"userId": user} if user else {"anonymousId": "a1"})
