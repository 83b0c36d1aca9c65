"""The form of a campaign: what it holds of a kept one, and what it says in the words of the workspace file."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from heard.campaigns import settings as campaign_settings
from heard.campaigns import suggestions
from heard.campaigns.campaign import Channel, LinkIdentity, Recipients, Template
from heard.campaigns.window import Day, Window

TEXTS = (
    "event",
    "where",
    "audience",
    "list",
    "delay",
    "throttle",
    "reminder",
    "recurring",
    "drip",
    "older_than",
    "sample",
    "starts",
    "ends",
    "forward_to",
)
OF_LINKS = ("list", "throttle", "quota", "starts", "ends")  # the fields that are shown for a campaign by link
COUNTS = ("daily_cap", "quota")
LENGTHS = ("delay", "throttle", "reminder", "recurring", "drip", "older_than")
DAYS = tuple(day.name.lower() for day in Day)
WORKING_DAYS = DAYS[:5]
LONGEST = 5_000  # characters of any field
LONGEST_NUMBER = 18  # digits


class Form(msgspec.Struct, frozen=True, kw_only=True):
    """One text a field, as the page shows it; "" is nothing."""

    name: str = ""
    survey: str = ""
    recipients: str = Recipients.EVENT.value
    api: bool = False
    link_identity: str = LinkIdentity.KNOWN.value
    texts: dict[str, str] = {}
    has_window: bool = False
    days: tuple[str, ...] = WORKING_DAYS
    from_: str = "09:00"
    to: str = "17:00"
    zone: str = "contact"
    subject: str = Template().subject
    intro: str = Template().intro
    outro: str = ""
    version: int = 0

    def __getitem__(self, key: str) -> str:
        return self.texts.get(key, "")


def of_settings(name: str, survey: str, settings: Mapping[str, Any], version: int) -> Form:
    """The form of a kept campaign; `settings` as they were written."""
    texts = {key: str(settings[key]) for key in (*TEXTS, *COUNTS) if settings.get(key) is not None}
    for key in ("starts", "ends"):
        if isinstance(settings.get(key), datetime):
            texts[key] = settings[key].astimezone(UTC).isoformat()
    if "sample" in texts and not texts["sample"].endswith("%"):
        texts["sample"] = f"{float(texts['sample']) * 100:g}%"
    form = Form(name=name, survey=survey, texts=texts, version=version)
    template = {**msgspec.to_builtins(Template()), **(settings.get("template") or {})}
    read = campaign_settings.read(settings)
    form = msgspec.structs.replace(
        form,
        subject=template["subject"],
        intro=template["intro"],
        outro=template["outro"],
        recipients=read["recipients"].value,
        api=bool(read.get("api")),
        link_identity=read.get("link_identity", LinkIdentity.KNOWN).value,
    )
    window: Window | None = read.get("window")
    if window is None:
        return form
    return msgspec.structs.replace(
        form,
        has_window=True,
        days=tuple(DAYS[day] for day in window.days),
        from_=f"{window.start:%H:%M}",
        to=f"{window.end:%H:%M}",
        zone=window.zone,
    )


def of_fields(fields: Any) -> Form:
    """What a browser sent."""

    def text(name: str) -> str:
        return str(fields.get(name) or "").replace("\r\n", "\n").strip()[:LONGEST]

    form = Form(
        name=text("name"),
        survey=text("survey"),
        recipients=text("recipients") or Recipients.EVENT.value,
        api=bool(fields.get("api")),
        link_identity=text("link_identity") or LinkIdentity.KNOWN.value,
        texts={key: value for key in (*TEXTS, *COUNTS) if (value := text(key))},
        has_window=bool(fields.get("window")),
        days=tuple(day for day in DAYS if day in fields.getall("days", [])),
        from_=text("from"),
        to=text("to"),
        zone=text("zone"),
        subject=text("subject"),
        intro=text("intro"),
        outro=text("outro"),
        version=number(text("version")) or 0,
    )
    key, _, meant = text("use").partition("=")
    return msgspec.structs.replace(form, texts={**form.texts, key: meant}) if key in (*TEXTS, *COUNTS) else form


def written(form: Form) -> dict[str, Any]:
    """The form as a campaign of the workspace file."""
    if form.recipients == Recipients.LINK.value:
        return _by_link(form)
    line: dict[str, Any] = {"name": form.name, "survey": form.survey, "channel": "email", **form.texts}
    if form.recipients != Recipients.EVENT.value:
        line["recipients"] = form.recipients
        line.pop("event", None)  # its field is not shown then
    if form.recipients not in (Recipients.LIST.value, Recipients.AUDIENCE.value):
        line.pop("drip", None)
    if form.api:
        line["api"] = True
    for key in COUNTS:
        plain = form[key].replace(",", "")
        if (count := number(plain)) is not None:
            line[key] = count
    if form.has_window:
        some_days = {"days": list(form.days)} if form.days != DAYS else {}
        line["window"] = {**some_days, "from": form.from_, "to": form.to, "zone": form.zone or "contact"}
    usual = msgspec.to_builtins(Template())
    template = {key: said for key in usual if (said := getattr(form, key)) and said != usual[key]}
    return {**line, **({"template": template} if template else {})}


def _by_link(form: Form) -> dict[str, Any]:
    """What is shown of the form then; what it holds of mails and events is not."""
    line: dict[str, Any] = {"name": form.name, "survey": form.survey, "channel": Channel.LINK.value}
    line |= {key: form.texts[key] for key in OF_LINKS if key in form.texts}
    if (count := number(form["quota"].replace(",", ""))) is not None:
        line["quota"] = count
    return line if form.link_identity == LinkIdentity.KNOWN.value else {**line, "link_identity": form.link_identity}


def number(text: str) -> int | None:
    """A whole number that a database takes; None for anything else."""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else None


def fixes(form: Form, complaints: Mapping[str, str]) -> dict[str, str]:
    """What may have been meant, by field: offered beside the complaint."""
    found = {key: suggestions.length(form[key]) for key in LENGTHS if key in complaints}
    if "sample" in complaints:
        found["sample"] = suggestions.share(form["sample"])
    return {key: meant for key, meant in found.items() if meant}
