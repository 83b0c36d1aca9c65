"""The collector's ASGI application: messages onto the log, what pages load, everything else to the heart.

    read the body -> inflate -> glance (400s of the whole body) -> whose key? (401) -> too often? (429)
    -> without who is suppressed -> log -> 200

The 200 is sent after `append` has returned, that is after an fdatasync, and never otherwise.
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from heard.board import Board
from heard.collector import answers, browser, hook, pixel
from heard.collector.answers import JSON, TAKEN, Answer, Headers, Send, answer, later, refusal
from heard.collector.body import Disconnected, Receive, inflate, read_body
from heard.collector.browser import Browser
from heard.collector.clients import Clients
from heard.collector.counters import Counters
from heard.collector.front import Front
from heard.collector.hook import Hooks
from heard.collector.keys import Keys
from heard.collector.rate import Rate
from heard.collector.suppressed import Suppressed
from heard.log.log import LogUnavailable
from heard.log.segments import SegmentWriter
from heard.messages.accepted import Accepted, encode
from heard.messages.glance import Fault, glance, too_large

KINDS = {
    "identify": "identify",
    "track": "track",
    "page": "page",
    "screen": "screen",
    "group": "group",
    "alias": "alias",
    "batch": "batch",
    "import": "batch",
    "i": "identify",
    "t": "track",
    "p": "page",
    "s": "screen",
    "g": "group",
    "a": "alias",
    "b": "batch",
}
PATHS = {f"/v1/{name}{slash}": kind for name, kind in KINDS.items() for slash in ("", "/")}

REMOTE_METRICS = ("/v1/m", "/v1/m/")
"""Browsers report their own health here; it must be 200, and is nobody's feedback."""

MAX_AGENT = 512


class Collector:
    """`draining` makes it refuse messages with a 503, which every library repeats elsewhere or later."""

    def __init__(
        self,
        *,
        board: Board,
        log: SegmentWriter,
        keys: Keys,
        hooks: Hooks,
        suppressed: Suppressed,
        browser: Browser,
        front: Front,
        clients: Clients,
        prefix: str = "",
        alone: bool = False,
        rate: Rate | None = None,
    ) -> None:
        """`alone`: there is no heart, on purpose; being ready means taking messages. `rate`: None = no limit."""
        self._board = board
        self.log = log
        self._keys = keys
        self._hooks = hooks
        self._suppressed = suppressed
        self._browser = browser
        self._front = front
        self._clients = clients
        self._prefix = prefix
        self._alone = alone
        self._rate = rate
        self.counters = Counters(log, suppressed)
        self.draining = False
        self.posts = {(under + path).encode(): kind for under in {"", prefix} for path, kind in PATHS.items()}
        """The paths that `connection` answers without going through here; the kind of message by path."""

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        path: str = scope["path"]
        kind = PATHS.get(path)
        if kind is None and self._prefix and (path + "/").startswith(self._prefix + "/"):
            path = path[len(self._prefix) :] or "/"
            kind = PATHS.get(path)
        if kind is not None and scope["method"] == "POST":
            try:
                given = await self._collect(kind, scope, receive)
            except Disconnected:
                return
        elif (key := hook.key_in(path)) is not None:
            try:
                given = await self._hook(key, scope, receive)
            except Disconnected:
                return
        elif pixel.is_one(path) and scope["method"] in ("GET", "HEAD"):
            given = await self._pixel(pixel.KINDS.get(path), scope)
        elif path.startswith(browser.PATHS):
            given = self._browser.answer(path, scope["method"], scope["headers"])
        elif path.startswith("/v1/") or path == "/v1":
            given = _other_than_messages(path, scope["method"])
        elif path == "/health":
            given = self._health()
        elif path == "/ready":
            given = await self._ready()
        elif path == "/metrics":
            given = await self._metrics()
        else:
            await self._front.forward(scope, receive, send, path_prefix=self._prefix)
            return
        self.counters.answered[given.status] += 1
        await send(given.start)
        await send(given.body)

    async def _collect(self, kind: str, scope: Any, receive: Receive) -> Answer:
        body = await read_body(receive)
        judged = TOO_LARGE[kind] if body is None else self.judge(kind, scope["headers"], scope["client"], body)
        return await self._keep(judged)

    async def _hook(self, key: str, scope: Any, receive: Receive) -> Answer:
        if not key:
            return hook.NO_KEY
        if scope["method"] != "POST":
            return hook.WRONG_METHOD
        headers, body = scope["headers"], await read_body(receive)
        if self._keys.source(None, key) is None:
            return hook.UNKNOWN_KEY
        if body is None:
            return TOO_LARGE[hook.KIND]
        return self._hooks.objection(key, headers, body) or await self._keep(
            self.judge(hook.KIND, headers, scope["client"], body, key)
        )

    async def _pixel(self, kind: str | None, scope: Any) -> Answer:
        """The dot, whatever became of the message; a HEAD only looks. `kind` None: the address names none."""
        if kind is None:
            self.counters.pixels[answers.NOT_FOUND.status] += 1
        elif scope["method"] == "GET":
            body, key = pixel.asked(scope["query_string"])
            headers = [header for header in scope["headers"] if header[0] != b"content-encoding"]
            became = await self._keep(self.judge(kind, headers, scope["client"], body, key))
            self.counters.pixels[became.status] += 1
        return pixel.DOT

    async def _keep(self, judged: Answer | bytes) -> Answer:
        if isinstance(judged, Answer):
            return judged
        try:
            await self.log.append(judged)
        except LogUnavailable as problem:
            return unavailable(problem)
        return TAKEN

    def judge(
        self, kind: str, headers: Headers, peer: tuple[str, int] | None, body: bytes, key: str | None = None
    ) -> Answer | bytes:
        """What to keep on the log before the answer is `TAKEN`; or the answer, when nothing is to be kept.

        `key`: the write key that the address names, which wins over every other one.
        """
        if self.draining:
            return answers.DRAINING
        authorization = encoding = None
        agent = b""
        for name, value in headers:
            if name == b"authorization":
                authorization = value
            elif name == b"user-agent":
                agent = value
            elif name == b"content-encoding":
                encoding = value
        if encoding is not None and (encoding := encoding.strip().lower()) != b"identity":
            if encoding not in (b"gzip", b"x-gzip"):
                return answers.UNSUPPORTED_ENCODING
            inflated = inflate(body, kind)
            if isinstance(inflated, Fault):
                return refused(inflated)
            body = inflated
        glanced = glance(body, kind)
        if isinstance(glanced, Fault):
            return refused(glanced)
        source = self._keys.source(authorization, glanced.write_key) if key is None else self._keys.source(None, key)
        if source is None:
            return answers.UNKNOWN_KEY
        if self._rate is not None and (wait := self._rate.wait(source, time.monotonic())):
            return answers.too_often(wait)
        left = self._suppressed.without(source, kind, body)
        if left is None:
            return TAKEN
        received_at = time.time_ns() // 1000 + self._board.clock_offset_us
        client = self._clients.address(peer, headers)
        return encode(Accepted(source, kind, received_at, client, agent[:MAX_AGENT].decode("latin-1"), left))

    def _health(self) -> Answer:
        """200 as long as this process answers; `degraded` while the log takes nothing."""
        state = b'{"status":"ok"}' if self.log.available else b'{"status":"degraded","missing":["log"]}'
        return answer(200, state, (JSON,))

    async def _ready(self) -> Answer:
        missing = [] if self.log.available and not self.draining else ["log"]
        if self._alone:
            words = msgspec.json.encode({"ready": not missing, "missing": missing})
            return answer(503 if missing else 200, words, (JSON,))
        return await self._front.ready(missing)

    async def _metrics(self) -> Answer:
        heart = await self._front.metrics()
        text = b"".join(
            part if part.endswith(b"\n") else part + b"\n" for part in (heart, self.counters.text()) if part
        )
        return answer(200, text, ((b"content-type", b"text/plain; version=0.0.4; charset=utf-8"),))


def refused(fault: Fault) -> Answer:
    return refusal(400, fault.code, fault.message)


def unavailable(problem: LogUnavailable) -> Answer:
    return later("log_unavailable", str(problem), problem.retry_after)


TOO_LARGE = {kind: refused(too_large(kind)) for kind in {*KINDS.values(), hook.KIND}}


def _other_than_messages(path: str, method: str) -> Answer:
    if pixel.is_one(path):
        return answers.PREFLIGHT_OF_PIXELS if method == "OPTIONS" else answers.PIXELS_ARE_READ
    if method == "OPTIONS":
        return answers.PREFLIGHT
    if path in PATHS:
        return answers.WRONG_METHOD
    if path in REMOTE_METRICS:
        return TAKEN if method == "POST" else answers.WRONG_METHOD
    return answers.NOT_FOUND
