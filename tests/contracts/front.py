"""An installation whose loops are stepped by hand, with destinations outside that really listen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from heard import config
from heard.installation import Installation
from heard.log.segments import SegmentWriter
from heard.messages import accepted
from heard.messages.accepted import Accepted
from heard.operations import workspace_file
from heard.store import forwards, messages
from heard.store.types import micros


class Front:
    """`receive` puts a request on the log, `settle` does all that can be done now, `pass_time` moves the clock."""

    def __init__(self, app: Installation, log: SegmentWriter) -> None:
        self.app, self.log = app, log
        self._numbered = 0

    async def apply(self, *destinations: dict[str, Any], **more: Any) -> None:
        whole = {"workspace": "Acme", "sources": [{"name": "Website", "write_key": "wk_acme"}], **more}
        await workspace_file.apply(self.app, content={**whole, "destinations": list(destinations)})

    async def receive(self, *sent: dict[str, Any], source: str = "Website", kind: str = "batch") -> None:
        number = next(each.id for each in self.app.directory.sources.values() if each.name == source)
        for message in sent:
            self._numbered += 1
            message.setdefault("messageId", f"m{self._numbered}")
        request = Accepted(
            source=number,
            kind=kind,
            received_at=micros(self.app.clock.now()),
            client="",
            agent="",
            body=msgspec.json.encode({"batch": list(sent)} if kind == "batch" else sent[0]),
        )
        await self.log.append(accepted.encode(request))

    async def settle(self) -> None:
        await self.app.pipeline.idle()

    async def pass_time(self, length: timedelta) -> None:
        await self.app.pipeline.advance(self.app.clock.now() + length)

    def destination(self, name: str) -> int:
        return self.app.directory.destination(1, name).id

    def forwards(self, name: str) -> list[tuple[str, int, str]]:
        """(state, attempts, reason), the oldest message first."""
        found = self.app.store.read_now(lambda connection: forwards.newest(connection, 1, self.destination(name)))
        return [(each.state.value, each.attempts, each.reason) for each in sorted(found, key=lambda each: each.message)]

    def counts(self, name: str) -> dict[str, int]:
        since = self.app.clock.now() - timedelta(days=30)
        found = self.app.store.read_now(lambda connection: forwards.counted(connection, 1, since=since))
        counted = found.get(self.destination(name), {})
        return {key: value for key, value in counted.items() if not key.startswith("ms:")}

    def verdicts(self) -> list[tuple[str, str | None]]:
        kept = self.app.store.read_now(lambda connection: messages.after(connection, 0))
        return [(each.kept.verdict, each.kept.reason) for each in kept]


def front(folder: Path, story: Callable[[Front], Awaitable[None]], **environment: str) -> None:
    settings = {"HEARD_ALLOW_PRIVATE_NETWORK": "on", **environment}

    async def live() -> None:
        app = Installation(config.read(settings, data=folder), test_clock=True)
        (folder / "log").mkdir(exist_ok=True)
        log = SegmentWriter(folder / "log", app.board, segment_bytes=1 << 20).start()
        try:
            await story(Front(app, log))
        finally:
            await app.close()
            await log.close()

    asyncio.run(live())


def hook(url: str, name: str = "Hook", **more: Any) -> dict[str, Any]:
    return {"name": name, "type": "webhook", "settings": {"url": url, "secret": "shh"}, **more}


def track(user: str, event: str = "Order Completed", **properties: Any) -> dict[str, Any]:
    return {"type": "track", "userId": user, "event": event, "properties": properties}


def identify(user: str, **traits: Any) -> dict[str, Any]:
    return {"type": "identify", "userId": user, "traits": traits}
