"""What is offered to somebody who wrote a length or a share in their own way."""

from __future__ import annotations

import pytest

from heard import durations
from heard.campaigns import suggestions
from heard.errors import Invalid


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("3 dyas", "3d"),
        ("90", "90d"),
        ("2 weeks", "2w"),
        ("2 months", "60d"),
        ("10 min", "10m"),
        ("1.5 days", "36h"),
        ("1 year", "365d"),
        ("12 Hours", "12h"),
    ],
)
def test_a_length_is_understood(written: str, meant: str):
    with pytest.raises(Invalid):
        durations.parse(written)
    durations.parse(meant)

    assert suggestions.length(written) == meant


@pytest.mark.parametrize("written", ["", "soon", "-3d", "1.5 seconds"])
def test_without_something_to_go_by_nothing_is_offered(written: str):
    assert suggestions.length(written) is None


def test_a_share_is_understood():
    assert suggestions.share("25") == "25%"
    assert suggestions.share("12.5 percent") == "12.5%"
    assert suggestions.share("0") is None
    assert suggestions.share("250") is None
