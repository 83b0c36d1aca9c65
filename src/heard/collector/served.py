"""A file for browsers on any site: gzip'd for those that take it, and not sent again to those that have it."""

from __future__ import annotations

import gzip
from functools import cached_property
from hashlib import blake2b

from heard.collector.answers import CORS, Answer, Header, Headers, answer

SCRIPT = b"text/javascript; charset=utf-8"
WORTH_GZIP = 512
"""Bytes below which gzip saves nothing that anybody would notice."""


class Served:
    """One file. Each form of its answer is made when the first client wants it, and kept."""

    def __init__(self, body: bytes, *, kind: bytes, seconds: int, immutable: bool = False) -> None:
        """`seconds`: for how long a browser need not ask again; `immutable`: it never changes under its name."""
        self._body = body
        self._headers: tuple[Header, ...] = (
            (b"content-type", kind),
            (b"cache-control", b"public, max-age=%d%b" % (seconds, b", immutable" if immutable else b"")),
            (b"etag", b'W/"%b"' % blake2b(body, digest_size=9).hexdigest().encode()),  # weak: gzip'd or not, it is one
            (b"vary", b"accept-encoding"),
            CORS,
            (b"cross-origin-resource-policy", b"cross-origin"),  # for pages that are isolated from other origins
            (b"x-content-type-options", b"nosniff"),
        )

    def answer(self, asked: Headers) -> Answer:
        """200 or 304, by what the request's headers say."""
        takes = has = b""
        for name, value in asked:
            if name == b"accept-encoding":
                takes = value
            elif name == b"if-none-match":
                has = value
        if has and self._is_among(has):
            return self._unchanged
        return self._gzipped if _takes_gzip(takes) and len(self._body) >= WORTH_GZIP else self._plain

    def _is_among(self, tags: bytes) -> bool:
        ours = dict(self._headers)[b"etag"].removeprefix(b"W/")
        return any(tag.strip().removeprefix(b"W/") in (ours, b"*") for tag in tags.split(b","))

    @cached_property
    def _unchanged(self) -> Answer:
        return answer(304, b"", self._headers)

    @cached_property
    def _plain(self) -> Answer:
        return answer(200, self._body, self._headers)

    @cached_property
    def _gzipped(self) -> Answer:
        return answer(200, gzip.compress(self._body, mtime=0), (*self._headers, (b"content-encoding", b"gzip")))


def _takes_gzip(accepted: bytes) -> bool:
    for part in accepted.lower().split(b","):
        name, _, quality = part.partition(b";")
        if name.strip() in (b"gzip", b"*"):
            return quality.replace(b" ", b"") not in (b"q=0", b"q=0.0", b"q=0.00", b"q=0.000")
    return False
