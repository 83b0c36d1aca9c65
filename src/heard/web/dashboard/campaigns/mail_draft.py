"""The words of a campaign's mail while somebody writes them: what the form holds, and what stands against it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

import msgspec
from sqlalchemy import Connection

from heard.campaigns.campaign import Campaign, Template
from heard.errors import NotFound
from heard.installation import Installation
from heard.operations import campaigns_edit
from heard.operations.campaigns_edit import Read
from heard.store import edits, tables
from heard.store.edits import Row
from heard.web.dashboard.campaigns.form import number
from heard.web.dashboard.campaigns.view import NO_CAMPAIGN

WORDS = ("subject", "intro", "outro")
LONGEST = 5_000  # characters of any field


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """One text a field, as the page shows it."""

    subject: str
    intro: str
    outro: str
    language: str = ""  # "" = that of the contact
    who: str = ""  # a userId or an address; "" = whoever looks, else the newest contact
    bare: bool = False  # somebody about whom nothing is known
    version: int = 0

    @property
    def template(self) -> Template:
        """Left empty, subject and opening are ours."""
        ours = Template()
        return Template(subject=self.subject or ours.subject, intro=self.intro or ours.intro, outro=self.outro)

    @property
    def query(self) -> str:
        """As it is asked for in an address."""
        fields = {name: getattr(self, name) for name in (*WORDS, "language", "who")}
        return urlencode(fields | ({"bare": "1"} if self.bare else {}))


async def kept_row(app: Installation, campaign: Campaign) -> Row:
    def look(connection: Connection) -> Row | None:
        rows = edits.rows_of(connection, tables.campaigns, campaign.workspace)
        return next((row for row in rows if row["id"] == campaign.id), None)

    row = await app.store.read(look)
    if row is None:
        raise NotFound(NO_CAMPAIGN)
    return row


def draft_of(row: Row, fields: Mapping[str, Any]) -> Draft:
    """What was sent, over what is kept."""
    kept = {**msgspec.to_builtins(Template()), **(row["settings"].get("template") or {})}

    def text(name: str, usual: str = "") -> str:
        said = fields.get(name)
        return usual if said is None else str(said).replace("\r\n", "\n").strip()[:LONGEST]

    return Draft(
        **{name: text(name, kept[name]) for name in WORDS},
        language=text("language"),
        who=text("who"),
        bare=bool(fields.get("bare")),
        version=number(text("version", str(row["version"]))) or 0,
    )


def read(app: Installation, row: Row, draft: Draft) -> Read:
    """The kept campaign with these words; what stands against them is at `template.subject` and so on."""
    usual = msgspec.to_builtins(Template())
    template = {key: said for key, said in msgspec.to_builtins(draft.template).items() if said != usual[key]}
    settings = {key: value for key, value in row["settings"].items() if key != "template"}
    written = {"name": row["name"], "survey": app.directory.surveys[row["survey_id"]].name, **settings}
    return campaigns_edit.read(written | ({"template": template} if template else {}))


def obeyed(draft: Draft, kept: Template, complaints: Mapping[str, str]) -> Template:
    """The words that can be shown: what cannot be obeyed is as it was kept."""
    said = {name: getattr(draft.template, name) for name in WORDS}
    return Template(
        **{name: getattr(kept, name) if f"template.{name}" in complaints else text for name, text in said.items()}
    )
