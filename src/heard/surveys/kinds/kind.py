"""What every kind of survey says about itself."""

from __future__ import annotations

import msgspec

from heard.surveys.question import Scale, Words


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    name: str  # as the workspace file writes it, and the name of the metric
    title: str
    help: str  # when to choose it, for the person who sets a survey up
    scored: Scale  # the question that makes the score
    follow_up: Words
