"""A workspace file, read: every key by name, every value checked, before anything is kept.

What Heard knows but does not obey yet is refused, not ignored; so is what it does not know. A section or key that is
absent is `UNSET`: what the file does not speak of is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from functools import partial
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from heard import durations, fql
from heard import replace as templates
from heard.accounts import logo
from heard.accounts.workspace import Brand, UnconfirmedClicks, colour
from heard.campaigns import settings as campaign_settings
from heard.channels.email import address
from heard.errors import Invalid
from heard.operations.file_audience import ComputedLine, audience_line, trait_line
from heard.operations.file_destination import DestinationLine, destination_line
from heard.operations.file_mail import MailLine, mail_line
from heard.operations.file_plan import PlanLine, plan_line
from heard.operations.file_survey import SurveyLine, survey_line
from heard.routing.destination import SURVEYS

LONGEST_NAME = 100
SHARED_SECRET = range(8, 501)  # characters
WRITE_KEY = re.compile(r"[A-Za-z0-9_-]{4,100}")
SECTIONS = (
    "workspace", "brand", "quiet_period", "exclude", "unconfirmed_clicks", "mail", "sources",
    "destinations",
    "tracking_plans", "audiences", "computed_traits", "surveys", "campaigns",
)  # fmt: skip


class SourceLine(msgspec.Struct, frozen=True, kw_only=True):
    """`webhook_secret` UNSET = as it is."""

    name: str
    write_key: str | None
    webhook_secret: str | UnsetType | None = UNSET


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
    unconfirmed_clicks: UnconfirmedClicks | UnsetType = UNSET
    mail: MailLine | UnsetType = UNSET
    sources: tuple[SourceLine, ...] = ()
    destinations: tuple[DestinationLine, ...] = ()
    tracking_plans: tuple[PlanLine, ...] = ()
    audiences: tuple[ComputedLine, ...] = ()
    computed_traits: tuple[ComputedLine, ...] = ()
    surveys: tuple[SurveyLine, ...] = ()
    campaigns: tuple[CampaignLine, ...] = ()


def read(written: object, *, allow_private: bool = False) -> WorkspaceFile:
    """What a parsed file asks for. `allow_private`: destinations may be on the private network.

    Raises:
        Invalid: naming the place (`campaigns[0].throttle`) and the fix.
    """
    # Dates become text, so that what is kept is what an export writes.
    content = _mapping(msgspec.json.decode(msgspec.json.encode(written)), "")
    for key in content:
        if key not in SECTIONS:
            raise _unknown(key, SECTIONS)
    name = _name(content.get("workspace"), "workspace")
    return WorkspaceFile(
        workspace=name,
        brand=_brand(content["brand"], name) if content.get("brand") is not None else UNSET,
        quiet_period=_length(content["quiet_period"], "quiet_period") if "quiet_period" in content else UNSET,
        exclude=_condition(content["exclude"], "exclude") if "exclude" in content else UNSET,
        unconfirmed_clicks=_unconfirmed(content["unconfirmed_clicks"]) if "unconfirmed_clicks" in content else UNSET,
        mail=mail_line(content["mail"] or {}) if "mail" in content else UNSET,
        sources=_lines(content, "sources", _source),
        destinations=_destinations(content, allow_private=allow_private),
        tracking_plans=_lines(content, "tracking_plans", plan_line),
        audiences=_lines(content, "audiences", audience_line),
        computed_traits=_lines(content, "computed_traits", trait_line),
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
    _only(brand, ("name", "from", "reply_to", "color", "address", "logo"), "brand")
    said = {key: _text(text, f"brand.{key}") for key, text in brand.items() if text is not None and key != "logo"}
    for key in ("from", "reply_to"):
        if key in said:
            _at(f"brand.{key}", lambda key=key: address.mailbox(said[key], field=f"brand.{key}"))
    if "color" in said:
        said["color"] = _at("brand.color", lambda: colour(said["color"]))
    if (picture := brand.get("logo")) is not None:
        _at("brand.logo", lambda: logo.read(str(picture)))
        said["logo"] = str(picture)
    return msgspec.convert({"name": workspace, **said}, Brand)


def _source(line: dict[str, Any], place: str) -> SourceLine:
    _only(line, ("name", "write_key", "webhook_secret"), place)
    key = line.get("write_key")
    if key is not None and (not isinstance(key, str) or not WRITE_KEY.fullmatch(key)):
        raise Invalid(
            f"{place}.write_key: use 4 to 100 letters, digits, `-` and `_`, or leave it out to have one made.",
            field=f"{place}.write_key",
        )
    secret = line.get("webhook_secret", UNSET)
    if secret is not UNSET and secret is not None and (not isinstance(secret, str) or len(secret) not in SHARED_SECRET):
        raise Invalid(f"{place}.webhook_secret: write 8 to 500 characters.", field=f"{place}.webhook_secret")
    return SourceLine(name=_name(line.get("name"), f"{place}.name"), write_key=key, webhook_secret=secret)


def _destinations(content: Mapping[str, Any], *, allow_private: bool) -> tuple[DestinationLine, ...]:
    found = _lines(content, "destinations", partial(destination_line, allow_private=allow_private))
    ours = [number for number, each in enumerate(found) if each.type == SURVEYS]
    if len(ours) > 1:
        place = f"destinations[{ours[1]}]"
        raise Invalid(f"{place}: a workspace has one surveys destination.", field=place)
    return found


def campaign_line(line: dict[str, Any], place: str) -> CampaignLine:
    """One campaign, as the file or a form writes it; `place` leads what there is to say against it."""
    settings = {
        key: value for key, value in line.items() if key not in ("name", "survey", "status") and value is not None
    }
    campaign_settings.refuse_unknown(line, field=place)
    if line.get("survey") is None:
        raise Invalid(f"{place}.survey: name the survey to ask.", field=f"{place}.survey")
    if "channel" not in settings:
        raise Invalid(f"{place}.channel: write email or link.", field=f"{place}.channel")
    read_as = campaign_settings.read(line, field=place)
    for key, text in (settings.get("template") or {}).items():
        _at(f"{place}.template.{key}", lambda text=text: templates.check(text))
    if (replies := read_as.get("forward_to")) is not None:
        _at(f"{place}.forward_to", lambda: address.mailbox(replies))
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


def _unconfirmed(value: object) -> UnconfirmedClicks:
    """None as strict."""
    if value is None:
        return UnconfirmedClicks.STRICT
    if value not in tuple(UnconfirmedClicks):
        place = "unconfirmed_clicks"
        raise Invalid(f"{place}: write {', '.join(UnconfirmedClicks)}; not {value!r}.", field=place)
    return UnconfirmedClicks(value)


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
