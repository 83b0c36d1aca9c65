"""The short way into `heard serve`: plain options, and nothing that needs explaining."""

from __future__ import annotations

import pytest

from heard.cli.begin import plain


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ([], {}),
        (["--port", "8801", "--test-clock"], {"--port": "8801", "--test-clock": ""}),
        (["--data=./d", "--host=0.0.0.0"], {"--data": "./d", "--host": "0.0.0.0"}),
        (["--only", "heart"], {"--only": "heart"}),
    ],
)
def test_plain_options_are_read(arguments: list[str], given: dict[str, str]):
    assert plain(arguments) == given


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["-h"],
        ["--port"],
        ["--port", "x"],
        ["--port", "99999"],
        ["--prot", "1"],
        ["extra"],
        ["--only", "web"],
    ],
)
def test_whatever_needs_explaining_goes_the_usual_way(arguments: list[str]):
    assert plain(arguments) is None
