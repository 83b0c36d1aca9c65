"""The analytics over real DuckDB: filled by revision, asked by any trait."""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from subprocess import run
from typing import Any

import msgspec
import pytest

from heard.errors import Invalid
from heard.scores import nps
from heard.scores.answered import Answered
from heard.scores.window import Window
from heard.store.analytics import Analytics

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def an_answer(
    number: int, value: float | None = 9, *, traits: Any = None, properties: Any = None, **changed: Any
) -> Answered:
    fields: dict[str, Any] = {
        "id": number,
        "revision": number,
        "workspace": 1,
        "survey": "NPS",
        "survey_id": 1,
        "campaign": "Post-purchase",
        "channel": "email",
        "user_id": f"u{number}",
        "contact_id": number,
        "metric": "nps",
        "value": value,
        "category": None if value is None else nps.category(value),
        "answered_at": NOON,
        "traits": json.dumps(traits or {}).encode(),
        "properties": json.dumps(properties or {}).encode(),
    }
    return Answered(**{**fields, **changed})


class Kept:
    """Answers as a store keeps them: the present row of each, found by revision."""

    def __init__(self, *answers: Answered) -> None:
        self.answers = {answer.id: answer for answer in answers}

    def changed(self, revision: int, limit: int) -> Sequence[Answered]:
        later = [answer for answer in self.answers.values() if answer.revision > revision]
        return sorted(later, key=lambda answer: answer.revision)[:limit]


def analytics_of(*answers: Answered, **settings: Any) -> Analytics:
    analytics = Analytics(**settings)
    analytics.refresh(Kept(*answers).changed)
    return analytics


def score(analytics: Analytics, **asked: Any) -> Any:
    return analytics.score(1, "NPS", "nps", now=NOON, **asked)


def n_of(analytics: Analytics, where: str | None) -> int:
    return score(analytics, where=where).n


def test_the_report_has_the_shape_of_the_api():
    report = score(
        analytics_of(
            an_answer(1, 10, traits={"plan": "Premium"}),
            an_answer(2, 8, traits={"plan": "Premium"}),
            an_answer(3, 2, traits={"plan": 5}),
        ),
        where="traits.plan != 'Free'",
        by="plan",
        every="month",
        from_="2026-01-01",
    )
    told = json.loads(msgspec.json.encode(report))

    assert list(told) == [
        "survey", "metric", "from", "to", "where", "n", "score", "interval", "confidence", "counts", "distribution",
        "groups", "trend", "window_note",
    ]  # fmt: skip
    assert told["from"] == "2026-01-01T00:00:00Z"
    assert (told["n"], told["score"], told["confidence"]) == (3, 0, 0.95)
    assert told["interval"] == pytest.approx(nps.interval(1, 1, 1), abs=1e-6)
    assert told["counts"] == {"promoters": 1, "passives": 1, "detractors": 1}
    assert list(told["distribution"]) == [str(value) for value in range(11)]
    assert [(group["value"], group["n"]) for group in told["groups"]] == [("Premium", 2), (5, 1)]
    assert list(told["groups"][0]["difference"]) == ["value", "interval", "q", "distinguishable"]
    assert told["trend"] == [{"period": "2026-03-01", "n": 3, "score": 0, "interval": told["interval"]}]
    assert "2026-03-15 12:00 UTC" in told["window_note"]


def test_nobody_asked_is_no_score():
    report = score(Analytics())

    assert (report.n, report.score, report.interval, report.groups, report.trend) == (0, None, None, [], [])


def test_only_confirmed_answers_of_this_survey_and_workspace_count():
    analytics = analytics_of(
        an_answer(1, 10),
        *(an_answer(2 + index, 0, verdict=verdict) for index, verdict in enumerate(["provisional", "bot", "test"])),
        an_answer(5, 0, workspace=2),
        an_answer(6, 0, survey="Another"),
        an_answer(7, None),
    )

    assert score(analytics).counts == {"promoters": 1, "passives": 0, "detractors": 0}


def test_a_changed_answer_replaces_the_old_one_and_a_deleted_one_goes():
    kept = Kept(an_answer(1, 10), an_answer(2, 10))
    analytics = Analytics()
    analytics.refresh(kept.changed)

    kept.answers[1] = an_answer(1, 0, revision=3)
    kept.answers[2] = an_answer(2, 10, revision=4, deleted=True)
    taken = analytics.refresh(kept.changed)

    assert taken == 2
    assert score(analytics).distribution["0"] == score(analytics).n == 1
    assert analytics.refresh(kept.changed) == 0


def test_it_is_filled_in_steps_and_can_be_thrown_away():
    kept = Kept(*(an_answer(index, index % 11) for index in range(1, 251)))
    analytics = Analytics()

    assert analytics.refresh(kept.changed, limit=100) == 250
    before = score(analytics, every="week")
    analytics.close()
    assert score(analytics).n == 0
    analytics.refresh(kept.changed)
    assert score(analytics, every="week") == before


FILTERS = [
    ("traits.plan = 'Premium'", {1}),
    ("traits.plan != 'Premium'", {2, 3, 4}),
    ("traits.plan = null", {4}),
    ("traits.plan = 5", {3}),
    ("traits.plan = '5'", set()),
    ("traits.address.city = 'Köln' and traits.plan = 'Premium'", {1}),
    ("typeof(traits.address) = 'object'", {1, 2}),
    ("match(traits.email, '*@acme.example')", {1, 3}),
    ("contains(lowercase(comment), 'great')", {2}),
    ("'beta' in traits.tags", {2}),
    ("properties.total >= 20", {1, 2}),
    ("value = 10 or value < 3", {1, 3}),
    ("category = 'promoter'", {1, 2}),
    ("channel in ['widget', 'link']", {4}),
    ("userId = 'u2' or user_id = 'u3'", {2, 3}),
    ("campaign = 'Post-purchase' and survey = 'NPS'", {1, 2, 3, 4}),
    (r"traits.odd\ key\. = true", {3}),
    ("traits.never\\ seen = 1", set()),
]


@pytest.fixture(scope="module")
def four() -> Analytics:
    return analytics_of(
        an_answer(1, 10, traits={"plan": "Premium", "email": "ann@acme.example", "address": {"city": "Köln"}},
                  properties={"total": 20.0}),
        an_answer(2, 9, traits={"plan": "Free", "tags": ["beta", 1], "address": {"city": "Bonn"}},
                  properties={"total": 25}, comment="GREAT \"stuff\"\n"),
        an_answer(3, 0, traits={"plan": 5.0, "email": "bob@acme.example", "odd key.": True}),
        an_answer(4, 7, channel="widget", traits={"plan": None}),
    )  # fmt: skip


@pytest.mark.parametrize(("where", "ids"), FILTERS)
def test_any_field_of_an_answer_filters(four: Analytics, where: str, ids: set[int]):
    assert n_of(four, where) == len(ids)
    assert set(four.matching(1, where=where).ids) == ids


@pytest.mark.parametrize(
    "where", ["traits.plan = 'Premium'", "traits.p3 = 3", "traits.p3 > 2", "1e22 in traits.plan.nested"]
)
def test_paths_beyond_the_columns_answer_the_same(where: str):
    answers = [
        an_answer(1, 10, traits={**{f"p{index}": index for index in range(8)}, "plan": "Premium"}),
        an_answer(2, 10, traits={"p3": 3.0, "plan": {"nested": ["x\x0b", 1e22, None]}}),
    ]

    assert n_of(analytics_of(*answers, most_columns=3), where) == n_of(analytics_of(*answers), where) > 0


def test_frozen_traits_and_todays_traits_are_told_apart():
    asked: list[tuple[int, set[int]]] = []

    def current(workspace: int, contacts: Collection[int]) -> Mapping[int, bytes]:
        asked.append((workspace, set(contacts)))
        return {1: b'{"plan": "Free", "address": {"city": "Bonn"}}', 2: b'{"plan": "Premium"}'}

    analytics = analytics_of(
        an_answer(1, traits={"plan": "Premium"}),
        an_answer(2, traits={"plan": "Premium"}),
        an_answer(3, traits={"plan": "Premium"}),
        an_answer(4, survey="Another"),
        current_traits=current,
    )

    assert n_of(analytics, "traits.plan = 'Premium'") == 3
    assert asked == []
    assert n_of(analytics, "now.traits.plan = 'Premium'") == 1
    assert asked == [(1, {1, 2, 3})]
    assert n_of(analytics, "now.traits.plan = null") == 1
    assert n_of(analytics, "now.traits.address.city = 'Bonn' and traits.plan = 'Premium'") == 1
    assert {group.value for group in score(analytics, by="now.traits.plan").groups} == {"Free", "Premium", None}


def test_todays_traits_are_looked_up_once_for_questions_that_take_them_some_seconds_old():
    asked: list[set[int]] = []

    def current(workspace: int, contacts: Collection[int]) -> Mapping[int, bytes]:
        asked.append(set(contacts))
        return dict.fromkeys(contacts, b'{"plan": "Free", "country": "DE"}')

    analytics = analytics_of(an_answer(1), an_answer(2, answered_at=NOON - DAY), current_traits=current)
    where, by = "now.traits.plan = 'Free'", "now.traits.country"

    def n(counted: Window, **more: Any) -> int:
        with analytics.asking(1, counted, where=where, as_of=60, **more) as (question, _):
            return len(question.ask("SELECT id FROM {source}"))

    assert n(Window(NOON, None), by=by) == 1
    assert n(Window(NOON, None)) == 1
    assert n(Window(None, None)) == 2
    assert asked == [{1}, {2}]
    assert n_of(analytics, where) == 2
    assert asked[2:] == [{1, 2}]


def test_all_surveys_of_a_metric_are_asked_together():
    analytics = analytics_of(an_answer(1), an_answer(2, survey="Another"), an_answer(3, metric="csat"))

    assert analytics.score(1, None, "nps", now=NOON).n == 2


def test_what_one_may_filter_by_is_what_the_answers_of_the_workspace_have():
    analytics = analytics_of(
        an_answer(1, traits={"plan": "Free", "address": {"city": "Bonn"}}, properties={"total": 5}),
        an_answer(2, traits={"plan": "Premium", "Net Worth": 7}),
        an_answer(3, workspace=2, traits={"secret": True}),
    )

    found = {each.name: (each.values, each.answers) for each in analytics.fields(1)}

    assert found["traits.plan"] == (2, 2)
    assert found["traits.address.city"] == (1, 1)
    assert found["properties.total"] == (1, 1)
    assert found["traits.Net\\ Worth"] == (1, 1)
    assert "traits.secret" not in found
    assert analytics.fields(3) == []


def test_a_breakdown_keeps_types_apart_and_shows_those_without():
    plans = ["Premium", "Premium", 5, 5.0, "5", True, None, {"name": "x"}]
    analytics = analytics_of(*(an_answer(index + 1, traits={"plan": plan}) for index, plan in enumerate(plans)))

    found = {json.dumps(group.value): group.n for group in score(analytics, by="plan").groups}

    assert found == {'"Premium"': 2, "5": 2, '"5"': 1, "true": 1, "null": 1, '{"name": "x"}': 1}


def test_a_breakdown_by_a_trait_nobody_has_is_one_group():
    (group,) = score(analytics_of(an_answer(1)), by="nothing").groups

    assert (group.value, group.n, group.difference) == (None, 1, None)


def test_of_very_many_groups_the_largest_are_shown_and_the_note_says_so():
    answers = [an_answer(index, index % 11, traits={"who": index // 2}) for index in range(1, 300)]

    report = score(analytics_of(*answers), by="who")

    assert len(report.groups) == 100
    assert report.n == 299
    assert "Of 150 values of who the 100 with most answers are shown" in report.window_note


def test_groups_that_differ_are_found():
    happy = [an_answer(index, 10, traits={"plan": "Premium"}) for index in range(1, 41)]
    unhappy = [an_answer(index, index % 11, traits={"plan": "Free"}) for index in range(41, 101)]

    groups = score(analytics_of(*happy, *unhappy), by="traits.plan").groups

    assert [group.value for group in groups] == ["Free", "Premium"]
    assert all(group.difference.distinguishable for group in groups)


def test_a_window_counts_its_first_moment_and_not_its_end():
    begin = datetime(2026, 1, 1, tzinfo=UTC)
    analytics = analytics_of(
        an_answer(1, answered_at=begin - timedelta(microseconds=1)),
        an_answer(2, answered_at=begin),
        an_answer(3, answered_at=begin + 31 * DAY - timedelta(microseconds=1)),
        an_answer(4, answered_at=begin + 31 * DAY),
    )

    assert score(analytics, from_="2026-01-01", to="2026-01-31").n == 2
    assert score(analytics, from_=begin, to=begin + 31 * DAY).n == 2
    assert [point.n for point in score(analytics, every="month").trend] == [1, 2, 1]


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"where": "traits.plan ="}, "where"),
        ({"where": "plan = 'Premium'"}, "where"),
        ({"where": "traits = null"}, "where"),
        ({"where": "match('a', traits.plan)"}, "where"),
        ({"by": "plan = 1"}, "by"),
        ({"by": "'plan'"}, "by"),
        ({"by": "now"}, "by"),
        ({"every": "day"}, "every"),
        ({"from_": "yesterday"}, "from"),
        ({"to": "x"}, "to"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(four: Analytics, asked: dict[str, str], field: str):
    with pytest.raises(Invalid) as refused:
        score(four, **asked)

    assert refused.value.field == field


def test_a_metric_that_is_not_there_is_refused(four: Analytics):
    with pytest.raises(Invalid, match="there is no score for 'mood'"):
        four.score(1, "NPS", "mood", now=NOON)


def test_matching_responses_come_newest_first_page_by_page():
    answers = [an_answer(index, answered_at=NOON - (index // 2) * DAY) for index in range(1, 8)]
    analytics = analytics_of(*answers)
    found: list[int] = []
    cursor = None
    while True:
        page = analytics.matching(1, limit=3, cursor=cursor)
        found += page.ids
        cursor = page.next
        if cursor is None:
            break

    assert found == [1, 3, 2, 5, 4, 7, 6]
    with pytest.raises(Invalid, match="cursor"):
        analytics.matching(1, cursor="x")


def test_matching_responses_can_be_narrowed():
    analytics = analytics_of(an_answer(1), an_answer(2, verdict="bot"), an_answer(3, survey="Another"))

    assert analytics.matching(1).ids == [3, 2, 1]
    assert analytics.matching(1, survey="NPS", verdicts=["bot"]).ids == [2]
    assert analytics.matching(1, user_id="u3").ids == [3]
    assert analytics.matching(2).ids == []


def test_questions_and_refreshes_may_come_from_many_threads():
    kept = Kept(*(an_answer(index, 10) for index in range(1, 2001)))
    analytics = Analytics()

    with ThreadPoolExecutor(8) as threads:
        filling = [threads.submit(analytics.refresh, kept.changed, limit=100) for _ in range(4)]
        asking = [threads.submit(score, analytics, where="traits.plan = null") for _ in range(20)]

    assert sum(one.result() for one in filling) == 2000
    assert all(one.result().n % 100 == 0 for one in asking)
    assert score(analytics).n == 2000


def test_an_idle_server_does_not_carry_duckdb():
    program = "import sys; from heard.store.analytics import Analytics; Analytics(); sys.exit('duckdb' in sys.modules)"

    assert run([sys.executable, "-c", program], check=False).returncode == 0


def test_what_a_customer_writes_never_becomes_sql():
    analytics = analytics_of(an_answer(1, traits={"x'); DROP TABLE answers; --": "y'; DROP TABLE answers; --"}))

    assert n_of(analytics, r"traits.x\'\)\;\ DROP\ TABLE\ answers\;\ -- = 'y\'; DROP TABLE answers; --'") == 1
