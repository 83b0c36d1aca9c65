"""In which language somebody is asked: theirs where the survey speaks it, else the survey's first."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heard.surveys.locales import matching
from heard.surveys.survey import Survey

TRAITS = ("language", "locale", "lang", "preferredLanguage", "preferred_language")
"""What applications call it, the first that says something the survey speaks counts."""


def language_for(survey: Survey, traits: Mapping[str, Any]) -> str:
    """A trait like `de`, `de-AT` or `de_AT`; `pt-BR` before `pt` where the survey speaks both."""
    for name in TRAITS:
        said = traits.get(name)
        if isinstance(said, str) and (found := matching(said, survey.languages)) is not None:
            return found
    return survey.languages[0]
