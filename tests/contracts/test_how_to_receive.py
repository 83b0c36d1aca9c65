"""The receiver on the how-to page, as it stands: it believes what Heard sends, and nothing else."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from heard.destinations.kinds import KINDS, read_settings
from tests.architecture.tree import ROOT
from tests.contracts.handed_over import a_document, hand_over
from tests.contracts.receiver import Received, Receiver, receiver

__all__ = ["receiver"]  # the fixture

PAGE = (ROOT / "docs/how-to/receive-webhooks.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return found


@pytest.fixture(scope="module")
def page() -> dict[str, Any]:
    """What the page's program defines."""
    defined: dict[str, Any] = {}
    exec(block("python"), defined)
    return defined


def written() -> dict[str, Any]:
    (destination,) = yaml.safe_load(block("yaml"))["destinations"]
    return read_settings(destination["type"], destination["settings"])


def arrived(receiver: Receiver, at: datetime) -> Received:
    settings = written() | {"url": receiver.url}
    hand_over(KINDS["webhook"].request([a_document()], settings, ids=["msg_1"], now=at))
    return receiver.received[-1]


def test_the_pages_receiver_believes_heard_and_nobody_else(page: dict[str, Any], receiver: Receiver):
    is_from_heard, secret = page["is_from_heard"], written()["secret"]
    now = datetime.now(UTC)
    got = arrived(receiver, now)

    assert is_from_heard(got.body, got.headers, secret)
    assert not is_from_heard(got.body + b" ", got.headers, secret)
    assert not is_from_heard(got.body, got.headers | {"webhook-id": "msg_2"}, secret)
    assert not is_from_heard(got.body, got.headers, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSx")
    assert not is_from_heard(got.body, {}, secret)
    old = arrived(receiver, now - timedelta(minutes=6))
    assert not is_from_heard(old.body, old.headers, secret)
