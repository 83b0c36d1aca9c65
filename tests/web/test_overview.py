"""The overview: what it counts, what it says of it, where it leads, and what leaves the house as a file."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import ACME, RunningHeard, answer, links_in
from tests.web.visitors import Visitor, error_at, member, owner

WORKSPACE = ACME.replace("campaigns:", "  - {name: Support NPS, kind: nps, languages: [en]}\ncampaigns:")
SAID = {"ted": (10, "Premium", "Legendary."), "lily": (9, "Premium", None), "robin": (3, "Free", "It broke.")}
SAID |= {f"u{number}": (10 if number % 4 else 7, "Premium" if number % 3 else "Free", None) for number in range(11)}


class Acme(NamedTuple):
    heard: RunningHeard
    owner: Visitor

    def page(self, path: str = "/", *, status: int = 200) -> str:
        return self.owner.get(path, status=status)


@pytest.fixture(scope="module")
def acme(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Acme]:
    with RunningHeard(tmp_path_factory.mktemp("overview") / "data", workspace=WORKSPACE) as heard:
        for user, (_, plan, _) in SAID.items():
            heard.send(
                "identify", userId=user, traits={"email": f"{user}@mosby.example", "plan": plan, "company": "=1+1"}
            )
            heard.send("track", userId=user, event="Order Completed", properties={"total": 25})
        heard.send("track", userId="ted", event="Order Completed", properties={"total": 30})
        heard.send("identify", userId="barney", traits={"plan": "Free"})
        heard.send("track", userId="barney", event="Order Completed", properties={"total": 99})
        heard.settle()
        for path in (heard.data / "outbox").glob("*.eml"):
            mail = opened(path.read_bytes())
            body = mail.get_body(("html",))
            assert body is not None
            value, _, comment = SAID[mail["To"].addresses[0].username]
            answer(links_in(body.get_content())[value], comment=comment)
        heard.send("identify", userId="lily", traits={"plan": "Free"})
        heard.settle()
        yield Acme(heard, owner(heard))


@pytest.fixture
def nobody(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Visitor]:
    with RunningHeard(tmp_path_factory.mktemp("empty") / "data") as heard:
        yield owner(heard)


def text(page: str) -> str:
    main = page[page.index("<main") : page.index("</main>")]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", main)).strip()


# ---------------------------------------------------------------- what it shows


def test_the_score_stands_with_its_count_and_its_interval(acme: Acme):
    expected = acme.heard.get("scores", survey="Relationship NPS")
    low, high = (f"{round(end):+d}".replace("-", "−") for end in expected["interval"])

    said = text(acme.page())

    assert f"+{round(expected['score'])} 14 answers 95% interval {low} to {high}" in said
    assert "Nobody answered then: there is nothing to compare." in said
    assert "By week" in said
    assert "71.4% promoters" in said


def test_the_funnel_counts_from_event_to_answer_and_says_who_was_held_back(acme: Acme):
    said = text(acme.page())

    assert "Matched 16" in said
    assert "Held back 2 12%" in said
    assert "Campaign throttle 1" in said
    assert "No address 1" in said
    assert re.search(r"Invited 14 88% Sent 14 100% Clicked 14 100% Answered 14 100% Commented 2 14%", said)
    assert "Response rate 100.0% (14 of 14 sent)." in said


def test_each_step_leads_to_its_people(acme: Acme):
    page = acme.page()

    assert "/decisions?campaign=1&outcome=declined&reason=no_address&from=" in page
    assert "/deliveries?campaign=1&from=" in page
    assert "/responses?from=" in page


def test_segments_say_who_answered_and_which_group_is_too_small(acme: Acme):
    said = text(acme.page("/?by=plan"))

    assert "Premium 9 100%" in said
    assert "Free 5 100%" in said
    assert "Too few answers to compare" in said


def test_as_of_now_somebody_stands_where_they_are_today(acme: Acme):
    said = text(acme.page("/?by=plan&as=now"))

    assert "Premium 8" in said
    assert "Free 6" in said


def test_the_newest_answers_name_their_people(acme: Acme):
    page = acme.page()

    assert "Legendary." in page or len(re.findall(r"<blockquote>", page)) <= 5
    assert re.search(r'<a href="/contacts/\d+">', page)
    assert "All 14" in page


def test_no_part_of_the_page_holds_a_style_or_a_script(acme: Acme):
    page = acme.page()
    main = page[page.index("<main") : page.index("</main>")]

    assert "style=" not in main
    assert "<script" not in main


# ---------------------------------------------------------------- narrowing


def test_a_filter_written_in_the_editor_becomes_fql_in_the_url(acme: Acme):
    answered = acme.owner.browser.get("/?field=plan&operator=is_not&value=Free&where=value+%3E%3D+9")

    assert answered.status_code == 303
    assert answered.headers["location"] == "/?where=value+%3E%3D+9+and+traits.plan+%21%3D+%27Free%27"
    said = text(acme.page(answered.headers["location"]))
    assert "value is at least 9" in said
    assert "plan is not Free" in said
    assert "Filters narrow the answers, not this: it counts everybody." in said


def test_a_chip_is_removed_and_changed_by_a_link(acme: Acme):
    page = acme.page("/?where=value+%3E%3D+9+and+traits.plan+%3D+%27Premium%27&period=all")

    assert 'href="?period=all&where=value+%3E%3D+9" aria-label="Remove filter: plan is Premium"' in page
    assert "&edit=1" in page
    changed = acme.owner.browser.get(
        "/?field=traits.plan&operator=is&value=Free&replaces=1&where=value+%3E%3D+9+and+traits.plan+%3D+%27Premium%27"
    )
    assert changed.headers["location"] == "/?where=value+%3E%3D+9+and+traits.plan+%3D+%27Free%27"


def test_a_bar_of_the_distribution_narrows_and_widens_again(acme: Acme):
    assert 'href="?where=value+%3D+10" aria-label="Score 10:' in acme.page()
    assert 'href="?" aria-label="Score 10:' in acme.page("/?where=value+%3D+10")


def test_a_value_is_chosen_and_let_go_of_beside_another_filter_of_values(acme: Acme):
    page = acme.page("/?period=all&where=value+%3E%3D+5+and+value+%3D+10")
    assert page.count('href="?period=all&where=value+%3E%3D+5"') == 2, "the chip, and 10 again, let go of 10"

    acme.page("/?where=value+%3D+%27%C2%B2%27")  # a text that only looks like a number


def test_the_figures_follow_the_filter(acme: Acme):
    assert "9 answers" in text(acme.page("/?where=traits.plan+%3D+%27Premium%27"))
    assert "No answer of this period matches the filters." in text(acme.page("/?where=traits.plan+%3D+%27Gold%27"))


def test_a_survey_is_chosen_by_its_name(acme: Acme):
    said = text(acme.page("/?survey=Support+NPS"))

    assert "Nobody answered in this period." in said
    assert "Matched 0" in said


def test_without_answers_a_period_says_so(acme: Acme):
    assert "Nobody answered in this period." in text(acme.page("/?from=2020-01-01&to=2020-02-01"))


@pytest.mark.parametrize("every", ["week", "month", "quarter"])
@pytest.mark.parametrize("period", ["30d", "90d", "12m", "all"])
def test_every_period_and_step_is_drawn(acme: Acme, every: str, period: str):
    assert f"By {every}" in text(acme.page(f"/?every={every}&period={period}&compare=year"))


# ---------------------------------------------------------------- what cannot be used


@pytest.mark.parametrize(
    ("query", "field", "said"),
    [
        ("where=traits.plan+%3D%3D+1", "where", "write `=` instead of `==`"),
        ("from=2026-13-01", "from", "Write a day like 2026-08-24."),
        ("from=2026-08-02&to=2026-08-01", "from", "Choose a day before 1 Aug 2026"),
        ("compare=moon", "compare", "Choose one of"),
        ("every=day", "every", "Choose one of week, month, quarter."),
        ("by=1%2B1", "by", "at 2"),
        ("period=7d", "period", "Choose one of"),
        ("field=plan&operator=at_least&value=many", "f-value", "Write a number, such as 20."),
        ("field=plan&operator=is&value=", "f-value", "Write a value to compare with."),
        ("field=1+and&operator=is&value=3", "f-field", "Write the name of a field"),
    ],
)
def test_an_error_stands_by_its_field_and_the_rest_stays(acme: Acme, query: str, field: str, said: str):
    page = acme.page(f"/?{query}", status=400)

    assert said in error_at(page, field)
    assert "14 answers" in text(page)


def test_what_was_typed_is_not_lost(acme: Acme):
    assert "traits.plan == 1</textarea>" in acme.page("/?where=traits.plan+%3D%3D+1", status=400)
    assert 'value="many"' in acme.page("/?field=plan&operator=at_least&value=many", status=400)


def test_several_that_cannot_be_used_are_all_named(acme: Acme):
    said = text(acme.page("/?metric=joy&survey=None&where=%3D", status=400))

    assert "metric cannot be used: There is no score for joy" in said
    assert "survey cannot be used: There is no survey None here." in said
    assert "where cannot be used:" in said


def test_a_workspace_without_an_answer_says_why_and_what_comes_next(nobody: Visitor):
    first = nobody.browser.get("/")
    page = nobody.get("/score?every=month")

    assert (first.status_code, first.headers["location"]) == (303, "/start")
    assert "Nobody has answered yet" in text(page)
    assert 'href="/sources"' in page
    assert 'href="/campaigns"' in page


# ---------------------------------------------------------------- files


def test_the_csv_holds_what_the_page_shows(acme: Acme):
    answered = acme.owner.browser.get("/export/score.csv?by=plan&where=value+%3E%3D+7")
    rows = list(csv.DictReader(io.StringIO(answered.content.decode())))

    assert answered.headers["content-type"] == "text/csv; charset=utf-8"
    assert 'filename="nps-' in answered.headers["content-disposition"]
    (whole,) = [row for row in rows if row["section"] == "score"]
    assert (whole["n"], float(whole["score"])) == ("13", 76.923077)
    assert float(whole["interval_low"]) < float(whole["score"]) < float(whole["interval_high"])
    assert {row["name"]: row["n"] for row in rows if row["section"] == "by traits.plan"} == {
        "Premium": "9",
        "Free": "4",
    }
    assert sum(int(row["n"]) for row in rows if row["section"] == "value") == 13
    assert {"section": "about", "name": "where: value >= 7"}.items() <= rows[4].items()


def test_what_a_customer_sent_is_no_formula_in_a_spreadsheet(acme: Acme):
    told = acme.owner.browser.get("/export/score.csv?by=company").text

    assert "'=1+1" in told
    assert not re.search(r"(^|,)=", told, re.M)


def test_the_picture_is_a_png(acme: Acme):
    answered = acme.owner.browser.get("/export/score.png?by=plan")

    assert answered.headers["content-type"] == "image/png"
    assert answered.content.startswith(b"\x89PNG")
    assert len(answered.content) > 50_000  # letters and all


@pytest.mark.parametrize("kind", ["csv", "png"])
def test_a_file_of_something_else_than_asked_is_not_given_out(acme: Acme, kind: str):
    assert acme.owner.browser.get(f"/export/score.{kind}?where=%3D").status_code == 400


def test_a_viewer_sees_and_takes_along(acme: Acme):
    viewer = member(acme.heard, "viewer@acme.example", "viewer")

    assert "14 answers" in text(viewer.get("/"))
    assert viewer.browser.get("/export/score.csv").status_code == 200
