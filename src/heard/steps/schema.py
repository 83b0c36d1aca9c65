"""Each message of a batch is counted for the schema of its source and judged by the source's tracking plan.

A message is counted as it was sent. One that the plan blocks stays on record as rejected, with the reason; one from
which something was taken goes on as what is left. Destinations that the plan tells hear of each violation by a message
on record, under a source that nobody can write to.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import Connection

from heard import ids
from heard.messages.message import Message, Rejected
from heard.routing.document import written
from heard.schema.judge import judge
from heard.schema.seen import Key, Seen, fields_of, key_of
from heard.schema.tracking_plan import TrackingPlan
from heard.schema.violation import SEGMENTS_NAMES, Kind, Violation
from heard.steps.on_record import Row, telling
from heard.store import days, seen
from heard.store.directory import Directory
from heard.store.seen import BrokenKey, BrokenTimes

log = structlog.get_logger()

VIOLATED = "Violation Generated"
ABOUT = "schema-violations"  # the userId under which it is told


class Schema:
    """Of one workspace's part of a batch: `judged` first, then `place` message by message, then `keep`."""

    def __init__(self, directory: Directory, workspace: int, now: datetime) -> None:
        self._directory, self._workspace, self._now = directory, workspace, now
        self._seen = Seen()
        self._blocked: Counter[Key] = Counter()
        self._broken: dict[BrokenKey, BrokenTimes] = {}
        self._keys: list[Key | None] = []  # of each message of the batch
        self._broke: dict[int, list[BrokenTimes]] = {}  # what each broke
        self._places: dict[Key, tuple[int, int]] = {}  # day, and place among its rows
        self.failed = 0
        self.telling: list[Row] = []

    def judged(self, batch: Sequence[Message | Rejected]) -> list[Message | Rejected]:
        """The messages as they go on: themselves, less of them, or a rejection."""
        result: list[Message | Rejected] = []
        for message in batch:
            left, key = message, None
            if isinstance(message, Message):
                try:
                    key = key_of(message)
                    left = self._judge(message, key, len(result))
                except Exception:  # our fault, not the sender's: the message goes on
                    log.exception("message_not_judged", message_id=message.id, source=message.source)
                    self.failed, key = self.failed + 1, None
            self._keys.append(key)
            result.append(left)
        return result

    def place(self, index: int, day: int, place: int) -> None:
        """Where the message at this place of the batch is kept, among the rows of its day."""
        if (key := self._keys[index]) is not None:
            self._places[key] = day, place
        for times in self._broke.get(index, ()):
            times.newest = day, place

    def keep(self, connection: Connection, first: Mapping[int, int]) -> None:
        """`first`: the number of the first row of each day of the batch."""

        def number(place: tuple[int, int]) -> tuple[int, int]:
            return place[0], first[place[0]] + place[1]

        places = {key: number(place) for key, place in self._places.items()}
        listed = {key: times for key, times in self._seen.events.items() if key in places}
        seen.keep_events(connection, self._workspace, listed, self._blocked, places)
        seen.keep_fields(connection, self._workspace, dict(self._seen.fields()))
        for times in self._broken.values():
            times.newest = number(times.newest)
        seen.keep_violations(connection, self._workspace, self._broken)

    def _judge(self, message: Message, key: Key, index: int) -> Message | Rejected:
        fields, at = fields_of(message), message.received_at
        self._seen.take(key, fields, at)
        plan = self._directory.tracking.get(message.source)
        if plan is None:
            return message
        judged = judge(message, fields, plan)
        if judged.violations:
            if isinstance(judged.message, Rejected):
                self._blocked[key] += 1
            self._broke[index] = self._note(key, judged.violations, at)
            if plan.told:
                self.telling += self._told(message, plan, judged.violations)
        return judged.message

    def _note(self, key: Key, violations: tuple[Violation, ...], at: datetime) -> list[BrokenTimes]:
        noted: list[BrokenTimes] = []
        for each in violations:
            where = BrokenKey(key, days.day_of(at), each.field, each.kind, each.done)
            if (known := self._broken.get(where)) is None:
                known = self._broken[where] = BrokenTimes(0, each.detail, at)
            known.n, known.detail, known.last = known.n + 1, each.detail, at
            noted.append(known)
        return noted

    def _told(self, message: Message, plan: TrackingPlan, violations: tuple[Violation, ...]) -> list[Row]:
        known, source = self._directory.destinations, self._directory.sources[message.source]
        wanted = [known[number] for number in plan.told if number in known]
        rows: list[Row] = []
        for place, violation in enumerate(violations):
            said = {
                "type": "track",
                "userId": ABOUT,
                "event": VIOLATED,
                "properties": _properties(message, plan, violation, source.name, source.id),
                "context": {"heard": {"name": plan.name}},
            }
            number = ids.violation_id(message.source, message.id, place)
            rows.append(telling(self._workspace, number, said, wanted, now=self._now))
        return rows


def _properties(message: Message, plan: TrackingPlan, violation: Violation, source: str, number: int) -> dict[str, Any]:
    """As Segment's event of that name has it; `outcome` is what was done, in our words."""
    return {
        "eventName": message.event or message.type,
        "eventType": message.type,
        "eventMessageID": message.id,
        "eventTimestamp": written(message.at),
        "sourceID": str(number),
        "sourceName": source,
        "trackingPlanID": str(plan.id),
        "trackingPlanName": plan.name,
        "violationType": SEGMENTS_NAMES[violation.kind],
        "violationField": violation.field,
        "violationDescription": violation.detail
        if violation.kind is Kind.UNPLANNED_EVENT or not violation.field
        else f"{violation.field}: {violation.detail}",
        "outcome": violation.done.value,
    }
