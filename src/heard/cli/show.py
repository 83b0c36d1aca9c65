"""What commands print: one JSON document, or words."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def document(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2) + "\n")


def text(value: str) -> None:
    sys.stdout.write(value + "\n")


def console() -> Console:
    """Where tables and colour go; plain text when nobody looks."""
    from rich.console import Console

    return Console(highlight=False, soft_wrap=False)
