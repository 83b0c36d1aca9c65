"""The form of an audience or a computed trait: what it holds of a kept one, and what it says in the file's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from heard.audiences import aggregates, in_words, read
from heard.errors import Invalid
from heard.operations import yaml_text
from heard.operations.audiences_edit import Kept
from heard.store.directory import AUDIENCE
from heard.web.dashboard.audiences import meant as meanings
from heard.web.dashboard.audiences import refined, rows
from heard.web.dashboard.audiences.meant import at_field
from heard.web.dashboard.audiences.rows import ROOT, Row
from heard.web.dashboard.chips import EVENTS

KINDS: Mapping[str, str] = {kind: in_words.WORDS[kind] for kind in aggregates.KINDS}
LONGEST_TEXT = 20_000  # characters
TRAIT_FIELDS = {"event": "event", "property": "property", "within": "length", "where": "fql"}


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """`text`: the condition as YAML, None where it is written by rows. `of`, `property_`: of a computed trait.

    A computed trait's event, window and refinements stand in the first row, for they are the same fields.
    """

    kind: str
    name: str = ""
    root: Row = rows.NOTHING
    text: str | None = None
    of: str = "count"
    property_: str = ""
    to: tuple[str, ...] = ()
    as_: str = "traits"
    stamp: str = ""

    @property
    def is_audience(self) -> bool:
        return self.kind == AUDIENCE

    @property
    def row(self) -> Row:
        return self.root.rows[0]


class Meant(msgspec.Struct, frozen=True, kw_only=True):
    """A line of the workspace file; `wrong` by field, of which `blank` are still to be written."""

    line: dict[str, Any]
    wrong: dict[str, str]
    blank: frozenset[str] = frozenset()
    parts: Mapping[str, Any] = {}

    @property
    def problems(self) -> dict[str, str]:
        """Without what is still to be written."""
        return {field: said for field, said in self.wrong.items() if field not in self.blank}


def empty(kind: str, surveys: str) -> Form:
    """A new one is told to the surveys destination, as in a file that says nothing of it."""
    return Form(kind=kind, root=Row(kind="group", rows=(Row(kind="event"),)), to=(surveys,))


def of_kept(kept: Kept, surveys: str) -> Form:
    written = kept.written
    form = Form(
        kind=kept.kind,
        name=written["name"],
        to=tuple(written.get("to", [surveys])),
        as_=written.get("as", "traits"),
        stamp=kept.stamp,
    )
    if kept.kind == AUDIENCE:
        return msgspec.structs.replace(form, root=rows.of_condition(written["where"]))
    of = next(kind for kind in aggregates.KINDS if kind in written)
    asked = written[of]
    length, unit = rows.split(asked.get("within"))
    row = Row(
        kind="event", event=asked["event"], length=length, unit=unit, refined=refined.of_where(asked.get("where"))
    )
    root = Row(kind="group", rows=(row,))
    return msgspec.structs.replace(form, root=root, of=of, property_=asked.get("property", ""))


def of_fields(fields: Any, kind: str) -> Form:
    """What a browser sent."""
    said = fields.get("text")
    root = rows.of_fields(fields)
    if kind != AUDIENCE and (not root.rows or root.rows[0].kind != "event"):
        root = Row(kind="group", rows=(Row(kind="event"),))
    return Form(
        kind=kind,
        name=refined.text(fields.get("name")),
        root=root,
        text=None if said is None else str(said).replace("\r\n", "\n")[:LONGEST_TEXT],
        of=of if (of := refined.text(fields.get("of"))) in KINDS else "count",
        property_=refined.text(fields.get("property")),
        to=tuple(str(each) for each in fields.getall("to", [])),
        as_="events" if fields.get("as") == "events" else "traits",
        stamp=refined.text(fields.get("stamp")),
    )


def meant(form: Form, before: Form | None, kept: Kept | None) -> Meant:
    """What it says; word for word as it was kept where nothing of it was changed."""
    line: dict[str, Any] = {"name": form.name, "to": list(form.to), "as": form.as_}
    if kept is not None and before is not None:
        changed = {"name": True, "to": set(form.to) != set(before.to), "as": form.as_ != before.as_}
        line = {key: value for key, value in line.items() if key in kept.written or changed[key]}
    blank = frozenset() if form.name else frozenset({"name"})
    wrong = {} if form.name else {"name": "Give it a name."}
    if kept is not None and before is not None and _means(form) == _means(before):
        return Meant(line={**kept.written, **line}, wrong=wrong, blank=blank, parts=meanings.meant(form.root).parts)
    if not form.is_audience:
        asked, problems, missing = _aggregate(form)
        return Meant(line={**line, form.of: asked}, wrong=wrong | problems, blank=blank | missing)
    if form.text is not None:
        where, problem = _read(form.text)
        return Meant(line={**line, "where": where}, wrong=wrong | problem, blank=blank)
    found = meanings.meant(form.root)
    return Meant(
        line={**line, "where": found.written}, wrong=wrong | found.wrong, blank=blank | found.blank, parts=found.parts
    )


def as_text(form: Form, where: dict[str, Any]) -> Form:
    """The same, to be written as YAML; what cannot be obeyed goes along."""
    return msgspec.structs.replace(form, text=yaml_text.dump(where))


def as_rows(form: Form) -> Form:
    """
    Raises:
        Invalid: the text cannot be obeyed.
    """
    where, problem = _read(form.text or "")
    if problem:
        raise Invalid(problem["text"], field="text")
    return msgspec.structs.replace(form, text=None, root=rows.of_condition(where))


def slots(form: Form) -> list[str]:
    """The places below fields where something may be said of them."""

    def of(row: Row, path: str) -> list[str]:
        lines = [f"{path}-f{number}" for number in range(len(row.refined.lines))]
        inner = [slot for place, each in enumerate(row.rows) for slot in of(each, f"{path}-{place}")]
        return [path, *lines, *inner]

    return ["name", "property", "text", "to", "as", "top", *of(form.root, ROOT)]


def _read(text: str) -> tuple[Any, dict[str, str]]:

    try:
        where = yaml_text.load(text, name="The text") if text.strip() else {}
        where = msgspec.json.decode(msgspec.json.encode(where))  # dates become text, as in a file
        read.condition(where, "where")
    except Invalid as problem:
        return {}, {"text": str(problem)}
    return where, {}


def _aggregate(form: Form) -> tuple[dict[str, Any], dict[str, str], frozenset[str]]:

    row, path, wrong = form.row, f"{ROOT}.0", dict[str, str]()
    if not row.event:
        wrong[f"{path}.event"] = meanings.TO_COME
    needs_property = form.of != "count"
    if needs_property and not form.property_:
        wrong["property"] = "Name the property, like total."
    blank = set(wrong)
    where = refined.where_of(row.refined, EVENTS, wrong, path)
    whole = {"event": row.event, "property": form.property_ if needs_property else None, "where": where}
    asked = {key: value for key, value in {**whole, "within": rows.within(row)}.items() if value is not None}
    if not wrong:
        try:
            read.aggregate({form.of: asked}, "trait")
        except Invalid as problem:
            field, said = at_field(problem, f"trait.{form.of}")
            at = TRAIT_FIELDS.get(field, "event")
            wrong[at if at == "property" else f"{path}.{at}"] = said
    return asked, wrong, frozenset(blank)


def _means(form: Form) -> tuple[Any, ...]:
    return form.root, form.text, form.of, form.property_
