"""The overview as one picture."""

from __future__ import annotations

from datetime import datetime

from heard.operations.overview import Overview
from heard.web.dashboard.overview_state import State


def drawn(found: Overview, state: State, *, workspace: str, now: datetime) -> str:
    raise NotImplementedError


def png(svg: str) -> bytes:
    raise NotImplementedError
