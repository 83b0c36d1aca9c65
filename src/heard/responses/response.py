"""A response is what one person answered to one invitation. It can be changed until it closes; all versions stay."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec


class Verdict(StrEnum):
    HUMAN = "human"  # a person posted the form
    PROVISIONAL = "provisional"  # a link was opened; nobody confirmed
    BOT = "bot"
    TEST = "test"  # by the workspace's own people (`exclude`)


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    question_id: str
    value: int | float | str


class Response(msgspec.Struct, frozen=True, kw_only=True):
    id: int
    workspace: int
    delivery: str
    survey: int
    campaign: int
    contact: int
    user_id: str | None
    channel: str
    metric: str
    value: int | None
    category: str | None
    comment: str | None
    answers: tuple[Answer, ...]
    traits: bytes  # as they were at the answer
    properties: bytes  # of the event that led to the ask
    answered_at: datetime
    updated_at: datetime
    verdict: Verdict
    completes_at: datetime | None = None  # when others are told that it is complete; None = they are not, or were
    campaign_version: int | None = None  # what they were asked by; None = before versions were noted here
    survey_version: int | None = None
