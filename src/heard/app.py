"""The composition root: an installation, and everything it serves."""

from __future__ import annotations

from litestar.types import ASGIApp

from heard.installation import Installation as App
from heard.web.site import site

__all__ = ["App", "application"]


def application(app: App) -> ASGIApp:
    """What the heart serves over HTTP."""
    return site(app)
