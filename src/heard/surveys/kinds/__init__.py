"""The kinds of survey. One new kind is one new file here that defines `KIND`; nothing else lists them.

A kind speaks English; other languages translate it in their own file (`heard.surveys.locales`).
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping

from heard.surveys.kinds.kind import Kind

KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for found in pkgutil.iter_modules(__path__)
    if (kind := getattr(importlib.import_module(f"{__name__}.{found.name}"), "KIND", None)) is not None
}
