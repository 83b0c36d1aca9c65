"""What the form of an audience shows beside its fields: events that were seen, traits, and how many it would be."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.audiences import read
from heard.audiences.audience import Audience, ComputedTrait, key_of
from heard.audiences.conditions import Condition
from heard.audiences.order import in_order
from heard.contacts import traits
from heard.errors import Invalid
from heard.installation import Installation
from heard.operations import audiences_preview
from heard.operations.audiences_preview import Counted
from heard.store import contacts
from heard.store.recent import Look, Seen
from heard.web.dashboard import events_seen
from heard.web.dashboard.audiences.form import Form, Meant
from heard.web.dashboard.events_seen import EventsSeen
from heard.web.dashboard.named import Named, named

SPAN = timedelta(days=30)
SAMPLED = 100  # contacts whose traits are offered
LASTS, MOST_KEPT = 10.0, 8  # seconds that a count is good for: a name or a destination changes nothing of it


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`wrong` is what only others make wrong: a circle. `counted` None where it cannot be, or need not."""

    events: dict[str, Seen]
    look: Look
    audiences: list[str]
    traits: list[str]
    wrong: dict[str, str]
    counted: Counted | None
    examples: list[tuple[Named, str]]  # with the value of a computed trait

    def seen(self, event: str) -> Seen | None:
        return events_seen.seen(self.events, event)

    def meant(self, event: str) -> str | None:
        return events_seen.meant(self.events, event)


def shower(app: Installation) -> Callable[..., Awaitable[Shown]]:
    """`await show(workspace, form, meant, instead=number or None, counting=True)`; one count at a time."""
    kept_events, turn = EventsSeen(), asyncio.Semaphore(1)
    kept: dict[Any, tuple[float, Counted]] = {}

    async def count(workspace: int, draft: Audience | ComputedTrait, instead: int | None) -> Counted:
        means = draft.condition if isinstance(draft, Audience) else draft.aggregate
        async with turn:
            now = time.monotonic()
            for old in [key for key, (at, _) in kept.items() if now - at > LASTS] + list(kept)[: 1 - MOST_KEPT]:
                kept.pop(old, None)
            key = workspace, instead, means
            if key not in kept:
                counted = await audiences_preview.count(app, workspace, draft, instead=instead)
                kept[key] = time.monotonic(), counted
            return kept[key][1]

    async def show(workspace: int, form: Form, meant: Meant, *, instead: int | None, counting: bool) -> Shown:
        since = app.clock.now() - SPAN

        def look(connection: Connection) -> tuple[dict[str, Seen], Look, list[str]]:
            some, _ = contacts.newest(connection, workspace, examined=SAMPLED)
            known = sorted({name for each in some for name in traits.decode(each.traits)})
            return *kept_events.of(connection, workspace, since), known

        events, reach, known = await app.store.read(look)
        others = [each for each in app.directory.book(workspace).all if each.id != instead]
        wrong = _circles(others, form, meant)
        counted = None
        if counting and not wrong and not meant.wrong.keys() - {"name"}:
            counted = await count(workspace, _draft(form, meant), instead)
        return Shown(
            events=events,
            look=reach,
            audiences=sorted(each.name for each in others if isinstance(each, Audience)),
            traits=[f"traits.{name}" for name in known],
            wrong=wrong,
            counted=counted,
            examples=[(named(contact), _text(value)) for contact, value in counted.examples] if counted else [],
        )

    return show


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(value)  # pyright: ignore[reportUnknownArgumentType]
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _draft(form: Form, meant: Meant) -> Audience | ComputedTrait:
    told = {"id": 0, "workspace": 0, "name": form.name or "-", "key": key_of(form.name) or "-"}
    if form.is_audience:
        return Audience(**told, condition=read.condition(meant.line["where"], "where"))
    return ComputedTrait(**told, aggregate=read.aggregate(meant.line, "trait"))


def _circles(others: list[Audience | ComputedTrait], form: Form, meant: Meant) -> dict[str, str]:
    """By the field that leads round: to itself, or to another that comes back."""
    parts: dict[str, Condition] = dict(meant.parts)
    if form.is_audience and form.text is not None and not meant.wrong.keys() - {"name"}:
        parts = {"text": read.condition(meant.line["where"], "where")}
    wrong: dict[str, str] = {}
    if not form.is_audience or not form.name:
        return wrong
    for path, condition in parts.items():
        alone = Audience(id=0, workspace=0, name=form.name, key=key_of(form.name), condition=condition)
        try:
            in_order([*(each for each in others if each.name != form.name), alone])
        except Invalid as problem:
            wrong[path if path == "text" else f"{path}.around"] = str(problem)
    return wrong
