"""A survey: questions and wording. When it is asked, and of whom, is its campaigns' business."""

from __future__ import annotations

from datetime import timedelta

import msgspec

from heard.surveys.send_back import SendBack


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    name: str
    kind: str  # a name in `heard.surveys.kinds.KINDS`
    languages: tuple[str, ...] = ("en",)  # the first one is used when nobody's preference is known
    quiet_period: timedelta | None = (
        None  # between two surveys of this kind, whatever the campaign; None = no such rule
    )
    send_back: SendBack | None = None
    version: int = 1
