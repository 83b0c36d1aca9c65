"""The scores' own database: DuckDB in memory, filled from the store by revision, thrown away at will.

It holds nothing that the store does not: a new `Analytics` that refreshes is as good as the old one. DuckDB is imported
when it is first needed, since an idle server should be small. It writes no file: nothing is spilled to disk, so that
what is forgotten in the store is forgotten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from threading import Lock
from typing import TYPE_CHECKING, TypeAlias

import msgspec

from heard.errors import Invalid
from heard.fql.tree import Expression
from heard.scores.answered import Answered
from heard.scores.breakdown import breakdown
from heard.scores.metric import metric as metric_of
from heard.scores.report import ScoreReport, report
from heard.scores.score import score, together
from heard.scores.trend import PERIODS, trend
from heard.scores.window import Window, window
from heard.store.analytics_filters import Fields, grouping
from heard.store.analytics_question import Known, Question, by_group, by_period, known_fields
from heard.store.analytics_rows import FIXED, MOST_COLUMNS, Paths, microseconds, rows
from heard.store.analytics_today import CurrentTraits, Today

if TYPE_CHECKING:
    import duckdb

THREADS = 2
MEMORY_LIMIT = "2GB"
ROWS_A_FETCH = 10_000
LATEST = 2**53  # microseconds: the year 2255, long before what a timestamp can hold
ROWS_A_CHECKPOINT = 100_000  # how many changed rows may lie uncompressed
COLUMNS_A_CHECKPOINT = 8  # a new column over 10 million rows takes 50 MB until it is compressed to nothing

SETTINGS = (
    "ATTACH ':memory:' AS heard (COMPRESS)",  # a tenth of the memory, and filters are three times as fast
    "USE heard",
    # No file is read or written, not to spill, not to fetch an extension; the last line locks the two before.
    "SET temp_directory = ''",
    "SET autoinstall_known_extensions = false",
    "SET enable_external_access = false",
)

Fetch: TypeAlias = Callable[[int, int], Sequence[Answered]]


class Page(msgspec.Struct, frozen=True):
    """Ids of responses, newest first; `next` is the cursor of the page after, None on the last."""

    ids: list[int]
    next: str | None


class Analytics:
    """Scores over all answers, by any combination of traits. Safe to use from several threads.

    `current_traits(workspace, contact_ids)` gives today's traits as JSON objects by contact; it is asked only when a
    filter names `now.traits`, and only for the contacts in question.
    """

    def __init__(
        self,
        *,
        current_traits: CurrentTraits | None = None,
        threads: int = THREADS,
        memory_limit: str = MEMORY_LIMIT,
        most_columns: int = MOST_COLUMNS,
    ) -> None:
        self.settings = {"threads": threads, "memory_limit": memory_limit}
        self.revision = 0
        self._paths = Paths(most_columns)
        self._columns = 0
        self._loose = 0
        self._largest_id = 0
        self._using = Lock()
        self._refreshing = Lock()
        self._today = Today(current_traits)
        self._database: duckdb.DuckDBPyConnection | None = None

    def refresh(self, fetch: Fetch, *, limit: int = ROWS_A_FETCH) -> int:
        """Take over what changed since the last time; returns how many rows.

        `fetch(revision, limit)` gives at most `limit` rows with a larger revision, in the order of revisions, of which
        no two rows share one.
        """
        taken = 0
        with self._refreshing:
            while changed := fetch(self.revision, limit):
                with self._using:
                    self._keep(changed)
                self.revision = max(answer.revision for answer in changed)
                taken += len(changed)
                if len(changed) < limit:
                    break
        return taken

    def score(
        self,
        workspace: int,
        survey: str | None,
        metric: str,
        *,
        now: datetime,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        where: str | None = None,
        by: str | None = None,
        every: str | None = None,
    ) -> ScoreReport:
        """The score of a survey, or of all surveys with this metric: of all answers or of those in a window, of
        everybody or of those `where` is true of.

        `by` breaks it down by a trait (`plan`, `traits.address.city`) or another field, `every` gives a trend by week,
        month or quarter.

        Raises:
            Invalid: with the `field` that cannot be used: where, by, every, from, to.
        """
        if every and every not in PERIODS:
            raise Invalid(f"every must be one of {', '.join(PERIODS)}, not {every!r}", field="every")
        measured, counted = metric_of(metric), window(from_, to)
        with self.asking(workspace, counted, metric=metric, survey=survey, where=where, by=by) as (question, group):
            groups, values = by_group(question, group) if group else ({}, 0)
            needs_all = every or values > len(groups) or not group
            periods = by_period(question, every) if needs_all else {}
        whole = together((periods or groups).values())
        return report(
            score(measured, whole),
            survey=survey or "all surveys",
            metric=measured.kind,
            window=counted,
            where=where or None,
            groups=breakdown(measured, groups, whole=whole),
            trend=trend(measured, every, {day: one for day, one in periods.items() if day}) if every else [],
            now=now,
            values=values,
            by=by,
        )

    @contextmanager
    def asking(
        self,
        workspace: int,
        counted: Window,
        *,
        metric: str | None = None,
        survey: str | None = None,
        where: str | Expression | None = None,
        by: str | Expression | None = None,
        as_of: float = 0,
    ) -> Iterator[tuple[Question, str | None]]:
        """A question about people's answers in a window, ready to be asked, and the SQL of `by`. Nobody else asks
        meanwhile.

        Today's traits may be `as_of` seconds old.

        Raises:
            Invalid: with the `field` that cannot be used: where, by.
        """
        with self._using:
            question = Question(self._open(), Fields(self._paths))
            question.only("answers.workspace = $workspace AND answers.verdict = 'human'", workspace=workspace)
            if metric:
                question.only("answers.metric = $metric", metric=metric)
            if survey:
                question.only("answers.survey = $survey", survey=survey)
            question.within(counted)
            if where:
                question.where(where)
            group = grouping(by, question.fields) if by else None
            question.look_up_today(workspace, self._today, as_of=as_of)
            yield question, group

    def fields(self, workspace: int) -> list[Known]:
        """What the newest answers of a workspace may be filtered and grouped by, in the order first seen."""
        with self._using:
            return known_fields(self._open(), workspace, self._paths)

    def matching(
        self,
        workspace: int,
        *,
        survey: str | None = None,
        user_id: str | None = None,
        from_: datetime | str | None = None,
        to: datetime | str | None = None,
        where: str | Expression | None = None,
        metric: str | None = None,
        verdicts: Sequence[str] = (),
        campaign: str | None = None,
        category: str | None = None,
        value: float | None = None,
        commented: bool | None = None,
        cursor: str | None = None,
        limit: int = 50,
        as_of: float = 0,
    ) -> Page:
        """The ids of the responses that `where` is true of, newest first, of every verdict unless some are named.

        Raises:
            Invalid: with the `field` that cannot be used: where, from, to, cursor.
        """
        with self._using:
            question = Question(self._open(), Fields(self._paths))
            question.only("answers.workspace = $workspace", workspace=workspace)
            if survey:
                question.only("answers.survey = $survey", survey=survey)
            if metric:
                question.only("answers.metric = $metric", metric=metric)
            if user_id:
                question.only("answers.user_id = $user_id", user_id=user_id)
            if campaign:
                question.only("answers.campaign = $campaign", campaign=campaign)
            if category:
                question.only("answers.category = $category", category=category)
            if value is not None:
                question.only("answers.value = $value", value=value)
            if commented is not None:
                question.only(f"coalesce(answers.comment, '') {'<>' if commented else '='} ''")
            if verdicts:
                question.only("list_contains($verdicts, answers.verdict)", verdicts=list(verdicts))
            question.within(window(from_, to))
            if where:
                question.where(where)
            question.look_up_today(workspace, self._today, as_of=as_of)
            if cursor:
                at, last = _read_cursor(cursor)
                question.only("(answers.answered_at, answers.id) < (make_timestamp($at), $last)", at=at, last=last)
            found = question.ask(
                "SELECT id, epoch_us(answered_at) FROM {source} ORDER BY answered_at DESC, id DESC LIMIT $limit",
                limit=limit + 1,
            )
        page = found[:limit]
        return Page([one for one, _ in page], f"{page[-1][1]}-{page[-1][0]}" if len(found) > limit else None)

    def told(
        self, workspace: int, campaign: str, counted: Window, *, now: datetime, after: timedelta
    ) -> tuple[int, int, int]:
        """Of the people's answers to a campaign: how many there are, how many with words, and how many are complete:
        with words, or `after` or more old."""
        with self._using:
            question = Question(self._open(), Fields(self._paths))
            question.only("answers.workspace = $workspace AND answers.verdict = 'human'", workspace=workspace)
            question.only("answers.campaign = $campaign", campaign=campaign)
            question.within(counted)
            question.look_up_today(workspace, self._today, as_of=0)
            old = "answered_at <= make_timestamp($old::BIGINT)"
            ((n, commented, complete),) = question.ask(
                "SELECT count(*), count(*) FILTER (coalesce(comment, '') <> ''),"
                f" count(*) FILTER (coalesce(comment, '') <> '' OR {old}) FROM {{source}}",
                old=microseconds(now - after),
            )
        return n, commented, complete

    def let_go(self, before: datetime) -> None:
        """Answers given before a moment are kept no longer."""
        with self._refreshing, self._using:  # else what is being taken over would bring them back
            if self._database:
                self._database.execute(
                    "DELETE FROM answers WHERE answered_at < make_timestamp($at::BIGINT)", {"at": microseconds(before)}
                )
                self._database.execute("CHECKPOINT")

    def close(self) -> None:
        """Let go of the memory; the next question begins with an empty database."""
        with self._refreshing, self._using:  # else what is being taken over would count as taken, and be lost
            if self._database:
                self._database.close()
            self._database, self.revision, self._columns, self._largest_id, self._loose = None, 0, 0, 0, 0
            self._paths = Paths(self._paths.most)
            self._today.forget()

    def _keep(self, changed: Sequence[Answered]) -> None:
        database = self._open()
        latest = {answer.id: answer for answer in changed}
        known = [one for one in latest if one <= self._largest_id]
        encoded = rows((answer for answer in latest.values() if not answer.deleted), self._paths)
        names = self._make_columns(database)
        kinds = {**FIXED, "answered_at": "BIGINT", "more": "VARCHAR", **dict.fromkeys(names, "VARCHAR")}
        columns = ", ".join(kinds)
        values = ", ".join(f"row.{name}" for name in kinds).replace(
            "row.answered_at", "make_timestamp(row.answered_at)"
        )
        database.begin()
        try:
            if known:
                database.execute("DELETE FROM answers WHERE id IN (SELECT unnest($known::BIGINT[]))", {"known": known})
            database.execute(
                f"INSERT INTO answers ({columns}) "
                f"SELECT {values} FROM (SELECT unnest(from_json($rows, $shape)) AS row)",
                {"rows": encoded.decode(), "shape": msgspec.json.encode([kinds]).decode()},
            )
            database.commit()
        except BaseException:
            database.rollback()
            raise
        self._largest_id = max(self._largest_id, *latest)
        self._loose += len(latest)
        if self._loose >= ROWS_A_CHECKPOINT:
            database.execute("CHECKPOINT")
            self._loose = 0

    def _make_columns(self, database: duckdb.DuckDBPyConnection) -> list[str]:
        """A column for each path that has none yet; returns the names of all."""
        names = self._paths.own()
        for index, name in enumerate(names[self._columns :], 1):
            database.execute(f"ALTER TABLE answers ADD COLUMN {name} VARCHAR")
            if index % COLUMNS_A_CHECKPOINT == 0:
                database.execute("CHECKPOINT")
        self._columns = len(names)
        return names

    def _open(self) -> duckdb.DuckDBPyConnection:
        if self._database is None:
            import duckdb

            self._database = duckdb.connect(":memory:", config=self.settings)
            for setting in SETTINGS:
                self._database.execute(setting)
            fixed = ", ".join(f"{name} {kind}" for name, kind in FIXED.items())
            self._database.execute(f"CREATE TABLE answers ({fixed}, answered_at TIMESTAMP, more VARCHAR)")
        return self._database


def _read_cursor(cursor: str) -> tuple[int, int]:
    try:
        at, last = (int(part) for part in cursor.split("-"))
        if at < LATEST and last < 2**63:
            return at, last
    except ValueError:
        pass
    raise Invalid("this cursor is not one that a page ended with", field="cursor")
