"""What went out and came back, without what a destination's settings keep secret.

A secret stands in a header, sometimes in the body (Segment's write key), and an answer may quote either. Headers that
nobody but us sets are shown whole; of all others only the names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from heard.destinations.kinds import secrets_of

HIDDEN = "(kept secret)"
OURS = frozenset(
    {"content-type", "user-agent", "webhook-id", "webhook-timestamp", "webhook-signature", "x-signature", "host"}
)
_WRITE_KEY = re.compile(r'"writeKey": ?"[^"]*"')
_FIRST = re.compile(r"(\S+) (\S+)(.*)", re.DOTALL)


def veiled_request(text: str, type: str, settings: Mapping[str, Any], *, whole_address: bool) -> str:  # noqa: A002
    """A request as `shown_request` writes it. `whole_address` False: of the address only the host is shown."""
    if not text:
        return ""
    head, gap, body = text.partition("\n\n")
    first, *headers = head.split("\n")
    if not whole_address and (found := _FIRST.fullmatch(first)):
        first = f"{found[1]} {host_alone(found[2])}{found[3]}"
    return "\n".join([first, *map(_header, headers)]) + gap + veiled(body, type, settings)


def veiled(text: str, type: str, settings: Mapping[str, Any]) -> str:  # noqa: A002
    """Any text, with every secret of these settings replaced."""
    secrets = sorted(_secrets(type, settings), key=len, reverse=True)
    for secret in secrets:
        for written in {secret, json.dumps(secret)[1:-1], json.dumps(secret, ensure_ascii=False)[1:-1]}:
            text = text.replace(written, HIDDEN)
    return _WRITE_KEY.sub(f'"writeKey":"{HIDDEN}"', text)


def host_alone(address: str) -> str:
    """https://hooks.slack.com/... of an address whose path is a secret."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}/…"


def _header(line: str) -> str:
    name, _, _ = line.partition(":")
    return line if name.strip().lower() in OURS else f"{name}: {HIDDEN}"


def _secrets(type: str, settings: Mapping[str, Any]) -> set[str]:  # noqa: A002
    found: set[str] = set()
    for name in secrets_of(type):
        value = settings.get(name)
        found.update(value.values() if isinstance(value, Mapping) else [value] if isinstance(value, str) else [])
    return {each for each in found if len(each) >= 4}  # shorter ones would spoil the text and hide nothing
