"""A message's JSON, to be read: indented, with strings and numbers marked."""

from __future__ import annotations

import re

import msgspec
from markupsafe import Markup, escape

TOKENS = re.compile(
    r'(?P<key>"(?:[^"\\]|\\.)*")(?=\s*:)|(?P<s>"(?:[^"\\]|\\.)*")|(?P<k>-?\d[\d.eE+-]*|\btrue\b|\bfalse\b|\bnull\b)'
)


def marked(body: bytes) -> Markup:
    """Indented JSON with `<span class="s">` around strings and `k` around numbers; what is no JSON stays as it is."""
    try:
        text = msgspec.json.format(body, indent=2).decode()
        msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return escape(body.decode(errors="replace"))
    shown: list[Markup] = []
    at = 0
    for token in TOKENS.finditer(text):
        shown.append(escape(text[at : token.start()]))
        kind = token.lastgroup
        shown.append(escape(token[0]) if kind == "key" else Markup('<span class="{}">{}</span>').format(kind, token[0]))
        at = token.end()
    shown.append(escape(text[at:]))
    return Markup("").join(shown)
