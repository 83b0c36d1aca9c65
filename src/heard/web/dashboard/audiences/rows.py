"""The condition of an audience as rows of a form: read from the workspace file's words, and written in them again.

A row has a path, as its fields have: `w` is the group of all, `w.0` its first row, `w.1.0` the first of a group in it.
Groups stand in groups as far as a form can show it; what a file put deeper is a row that is kept as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import msgspec

from heard import durations
from heard.audiences import in_words, read
from heard.errors import Invalid
from heard.web.dashboard.audiences import refined
from heard.web.dashboard.audiences.refined import Refined, text

ROOT = "w"
KINDS = ("event", "traits", "audience", "group", "kept")
DEEPEST = 3  # groups in each other, the first among them
MOST_ROWS = 50  # of a group
OFTEN: Mapping[str, str] = {
    "at_least": "at least",
    "at_most": "at most",
    "exactly": "exactly",
    "between": "between",
}
UNITS: Mapping[str, str] = {"d": "days", "h": "hours", "m": "minutes"}
EVERY, EITHER = "all", "any"


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`opposite`: it is not to be true. `n`, `most` and `length` are as they were written. `kept`: as JSON."""

    kind: str
    opposite: bool = False
    event: str = ""
    often: str = "at_least"
    n: str = "1"
    most: str = ""
    length: str = ""
    unit: str = "d"
    refined: Refined = Refined()
    audience: str = ""
    join: str = EVERY
    rows: tuple[Row, ...] = ()
    kept: str = ""

    @property
    def units(self) -> Mapping[str, str]:
        """Seconds only where a file has them."""
        return UNITS if self.unit in UNITS else {**UNITS, "s": "seconds"}

    @property
    def says(self) -> str:
        """A row that is kept as it is, in words."""
        return in_words.condition(read.condition(msgspec.json.decode(self.kept), ""))


NOTHING = Row(kind="group")


def of_condition(written: Mapping[str, Any]) -> Row:
    """The group of all, of a `where` that can be obeyed."""
    row = _row(written, 1)
    return row if row.kind == "group" and not row.opposite else Row(kind="group", rows=(_row(written, 2),))


def _row(written: Mapping[str, Any], depth: int) -> Row:
    if "not" in written:
        inner = _row(written["not"], depth)
        return msgspec.structs.replace(inner, opposite=not inner.opposite)
    if "event" in written:
        return _of_event(written)
    if "traits" in written:
        return Row(kind="traits", refined=refined.of_where(written["traits"]))
    if "audience" in written:
        return Row(kind="audience", audience=written["audience"])
    if depth > DEEPEST:
        return Row(kind="kept", kept=msgspec.json.encode(written).decode())
    join = EVERY if EVERY in written else EITHER
    return Row(kind="group", join=join, rows=tuple(_row(part, depth + 1) for part in written[join]))


def _of_event(written: Mapping[str, Any]) -> Row:
    least, most, exactly = (written.get(key) for key in ("at_least", "at_most", "exactly"))
    often, n, second = "at_least", 1 if least is None else least, ""
    if exactly is not None:
        often, n = "exactly", exactly
    elif least is not None and most is not None:
        often, second = "between", str(most)
    elif most is not None:
        often, n = "at_most", most
    length, unit = split(written.get("within"))
    return Row(
        kind="event",
        event=written["event"],
        often=often,
        n=str(n),
        most=second,
        length=length,
        unit=unit,
        refined=refined.of_where(written.get("where")),
    )


def of_fields(fields: Any, path: str = ROOT, depth: int = 1) -> Row:
    """What a browser sent, whatever it is."""

    def said(name: str, otherwise: str = "") -> str:
        value = fields.get(f"{path}.{name}")
        return otherwise if value is None else text(value)

    kind = said("kind", "group")
    if kind not in KINDS or (kind == "group" and depth > DEEPEST):
        return NOTHING
    rows: list[Row] = []
    while kind == "group" and len(rows) < MOST_ROWS and f"{path}.{len(rows)}.kind" in fields:
        rows.append(of_fields(fields, f"{path}.{len(rows)}", depth + 1))
    often, unit = said("often"), said("unit")
    return Row(
        kind=kind,
        opposite=said("is") == "not",
        event=said("event"),
        often=often if often in OFTEN else "at_least",
        n=said("n") if kind == "event" else "1",
        most=said("most"),
        length=said("length"),
        unit=unit if unit in durations.UNITS else "d",
        refined=refined.of_fields(fields, path) if kind in ("event", "traits") else Refined(),
        audience=said("audience"),
        join=EITHER if said("join") == EITHER else EVERY,
        rows=tuple(rows),
        kept=_kept(said("kept")) if kind == "kept" else "",
    )


def _kept(said: str) -> str:
    """What a row holds that was not for editing; one that somebody edited all the same is the empty one."""
    try:
        written = msgspec.json.decode(said)
        read.condition(written, "")
    except (msgspec.DecodeError, Invalid):
        return '{"all": [{"event": "-"}]}'
    return msgspec.json.encode(cast("Any", written)).decode()


def split(within: str | None) -> tuple[str, str]:
    """`30d` -> ("30", "d"); whatever it was written as, in days, hours, minutes or seconds."""
    if within is None:
        return "", "d"
    length = durations.write(durations.parse(within))
    return length[:-1], length[-1]


def within(row: Row) -> str | None:
    return f"{row.length}{row.unit}" if row.length else None


def count(said: str) -> int | str:
    """A number where it is one; else as it was written, to be refused."""
    plain = said.replace(",", "")
    return int(plain) if plain.isascii() and plain.isdecimal() and len(plain) < 10 else said
