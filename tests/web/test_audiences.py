"""An audience from its definition to the contact, the campaign, a webhook and the pages, served for real."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

from tests.contracts.receiver import Receiver
from tests.flow.running import RunningHeard, eventually
from tests.web.visitors import owner

NAME, KEY = "Order Completed Last 30days", "order_completed_last_30days"


def workspace(hook: str) -> dict[str, Any]:
    return {
        "workspace": "Acme",
        "brand": {"name": "Acme", "from": "Acme <feedback@acme.example>", "address": "Acme, 1 Main St"},
        "sources": [{"name": "Website", "write_key": "wk_acme_website"}],
        "destinations": [
            {"name": "Heard", "type": "surveys"},
            {"name": "Warehouse hook", "type": "webhook", "sources": [], "settings": {"url": hook, "secret": "shh"}},
        ],
        "audiences": [
            {
                "name": NAME,
                "where": {"event": "Order Completed", "at_least": 1, "within": "30d"},
                "to": ["Heard", "Warehouse hook"],
            }
        ],
        "computed_traits": [{"name": "total_orders", "count": {"event": "Order Completed"}, "to": ["Heard"]}],
        "surveys": [{"name": "Relationship NPS", "kind": "nps"}],
        "campaigns": [
            {
                "name": "After support",
                "survey": "Relationship NPS",
                "channel": "email",
                "event": "Support Closed",
                "audience": NAME,
                "status": "ready",
            }
        ],
    }


class Served(NamedTuple):
    heard: RunningHeard
    hook: Receiver

    def told(self) -> list[tuple[str, bool]]:
        return [(each["userId"], each["traits"][KEY]) for each in map(json.loads, self.hook.bodies)]


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("audiences")
    with Receiver() as hook:
        file = yaml.safe_dump(workspace(f"{hook.url}/in"))
        running = RunningHeard(folder / "data", environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"}, workspace=file)
        with running as heard:
            for user in ("ann", "bob"):
                heard.send("identify", userId=user, traits={"email": f"{user}@example.com"})
            heard.send("track", userId="ann", event="Order Completed", properties={"total": 80})
            heard.settle()
            yield Served(heard, hook)


def test_who_ordered_within_30_days_is_a_member_until_they_are_not(served: Served):
    eventually(served.told, what="the first sync")
    ann = served.heard.get("contacts/ann")
    assert (ann["traits"][KEY], ann["traits"]["total_orders"]) == (True, 1)
    assert ann["audiences"] == [NAME]
    assert KEY not in served.heard.get("contacts/bob")["traits"]

    for user in ("ann", "bob"):
        served.heard.send("track", userId=user, event="Support Closed", properties={})
    served.heard.settle()
    outcomes = {}
    for user in ("ann", "bob"):
        (decision,) = served.heard.get(f"contacts/{user}/why")["decisions"]
        outcomes[user] = decision["outcome"], [each["reason"] for each in decision["objections"]]
    assert outcomes == {"ann": ("invited", []), "bob": ("declined", ["not_in_audience"])}

    served.heard.advance("31d")
    ann = served.heard.get("contacts/ann")
    assert (ann["traits"][KEY], ann["traits"]["total_orders"]) == (False, 1)
    assert ann["audiences"] == []
    assert served.told() == [("ann", True), ("ann", False)]
    (first, _) = map(json.loads, served.hook.bodies)
    assert first["type"] == "identify"
    assert first["integrations"] == {"All": False, "Warehouse hook": True}
    assert first["context"]["personas"]["computation_key"] == KEY


def test_the_pages_tell_who_is_in_and_since_when(served: Served):
    served.heard.send("track", userId="ann", event="Order Completed", properties={"total": 80})
    served.heard.settle()
    seen = owner(served.heard)
    listed = seen.get("/audiences")
    assert NAME in listed
    assert "performed Order Completed at least once within 30 days" in listed
    assert "Live" in listed
    (number,) = re.findall(rf'/audiences/(\d+)">{NAME}<', listed)
    one = seen.get(f"/audiences/{number}")
    assert "ann@example.com" in one
    assert "After support" in one
    sizes = re.findall(r'<th scope="row">\d+ \w+</th><td class="num">(\d+)</td>', one)
    assert [sizes[0], sizes[1], sizes[-1]] == ["1", "0", "1"]  # today, when ann was out, and when she was in at first
    assert len(sizes) == 32
    contact = seen.browser.get("/contacts/of?user_id=ann", follow_redirects=True).text
    assert NAME in contact
    assert "total_orders" in contact


def test_what_is_exported_can_be_applied_and_changes_nothing(served: Served):
    exported = served.heard.cli("export", "--json")
    assert exported["audiences"] == workspace("")["audiences"]
    assert exported["computed_traits"] == workspace("")["computed_traits"]
    assert exported["campaigns"][0]["audience"] == NAME
    file = served.heard.data.parent / "again.yaml"
    file.write_text(yaml.safe_dump(exported))
    assert served.heard.cli("apply", str(file), "--json")["changes"] == []


def test_an_audience_that_is_made_later_takes_in_what_was_there(served: Served):
    file = served.heard.data.parent / "more.yaml"
    more = {"name": "Talked to us", "where": {"event": "Support Closed"}}
    file.write_text(yaml.safe_dump({"workspace": "Acme", "audiences": [more]}))
    served.heard.cli("apply", str(file), "--json")
    eventually(lambda: "Talked to us" in served.heard.get("contacts/bob")["audiences"], what="bob's membership")
    assert served.heard.get("contacts/bob")["traits"]["talked_to_us"] is True


def test_a_destination_that_is_named_later_is_told_who_is_in_it(served: Served):
    """Applied beside the running server, on its page, and told by its courier."""
    with Receiver() as late:
        again = workspace(f"{served.hook.url}/in")
        settings = {"url": f"{late.url}/in", "secret": "shh"}
        again["destinations"].append({"name": "Late hook", "type": "webhook", "sources": [], "settings": settings})
        again["audiences"][0]["to"].append("Late hook")
        file = served.heard.data.parent / "late.yaml"
        file.write_text(yaml.safe_dump(again))
        served.heard.cli("apply", str(file), "--json")
        eventually(lambda: late.bodies, what="the first sync of the late hook")
        served.heard.settle()
        assert [(each["userId"], each["traits"]) for each in map(json.loads, late.bodies)] == [("ann", {KEY: True})]
        seen = owner(served.heard)
        (number,) = re.findall(rf'/audiences/(\d+)">{NAME}<', seen.get("/audiences"))
        assert "Heard, Warehouse hook, Late hook" in seen.get(f"/audiences/{number}")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"audiences": [{"name": "Order completed last 30DAYS", "where": {"event": "A"}}]}, "is that of"),
        ({"audiences": [{"name": "A", "where": {"audience": "B"}}]}, "there is no audience 'B'"),
        (
            {"audiences": [{"name": "A", "where": {"audience": "B"}}, {"name": "B", "where": {"audience": "A"}}]},
            "A -> B -> A",
        ),
        ({"audiences": [{"name": "A", "where": {"event": "A"}, "to": ["Nowhere"]}]}, "there is no destination"),
        ({"computed_traits": [{"name": "A", "sum": {"event": "A"}}]}, "computed_traits[0].sum.property"),
    ],
)
def test_a_file_that_cannot_be_obeyed_changes_nothing(served: Served, wrong: dict[str, Any], said: str):
    file = served.heard.data.parent / "wrong.yaml"
    file.write_text(yaml.safe_dump({"workspace": "Acme", **wrong}))
    before = served.heard.cli("export", "--json")
    assert said in served.heard.cli("apply", str(file), code=1)
    assert served.heard.cli("export", "--json") == before
