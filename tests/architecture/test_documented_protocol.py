"""What a sender can hold on to, each with its place on the page of the protocol: paths, answers, reasons, limits."""

from __future__ import annotations

import re

from heard.collector import hook, pixel
from heard.collector.app import PATHS, REMOTE_METRICS
from heard.messages import limits, message
from tests.architecture.test_documented import REFERENCE, differences, rows
from tests.architecture.tree import HEARD

PAGE = (REFERENCE / "protocol.md").read_text(encoding="utf-8")


def section(title: str) -> str:
    return PAGE.partition(f"\n## {title}\n")[2].partition("\n## ")[0]


def test_every_path_is_documented():
    answered = {path for path in (*PATHS, *pixel.KINDS, *REMOTE_METRICS) if not path.endswith("/")}

    written = re.findall(r"`(/[a-zA-Z0-9/]+)`", section("Paths").partition("\n\n`OPTIONS`")[0])

    assert differences(answered | {f"{hook.PATH}/KEY"}, written) == []


def test_every_answer_and_every_reason_is_documented():
    said = {
        code
        for path in (*(HEARD / "collector").glob("*.py"), HEARD / "messages/glance.py")
        for code in re.findall(r'\b(?:refusal|later|Fault)\(\s*(?:\d+,\s*)?"([a-z_0-9]+)"', path.read_text("utf-8"))
    }

    assert len(said) > 15
    assert differences(said | message.REASONS, rows(section("Answers"))) == []


def test_the_limits_are_the_ones_that_hold():
    told = section("The body")

    for limit in (limits.MAX_BODY_BYTES, limits.MAX_MESSAGE_BYTES, limits.MAX_BATCH):
        assert f"| {limit:,} " in told
    assert f"| {limits.MAX_DEPTH} levels" in told
    assert f"| {limits.MAX_NAME} characters of an id or an event name, {limits.MAX_MESSAGE_ID} of a `messageId`" in told
