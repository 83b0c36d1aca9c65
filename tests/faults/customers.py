"""Customers of the smallest kind, for tests in which the mail server is the interesting part."""

from __future__ import annotations

import email
from email import policy
from typing import Any

from aiosmtpd.smtp import Envelope

from tests.flow.running import RunningHeard


def orders(heard: RunningHeard, *users: str) -> None:
    """Each is identified and orders something, which invites them."""
    batch = [
        message
        for user in users
        for message in (
            {"type": "identify", "userId": user, "traits": {"email": f"{user}@customer.example"}},
            {"type": "track", "userId": user, "event": "Order Completed", "properties": {"total": 25}},
        )
    ]
    heard.send("batch", batch=batch)


def delivery_of(heard: RunningHeard, user: str) -> dict[str, Any]:
    """The latest invitation of a customer, as the API shows it."""
    return heard.get("deliveries", user_id=user)["data"][0]


def states(heard: RunningHeard, *users: str) -> list[str]:
    return [delivery_of(heard, user)["state"] for user in users]


def outcomes(heard: RunningHeard, user: str) -> list[str]:
    """What was decided about a customer, newest first."""
    return [decision["outcome"] for decision in heard.get(f"contacts/{user}/why")["decisions"]]


def html(mail: Envelope) -> str:
    """The HTML part of a mail that a server took."""
    assert isinstance(mail.content, bytes)
    body = email.message_from_bytes(mail.content, policy=policy.default).get_body(("html",))  # type: ignore[attr-defined]
    assert body is not None
    return body.get_content()
