"""The words that people meet in the product, each with its place in the reference: API, states, roles, rules."""

from __future__ import annotations

import asyncio
import inspect
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from heard import config
from heard.accounts.member import Action, Role
from heard.deliveries.delivery import NEXT, State
from heard.deliveries.eligibility import RULES
from heard.deliveries.reasons import Reason
from heard.operations.opening import open_installation
from heard.responses.response import Verdict
from heard.scores import change
from heard.scores.nps import NPS
from heard.surveys.locales import LOCALES
from heard.web import dashboard
from heard.web.dashboard.shell import Dashboard
from scripts import docs, docs_api
from tests.architecture.test_documented import REFERENCE, differences, rows
from tests.architecture.tree import ROOT

EXPLANATION = ROOT / "docs/explanation"
EXAMPLES = yaml.safe_load(docs_api.EXAMPLES.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def operations() -> dict[str, dict[str, Any]]:
    """Each call of the API, as a server describes it."""
    return dict(docs_api.operations(docs_api.description()))


def cells(page: str, first: str) -> list[str]:
    """The cells of the row that begins with this `code`."""
    (found,) = (line for line in page.splitlines() if line.startswith(f"| `{first}` |"))
    return [cell.strip() for cell in re.split(r"(?<!\\)\|", found)[1:-1]]


def reason_of(rule: Callable[..., Any]) -> str:
    """The reason that a rule gives, as its code says."""
    (name,) = set(re.findall(r"Reason\.([A-Z0-9_]+)", inspect.getsource(rule)))
    return Reason[name].value


def test_every_call_of_the_api_is_documented_with_an_example(operations: dict[str, Any]):
    page = (REFERENCE / "api.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## `([A-Z]+ /api/\S+)`$", page, re.MULTILINE)

    assert differences(operations, headings) == []
    assert differences(operations, EXAMPLES["calls"]) == [], "scripts/api_examples.yaml needs a call and its answer"


def test_every_call_says_what_it_does(operations: dict[str, Any]):
    assert [call for call, operation in operations.items() if not operation.get("description")] == []


def test_every_parameter_of_the_api_has_its_meaning(operations: dict[str, Any]):
    page = (REFERENCE / "api.md").read_text(encoding="utf-8")
    table_rows = re.findall(r"^\| `(\w+)` \| (?:path|query|query, needed|body) \| (.*) \|$", page, re.MULTILINE)
    parameters = [each["name"] for operation in operations.values() for each in operation.get("parameters", [])]
    fields = [name for operation in operations.values() for name in operation["fields"]]

    assert sorted(name for name, _ in table_rows) == sorted(parameters + fields)
    assert [name for name, meaning in table_rows if not meaning.strip()] == []


def test_every_delivery_state_has_its_row_with_what_follows_it():
    page = (REFERENCE / "delivery-states.md").read_text(encoding="utf-8")

    assert differences((state.value for state in State), rows(page)) == []
    for state in State:
        assert set(re.findall(r"`(\w+)`", cells(page, state)[2])) == {each.value for each in NEXT[state]}, state


def test_every_verdict_has_its_row():
    page = (EXPLANATION / "a-click-is-no-answer.md").read_text(encoding="utf-8")

    assert differences((verdict.value for verdict in Verdict), rows(page)) == []


def test_every_role_and_every_action_is_documented():
    page = (REFERENCE / "roles.md").read_text(encoding="utf-8")

    assert differences((action.value for action in Action), docs.ACTIONS) == []
    assert all(f" {role.value} |" in page for role in Role)


def test_a_reason_says_what_it_means_until_when_and_what_to_do():
    page = (REFERENCE / "why-not.md").read_text(encoding="utf-8")
    unclear = [reason.value for reason in Reason if len(cells(page, reason)) != 4 or "" in cells(page, reason)]

    assert unclear == []


def test_reasons_stand_in_the_order_in_which_the_rules_are_asked():
    page = (REFERENCE / "why-not.md").read_text(encoding="utf-8")
    first_column = re.findall(r"^\| `(\w+)` \|.*\|.*\|", page, re.MULTILINE)
    asked = [reason_of(rule) for rule in RULES]

    assert [name for name in first_column if name in asked] == asked


def test_the_rules_are_explained_in_their_order():
    page = (EXPLANATION / "decision.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\d+\. .*`(\w+)`$", page, re.MULTILINE)

    assert listed == [reason_of(rule) for rule in RULES]


def test_every_page_that_the_documents_lead_to_is_served(tmp_path: Path):
    app = open_installation(config.read({}, data=tmp_path / "data"))
    try:
        served = {route.path for router in dashboard.router(Dashboard(app)) for route in router.routes}
    finally:
        asyncio.run(app.close())
    documents = [*(ROOT / "docs").rglob("*.md"), ROOT / "README.md"]
    named = {path for page in documents for path in addresses(page.read_text(encoding="utf-8"))}

    assert {"/outbox", "/contacts", "/start"} <= named
    assert named - served - {"/api/docs"} == set()


def addresses(page: str) -> set[str]:
    """The pages of a server that a document names; what is called by programs stands elsewhere."""
    found = re.findall(r"http://localhost:8800([/\w.-]*)", page)
    return {path or "/" for path in found if not path.startswith(("/api/", "/v1/"))}


@pytest.mark.parametrize(
    ("then", "value", "interval", "often", "verdict"),
    [
        ((214, 110, 81), 6, (-4, 17), "about 1 time in 4", change.Verdict.NOISE),
        ((180, 130, 95), 18, (7, 29), "less than 1 time in 1,000", change.Verdict.REAL),
    ],
)
def test_the_changes_that_are_explained_are_computed_so(
    then: tuple[int, int, int], value: int, interval: tuple[int, int], often: str, verdict: change.Verdict
):
    page = " ".join((EXPLANATION / "intervals.md").read_text(encoding="utf-8").split())
    told = change.change(NPS(), answers_of(230, 113, 69), answers_of(*then))

    assert told is not None
    assert (round(told.value), tuple(map(round, told.interval)), told.verdict) == (value, interval, verdict)
    assert change.how_often(told.p) == often
    assert often in page
    assert verdict.value.lower() in page
    assert ", ".join(map(str, then)) in page or f"{then[0]}, {then[1]} and {then[2]}" in page


def answers_of(promoters: int, passives: int, detractors: int) -> dict[float, int]:
    return {10: promoters, 8: passives, 3: detractors}


def test_every_verdict_about_a_change_is_explained():
    page = (EXPLANATION / "intervals.md").read_text(encoding="utf-8")

    assert [each.value for each in change.Verdict if f"| {each.value} |" not in page] == []


def test_every_language_has_its_row_which_says_whether_a_speaker_has_read_it():
    page = (REFERENCE / "languages.md").read_text(encoding="utf-8").split("## Who is asked in which")[0]

    assert differences(LOCALES, rows(page)) == []
    for code, each in LOCALES.items():
        assert cells(page, code) == [f"`{code}`", each.english, each.name, "yes" if each.reviewed else "no"]


def test_a_row_is_read_cell_by_cell():
    assert cells("| `a` | one \\| two | – |\n| `b` | x |", "a") == ["`a`", "one \\| two", "–"]
