"""What members may write in a mail, and all that it cannot do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from heard import replace
from heard.errors import Invalid

TRAITS = {
    "firstName": "Marshall",
    "plan": "Premium",
    "seats": 12,
    "total": 49.0,
    "rate": 0.25,
    "active": True,
    "address": {"city": "Köln", "geo": {"lat": 50.9}},
    "tags": ["a", "b"],
    "nothing": None,
    "empty": "",
    "Last Login": "Monday",
}


def written(text: str, traits=TRAITS) -> str:
    return replace.replace(text, brand="Acme", traits=traits)


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("Hi {{ traits.firstName | there }},", "Hi Marshall,"),
        ("Hi {{firstName}}", "Hi Marshall"),
        ("{{ brand }}: one question", "Acme: one question"),
        ("{{ traits.address.city }}", "Köln"),
        ("{{ traits.address.geo.lat }}", "50.9"),
        ("{{ traits.Last Login }}", "Monday"),
        ("{{ traits.seats }} seats at {{ traits.total }} and {{ traits.rate }}", "12 seats at 49 and 0.25"),
        ("{{ traits.active }}", "true"),
    ],
)
def test_a_slot_is_filled(template: str, text: str):
    assert written(template) == text


@pytest.mark.parametrize("path", ["traits.missing", "traits.nothing", "traits.empty", "traits.tags", "traits.address"])
def test_where_there_is_nothing_to_say_the_default_is_said(path: str):
    assert written("{{ PATH | there }}".replace("PATH", path)) == "there"
    assert written("{{ PATH }}".replace("PATH", path)) == ""


@pytest.mark.parametrize(
    "traits", [{"first_name": "Ann"}, {"firstName": "Ann"}, {"name": "Ann Lee"}, {"firstname": "Ann"}]
)
@pytest.mark.parametrize(
    "slot", ["{{ firstName }}", "{{ first_name }}", "{{ traits.firstName }}", "{{ traits.first_name }}"]
)
def test_every_spelling_of_a_first_name_is_read(slot: str, traits: dict[str, str]):
    assert written(slot, traits) == "Ann"


def test_other_traits_are_found_under_both_spellings_too():
    assert written("{{ traits.companyName }}", {"company_name": "Initech"}) == "Initech"


@pytest.mark.parametrize(
    "text",
    [
        "{{7*7}}",
        "{{ 7 * 7 }}",
        "{% for x in y %}",
        "${7*7}",
        "%s %(x)s {0} {x}",
        "{{''.__class__}}",
        "{{ f() }}",
        "{{ }}",
        "{{",
    ],
)
def test_what_is_no_path_stays_the_text_it_is(text: str):
    assert written(text) == text


@pytest.mark.parametrize(
    "template",
    ["{{ traits.__class__ }}", "{{ traits.items }}", "{{ traits.plan.upper }}", "{{ self.x }}", "{{ config }}"],
)
def test_a_path_reaches_nothing_but_data(template: str):
    assert written(template) == ""


@pytest.mark.parametrize("value", ["{{ traits.plan }}", "{{7*7}}", "{% x %}", "${x}", "%s", "{0.__class__}", "<b>"])
def test_what_a_person_typed_is_never_a_template(value: str):
    assert written("Hi {{ traits.typed }}", {"typed": value, "plan": "Premium"}) == f"Hi {value}"


def test_in_html_both_the_template_and_the_values_are_escaped():
    filled = replace.replace(
        '<i>"{{ traits.x }}"\n{{ traits.no | <there> }}',
        brand="A&B",
        traits={"x": "<img src=x onerror=alert(1)>"},
        escape=replace.to_html,
    )

    assert filled == ("&lt;i&gt;&quot;&lt;img src=x onerror=alert(1)&gt;&quot;<br>\n&lt;there&gt;")


@given(st.text(st.characters(exclude_categories=())))
def test_a_value_is_one_line_that_can_be_encoded(value: str):
    said = written("{{ traits.x }}", {"x": value})

    assert len(said.splitlines()) <= 1
    assert len(said) <= replace.LONGEST_VALUE
    said.encode()


@given(st.text())
def test_any_template_is_survived(template: str):
    written(template)


def test_a_long_row_of_braces_takes_no_long_time():
    assert written("{{ traits." * 1000 + "a " * 4000)


@pytest.mark.parametrize(
    ("template", "complaint"),
    [
        ("x" * 10_001, "10,000 characters"),
        ("{{ brand }}" * 101, "100 replacements"),
        ("{{ traits.a.b.c.d.e.f.g.h }}", "8 parts"),
        ("{{ plan | basic }}", "{{ traits.plan }}"),
    ],
)
def test_a_template_beyond_the_caps_is_refused_when_it_is_saved(template: str, complaint: str):
    with pytest.raises(Invalid, match=complaint) as caught:
        replace.check(template, field="campaigns[0].template.intro")

    assert caught.value.field == "campaigns[0].template.intro"


def test_an_ordinary_template_is_taken():
    replace.check("Hi {{ traits.firstName | there }}, {{ brand }} has one question. {{7*7}}")
