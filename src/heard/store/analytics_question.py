"""One question to the analytics: which answers are meant, and what is counted of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from heard.fql.tree import Expression
from heard.fql.write import field_of
from heard.scores.window import Window
from heard.store.analytics_filters import Fields, condition
from heard.store.analytics_rows import Paths, Place, microseconds
from heard.store.analytics_today import Today

if TYPE_CHECKING:
    import duckdb

MOST_GROUPS = 100  # shown of a breakdown: those with the most answers
NEWEST = 5_000  # answers looked at for what one may filter by


class Known(msgspec.Struct, frozen=True):
    """A field that answers have: its name (`traits.plan`), and how many values and answers it was seen with."""

    name: str
    values: int
    answers: int


class Question:
    """The answers that are meant: conditions and their parameters, gathered, then asked about."""

    def __init__(self, database: duckdb.DuckDBPyConnection, fields: Fields) -> None:
        self.database = database
        self.fields = fields
        self.conditions: list[str] = []
        self.parameters: dict[str, Any] = {}
        self.base = ""
        self.filter: tuple[str, Mapping[str, Any]] | None = None

    def only(self, sql: str, **parameters: Any) -> None:
        self.conditions.append(sql)
        self.parameters |= parameters

    def within(self, counted: Window) -> None:
        if counted.begins:
            self.only("answers.answered_at >= make_timestamp($begins)", begins=microseconds(counted.begins))
        if counted.ends:
            self.only("answers.answered_at < make_timestamp($ends)", ends=microseconds(counted.ends))

    def where(self, expression: str | Expression) -> None:
        """Kept until the traits of today are at hand, which are looked up for all that the rest leaves."""
        self.filter = condition(expression, self.fields)

    def look_up_today(self, workspace: int, today: Today, *, as_of: float = 0) -> None:
        """Fetch today's traits of the people in question, if the filter or the grouping names any."""
        joined = ""
        if self.fields.today:
            today.prepare(self.database, workspace, self.fields.today, as_of=as_of)
            contacts = self._run(
                f"SELECT DISTINCT contact_id FROM answers WHERE {self._all()} AND contact_id IS NOT NULL"
                " AND contact_id NOT IN (SELECT contact_id FROM today)",
                self.parameters,
            )
            today.add(self.database, [one for (one,) in contacts])
            joined = " LEFT JOIN today ON today.contact_id = answers.contact_id"
        self.base = "answers" + joined
        if self.filter:
            sql, parameters = self.filter
            self.only(sql, **parameters)

    def ask(self, sql: str, **parameters: Any) -> list[tuple[Any, ...]]:
        """Run `sql` with `{source}` standing for the answers that are meant."""
        source = f"{self.base} WHERE {self._all()}"
        return self._run(sql.replace("{source}", source), {**self.parameters, **parameters})

    def _all(self) -> str:
        return " AND ".join(self.conditions)

    def _run(self, sql: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        return self.database.execute(sql, dict(parameters)).fetchall()


def by_period(question: Question, every: str | None) -> dict[date | None, dict[float, int]]:
    """How many gave each value, by the first day of the period; without `every` under None."""
    period = f"date_trunc('{every}', answers.answered_at)::DATE" if every else "NULL::DATE"
    counted = question.ask(
        f"SELECT {period}, answers.value, count(*) FROM {{source}} AND answers.value IS NOT NULL GROUP BY ALL"
    )
    periods: dict[date | None, dict[float, int]] = {}
    for day, value, n in counted:
        periods.setdefault(day, {})[value] = n
    return periods


def by_group(question: Question, group: str) -> tuple[dict[str, dict[float, int]], int]:
    """How many gave each value, for the groups with the most answers; and how many groups there are in all."""
    counted = question.ask(
        f"""
        WITH counted AS MATERIALIZED (
            SELECT {group} AS value, answers.value AS answer, count(*) AS n
            FROM {{source}} AND answers.value IS NOT NULL GROUP BY ALL
        ), largest AS (
            SELECT value, count(*) OVER () AS groups FROM counted
            GROUP BY value ORDER BY sum(n) DESC, value LIMIT {MOST_GROUPS}
        )
        SELECT value, answer, n, groups FROM counted JOIN largest USING (value) ORDER BY value
        """
    )
    groups: dict[str, dict[float, int]] = {}
    for value, answer, n, _ in counted:
        groups.setdefault(value, {})[answer] = n
    return groups, counted[0][3] if counted else 0


def by_metric(question: Question) -> dict[str, dict[float, int]]:
    """How many gave each value, by the metric it was asked for."""
    counted = question.ask(
        "SELECT answers.metric, answers.value, count(*) FROM {source} AND answers.value IS NOT NULL GROUP BY ALL"
    )
    metrics: dict[str, dict[float, int]] = {}
    for metric, value, n in counted:
        metrics.setdefault(metric, {})[value] = n
    return metrics


def of_everybody(question: Question) -> tuple[int, int]:
    """How many answered, and how many of them with words."""
    found = question.ask("SELECT count(*), count(answers.comment) FROM {source} AND answers.value IS NOT NULL")
    return found[0]


def known_fields(database: duckdb.DuckDBPyConnection, workspace: int, paths: Paths) -> list[Known]:
    """The traits and properties of a workspace's newest answers; those of others are nobody's business here."""
    places = list(_places(paths.top, ""))
    if not places:
        return []
    first = database.execute(
        "SELECT min(id) FROM (SELECT id FROM answers WHERE workspace = $workspace ORDER BY id DESC LIMIT $newest)",
        {"workspace": workspace, "newest": NEWEST},
    ).fetchall()[0][0]
    counts = ", ".join(f"approx_count_distinct({place.name}), count({place.name})" for _, place in places)
    row = database.execute(
        f"SELECT {counts} FROM answers WHERE workspace = $workspace AND id >= $first",
        {"workspace": workspace, "first": first or 0},
    ).fetchall()[0]
    known = zip((name for name, _ in places), row[::2], row[1::2], strict=True)
    return [Known(name, values, answers) for name, values, answers in known if answers]


def _places(level: dict[str, Place], above: str) -> Iterator[tuple[str, Place]]:
    """Every path with a column of its own, by its name in FQL; the roots are no fields."""
    for key, place in level.items():
        name = f"{above}.{field_of(('x', key))[2:]}" if above else key
        if above and place.has_its_own:
            yield name, place
        yield from _places(place.below, name)
