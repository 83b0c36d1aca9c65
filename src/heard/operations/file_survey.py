"""Surveys of a workspace file: read, compared with what is there, kept, and written back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard import durations
from heard.errors import Invalid
from heard.operations.file_audience import known_names
from heard.operations.file_changes import Change, compare
from heard.routing.destination import SURVEYS
from heard.store import edits, tables
from heard.store.edits import Row
from heard.surveys import send_back
from heard.surveys.kinds import KINDS
from heard.surveys.locales import LOCALES

LONGEST_NAME = 100
KINDS_NOT_YET = ("csat", "ces", "pmf", "custom")
KEYS = ("name", "kind", "languages", "quiet_period", "send_back")


class SurveyLine(msgspec.Struct, frozen=True, kw_only=True):
    """`settings` as written: destinations by name."""

    name: str
    kind: str
    settings: dict[str, Any]


def survey_line(line: dict[str, Any], place: str) -> SurveyLine:
    """One survey, as the file or a form writes it; `place` leads what there is to say against it."""
    for key in line:
        if key not in KEYS:
            raise Invalid(f"{place}.{key}: there is no such key. Known: {', '.join(KEYS)}.", field=f"{place}.{key}")
    kind = line.get("kind")
    if kind in KINDS_NOT_YET and kind not in KINDS:
        raise _not_yet(f"{place}.kind", f"this version of Heard asks {', '.join(KINDS)} only")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Invalid(f"{place}.kind: write one of {', '.join(KINDS)}.", field=f"{place}.kind")
    settings: dict[str, Any] = {}
    if (languages := line.get("languages")) is not None:
        settings["languages"] = _languages(languages, f"{place}.languages")
    if (quiet := line.get("quiet_period")) is not None:
        settings["quiet_period"] = _length(quiet, f"{place}.quiet_period")
    if (back := line.get("send_back")) is not None:
        settings["send_back"] = send_back.read(back, f"{place}.send_back")
    return SurveyLine(name=_name(line.get("name"), f"{place}.name"), kind=kind, settings=settings)


def keep_surveys(
    connection: Connection, workspace: int, wanted: Sequence[SurveyLine], changes: list[Change], now: datetime
) -> dict[str, int]:
    """Bring the workspace's to what the file says; gives the ids of all its surveys, by name."""
    known = {row["name"]: row for row in edits.rows_of(connection, tables.surveys, workspace)}
    numbers: dict[str, int] = {name: row["id"] for name, row in known.items()}
    destinations = destinations_of(connection, workspace)
    for line in wanted:
        place, row = f"surveys[{line.name}]", known.get(line.name)
        settings = numbered(connection, workspace, line.settings, f"{place}.send_back.to")
        if row is None:
            changes.append(Change(place=place, added=True))
        else:
            before = {"kind": row["kind"], **as_written(row["settings"], destinations)}
            if not compare(changes, place, before, {"kind": line.kind, **as_written(settings, destinations)}):
                continue
        numbers[line.name] = edits.keep_survey(
            connection, workspace, row, now=now, name=line.name, kind=line.kind, settings=settings
        )
    return numbers


def numbered(connection: Connection, workspace: int, settings: dict[str, Any], place: str) -> dict[str, Any]:
    """As it is kept: destinations by number, so that they may be called something else.

    Raises:
        Invalid: there is no such destination, or it is Heard itself.
    """
    if "send_back" not in settings:
        return settings
    names, back = known_names(connection, workspace), settings["send_back"]
    ours = {row["id"] for row in _rows(connection, workspace) if row["type"] == SURVEYS}
    for name in back["to"]:
        if name not in names:
            raise Invalid(f"{place}: there is no destination {name!r}.", field=place)
        if names[name] in ours:
            raise Invalid(f"{place}: {name} has the answers already; name destinations outside.", field=place)
    return {**settings, "send_back": {**back, "to": [names[name] for name in back["to"]]}}


def as_written(settings: Mapping[str, Any], destinations: Mapping[int, str]) -> dict[str, Any]:
    """As the file has it. What goes to nobody any more is not there."""
    written = dict(settings)
    if (back := written.pop("send_back", None)) is not None:
        to = [destinations[number] for number in back["to"] if number in destinations]
        if to:
            written["send_back"] = {**back, "to": to}
    return written


def destinations_of(connection: Connection, workspace: int) -> dict[int, str]:
    return {row["id"]: row["name"] for row in _rows(connection, workspace)}


def _rows(connection: Connection, workspace: int) -> list[Row]:
    return edits.rows_of(connection, tables.destinations, workspace)


def _languages(value: object, place: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(code, str) for code in value):
        raise Invalid(f"{place}: write a list of languages, like [en].", field=place)
    codes: list[str] = []
    for number, tag in enumerate(value):
        code = tag.strip().replace("_", "-").casefold()
        if code not in LOCALES:
            raise _not_yet(
                f"{place}[{number}]", f"this version of Heard speaks {', '.join(sorted(LOCALES))}, not {tag}"
            )
        if code not in codes:
            codes.append(code)
    return codes


def _length(value: object, place: str) -> str:
    if value == 0 and not isinstance(value, bool):
        return "0s"
    try:
        return durations.write(durations.parse(value))
    except Invalid as error:
        raise Invalid(f"{place}: {error}", field=place) from None


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= LONGEST_NAME:
        raise Invalid(f"{place}: write a name of 1 to {LONGEST_NAME} characters.", field=place)
    return value.strip()


def _not_yet(place: str, why: str) -> Invalid:
    return Invalid(f"{place}: not yet: {why}.", field=place)
