"""What a page needs before its first message: Segment's browser library, the parts it asks for, and its settings.

All of it comes from this process, so that a customer's page keeps its library while the heart restarts. The heart keeps
`DATA/browser.json` (`{"<write key>": settings}`) and bumps the board's generation when it has rewritten it.

The library is as published by Segment (`library/`, MIT), but for the hosts that it would turn to by itself: where its
authors wrote their own, it is served with ours, so that no page asks a stranger, whatever goes wrong.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import msgspec

from heard.board import Board
from heard.collector.answers import CORS, JSON, Answer, Headers, answer, refusal
from heard.collector.served import SCRIPT, Served

LIBRARY = Path(__file__).parent / "library"
PARTS = "/analytics-next/bundles/"
PATHS = ("/analytics.js/v1/", PARTS, "/v1/projects/")
IS_LIBRARY = re.compile(r"/analytics\.js/v1/([^/]+)(?:/platform)?/analytics(?:\.min|\.classic)?\.js")
IS_SETTINGS = re.compile(r"/v1/projects/([^/]+)/settings/?")

SETTINGS_SECONDS, LIBRARY_SECONDS, PART_SECONDS = 60, 300, 31_536_000
REMEMBERED = 256
"""Sources whose library is kept ready, 60 KB each."""
OLD_BROWSERS = "https://cdnjs.cloudflare.com/ajax/libs/babel-polyfill/7.7.0/polyfill.min.js"
"""Asked for by Internet Explorer 11 alone, which gets a 404 from us instead."""

PREFLIGHT = answer(
    204,
    b"",
    (
        CORS,
        (b"access-control-allow-methods", b"GET, HEAD, OPTIONS"),
        (b"access-control-allow-headers", b"authorization, content-type, x-requested-with"),
        (b"access-control-max-age", b"86400"),
    ),
)
WRONG_METHOD = refusal(405, "method_not_allowed", "Ask for this with GET.", ((b"allow", b"GET, HEAD, OPTIONS"),))
NO_SUCH_FILE = refusal(404, "not_found", "There is no such file. A source's page has the code to paste.")
NO_SUCH_KEY = "No source has the write key in this address. A source's page has the code to paste, with its key."
UNKNOWN_KEY = refusal(404, "invalid_write_key", NO_SUCH_KEY)
NO_LIBRARY = answer(404, f"/* {NO_SUCH_KEY} */\n".encode(), ((b"content-type", SCRIPT), CORS))
"""In place of a script: browsers hide a JSON answer, and with it the reason, from whoever looks why none came."""


class _Ours(msgspec.Struct):
    api_host: str = msgspec.field(name="apiHost")
    protocol: str = "https"


class _Integrations(msgspec.Struct):
    ours: _Ours = msgspec.field(name="Segment.io")


class _Settings(msgspec.Struct):
    integrations: _Integrations


_published = msgspec.json.Decoder(dict[str, msgspec.Raw])
_settings = msgspec.json.Decoder(_Settings)


class Browser:
    """The files of every source, as of the board's generation."""

    def __init__(self, path: Path, board: Board) -> None:
        self._path = path
        self._board = board
        self._settings: dict[str, bytes] = {}
        self._libraries: dict[tuple[str, bytes], Served] = {}
        self._load()

    def answer(self, path: str, method: str, headers: Headers) -> Answer:
        """`path` begins with one of `PATHS`."""
        if method == "OPTIONS":
            return PREFLIGHT
        if method not in ("GET", "HEAD"):
            return WRONG_METHOD
        if path.startswith(PARTS):
            part = _parts().get(path.removeprefix(PARTS))
            return part.answer(headers) if part else NO_SUCH_FILE
        library, settings = IS_LIBRARY.fullmatch(path), IS_SETTINGS.fullmatch(path)
        asked = library or settings
        if asked is None:
            return NO_SUCH_FILE
        told = self._of(key := asked[1])
        if told is None:
            return NO_LIBRARY if library else UNKNOWN_KEY
        if settings:
            return Served(told, kind=JSON[1], seconds=SETTINGS_SECONDS).answer(headers)
        return self._library(key, told).answer(headers)

    def _of(self, key: str) -> bytes | None:
        if self._generation != self._board.keys_generation:
            self._load()
        return self._settings.get(key)

    def _library(self, key: str, settings: bytes) -> Served:
        try:
            return self._libraries[key, settings]
        except KeyError:
            if len(self._libraries) >= REMEMBERED:
                self._libraries.clear()
            made = self._libraries[key, settings] = library_of(key, settings)
            return made

    def _load(self) -> None:
        self._generation = self._board.keys_generation
        try:
            self._settings = {key: bytes(told) for key, told in _published.decode(self._path.read_bytes()).items()}
        except FileNotFoundError:
            self._settings = {}
        except (OSError, msgspec.MsgspecError):
            pass  # as with the write keys: what is known so far stays


def library_of(key: str, settings: bytes) -> Served:
    """The browser library of one source: it knows its write key, and turns to nobody but us."""
    ours = _settings.decode(settings).integrations.ours
    at = f"{ours.protocol}://{ours.api_host.removesuffix('/v1')}"
    script = _script()
    for theirs, here in (
        ("__WRITE_KEY__", key),
        ("api.segment.io/v1", ours.api_host),
        ("https://cdn.segment.com", at),
        (OLD_BROWSERS, f"{at}{PARTS}polyfill.min.js"),
    ):
        script = script.replace(theirs, _within_quotes(here))
    return Served(script.encode(), kind=SCRIPT, seconds=LIBRARY_SECONDS)


def _within_quotes(text: str) -> str:
    return msgspec.json.encode(text).decode()[1:-1]


@cache
def _script() -> str:
    return (LIBRARY / "standalone.js").read_text(encoding="utf-8")


@cache
def _parts() -> dict[str, Served]:
    """By name, which has a hash of the content in it."""
    return {
        path.name: Served(path.read_bytes(), kind=SCRIPT, seconds=PART_SECONDS, immutable=True)
        for path in LIBRARY.glob("*.bundle.*.js")
    }
