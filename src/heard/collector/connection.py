"""Clients that are slow or broken: uvicorn's protocol with deadlines, and JSON for what is not HTTP.

An idle connection costs nothing and may stay for `IDLE_SECONDS`. From a request's first byte on it has
`PATIENCE_SECONDS` for its head, and for every `STEADY_BYTES` of its body: a phone on a bad line gets through, one byte
a second does not.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from heard.collector.answers import HEAD_TOO_LARGE, MALFORMED, TOO_SLOW, Answer

IDLE_SECONDS = 75
PATIENCE_SECONDS = 10.0
STEADY_BYTES = 10_240
MAX_HEAD_BYTES = 64 << 10


class Connection(HttpToolsProtocol):
    """One client's connection."""

    _deadline: asyncio.TimerHandle | None = None
    _unfinished = False
    _in_head = False
    _arrived = 0

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._unfinished:
            self._watch(len(data))
        elif self._deadline is not None:
            self._stop_watching()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_watching()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._unfinished = self._in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._unfinished = False
        super().on_message_complete()

    def send_400_response(self, msg: str) -> None:
        self._refuse(MALFORMED)

    def _watch(self, arrived: int) -> None:
        self._arrived += arrived
        if self._in_head and self._arrived > MAX_HEAD_BYTES:
            self._refuse(HEAD_TOO_LARGE)
        elif self._deadline is None:
            self._deadline = self.loop.call_later(PATIENCE_SECONDS, self._look_again)

    def _look_again(self) -> None:
        self._deadline = None
        waits_for_us = self.flow.read_paused
        if waits_for_us or (not self._in_head and self._arrived >= STEADY_BYTES):
            self._arrived = 0
            self._watch(0)
        else:
            self._refuse(TOO_SLOW)

    def _stop_watching(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
        self._arrived = 0

    def _refuse(self, answer: Answer) -> None:
        """Say why and hang up; only hang up when another answer has already begun on this connection."""
        self._stop_watching()
        if self.transport.is_closing():
            return
        begun = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not begun and not self.pipeline:
            head = [name + b": " + value + b"\r\n" for name, value in answer.start["headers"]]
            self.transport.write(b"".join([STATUS_LINE[answer.status], *head, b"\r\n", answer.body["body"]]))
        self.transport.close()
