"""Everything that is not the collector's own goes on to the heart, over `DATA/web.sock`, streaming both ways.

One connection a request: beside a page or an API call its price is nothing, and none can be stale after the heart
restarted. The heart reads the client's address from `x-heard-client`, which no client can set.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httptools
import msgspec

from heard.collector.answers import JSON, Answer, Send, answer
from heard.collector.body import Receive
from heard.collector.clients import Clients
from heard.collector.pixel import DOT
from heard.sockets import short_path

CLIENT_HEADER = b"x-heard-client"
HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization proxy-connection te trailer transfer-encoding "
    b"upgrade".split()
)
NOT_FROM_CLIENTS = frozenset({CLIENT_HEADER, b"expect"})
FORWARDED = frozenset(
    {b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-forwarded-port", b"forwarded"}
)
"""What only a trusted proxy may say."""

SILENCE_SECONDS = 300
"""How long the heart may say nothing before its client is let go."""
QUICK_SECONDS = 2.0
CHUNK = 64 << 10
RETRY_AFTER = 2

Headers = list[tuple[bytes, bytes]]


class HeartAway(Exception):
    """The heart does not answer: starting, restarting, or gone."""


class Front:
    """The way to the heart behind `socket`."""

    def __init__(self, socket: Path, clients: Clients) -> None:
        self._socket = socket
        self._clients = clients

    async def forward(self, scope: Any, receive: Receive, send: Send, *, path_prefix: str = "") -> None:
        """Pass one request on and its answer back; a kind 503 when the heart is away."""
        exchange = Exchange(self._socket)
        upload: asyncio.Task[None] | None = None
        started = False
        try:
            try:
                await exchange.open(self._head(scope, path_prefix))
                upload = asyncio.create_task(_upload(exchange, scope, receive))
                status, headers = await exchange.answer_head(is_head=scope["method"] == "HEAD")
            except HeartAway:
                await away(scope, path_prefix).to(send)
                return
            kept = [(name, value) for name, value in headers if name not in HOP_BY_HOP]
            await send({"type": "http.response.start", "status": status, "headers": kept})
            started = True
            async for part in exchange.answer_body():
                if upload.done():  # the client left: nobody reads the rest
                    return
                await send({"type": "http.response.body", "body": part, "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        except HeartAway:
            if not started:
                raise
            # Half an answer: end without completing it, and uvicorn cuts the connection, so the client knows.
        finally:
            if upload is not None:
                upload.cancel()
            exchange.close()

    async def ready(self, missing: list[str]) -> Answer:
        """The heart's `/ready`, with what the collector itself misses."""
        try:
            status, body = await self._get(b"/ready")
            told = msgspec.json.decode(body, type=dict[str, Any])
        except (HeartAway, msgspec.MsgspecError):
            status, told = 503, {"ready": False, "missing": ["heart"]}
        if missing:
            status, told = 503, {**told, "ready": False, "missing": [*told.get("missing", ()), *missing]}
        extra = ((b"retry-after", b"%d" % RETRY_AFTER),) if status == 503 else ()
        return answer(status, msgspec.json.encode(told), (JSON, *extra))

    async def metrics(self) -> bytes:
        """The heart's Prometheus text, empty while it is away."""
        try:
            status, body = await self._get(b"/metrics")
        except HeartAway:
            return b""
        return body if status == 200 else b""

    async def _get(self, path: bytes) -> tuple[int, bytes]:
        exchange = Exchange(self._socket)
        try:
            async with asyncio.timeout(QUICK_SECONDS):
                await exchange.open(b"GET %b HTTP/1.1\r\nhost: heart\r\nconnection: close\r\n\r\n" % path)
                status, _ = await exchange.answer_head()
                return status, b"".join([part async for part in exchange.answer_body()])
        except TimeoutError:
            raise HeartAway from None
        finally:
            exchange.close()

    def _head(self, scope: Any, prefix: str) -> bytes:
        path: bytes = scope["raw_path"] or b"/"
        if prefix and (path + b"/").startswith(prefix.encode() + b"/"):
            path = path[len(prefix) :] or b"/"
        if scope["query_string"]:
            path += b"?" + scope["query_string"]
        peer = scope["client"]
        is_trusted = peer is not None and self._clients.trusts(peer[0])
        named = _named_by_connection(scope["headers"])
        lines = [b"%b %b HTTP/1.1" % (scope["method"].encode(), path)]
        for name, value in scope["headers"]:
            if name in HOP_BY_HOP or name in NOT_FROM_CLIENTS or name in named:
                continue
            if is_trusted or name not in FORWARDED:
                lines.append(name + b": " + value)
        if _is_chunked(scope["headers"]):
            lines.append(b"transfer-encoding: chunked")
        lines += [
            CLIENT_HEADER + b": " + self._clients.address(peer, scope["headers"]).encode(),
            b"connection: close",
            b"",
            b"",
        ]
        return b"\r\n".join(lines)


class Exchange:
    """One request to the heart and its answer; the callbacks are httptools'."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._writer: asyncio.StreamWriter | None = None
        self._parser = httptools.HttpResponseParser(self)
        self._headers: Headers = []
        self._parts: list[bytes] = []
        self._head_done = self._done = False

    async def open(self, head: bytes) -> None:
        try:
            with short_path(self._socket) as path:
                self._reader, self._writer = await asyncio.open_unix_connection(path, limit=CHUNK)
            self._writer.write(head)
        except OSError as problem:
            raise HeartAway from problem

    async def write(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)
        await self._writer.drain()

    async def answer_head(self, *, is_head: bool = False) -> tuple[int, Headers]:
        while not self._head_done:
            await self._feed()
        status = self._parser.get_status_code()
        if is_head or status in (204, 304):
            self._done = True
            self._parts.clear()
        return status, self._headers

    async def answer_body(self) -> AsyncIterator[bytes]:
        while True:
            parts, self._parts = self._parts, []
            if parts:
                yield b"".join(parts)
            if self._done:
                return
            await self._feed()

    def close(self) -> None:
        if self._writer is not None:
            self._writer.close()

    async def _feed(self) -> None:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                data = await self._reader.read(CHUNK)
            if data:
                self._parser.feed_data(data)
                return
        except (OSError, TimeoutError, httptools.HttpParserError) as problem:
            raise HeartAway from problem
        if self._head_done and not any(name in (b"content-length", b"transfer-encoding") for name, _ in self._headers):
            self._done = True  # an answer that says no length ends where the connection does
            return
        raise HeartAway

    def on_header(self, name: bytes, value: bytes) -> None:
        self._headers.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        self._head_done = True

    def on_body(self, body: bytes) -> None:
        self._parts.append(body)

    def on_message_complete(self) -> None:
        self._done = True


async def _upload(exchange: Exchange, scope: Any, receive: Receive) -> None:
    """Stream the request's body; then wait, so that being done means that the client has left."""
    chunked = _is_chunked(scope["headers"])
    more = True
    try:
        while more:
            message = await receive()
            if message["type"] != "http.request":
                return
            body, more = message["body"], message["more_body"]
            if chunked:
                body = (b"%x\r\n%b\r\n" % (len(body), body) if body else b"") + (b"" if more else b"0\r\n\r\n")
            if body:
                await exchange.write(body)
    except OSError:
        pass  # the heart has stopped reading; what it answers says why
    while (await receive())["type"] == "http.request":
        pass


def _is_chunked(headers: Headers) -> bool:
    return any(name == b"transfer-encoding" for name, _ in headers)


def _named_by_connection(headers: Headers) -> set[bytes]:
    return {word.strip().lower() for name, value in headers if name == b"connection" for word in value.split(b",")}


def away(scope: Any, path_prefix: str = "") -> Answer:
    """What people and programs see for the moment in which the heart restarts; in a mail, that is a picture."""
    if scope["path"].removeprefix(path_prefix).startswith("/o/"):
        return DOT
    wanted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
    retry = (b"retry-after", b"%d" % RETRY_AFTER)
    if b"text/html" in wanted:
        return answer(503, AWAY_PAGE, ((b"content-type", b"text/html; charset=utf-8"), retry))
    words = {"error": {"code": "starting", "message": "Heard is starting; try again in a moment."}}
    return answer(503, msgspec.json.encode(words), (JSON, retry))


AWAY_PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="refresh" content="3"><title>One moment</title>
<style>body{font:1.1rem/1.5 system-ui,sans-serif;margin:20vh auto;max-width:28rem;padding:0 1rem;text-align:center}
@media (prefers-color-scheme:dark){body{background:#16181d;color:#e8e8ea}}</style></head>
<body><h1>One moment</h1><p>This page will be back in a few seconds. Nothing you sent was lost.</p></body></html>
"""
