"""Both engines, really started: SQLite in a file, PostgreSQL from its wheel."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

import pytest

from tests.contracts.desk import Desk


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
