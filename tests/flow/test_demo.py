"""The living example: made once by the real command, then looked at from outside."""

from __future__ import annotations

import json
import signal
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import pytest

from heard.board import Board
from heard.channels.email.outbox import opened
from heard.demo import folder as folders
from heard.demo import story
from heard.demo.cast import cast
from heard.demo.traffic import requests
from tests.flow.running import HEARD, answer, eventually, free_port, links_in
from tests.flow.test_cli import run

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
SURVEY = "Relationship NPS"


class Demo(NamedTuple):
    folder: Path
    told: str

    def rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.folder}/heard.db?mode=ro", uri=True)) as connection:
            return connection.execute(query).fetchall()

    def score(self, *options: str) -> dict[str, Any]:
        return json.loads(run("score", SURVEY, "--json", *options, data=self.folder).stdout)

    def pasted(self, words: str) -> str:
        """The line with these words, as it stands there, in a shell that knows nothing."""
        line = next(line for line in self.told.splitlines() if line.startswith("  ") and words in line)
        done = subprocess.run(
            ["bash", "-c", line], env={"PATH": "/usr/bin:/bin"}, capture_output=True, text=True, check=True
        )
        return done.stdout


@contextmanager
def started(folder: Path, *options: str, seconds: float) -> Iterator[Demo]:
    out = folder.with_suffix(".out")
    with out.open("w") as file:
        command = [str(HEARD), "demo", "--data", str(folder), "--port", str(free_port()), *options]
        process = subprocess.Popen(command, stdout=file, stderr=file, env={"PATH": "/usr/bin:/bin"})
    try:
        eventually(
            lambda: "Ctrl-C stops it" in out.read_text() or process.poll() is not None, seconds=seconds, what=out.name
        )
        yield Demo(folder, out.read_text())
    finally:
        process.terminate()
        assert process.wait(timeout=15) in (0, 1), out.read_text()


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with started(tmp_path_factory.mktemp("demo") / "demo", seconds=400) as running:
        yield running


def test_it_has_two_thousand_contacts_and_eighteen_months(demo: Demo):
    days = sorted(
        name[9:] for (name,) in demo.rows("SELECT name FROM sqlite_master WHERE name GLOB 'messages_2???????'")
    )
    first, last = (datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC) for day in (days[0], days[-1]))

    assert 1950 <= demo.rows("SELECT count(*) FROM contacts")[0][0] <= 2050
    assert last.date() == datetime.now(UTC).date()
    assert timedelta(days=540) < last - first < timedelta(days=556)
    assert len(days) > 540  # something happened on every day


def test_its_clock_is_the_real_one_again(demo: Demo):
    assert Board(demo.folder / "board").clock_offset_us == 0
    assert not (demo.folder / "story.board").exists()


def test_every_outcome_and_most_reasons_are_there(demo: Demo):
    outcomes = dict(demo.rows("SELECT outcome, count(*) FROM decisions GROUP BY 1"))
    objections = demo.rows("SELECT DISTINCT json_extract(o.value, '$.reason') FROM decisions, json_each(objections) o")
    states = {state for (state,) in demo.rows("SELECT DISTINCT state FROM deliveries")}
    campaigns = {status for (status,) in demo.rows("SELECT DISTINCT status FROM campaigns")}

    assert set(outcomes) == {"invited", "declined", "held"}
    assert {"answered", "expired", "sent", "failed", "scheduled"} <= states
    assert campaigns == {"active", "paused", "draft"}
    assert len(objections) >= 12
    assert demo.rows("SELECT count(*) FROM set_aside") == [(0,)]


def test_nobody_is_written_to_twice_within_a_day_or_the_quiet_period(demo: Demo):
    nearest = """
        SELECT min(at - before) FROM (
            SELECT at, lag(at) OVER (PARTITION BY email_key ORDER BY at) AS before
            FROM touches WHERE state != 'released' AND kind IN {kinds}
        )
    """
    any_two, two_surveys = (
        timedelta(microseconds=demo.rows(nearest.format(kinds=kinds))[0][0])
        for kinds in ("('first', 'reminder')", "('first', '')")
    )

    assert any_two >= timedelta(days=1)
    assert two_surveys >= timedelta(days=30)


def test_some_answered_the_reminder(demo: Demo):
    answers_after = """
        SELECT count(*) FROM deliveries r
        JOIN decisions d ON d.workspace_id = r.workspace_id AND d.id = r.decision_id
        JOIN responses a ON a.workspace_id = d.workspace_id AND a.delivery_id = d.delivery_id
        WHERE r.kind = 'reminder' AND a.answered_at > r.sent_at
    """

    assert demo.rows(answers_after)[0][0] > 10


def test_the_ledger_saved_people_from_the_frequent_campaign(demo: Demo):
    asked = dict(
        demo.rows(
            "SELECT d.outcome, count(*) FROM decisions d JOIN campaigns c ON c.id = d.campaign_id"
            " WHERE c.name = 'Every delivery' GROUP BY 1"
        )
    )

    assert asked["declined"] > 3 * asked["invited"]


@pytest.mark.parametrize("campaign", ["Post-purchase", "After support", "Renewal check-in", "Every delivery"])
def test_a_dry_run_equals_what_really_happened(demo: Demo, campaign: str):
    found = json.loads(run("dry-run", campaign, "--since", "90d", "--json", data=demo.folder).stdout)

    assert found["differences"] == []
    assert (found["different"], found["same"]) == (0, found["really"]["decided"])
    assert found["would"] == found["really"]
    assert found["same"] > 100


def test_the_bad_weeks_are_a_dip_and_it_recovers(demo: Demo):
    worst = datetime.now(UTC) - story.TROUBLE_BEGAN + story.TROUBLE_GREW

    def between(begin: datetime, end: datetime) -> dict[str, Any]:
        return demo.score("--from", str(begin.date()), "--to", str(end.date()))

    before = between(worst - timedelta(weeks=24), worst - timedelta(weeks=3))
    dip = between(worst, worst + story.TROUBLE_STAYED)
    after = between(datetime.now(UTC) - timedelta(weeks=12), datetime.now(UTC))
    months = demo.score("--every", "month")["trend"]
    lowest = min((month for month in months if month["n"] >= 20), key=lambda month: month["score"])

    assert dip["interval"][1] < before["interval"][0]
    assert dip["interval"][1] < after["interval"][0]
    assert timedelta(weeks=-6) < datetime.fromisoformat(f"{lowest['period'][:10]}T00:00Z") - worst < timedelta(weeks=7)


def test_free_is_below_the_others_and_one_plan_has_too_few_answers(demo: Demo):
    groups = {group["value"]: group for group in demo.score("--by", "plan")["groups"]}

    assert groups["Business"]["score"] - groups["Free"]["score"] > 20
    assert groups["Free"]["difference"]["distinguishable"]
    assert groups["Free"]["difference"]["value"] < 0
    assert 0 < groups["Nonprofit"]["n"] < 10


def test_people_answer_as_people_do(demo: Demo):
    answered, mailed = (
        demo.rows(f"SELECT count(*) FROM deliveries WHERE kind = 'first' AND state IN {states}")[0][0]
        for states in ("('answered', '')", "('answered', 'expired', 'sent')")
    )
    comments, different = demo.rows("SELECT count(comment), count(DISTINCT comment) FROM responses")[0]
    values = {int(value) for (value,) in demo.rows("SELECT DISTINCT value FROM responses")}
    newest = datetime.now(UTC).timestamp() - demo.rows("SELECT max(answered_at) FROM responses")[0][0] / 1e6
    changed = demo.rows("SELECT count(*) FROM responses WHERE updated_at > answered_at")[0][0]

    assert 0.2 <= answered / mailed <= 0.3
    assert comments > 300
    assert different > 230
    assert values == set(range(11))
    assert newest < 86_400
    assert changed > 20


def test_what_it_says_to_try_works(demo: Demo):
    before = demo.score()["n"]
    mails = {path.name for path in (demo.folder / "outbox").glob("*.eml")}
    demo.pasted("/v1/track")
    [mail] = eventually(
        lambda: {*(demo.folder / "outbox").glob("*.eml")} - {demo.folder / "outbox" / name for name in mails}
    )
    html = opened(mail.read_bytes()).get_body(("html",))
    assert html is not None
    answer(links_in(html.get_content())[10])

    assert demo.score()["n"] == before + 1
    assert "rules objected" in demo.pasted("heard why")
    assert "Business" in demo.pasted("heard score")


def test_what_was_interrupted_is_made_afresh(tmp_path: Path):
    folder = tmp_path / "half"
    (folder / "outbox").mkdir(parents=True)
    (folder / "outbox" / "left.eml").write_text("half a mail")
    folders.write(folder, folders.Made(whole=False, at=NOW))
    with started(folder, "--empty", seconds=60) as running:
        told = running.told
    made = folders.read(folder)

    assert "was interrupted; it is made afresh" in told
    assert not (folder / "outbox" / "left.eml").exists()
    assert made is not None
    assert made.whole


def test_a_demo_that_is_stopped_halfway_says_so_in_its_folder(tmp_path: Path):
    folder = tmp_path / "demo"
    command = [str(HEARD), "demo", "--data", str(folder), "--port", str(free_port())]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    eventually((folder / "story.board").exists, seconds=60)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=30) != 0
    made = folders.read(folder)

    assert made is not None
    assert not made.whole


def test_a_folder_that_is_somebodys_own_is_left_alone(tmp_path: Path):
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "notes.txt").write_text("mine")
    said = run("demo", "--data", str(tmp_path / "mine"), data=tmp_path / "other")

    assert said.returncode == 1
    assert said.stderr.startswith(f"{tmp_path / 'mine'} holds something that is not a demo.")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["notes.txt"]


def test_the_same_day_gives_the_same_story():
    once, again = (cast(Random(1), count=150, now=NOW) for _ in range(2))

    assert once == again
    assert requests(Random(2), once, now=NOW) == requests(Random(2), again, now=NOW)
    assert all(person.email is None or person.email.endswith(".example") for person in once)
