"""Code for reading: comments, strings and the few words that lead a line get a class each."""

from __future__ import annotations

import re

from markupsafe import Markup

WORDS = "import from as use const await new require package func defer if client curl"
_PARTS = re.compile(
    r"""(?P<s>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.|'\\'')*')"""
    r"""|(?P<c>(?:(?<=\s)|^)(?://|\#)[^\n]*)"""
    rf"""|(?P<k>(?<![\w.])(?:{"|".join(WORDS.split())})(?![\w.:"]))""",
    re.MULTILINE,
)


def coloured(code: str) -> Markup:
    """HTML whose text is exactly `code`; `.s` strings, `.c` comments, `.k` words."""
    parts: list[Markup] = []
    end = 0
    for found in _PARTS.finditer(code):
        parts.append(Markup("{}").format(code[end : found.start()]))
        parts.append(Markup('<span class="{}">{}</span>').format(found.lastgroup, found[0]))
        end = found.end()
    parts.append(Markup("{}").format(code[end:]))
    return Markup("").join(parts)
