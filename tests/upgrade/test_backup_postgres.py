"""A backup of an installation whose state is in PostgreSQL."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import pytest

from heard import config
from heard.errors import HeardError
from heard.installation import Installation
from heard.operations import first_run, workspace_file, yaml_text
from heard.operations.restore import restore
from heard.store.backup import backup
from tests.flow.running import ACME


def an_installation(postgres: Any, data: Path) -> config.Settings:
    """Settings over an empty schema of its own."""
    schema = f"s{uuid4().hex}"
    postgres.psql(f"CREATE SCHEMA {schema};")
    uri = postgres.get_uri()
    url = f"{uri}{'&' if '?' in uri else '?'}options={quote(f'-csearch_path={schema}')}"
    return config.read({"HEARD_DATABASE_URL": url}, data=data)


def export(settings: config.Settings) -> dict[str, Any]:
    app = Installation(settings)
    content = asyncio.run(workspace_file.export(app))
    asyncio.run(app.close())
    return content


def test_everything_comes_back_in_another_database_and_only_in_an_empty_one(postgres: Any, tmp_path: Path):
    settings, other = an_installation(postgres, tmp_path / "a"), an_installation(postgres, tmp_path / "b")
    app = Installation(settings)
    asyncio.run(first_run.init(app))
    asyncio.run(workspace_file.apply(app, content=yaml_text.load(ACME)))
    path = backup(settings, tmp_path / "b.tar.gz")
    asyncio.run(app.close())
    asyncio.run(restore(other, path))

    assert export(other) == export(settings)
    with pytest.raises(HeardError, match="holds a Heard already"):
        asyncio.run(restore(other, path, force=True))
    assert export(other) == export(settings), "a refused restore changes nothing"


def test_a_backup_of_one_kind_of_database_is_not_put_into_the_other(postgres: Any, tmp_path: Path):
    settings = config.read({}, data=tmp_path / "a")
    app = Installation(settings)
    asyncio.run(app.close())
    path = backup(settings, tmp_path / "b.tar.gz")

    with pytest.raises(HeardError, match="of a sqlite database"):
        asyncio.run(restore(an_installation(postgres, tmp_path / "b"), path))
