"""A score over millions of answers, filtered, by month and broken down, beside hand-written SQL over typed columns.

    .venv/bin/python benchmarks/scores.py [answers, default 1000000]

The floor is the least that gives the same counts: DuckDB, the same machine and threads, a table with a column of the
right type for each of the fields in question, SQL written by hand for exactly this question. Ours reads the columns of
canonical JSON that any trait of any type gets, from an expression, and computes the intervals.

The first 100,000 answers go in through `Analytics.refresh`; to save time the others are copies made by SQL.
"""

from __future__ import annotations

import random
import resource
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any

import duckdb
import msgspec

from heard.fql.values import canonical
from heard.scores.answered import Answered
from heard.store.analytics import THREADS, Analytics

FIRST = datetime(2023, 1, 1, tzinfo=UTC)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
SEED = 100_000
ROUNDS = 9

QUESTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "one trait": (
        {"where": "traits.plan = 'Premium'", "every": "month"},
        """SELECT date_trunc('month', answered_at), value, count(*) FROM typed
           WHERE plan = 'Premium' GROUP BY ALL""",
    ),
    "three filters by month": (
        {
            "where": "traits.plan = 'Premium' and traits.country in ['DE', 'AT'] and traits.seats >= 10",
            "every": "month",
        },
        """SELECT date_trunc('month', answered_at), value, count(*) FROM typed
           WHERE plan = 'Premium' AND country IN ('DE', 'AT') AND seats >= 10 GROUP BY ALL""",
    ),
    "by plan": (
        {"by": "plan"},
        "SELECT plan, value, count(*) FROM typed GROUP BY ALL",
    ),
    "text and glob": (
        {"where": "match(traits.email, '*7@example.com') or contains(traits.company, 'ny 1')", "every": "month"},
        """SELECT date_trunc('month', answered_at), value, count(*) FROM typed
           WHERE email LIKE '%7@example.com' OR contains(company, 'ny 1') GROUP BY ALL""",
    ),
}


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    answers = [an_answer(index) for index in range(1, min(SEED, size) + 1)]
    before = peak_memory()
    analytics = Analytics(memory_limit="16GB")
    began = time.perf_counter()
    analytics.refresh(lambda revision, limit: answers[revision : revision + limit])
    rate = len(answers) / (time.perf_counter() - began)
    database = analytics._open()  # pyright: ignore[reportPrivateUsage]
    grow(database, "answers", size)
    database.execute("CHECKPOINT")
    print(f"{size:,} answers with 9 paths of traits, {THREADS} threads, DuckDB {duckdb.__version__}")
    print(f"filled at {rate:,.0f} rows/s")
    print(f"memory in DuckDB {memory(database):,.0f} MB, process peak {peak_memory() - before:,.0f} MB above the start")
    typed(database)
    print(f"\n{'question':<26}{'ours ms':>10}{'floor ms':>10}{'floor/ours':>12}")
    for name, (asked, sql) in QUESTIONS.items():
        ours = measured(lambda asked=asked: analytics.score(1, "NPS", "nps", now=NOW, **asked))
        floor = measured(lambda sql=sql: database.execute(sql).fetchall())
        print(f"{name:<26}{ours:>10.1f}{floor:>10.1f}{floor / ours:>12.2f}")


def an_answer(index: int) -> Answered:
    chance = random.Random(index)
    traits = {
        "plan": chance.choices(["Free", "Basic", "Premium", None], [5, 3, 2, 1])[0],
        "country": chance.choice(["DE", "AT", "CH", "US", "GB", "FR", "NL", "ES", "IT", "PL"]),
        "seats": chance.randint(1, 50),
        "email": f"user{index}@example.com",
        "company": f"Company {chance.randint(1, 20_000)}",
        "createdAt": (FIRST + timedelta(minutes=chance.randint(0, 10**6))).isoformat(),
        "enabled": chance.random() < 0.5,
        "address": {"city": chance.choice(["Bonn", "Graz", "Basel"])},
    }
    return Answered(
        id=index,
        revision=index,
        workspace=1,
        survey="NPS",
        survey_id=1,
        campaign="Post-purchase",
        channel="email",
        user_id=f"user{index}",
        contact_id=index,
        metric="nps",
        value=float(chance.choices(range(11), [2, 1, 1, 2, 2, 4, 6, 12, 20, 22, 28])[0]),
        answered_at=FIRST + timedelta(minutes=chance.randint(0, 3 * 365 * 24 * 60)),
        traits=msgspec.json.encode(traits),
        properties=b'{"total": 25}',
    )


def grow(database: duckdb.DuckDBPyConnection, table: str, size: int) -> None:
    """Double the table until it has `size` rows."""
    while (have := rows_of(database, f"SELECT count(*) FROM {table}")[0][0]) < size:
        copies = f"SELECT * REPLACE (id + {have} AS id) FROM {table} LIMIT {size - have}"
        database.execute(f"INSERT INTO {table} {copies}")


def typed(database: duckdb.DuckDBPyConnection) -> None:
    """The table of the floor, from the same answers."""
    names = rows_of(database, "SELECT * FROM answers WHERE id = 1")
    columns = [column for column, *_ in database.description or ()]
    assert names
    first = an_answer(1)
    places = {
        path: columns[next(i for i, text in enumerate(names[0]) if text == value)]
        for path, value in canonical_traits(first).items()
    }
    strings = ", ".join(
        f"json_extract_string({places[name]}, '$') AS {name}" for name in ("plan", "country", "email", "company")
    )
    database.execute(
        f"""CREATE TABLE typed AS SELECT answered_at, value::TINYINT AS value, {strings},
            TRY_CAST({places["seats"]} AS INTEGER) AS seats FROM answers"""
    )
    database.execute("CHECKPOINT")


def canonical_traits(answer: Answered) -> dict[str, str]:
    return {key: canonical(value) for key, value in msgspec.json.decode(answer.traits).items()}


def measured(run: Callable[[], object]) -> float:
    """The median of several runs after one that warms up, in milliseconds."""
    run()
    times: list[float] = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        run()
        times.append((time.perf_counter() - began) * 1000)
    return median(times)


def rows_of(database: duckdb.DuckDBPyConnection, sql: str) -> Sequence[tuple[Any, ...]]:
    return database.execute(sql).fetchall()


def memory(database: duckdb.DuckDBPyConnection) -> float:
    return rows_of(database, "SELECT sum(memory_usage_bytes) FROM duckdb_memory()")[0][0] / 1e6


def peak_memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    main()
