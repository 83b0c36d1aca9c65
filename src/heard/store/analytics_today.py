"""Today's traits, beside the traits frozen with an answer: a table `today` for the length of one question."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from heard.fql.tree import Path
from heard.fql.values import canonical

if TYPE_CHECKING:
    import duckdb

CurrentTraits: TypeAlias = Callable[[int, Collection[int]], Mapping[int, bytes]]


def table_of_today(
    database: duckdb.DuckDBPyConnection, columns: Mapping[Path, str], traits: Mapping[int, bytes]
) -> None:
    """Make `today` anew: contact_id, and for each path below `now.traits` its column of canonical JSON."""
    rows = [{"contact_id": contact} | _row(columns, msgspec.json.decode(found)) for contact, found in traits.items()]
    kinds = {"contact_id": "BIGINT", **dict.fromkeys(columns.values(), "VARCHAR")}
    database.execute(
        "CREATE OR REPLACE TEMP TABLE today AS SELECT unnest(from_json($rows, $shape), recursive := true)",
        {"rows": msgspec.json.encode(rows).decode(), "shape": msgspec.json.encode([kinds]).decode()},
    )


def _row(columns: Mapping[Path, str], document: Any) -> dict[str, str]:
    found = {name: _at(path, document) for path, name in columns.items()}
    return {name: canonical(value) for name, value in found.items() if value is not None}


def _at(path: Path, document: Any) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document  # pyright: ignore[reportUnknownVariableType]
