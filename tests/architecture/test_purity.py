"""Deciding is pure: nouns read no clock, no chance, no environment and no file. `now` is always an argument."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.tree import complaints, noun_files

CLOCKS = {"now", "utcnow", "today"}
CLOCK_OWNERS = {"datetime", "date", "dt"}
IMPURE_NAMES = {"utcnow", "uuid1", "uuid4", "environ", "getenv", "urandom", "token_bytes", "token_hex", "token_urlsafe"}
IMPURE_MODULES = {
    "asyncio",
    "os",
    "pathlib",
    "random",
    "secrets",
    "socket",
    "sqlite3",
    "subprocess",
    "threading",
    "time",
}
IMPURE_CALLS = {"open", "print", "input", "exec", "eval"}


def impurities(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            # A reference is enough: field(default_factory=datetime.now) reads a clock as well.
            case ast.Attribute(value=ast.Name(id=owner) | ast.Attribute(attr=owner), attr=name) if (
                owner in CLOCK_OWNERS and name in CLOCKS
            ):
                found.append(f"line {node.lineno} reads a clock: {owner}.{name}")
            case ast.Attribute(attr=name) if name in IMPURE_NAMES:
                found.append(f"line {node.lineno} uses {name}")
            case ast.Call(func=ast.Name(id=name)) if name in IMPURE_CALLS:
                found.append(f"line {node.lineno} calls {name}")
            case ast.Import(names=names):
                found += [
                    f"line {node.lineno} imports {name.name}" for name in names if root(name.name) in IMPURE_MODULES
                ]
            case ast.ImportFrom(module=str(module), names=names):
                impure = root(module) in IMPURE_MODULES
                found += [
                    f"line {node.lineno} imports {module}.{name.name}"
                    for name in names
                    if impure or name.name in IMPURE_NAMES
                ]
            case _:
                pass
    return found


def root(module: str) -> str:
    return module.split(".")[0]


def test_nouns_are_pure():
    assert complaints(impurities, noun_files()) == []


@pytest.mark.parametrize(
    "line",
    [
        "at = datetime.now(UTC)",
        "at = datetime.datetime.utcnow()",
        "at: datetime = field(default_factory=datetime.now)",
        "day = date.today()",
        "import time",
        "from time import monotonic",
        "import random as dice",
        "from os import environ",
        "from uuid import uuid4",
        "def later():\n    import secrets",
        "id = uuid.uuid4()",
        "print('asked')",
        "open('/etc/passwd')",
    ],
)
def test_an_impurity_is_found(line: str):
    assert len(impurities(line)) == 1


@pytest.mark.parametrize(
    "line", ["from datetime import datetime, timedelta", "due = now + delay", "case.now", "def decide(case, now): ..."]
)
def test_what_is_pure_passes(line: str):
    assert impurities(line) == []
