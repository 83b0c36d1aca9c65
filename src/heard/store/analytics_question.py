"""One question to the analytics: which answers are meant, and what is counted of them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any

from heard.scores.window import Window
from heard.store.analytics_filters import Fields, condition
from heard.store.analytics_rows import microseconds
from heard.store.analytics_today import CurrentTraits, table_of_today

if TYPE_CHECKING:
    import duckdb

MOST_GROUPS = 100  # shown of a breakdown: those with the most answers


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

    def where(self, expression: str) -> None:
        """Kept until the traits of today are at hand, which are looked up for all that the rest leaves."""
        self.filter = condition(expression, self.fields)

    def look_up_today(self, workspace: int, current_traits: CurrentTraits | None) -> None:
        """Fetch today's traits of the people in question, if the filter or the grouping names any."""
        joined = ""
        if self.fields.today:
            contacts = self._run("SELECT DISTINCT contact_id FROM answers WHERE " + self._all(), self.parameters)
            ids = [one for (one,) in contacts if one is not None]
            table_of_today(self.database, self.fields.today, current_traits(workspace, ids) if current_traits else {})
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
