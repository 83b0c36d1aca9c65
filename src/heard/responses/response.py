"""A response is what one person answered to one invitation. It can be changed until it closes; all versions stay."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from heard.responses.verdict import Finding


class Verdict(StrEnum):
    HUMAN = "human"  # a person posted the form, or what was opened counts by the workspace's policy or a member's word
    PROVISIONAL = "provisional"  # a link was opened; nobody confirmed
    BOT = "bot"  # what opened the links was a machine
    TEST = "test"  # by the workspace's own people (`exclude`)


OF_PEOPLE = frozenset({Verdict.HUMAN, Verdict.TEST})


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
    confirmed: bool = True  # a form was sent; else links were opened, and that is all
    evidence: tuple[Finding, ...] = ()  # why it has its verdict, where no form was sent
    judged_by: str | None = None  # the member who set the verdict; None = nobody did
    settles_at: datetime | None = None  # when what was only opened counts; None = not by itself

    @property
    def is_said(self) -> bool:
        """Whether somebody answered, as far as is known: a form was sent, or what was tapped counts."""
        return self.confirmed or self.verdict in OF_PEOPLE
