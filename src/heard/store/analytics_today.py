"""Today's traits, beside the traits frozen with an answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from time import monotonic
from typing import TYPE_CHECKING, Any, TypeAlias

import msgspec

from heard.fql.tree import Path
from heard.fql.values import canonical

if TYPE_CHECKING:
    import duckdb

CurrentTraits: TypeAlias = Callable[[int, Collection[int]], Mapping[int, bytes]]


class Today:
    """The table `today`: contact_id, and for each path below `now.traits` its column of canonical JSON.

    It is kept from one question to the next that reads no other paths, as long as the asker takes what is some seconds
    old, and holds the contacts that were asked for.
    """

    def __init__(self, current_traits: CurrentTraits | None) -> None:
        self._current_traits = current_traits
        self._columns: dict[Path, str] = {}
        self._workspace: int | None = None
        self._made = 0.0

    def forget(self) -> None:
        self._workspace = None

    def prepare(
        self, database: duckdb.DuckDBPyConnection, workspace: int, columns: Mapping[Path, str], *, as_of: float
    ) -> None:
        """Make it anew where it is of another workspace, too old, or has other columns."""
        fresh = self._workspace == workspace and monotonic() - self._made <= as_of
        if fresh and columns.items() <= self._columns.items():
            return
        self._columns, self._workspace, self._made = dict(columns), workspace, monotonic()
        kinds = ", ".join(f"{name} {kind}" for name, kind in self._kinds().items())
        database.execute(f"CREATE OR REPLACE TEMP TABLE today ({kinds})")

    def add(self, database: duckdb.DuckDBPyConnection, contacts: Collection[int]) -> None:
        """Look these contacts up; of those nobody knows any more there is a row without traits."""
        if not contacts or self._workspace is None:
            return
        traits = self._current_traits(self._workspace, contacts) if self._current_traits else {}
        rows = [
            {"contact_id": contact} | _row(self._columns, msgspec.json.decode(traits.get(contact, b"{}")))
            for contact in contacts
        ]
        database.execute(
            "INSERT INTO today SELECT unnest(from_json($rows, $shape), recursive := true)",
            {"rows": msgspec.json.encode(rows).decode(), "shape": msgspec.json.encode([self._kinds()]).decode()},
        )

    def _kinds(self) -> dict[str, str]:
        return {"contact_id": "BIGINT", **dict.fromkeys(self._columns.values(), "VARCHAR")}


def _row(columns: Mapping[Path, str], document: Any) -> dict[str, str]:
    found = {name: _at(path, document) for path, name in columns.items()}
    return {name: canonical(value) for name, value in found.items() if value is not None}


def _at(path: Path, document: Any) -> Any:
    for name in path:
        document = document.get(name) if isinstance(document, dict) else None
    return document  # pyright: ignore[reportUnknownVariableType]
