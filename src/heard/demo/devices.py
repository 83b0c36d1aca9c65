"""The libraries that send: what each puts round a message."""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any
from zlib import crc32

import msgspec

from heard.demo.cast import Person

BROWSERS = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0 Safari/537.36",
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1 (KHTML, like Gecko) Version/17.5 Safari/605.1",
    "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
)
APP, SERVER = "Acme/5.1 (Android 14)", "analytics-python/2.3"
LIBRARIES = {
    "Website": {"name": "analytics.js", "version": "next-1.70.0"},
    "Mobile app": {"name": "analytics-kotlin", "version": "1.16.3"},
    "Backend": {"name": "analytics-python", "version": "2.3.0"},
}
_encode = msgspec.json.Encoder().encode


class Sent(msgspec.Struct, frozen=True):
    """One request. `source` by name; `kind` is `batch` or the type of its one message."""

    at: datetime
    source: str
    kind: str
    body: bytes
    agent: str
    client: str


class Device(msgspec.Struct, frozen=True):
    source: str
    agent: str
    client: str  # from the blocks that are kept for examples (RFC 5737)
    context: dict[str, Any]

    @staticmethod
    def of(person: Person, source: str) -> Device:
        """The same person has the same browser and address each time."""
        number = crc32(person.user_id.encode())
        agent = APP if source == "Mobile app" else BROWSERS[number % len(BROWSERS)]
        context = {"library": LIBRARIES[source], "locale": person.locale, "timezone": person.zone}
        return Device(source, agent, f"203.0.113.{number % 250 + 1}", context)

    @staticmethod
    def server() -> Device:
        return Device("Backend", SERVER, "198.51.100.7", {"library": LIBRARIES["Backend"]})

    def request(self, random: Random, at: datetime, message: dict[str, Any]) -> Sent:
        """One message, sent the moment it happened."""
        happened = at - timedelta(milliseconds=random.randint(40, 900))
        whole: dict[str, Any] = {
            "messageId": made_id(random),
            "timestamp": written(happened),
            "sentAt": written(at),
        } | message
        whole["context"] = self.context | whole.get("context", {})
        return Sent(at, self.source, str(message["type"]), _encode(whole), self.agent, self.client)

    def batch(self, at: datetime, messages: list[dict[str, Any]]) -> Sent:
        body = _encode({"batch": messages, "context": self.context, "sentAt": written(at)})
        return Sent(at, self.source, "batch", body, self.agent, self.client)


def made_id(random: Random) -> str:
    return f"ajs-{random.getrandbits(64):016x}"


def written(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
