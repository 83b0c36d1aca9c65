"""The page about the workspace file and the code that reads the file know the same keys, and every example works."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from heard.audiences import aggregates
from heard.campaigns.settings import NOT_YET
from heard.errors import Invalid
from heard.operations.file_read import read
from tests.architecture.test_documented import REFERENCE, differences, rows

PAGE = (REFERENCE / "workspace.md").read_text(encoding="utf-8")
WORKING, REFUSED = PAGE.split("\n## Not yet\n")
EXAMPLE = re.compile(r"^\| `([^`]+)` \| `([^`]+)` \|", re.MULTILINE)

SMALLEST: dict[str, dict[str, Any]] = {
    "": {"workspace": "Acme"},
    "brand": {},
    "mail": {},
    "sources[]": {"name": "Website"},
    "destinations[]": {"name": "Heard", "type": "surveys"},
    "destinations[].settings": {},
    "tracking_plans[]": {"name": "Shop"},
    "audiences[]": {"name": "Buyers", "where": {"event": "Order"}},
    "computed_traits[]": {"name": "orders", "count": {"event": "Order"}},
    "surveys[].send_back": {"to": ["Warehouse hook"], "traits": {"NPS_rating": "value"}},
    "surveys[]": {"name": "Relationship NPS", "kind": "nps"},
    "campaigns[]": {"name": "Post-purchase", "survey": "Relationship NPS", "channel": "email", "event": "Order"},
    "campaigns[].window": {},
    "campaigns[].template": {},
}
"""Every place that has keys, with the least that has to stand there."""
ASKED_FOR_BY_NAME = {"campaigns[].name", "campaigns[].survey"}  # the reader of a campaign's settings leaves them out


def a_file(place: str, content: dict[str, Any]) -> dict[str, Any]:
    """The smallest file in which `content` stands at `place`."""
    if not place:
        return content
    around, _, last = place.rpartition(".")
    held = [content] if last.endswith("[]") else content
    return a_file(around, {**SMALLEST[around], last.removesuffix("[]"): held})


def said_of(place: str, **more: Any) -> str:
    """What the reader has against these keys at this place; "" when nothing."""
    smallest = SMALLEST[place]
    if place == "computed_traits[]" and more.keys() & set(aggregates.KINDS):
        smallest = {"name": smallest["name"]}  # a trait is of one kind
    if place == "campaigns[]" and more.keys() & {"link_identity"}:
        smallest = {key: value for key, value in smallest.items() if key != "event"} | {"channel": "link"}
    if place == "campaigns[]" and more.keys() & {"recipients", "drip"}:
        smallest = {key: value for key, value in smallest.items() if key != "event"}  # nothing happens first
        smallest |= {"recipients": "list", "list": "Customers"}
    try:
        read(a_file(place, {**smallest, **more}))
    except Invalid as error:
        return str(error)
    return ""


def known_at(place: str) -> set[str]:
    """The keys that the reader itself lists where it meets one that it does not know."""
    listed = re.search(r"Known: ([\w, ]+)", said_of(place, no_such_key=1))
    assert listed, f"{place or 'the file'}: a key that nobody knows was not refused with the known ones"
    return {f"{place}.{key}".lstrip(".") for key in listed[1].split(", ")}


def known() -> set[str]:
    return {key for place in SMALLEST for key in known_at(place)} | ASKED_FOR_BY_NAME | refused_in_campaigns()


def refused_in_campaigns() -> set[str]:
    return {f"campaigns[].{key}" for key in NOT_YET}


def parted(path: str) -> tuple[str, str]:
    place, _, key = path.rpartition(".")
    return place, key


def is_refused(path: str) -> bool:
    place, key = parted(path)
    return "not yet" in said_of(place, **{key: "something"}) and path != "destinations[].type"


def examples() -> list[tuple[str, str]]:
    """(key, YAML) of each row."""
    return [(path, example.replace("\\|", "|")) for path, example in EXAMPLE.findall(WORKING)]


def test_every_key_of_the_workspace_file_is_on_its_page():
    assert differences(known(), rows(PAGE)) == []


def test_what_is_refused_with_not_yet_stands_under_that_heading():
    assert differences((path for path in known() if is_refused(path)), rows(REFUSED)) == []


def test_every_key_that_works_has_an_example():
    assert {path for path, _ in examples()} == rows(WORKING)


@pytest.mark.parametrize(("path", "example"), examples())
def test_an_example_of_the_page_is_accepted(path: str, example: str):
    place, key = parted(path)
    written = yaml.safe_load(example)

    assert list(written) == [key]
    assert said_of(place, **written) == ""


def test_the_whole_file_of_the_page_and_its_parts_are_accepted():
    whole, *parts = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)

    assert read(yaml.safe_load(whole)).workspace == "Acme"
    for part in parts:
        assert read({"workspace": "Acme", **yaml.safe_load(part)}).destinations != ()


def test_a_place_is_reached_through_all_above_it():
    assert a_file("campaigns[].window", {"days": ["mon"]})["campaigns"][0]["window"] == {"days": ["mon"]}


def test_a_key_that_does_not_exist_is_refused_where_it_stands():
    assert "campaigns[0].window.dayz" in said_of("campaigns[].window", dayz=["mon"])
