"""What a version of a survey or a campaign said, from when to when it held, and what it changed.

Settings are told in the words of the workspace file, one a line; what lies deeper is told by its place, like
`template.subject`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations import file_survey, yaml_text
from heard.store import versions
from heard.surveys.survey import Survey

NEWEST = 2**31 - 1  # what a column of versions can hold


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """A setting that was another one in the version before; None = it was, or is, not set."""

    place: str
    before: str | None
    after: str | None


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """`until` is None while it holds. `changed` is None of the first one, which changed nothing."""

    number: int
    at: datetime
    until: datetime | None
    settings: list[tuple[str, str]]  # place, value
    changed: list[Difference] | None
    before: int | None
    after: int | None


async def version(app: Installation, of: Campaign | Survey, number: int) -> Version:
    """
    Raises:
        NotFound: it never had that version.
    """
    noun = "campaign" if isinstance(of, Campaign) else "survey"

    def look(connection: Connection) -> tuple[dict[int, versions.Kept], dict[int, str]]:
        known = versions.around(connection, of.workspace, noun, of.id, number) if number < NEWEST else {}
        return known, file_survey.destinations_of(connection, of.workspace)

    known, destinations = await app.store.read(look)
    if number not in known:
        raise NotFound(f"{of.name} never had a version {number}.")
    told = {each: dict(_flat(_written(kept.settings, destinations))) for each, kept in known.items()}
    before, after = known.get(number - 1), known.get(number + 1)
    return Version(
        number=number,
        at=known[number].at,
        until=after.at if after else None,
        settings=list(told[number].items()),
        changed=_differences(told[number - 1], told[number]) if before else None,
        before=before.version if before else None,
        after=after.version if after else None,
    )


def _differences(before: Mapping[str, str], after: Mapping[str, str]) -> list[Difference]:
    return [
        Difference(place=place, before=before.get(place), after=after.get(place))
        for place in {**before, **after}
        if before.get(place) != after.get(place)
    ]


def _written(settings: Mapping[str, Any], destinations: Mapping[int, str]) -> dict[str, Any]:
    """As the file has it, with the destinations that are gone by now."""
    back = settings.get("send_back")
    if not back:
        return dict(settings)
    to = [destinations.get(each, f"destination {each}, which is gone") for each in back["to"]]
    return {**settings, "send_back": {**back, "to": to}}


def _flat(settings: Mapping[str, Any], place: str = "") -> Iterator[tuple[str, str]]:
    for key, value in settings.items():
        if isinstance(value, dict) and value:
            yield from _flat(value, f"{place}{key}.")
        elif value is not None:
            yield f"{place}{key}", _said(value)


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list) and not any(isinstance(each, dict | list) for each in value):
        return ", ".join(_said(each) for each in value)
    return yaml_text.dump(value).strip() if isinstance(value, dict | list) else str(value)
