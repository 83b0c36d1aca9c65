"""The languages Heard speaks to respondents. One new language is one new file here that defines `LOCALE`."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from heard.surveys.locales.sentences import Locale

LOCALES: Mapping[str, Locale] = {
    known.code: known
    for found in pkgutil.iter_modules(__path__)
    if (known := getattr(importlib.import_module(f"{__name__}.{found.name}"), "LOCALE", None)) is not None
}


def locale(language: str) -> Locale:
    """The locale of a language tag: `de-AT` is served by `de`; what nobody translated yet is in English."""
    return LOCALES.get(language) or LOCALES.get(language.partition("-")[0]) or LOCALES["en"]
