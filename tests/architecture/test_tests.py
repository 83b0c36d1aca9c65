"""The tests meet the parts a customer would meet: no stand-ins, and the specification patches nothing."""

from __future__ import annotations

import ast

import pytest

from tests.architecture.tree import ROOT, complaints, python_files

STAND_INS = {"mock", "unittest.mock", "pytest_mock", "responses", "respx", "freezegun", "time_machine"}


def stand_ins(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [f"line {node.lineno} imports {name.name}" for name in names if name.name in STAND_INS]
            case ast.ImportFrom(module=str(module), names=names):
                called = {module, *(f"{module}.{name.name}" for name in names)}
                if called & STAND_INS:
                    found.append(f"line {node.lineno} imports from {module}")
            case _:
                pass
    return found


def patches(source: str) -> list[str]:
    return [
        f"line {node.lineno} takes monkeypatch"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.arg) and node.arg == "monkeypatch"
    ]


def test_no_test_uses_a_stand_in():
    assert complaints(stand_ins, python_files(ROOT / "tests")) == []


def test_the_specification_patches_nothing():
    assert complaints(patches, python_files(ROOT / "tests/spec")) == []


@pytest.mark.parametrize(
    "line", ["from unittest import mock", "import unittest.mock", "from unittest.mock import Mock", "import freezegun"]
)
def test_a_stand_in_is_found(line: str):
    assert len(stand_ins(line)) == 1


def test_a_patching_test_is_found():
    assert len(patches("def test_it(monkeypatch): ...")) == 1


def test_a_plain_test_passes():
    source = "from heard.responses import answers\ndef test_it(tmp_path): ..."

    assert stand_ins(source) == patches(source) == []
