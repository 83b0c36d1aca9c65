"""A workspace file, read: every key by name, every value checked, before anything is kept.

What Heard knows but does not obey yet is refused, not ignored; so is what it does not know. A section or key that is
absent is `UNSET`: what the file does not speak of is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from heard import durations, fql
from heard import replace as templates
from heard.accounts.workspace import Brand, colour
from heard.campaigns import settings as campaign_settings
from heard.channels.email import address
from heard.errors import Invalid
from heard.surveys.kinds import KINDS
from heard.surveys.locales import LOCALES

LONGEST_NAME = 100
WRITE_KEY = re.compile(r"[A-Za-z0-9_-]{4,100}")
SECTIONS = (
    "workspace", "brand", "quiet_period", "exclude", "sources", "destinations", "surveys", "campaigns"
)  # fmt: skip
SECTIONS_NOT_YET = ("audiences", "computed_traits")
KINDS_NOT_YET = ("csat", "ces", "pmf", "custom")
DESTINATION_LENGTHS = ("late_identify", "max_event_age")


class SourceLine(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    write_key: str | None


class DestinationLine(msgspec.Struct, frozen=True, kw_only=True):
    """The surveys destination; `sources` by name, None = every one."""

    name: str
    sources: tuple[str, ...] | None
    settings: dict[str, Any]


class SurveyLine(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    kind: str
    settings: dict[str, Any]


class CampaignLine(msgspec.Struct, frozen=True, kw_only=True):
    """`settings` as written, without name, survey and status. `status` None = as it is, draft when new."""

    name: str
    survey: str
    settings: dict[str, Any]
    status: str | None


class WorkspaceFile(msgspec.Struct, frozen=True, kw_only=True):
    workspace: str
    brand: Brand | UnsetType = UNSET
    quiet_period: timedelta | UnsetType | None = UNSET
    exclude: str | UnsetType | None = UNSET
    sources: tuple[SourceLine, ...] = ()
    destination: DestinationLine | None = None
    surveys: tuple[SurveyLine, ...] = ()
    campaigns: tuple[CampaignLine, ...] = ()


def read(written: object) -> WorkspaceFile:
    """What a parsed file asks for.

    Raises:
        Invalid: naming the place (`campaigns[0].throttle`) and the fix.
    """
    # Dates become text, so that what is kept is what an export writes.
    content = _mapping(msgspec.json.decode(msgspec.json.encode(written)), "")
    for key in content:
        if key not in SECTIONS and key not in SECTIONS_NOT_YET:
            raise _unknown(key, (*SECTIONS, *SECTIONS_NOT_YET))
    for key in SECTIONS_NOT_YET:
        if content.get(key):
            raise _not_yet(key, f"this version of Heard does not know `{key}`; leave it out")
    name = _name(content.get("workspace"), "workspace")
    return WorkspaceFile(
        workspace=name,
        brand=_brand(content["brand"], name) if content.get("brand") is not None else UNSET,
        quiet_period=_length(content["quiet_period"], "quiet_period") if "quiet_period" in content else UNSET,
        exclude=_condition(content["exclude"], "exclude") if "exclude" in content else UNSET,
        sources=_lines(content, "sources", _source),
        destination=_surveys_destination(content),
        surveys=_lines(content, "surveys", survey_line),
        campaigns=_lines(content, "campaigns", campaign_line),
    )


def _lines(content: Mapping[str, Any], section: str, line: Callable[[dict[str, Any], str], Any]) -> tuple[Any, ...]:
    """A section that is a list of things with a name each, no name twice."""
    items = content.get(section)
    if items is None:
        return ()
    if not isinstance(items, list):
        raise Invalid(f"{section}: write a list, each line beginning with a dash.", field=section)
    found: dict[str, Any] = {}
    for number, item in enumerate(items):
        place = f"{section}[{number}]"
        one = line(_mapping(item, place), place)
        if one.name in found:
            raise Invalid(f"{place}.name: {one.name!r} stands above already; give each its own name.", field=place)
        found[one.name] = one
    return tuple(found.values())


def _brand(value: object, workspace: str) -> Brand:
    brand = _mapping(value, "brand")
    _only(brand, ("name", "from", "reply_to", "color", "address"), "brand")
    said = {key: _text(text, f"brand.{key}") for key, text in brand.items() if text is not None}
    for key in ("from", "reply_to"):
        if key in said:
            _at(f"brand.{key}", lambda key=key: address.mailbox(said[key], field=f"brand.{key}"))
    if "color" in said:
        said["color"] = _at("brand.color", lambda: colour(said["color"]))
    return msgspec.convert({"name": workspace, **said}, Brand)


def _source(line: dict[str, Any], place: str) -> SourceLine:
    _only(line, ("name", "write_key"), place)
    key = line.get("write_key")
    if key is not None and (not isinstance(key, str) or not WRITE_KEY.fullmatch(key)):
        raise Invalid(
            f"{place}.write_key: use 4 to 100 letters, digits, `-` and `_`, or leave it out to have one made.",
            field=f"{place}.write_key",
        )
    return SourceLine(name=_name(line.get("name"), f"{place}.name"), write_key=key)


def _surveys_destination(content: Mapping[str, Any]) -> DestinationLine | None:
    found = _lines(content, "destinations", _destination)
    if len(found) > 1:
        raise Invalid("destinations[1]: a workspace has one surveys destination.", field="destinations[1]")
    return found[0] if found else None


def _destination(line: dict[str, Any], place: str) -> DestinationLine:
    _only(line, ("name", "type", "sources", "settings", "events", "filters"), place)
    kind = line.get("type")
    if kind != "surveys":
        raise _not_yet(f"{place}.type", f"this version of Heard has destinations of type surveys only, not {kind!r}")
    for key in ("events", "filters"):
        if line.get(key):
            raise _not_yet(f"{place}.{key}", f"this version of Heard does not know `{key}` of a destination")
    fed = line.get("sources")
    if fed is not None and (not isinstance(fed, list) or not all(isinstance(name, str) for name in fed)):
        raise Invalid(f"{place}.sources: write a list of names of sources.", field=f"{place}.sources")
    return DestinationLine(
        name=_name(line.get("name"), f"{place}.name"),
        sources=None if fed is None else tuple(fed),
        settings=_destination_settings(_mapping(line.get("settings") or {}, f"{place}.settings"), f"{place}.settings"),
    )


def _destination_settings(settings: dict[str, Any], place: str) -> dict[str, Any]:
    for key in ("daily_limit", "list"):
        if settings.get(key) is not None:
            raise _not_yet(f"{place}.{key}", f"this version of Heard does not obey `{key}`; leave it out")
    _only(settings, ("daily_limit", "list", "consent_categories", *DESTINATION_LENGTHS), place)
    kept = {key: value for key, value in settings.items() if value is not None}
    for key in DESTINATION_LENGTHS:
        if key in kept:
            kept[key] = durations.write(_length(kept[key], f"{place}.{key}") or timedelta(0))
    categories = kept.get("consent_categories", [])
    if not isinstance(categories, list) or not all(isinstance(name, str) for name in categories):
        raise Invalid(f"{place}.consent_categories: write a list of names.", field=f"{place}.consent_categories")
    return kept


def survey_line(line: dict[str, Any], place: str) -> SurveyLine:
    """One survey, as the file or a form writes it; `place` leads what there is to say against it."""
    _only(line, ("name", "kind", "languages", "quiet_period", "send_back"), place)
    kind = line.get("kind")
    if kind in KINDS_NOT_YET and kind not in KINDS:
        raise _not_yet(f"{place}.kind", f"this version of Heard asks {', '.join(KINDS)} only")
    if not isinstance(kind, str) or kind not in KINDS:
        raise Invalid(f"{place}.kind: write one of {', '.join(KINDS)}.", field=f"{place}.kind")
    if line.get("send_back"):
        raise _not_yet(f"{place}.send_back", "this version of Heard sends no answers back; leave it out")
    settings: dict[str, Any] = {}
    if (languages := line.get("languages")) is not None:
        settings["languages"] = _languages(languages, f"{place}.languages")
    if (quiet := line.get("quiet_period")) is not None:
        settings["quiet_period"] = durations.write(_length(quiet, f"{place}.quiet_period") or timedelta(0))
    return SurveyLine(name=_name(line.get("name"), f"{place}.name"), kind=kind, settings=settings)


def _languages(value: object, place: str) -> list[str]:
    if not isinstance(value, list) or not value or not all(isinstance(code, str) for code in value):
        raise Invalid(f"{place}: write a list of languages, like [en].", field=place)
    for number, code in enumerate(value):
        if code not in LOCALES:
            raise _not_yet(
                f"{place}[{number}]", f"this version of Heard speaks {', '.join(sorted(LOCALES))}, not {code}"
            )
    return value


def campaign_line(line: dict[str, Any], place: str) -> CampaignLine:
    """One campaign, as the file or a form writes it; `place` leads what there is to say against it."""
    settings = {
        key: value for key, value in line.items() if key not in ("name", "survey", "status") and value is not None
    }
    campaign_settings.refuse_unknown(line, field=place)
    if line.get("survey") is None:
        raise Invalid(f"{place}.survey: name the survey to ask.", field=f"{place}.survey")
    if "channel" not in settings:
        raise Invalid(f"{place}.channel: write email.", field=f"{place}.channel")
    read_as = campaign_settings.read(line, field=place)
    for key, text in (settings.get("template") or {}).items():
        _at(f"{place}.template.{key}", lambda text=text: templates.check(text))
    status = read_as.get("status")
    return CampaignLine(
        name=_name(line.get("name"), f"{place}.name"),
        survey=_name(line["survey"], f"{place}.survey"),
        settings=settings,
        status=status.value if status else None,
    )


# ── values ──


def _mapping(value: object, place: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        said = f"{place}: " if place else "The file: "
        raise Invalid(f"{said}write keys and values.", field=place or None)
    return value


def _name(value: object, place: str) -> str:
    if not isinstance(value, str) or not 1 <= len(value.strip()) <= LONGEST_NAME:
        raise Invalid(f"{place}: write a name of 1 to {LONGEST_NAME} characters.", field=place)
    return value.strip()


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or len(value) > 500:
        raise Invalid(f"{place}: write a text of at most 500 characters.", field=place)
    return value


def _length(value: object, place: str) -> timedelta | None:
    """None, and 0, as nothing; else a length of time."""
    if value is None or (value == 0 and not isinstance(value, bool)):
        return None
    return _at(place, lambda: durations.parse(value))


def _condition(value: object, place: str) -> str | None:
    if value is None:
        return None
    text = _text(value, place)
    _at(place, lambda: fql.predicate(text))
    return text


def _at(place: str, check: Callable[[], Any]) -> Any:
    """What `check` gives; what it has to say against it begins with the place."""
    try:
        return check()
    except Invalid as error:
        raise Invalid(f"{place}: {error}", field=place) from None


def _only(line: Mapping[str, Any], known: Collection[str], place: str) -> None:
    for key in line:
        if key not in known:
            raise _unknown(f"{place}.{key}", known)


def _unknown(place: str, known: Collection[str]) -> Invalid:
    return Invalid(f"{place}: there is no such key. Known: {', '.join(known)}.", field=place)


def _not_yet(place: str, why: str) -> Invalid:
    return Invalid(f"{place}: not yet: {why}.", field=place)
