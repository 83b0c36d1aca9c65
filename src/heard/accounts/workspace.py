"""A workspace is one tenant: its members, keys and data; nothing crosses from one to another."""

from __future__ import annotations

import re
import unicodedata
from datetime import timedelta
from enum import StrEnum

import msgspec

from heard.errors import Invalid


class Brand(msgspec.Struct, frozen=True, kw_only=True):
    """How the people who are asked see whoever asks them."""

    name: str
    from_: str = msgspec.field(name="from", default="")  # an address with an optional name; "" = feedback@localhost
    reply_to: str | None = None
    color: str = "#0c6453"  # "#rrggbb"
    address: str = ""  # the postal address at the foot of every mail
    logo: str = ""  # a picture as a `data:` address, see `heard.accounts.logo`; "" = a tile with the first letter


class UnconfirmedClicks(StrEnum):
    """What becomes of a score that was tapped in a mail and never sent."""

    STRICT = "strict"  # it never counts
    BALANCED = "balanced"  # it counts after 24 hours, unless a machine may have tapped it
    LENIENT = "lenient"  # ... after one hour

    @property
    def wait(self) -> timedelta | None:
        """How long until it counts; None = it never does."""
        return WAITS.get(self)


WAITS = {UnconfirmedClicks.BALANCED: timedelta(hours=24), UnconfirmedClicks.LENIENT: timedelta(hours=1)}


class Workspace(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    name: str
    slug: str
    brand: Brand
    quiet_period: timedelta | None = None  # at least this long between two surveys of any kind; None = no such rule
    exclude: str | None = None  # FQL over the contact; whose answers are kept with the verdict `test`
    unconfirmed_clicks: UnconfirmedClicks = UnconfirmedClicks.STRICT


def slug(name: str) -> str:
    """`Acme GmbH & Co` -> `acme-gmbh-co`; used in addresses and by SatisMeter's `project`."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:60] or "workspace"


def colour(text: str, *, field: str = "brand.color") -> str:
    """A brand colour as `#rrggbb`; it is written into pages and mails, so nothing else passes."""
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise Invalid(f"Write the colour as #rrggbb, for example #2563eb, not {text!r}.", field=field)
    return text.lower()
