"""All that a survey mail says, before it is put into HTML, text and headers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import msgspec

from heard.accounts.workspace import Brand
from heard.campaigns.campaign import Template
from heard.surveys.wording import Wording


class Reminded(msgspec.Struct, frozen=True):
    """What a reminder reminds of: the invitation, and the day it went out, as the person reads it."""

    delivery_id: str
    day: str


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    delivery_id: str
    to_address: str
    to_name: str | None = None
    brand: Brand
    template: Template = Template()
    wording: Wording
    traits: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])
    link: str  # https://.../s/TOKEN; a score is added to it as ?a=N
    unsubscribe: str  # https://.../u/TOKEN
    logos: str = ""  # https://.../logo/, below which the brand's picture is served; "" = the letter is shown
    hidden: str  # https://.../about/TOKEN, which no person sees
    image: str | None = None  # https://.../o/TOKEN.gif, loaded when the mail is opened; None = nothing tells
    because: str | None = None  # completes "You get this because"; see `heard.surveys.because`
    at_most: timedelta | None = None  # this survey comes no more often than that; None = no promise is made
    reminds_of: Reminded | None = None  # None = it is the first mail
