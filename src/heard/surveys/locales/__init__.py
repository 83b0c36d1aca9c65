"""The languages Heard speaks to respondents. One new language is one new file here that defines `LOCALE`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Mapping

from heard.surveys.locales.sentences import Locale

LOCALES: Mapping[str, Locale] = {
    known.code: known
    for found in pkgutil.iter_modules(__path__)
    if (known := getattr(importlib.import_module(f"{__name__}.{found.name}"), "LOCALE", None)) is not None
}

_ALSO: Mapping[str, str] = {
    "nb": "no",
    "nn": "no",
    "in": "id",  # as Java wrote Indonesian
    "zh-hant": "zh-tw",
    "zh-hk": "zh-tw",
    "zh-mo": "zh-tw",
}
"""Other tags of the same; one that is longer (`zh-hant-hk`) begins with one of them."""


def locale(language: str) -> Locale:
    """The locale of a language tag: `de-AT` is served by `de`; what nobody translated is in English."""
    return LOCALES.get(language) or LOCALES[matching(language, LOCALES) or "en"]


def matching(tag: str, spoken: Collection[str]) -> str | None:
    """Which of the codes `spoken` serves whoever wants `tag`; None when none of them does.

    Tags are written as applications write them: `pt-BR`, `pt_BR`, `pt_BR.UTF-8`. The closest one is taken: for `pt-BR`
    that is `pt-br`, else `pt`; and `pt-br` serves `pt` where nothing closer is spoken, since it is read by everybody.
    """
    parts = tag.strip().partition(".")[0].replace("_", "-").casefold().split("-")
    for length in range(len(parts), 0, -1):
        wanted = "-".join(parts[:length])
        for each in (wanted, _ALSO.get(wanted)):
            if each in spoken:
                return each
    language = _ALSO.get(parts[0], parts[0]).partition("-")[0]
    return next((code for code in spoken if code.partition("-")[0] == language), None)
