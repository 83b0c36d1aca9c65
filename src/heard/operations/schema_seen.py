"""The schema of a source as people see it: what came, what is in it, whether it is planned, and what broke the plan."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.errors import NotFound
from heard.installation import Installation
from heard.routing import switches
from heard.routing.destination import Destination
from heard.schema.seen import Field, Key, Times
from heard.schema.tracking_plan import Rule, TrackingPlan, places
from heard.store import days, messages, seen
from heard.store.messages import Kept
from heard.store.seen import Broken, Event

LATELY = timedelta(days=6)  # before today: seven UTC days with it
PLANNED_TYPES = ("track", "identify", "group")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`planned` None = nobody plans it: there is no plan, or the plan is not about such messages."""

    event: Event
    planned: bool | None
    broken: int  # times in the last seven days


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """`types` with how many messages had each, the most frequent first; `share` of the event's messages, 0 to 1."""

    path: str
    types: list[tuple[str, int]]
    share: float
    first: datetime
    last: datetime
    planned: bool | None
    required: bool = False

    @property
    def depth(self) -> int:
        return self.path.count(".")


class One(msgspec.Struct, frozen=True, kw_only=True):
    """An event; `newest` None where the message is not kept any more.

    `switches`: whether each destination gets it from this source, and from those of which nothing is said.
    """

    row: Row
    rule: Rule | None
    fields: list[Seen]
    newest: Kept | None
    broken: list[Broken]
    switches: list[tuple[Destination, bool, bool]]


async def every(app: Installation, *, workspace: int, source: int) -> list[Row]:
    """What came from the source, the most frequent first."""
    plan = app.directory.tracking.get(source)
    since = days.day_of(app.clock.now() - LATELY)

    def look(connection: Connection) -> list[Row]:
        broken = _by_key(seen.violations_of(connection, workspace, source, since))
        return [_row(each, plan, broken) for each in seen.events_of(connection, workspace, source)]

    return await app.store.read(look)


async def one(app: Installation, *, workspace: int, source: int, type: str, name: str) -> One:  # noqa: A002
    """
    Raises:
        NotFound: nothing of this type and name came from it.
    """
    plan, key = app.directory.tracking.get(source), Key(source, type, name)
    since = days.day_of(app.clock.now() - LATELY)

    def look(connection: Connection) -> One:
        event = seen.event_of(connection, workspace, key)
        if event is None:
            raise NotFound("No such event came from this source.")
        rule = _rule(plan, key)
        broken = [each for each in seen.violations_of(connection, workspace, source, since) if each.key == key]
        number = event.newest[1]
        placed = messages.placed(connection, [event.newest])
        fed = [each for each in app.directory.destinations_of(workspace) if _is_fed(each, source)]
        return One(
            row=_row(event, plan, _by_key(broken)),
            rule=rule,
            fields=_fields(seen.fields_of(connection, workspace, source, type, name), event, rule),
            newest=placed[number].kept if number in placed else None,
            broken=broken,
            switches=[_switch(each, name, source) for each in fed] if type == "track" else [],
        )

    return await app.store.read(look)


def _switch(destination: Destination, event: str, source: int) -> tuple[Destination, bool, bool]:
    said = destination.switches
    return destination, switches.is_on(said, event, source), switches.general(said, event)


async def violations(app: Installation, *, workspace: int, source: int) -> list[Broken]:
    """Of the last seven days, the newest first."""
    since = days.day_of(app.clock.now() - LATELY)
    return await app.store.read(lambda connection: seen.violations_of(connection, workspace, source, since))


async def suggested(app: Installation, *, workspace: int, source: int) -> dict[str, Any]:
    """The rules of a plan in which everything seen so far is as planned: `events`, `identify`, `group`."""

    def look(connection: Connection) -> dict[str, Any]:
        found: defaultdict[Key, list[tuple[Field, Times]]] = defaultdict(list)
        for field, times in seen.fields_of(connection, workspace, source):
            found[field.key].append((field, times))
        planned = [each for each in seen.events_of(connection, workspace, source) if each.key.type in PLANNED_TYPES]
        rules = {each.key: _suggested(each, found[each.key]) for each in planned}
        written: dict[str, Any] = {
            "events": {key.name: rule for key, rule in rules.items() if key.type == "track" and key.name}
        }
        for key, rule in rules.items():
            if key.type != "track":
                written[key.type] = {("traits" if name == "properties" else name): rule[name] for name in rule}
        return written

    return await app.store.read(look)


def _suggested(event: Event, fields: Iterable[tuple[Field, Times]]) -> dict[str, Any]:
    types: defaultdict[str, list[str]] = defaultdict(list)
    times: defaultdict[str, int] = defaultdict(int)
    for field, counted in fields:
        types[field.path].append(field.type)
        times[field.path] += counted.n
    rule: dict[str, Any] = {"properties": {}}
    for path in sorted(types, key=lambda path: (path.count("."), path)):
        *above, name = path.split(".")
        here = rule
        for each in above:
            here = here.get("properties", {}).get(each, {})
            if not isinstance(here, dict):
                here = {}
        if above and "properties" not in here:
            if here.get("type") != "object":
                continue  # a name with a dot in it, or a list of things
            here["properties"] = {}
        is_object = types[path] == ["object"]
        here["properties"][name] = {"type": "object"} if is_object else _type_of(types[path])
        if not above and times[path] == event.n:
            rule.setdefault("required", []).append(name)
    if not rule["properties"]:
        return {}
    return rule


def _type_of(types: list[str]) -> Any:
    known = [each for each in types if not (each == "integer" and "number" in types)]
    known = ["number" if each == "integer" else each for each in known]  # 20 today is 20.50 tomorrow
    return known[0] if len(known) == 1 else {"type": sorted(known)}


def _row(event: Event, plan: TrackingPlan | None, broken: Mapping[Key, int]) -> Row:
    is_judged = plan is not None and (
        event.key.type == "track" or (event.key.type in PLANNED_TYPES and _rule(plan, event.key) is not None)
    )
    planned = _rule(plan, event.key) is not None if is_judged else None
    return Row(event=event, planned=planned, broken=broken.get(event.key, 0))


def _rule(plan: TrackingPlan | None, key: Key) -> Rule | None:
    if plan is None:
        return None
    return plan.events.get(key.name) if key.type == "track" else {"identify": plan.identify, "group": plan.group}.get(
        key.type
    )  # fmt: skip


def _fields(found: list[tuple[Field, Times]], event: Event, rule: Rule | None) -> list[Seen]:
    by_path: defaultdict[str, list[tuple[Field, Times]]] = defaultdict(list)
    for field, times in found:
        by_path[field.path].append((field, times))
    known = places(rule.schema) if rule else None
    required = rule.written.get("required", []) if rule else []
    return [
        Seen(
            path=path,
            types=[(field.type, times.n) for field, times in each],
            share=min(sum(times.n for _, times in each) / event.n, 1.0),
            first=min(times.first for _, times in each),
            last=max(times.last for _, times in each),
            planned=path in known.names if known and "." not in path else None,
            required=path in required,
        )
        for path, each in sorted(by_path.items())
    ]


def _by_key(broken: Iterable[Broken]) -> dict[Key, int]:
    counts: defaultdict[Key, int] = defaultdict(int)
    for each in broken:
        counts[each.key] += each.n
    return counts


def _is_fed(destination: Destination, source: int) -> bool:
    return destination.sources is None or source in destination.sources
