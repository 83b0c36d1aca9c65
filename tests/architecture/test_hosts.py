"""Nothing is loaded from somebody else's host at run time: no CDN, no font service, no pixel, no beacon.

A link that a person may follow is no load, and neither is the name of an XML namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.tree import HEARD, complaints

ELSEWHERE = r"(?:(?:https?|wss?):)?//[\w.\[-]"
LOADS = (
    # <script src="https://...">: elements that fetch by themselves; <a href> does not
    rf"""<(?:script|img|iframe|link|source|video|audio|embed|object|input|use|image)\b[^>]*?\s
        (?:src|href|srcset|data|poster|xlink:href)\s*=\s*["']?\s*{ELSEWHERE}""",
    rf"""<form\b[^>]*?\saction\s*=\s*["']?\s*{ELSEWHERE}""",
    rf"""url\(\s*["']?{ELSEWHERE}""",
    rf"""@import\s+["']{ELSEWHERE}""",
    rf"""\b(?:fetch|import|importScripts|sendBeacon|EventSource|WebSocket|Worker)\s*\(\s*["'`]{ELSEWHERE}""",
    rf"""\bfrom\s*["']{ELSEWHERE}""",
    rf"""\.(?:src|action)\s*=\s*["'`]{ELSEWHERE}""",
)
LOAD = re.compile("|".join(f"(?:{pattern})" for pattern in LOADS), re.VERBOSE | re.IGNORECASE)
READ_BY_BROWSERS = {".css", ".html", ".jinja", ".js", ".mjs", ".svg", ".txt"}


def foreign_loads(text: str) -> list[str]:
    return [f"loads from a foreign host: {found.group(0)[-80:]}" for found in LOAD.finditer(text)]


def pages() -> Iterator[Path]:
    return (path for path in sorted(HEARD.rglob("*")) if path.suffix in READ_BY_BROWSERS)


def test_pages_and_mails_load_nothing_from_a_foreign_host():
    assert complaints(foreign_loads, pages()) == []


@pytest.mark.parametrize(
    "text",
    [
        '<script defer src="https://cdn.example/htmx.js"></script>',
        "<img alt='' src=//pixel.example/1.gif>",
        '<link rel="stylesheet"\n href="https://fonts.example/css">',
        '<form method="post" action="https://elsewhere.example/">',
        "@import 'https://fonts.example/inter.css';",
        "body { background: url(https://cdn.example/bg.png) }",
        "fetch('https://telemetry.example/', {method: 'POST'})",
        "const plot = await import(`https://esm.example/plot`)",
        "new WebSocket('wss://live.example')",
        "image.src = 'https://pixel.example'",
    ],
)
def test_a_foreign_load_is_found(text: str):
    assert len(foreign_loads(text)) == 1


@pytest.mark.parametrize(
    "text",
    [
        '<a href="https://acme.example">Acme</a>',
        '<svg xmlns="http://www.w3.org/2000/svg"><path d="M0 0"/></svg>',
        '<script src="/static/htmx.js"></script>',
        '<script src="{{ base_url }}/static/htmx.js"></script>',
        "body { background: url(/static/bg.png) }",
        "fetch('/v1/t')",
        "// a comment",
    ],
)
def test_what_is_ours_passes(text: str):
    assert foreign_loads(text) == []
