"""A client's connection: uvicorn's protocol, with a short way for messages and deadlines for slow and broken clients.

**The short way.** A `POST` of messages needs no scope, task or event: `Post` collects its body, `Collector.judge` says
what to keep, and the answer is written when the log calls back. That halves the cost of a small request (figures:
benchmarks/collector.py). Everything else, and a message that is pipelined behind another request, sent with a query
string or `Expect`, takes uvicorn's own way through the ASGI application; both ways share `judge` and the answers.

**Deadlines.** An idle connection costs nothing and may stay for `IDLE_SECONDS`. From a request's first byte on it has
`PATIENCE_SECONDS` for its head, and for every `STEADY_BYTES` of its body: a phone on a bad line gets through, one byte
a second does not.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from heard.collector.answers import CRASHED, HEAD_TOO_LARGE, MALFORMED, TAKEN, TOO_SLOW, Answer, closing
from heard.collector.app import TOO_LARGE, Collector, unavailable
from heard.log.log import LogUnavailable
from heard.messages.limits import MAX_BODY_BYTES

IDLE_SECONDS = 75
PATIENCE_SECONDS = 10.0
STEADY_BYTES = 10_240
MAX_HEAD_BYTES = 64 << 10
MAX_IGNORED_BYTES = 16 << 20
"""How much of a body that was already refused is read, so that its sender gets to see the refusal."""

log = logging.getLogger(__name__)


class Connection(HttpToolsProtocol):
    """One client's connection. `self.cycle` is a `Post` or uvicorn's own cycle, whatever came last."""

    _deadline: asyncio.TimerHandle | None = None
    _idle: asyncio.TimerHandle | None = None
    _unfinished = False
    _in_head = False
    _arrived = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.collector: Collector = self.app  # type: ignore[assignment]
        self._active_at = self.loop.time()
        self._idle = self.loop.call_later(IDLE_SECONDS, self._look_whether_idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        if self._idle is not None:
            self._idle.cancel()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._unfinished:
            self._watch(len(data))
        elif self._deadline is not None:
            self._stop_watching()

    # ── what the parser says ──

    def on_message_begin(self) -> None:
        self._unfinished = self._in_head = True
        self.url = b""
        self.headers = []
        self.expect_100_continue = False

    def on_headers_complete(self) -> None:
        self._in_head = False
        kind = self.collector.posts.get(self.url)
        parser: Any = self.parser
        if (
            kind is not None
            and parser.get_method() == b"POST"
            and (self.cycle is None or self.cycle.response_complete)
            and not self.expect_100_continue
            and not parser.should_upgrade()
        ):
            self.cycle = Post(self, kind, self.headers, parser.should_keep_alive())  # type: ignore[assignment]
        else:
            self._the_long_way()

    def on_body(self, body: bytes) -> None:
        cycle: Any = self.cycle
        if type(cycle) is Post:
            cycle.take(body)
        else:
            super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = False
        cycle: Any = self.cycle
        if type(cycle) is Post:
            cycle.complete()
        else:
            super().on_message_complete()

    def _the_long_way(self) -> None:
        """Make up for the scope that `on_message_begin` did not build."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers, self.expect_100_continue = url, headers, expects
        self.scope["headers"] = headers
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        self._active_at = self.loop.time()
        super().on_response_complete()

    def answered(self, keep_alive: bool) -> None:
        """A `Post` has been answered: what is next on this connection?"""
        self._active_at = self.loop.time()
        if not keep_alive:
            self.transport.close()
        elif self.pipeline:
            self.on_response_complete()

    # ── slow and broken clients ──

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn calls it)
        self._refuse(MALFORMED)

    def _watch(self, arrived: int) -> None:
        self._arrived += arrived
        if self._in_head and self._arrived > MAX_HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)
        elif self._arrived > MAX_IGNORED_BYTES and self.cycle is not None and self.cycle.response_complete:
            self.transport.close()
        elif self._deadline is None and not self.transport.is_closing():
            self._deadline = self.loop.call_later(PATIENCE_SECONDS, self._look_whether_slow)
            self._seen = self._arrived

    def _look_whether_slow(self) -> None:
        self._deadline = None
        waits_for_us = self.flow.read_paused
        if waits_for_us or (not self._in_head and self._arrived - self._seen >= STEADY_BYTES):
            self._watch(0)
        else:
            self._refuse(TOO_SLOW)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._arrived = 0

    def _look_whether_idle(self) -> None:
        """One timer a connection that looks now and then, rather than one set and cancelled with every request."""
        still = IDLE_SECONDS - (self.loop.time() - self._active_at)
        busy = self._unfinished or (self.cycle is not None and not self.cycle.response_complete)
        if busy or still > 0:
            self._idle = self.loop.call_later(IDLE_SECONDS if busy else still, self._look_whether_idle)
        else:
            self.transport.close()

    def _refuse(self, answer: Answer) -> None:
        """Say why and hang up; only hang up when another answer is due or has begun on this connection."""
        self._stop_watching()
        if self.transport.is_closing():
            return
        cycle = self.cycle
        due = cycle is not None and not cycle.response_complete and (cycle.response_started or not cycle.more_body)
        if not due and not self.pipeline:
            self.transport.write(answer.wire)
        self.transport.close()


class _NobodyWaits:
    def set(self) -> None:
        """uvicorn wakes the cycle's task by this; a `Post` has none."""


class Post:
    """One request with messages on the short way. Looks to uvicorn's protocol like one of its own cycles."""

    __slots__ = (
        "connection",
        "disconnected",
        "headers",
        "keep_alive",
        "kind",
        "more_body",
        "parts",
        "response_complete",
        "response_started",
        "size",
    )
    message_event = _NobodyWaits()

    def __init__(self, connection: Connection, kind: str, headers: list[tuple[bytes, bytes]], keep_alive: bool) -> None:
        self.connection = connection
        self.kind = kind
        self.headers = headers
        self.keep_alive = keep_alive
        self.parts: list[bytes] = []
        self.size = 0
        self.more_body = True
        self.disconnected = self.response_started = self.response_complete = False

    def take(self, part: bytes) -> None:
        self.size += len(part)
        if self.response_complete:
            return
        if self.size > MAX_BODY_BYTES:
            self.parts.clear()
            self.answer(TOO_LARGE[self.kind])
        else:
            self.parts.append(part)

    def complete(self) -> None:
        self.more_body = False
        if self.response_complete:
            return
        collector, parts = self.connection.collector, self.parts
        body = parts[0] if len(parts) == 1 else b"".join(parts)
        try:
            judged = collector.judge(self.kind, self.headers, self.connection.client, body)
            if isinstance(judged, bytes):
                collector.log.keep(judged, self.settle)
                return
        except LogUnavailable as problem:
            judged = unavailable(problem)
        except Exception:
            log.exception("a request could not be judged")
            judged = CRASHED
        self.answer(judged)

    def settle(self, _offset: int, problem: LogUnavailable | None) -> None:
        """The log has it, or not."""
        self.answer(TAKEN if problem is None else unavailable(problem))

    def answer(self, answer: Answer) -> None:
        self.response_started = self.response_complete = True
        connection = self.connection
        connection.collector.counters.answered[answer.status] += 1
        if connection.transport.is_closing():
            return
        if not self.keep_alive:
            answer = closing(answer)
        connection.transport.write(answer.wire)
        connection.answered(self.keep_alive)
