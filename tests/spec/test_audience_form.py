"""The form of an audience: rows from the workspace file's words and back, and what is wrong at which field."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from litestar.datastructures import FormMultiDict

from heard.audiences import read
from heard.audiences.conditions import Either, Every, Opposite
from heard.errors import Invalid
from heard.operations.audiences_edit import Kept
from heard.web.dashboard.audiences import form as audience_form
from heard.web.dashboard.audiences import meant, rows
from heard.web.dashboard.audiences.form import Form
from heard.web.dashboard.audiences.meant import changed
from heard.web.dashboard.audiences.rows import ROOT, Row

NO_LENGTH = "Write a length of time like 3d, 12h or 10m, not 'xd'."
ORDERED = {"event": "Order Completed", "at_least": 1, "within": "30d"}


def fields_of(row: Row, path: str = ROOT) -> dict[str, str]:
    """What a browser sends of a row that it shows."""
    sent = {"kind": row.kind, "is": "not" if row.opposite else "", "join": row.join, "audience": row.audience}
    if row.kind == "event":
        sent |= {"event": row.event, "often": row.often, "n": row.n, "most": row.most, "length": row.length}
        sent |= {"unit": row.unit}
    if row.kind == "kept":
        sent |= {"kept": row.kept}
    if row.refined.fql is not None:
        sent |= {"fql": row.refined.fql}
    for number, line in enumerate(row.refined.lines):
        sent |= {f"f{number}.field": line.field, f"f{number}.operator": line.operator, f"f{number}.value": line.value}
    whole = {f"{path}.{name}": value for name, value in sent.items()}
    for place, each in enumerate(row.rows):
        whole |= fields_of(each, f"{path}.{place}")
    return whole


def sent(row: Row, **more: str) -> FormMultiDict:
    return FormMultiDict(list({**fields_of(row), **more}.items()))


def plain(condition: Any) -> Any:
    """Without what means the same: a double `not`, a group of one."""
    match condition:
        case Opposite(of=Opposite(of=inner)) | Every(of=(inner,)) | Either(of=(inner,)):
            return plain(inner)
        case Opposite(of=inner):
            inside = plain(inner)
            return inside.of if isinstance(inside, Opposite) else Opposite(of=inside)
        case Every(of=parts) | Either(of=parts):
            return type(condition)(of=tuple(plain(each) for each in parts))
        case _:
            return condition


fql = st.sampled_from(
    ["properties.total > 100", "properties.total > 5 or properties.gift", "contains(event, 'x') and userId != null"]
)
leaf = st.one_of(
    st.sampled_from(
        [
            ORDERED,
            {"event": "Sign In", "at_most": 2, "within": "7d"},
            {"event": "Order Completed", "exactly": 1},
            {"event": "Order Completed", "exactly": 0},
            {"event": "Order Completed", "at_least": 2, "at_most": 5, "within": "36h"},
            {"event": "Order Completed"},
            {"event": "A", "within": "90s"},
            {"traits": "traits.plan = 'Premium'"},
            {"traits": "traits.plan = 'Premium' or traits.seats > 5"},
            {"audience": "VIP"},
        ]
    ),
    fql.map(lambda where: {"event": "Order Completed", "where": where}),
)
condition = st.recursive(
    leaf,
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"all": parts}),
        st.lists(inner, min_size=1, max_size=3).map(lambda parts: {"any": parts}),
        inner.map(lambda part: {"not": part}),
    ),
    max_leaves=12,
)


@given(condition)
def test_whatever_a_file_says_a_form_shows_and_says_again(where: dict[str, Any]):
    try:
        said = read.condition(where, "where")
    except Invalid:  # deeper than any audience
        return
    root = rows.of_condition(where)
    again = rows.of_fields(sent(root))
    assert again == root
    found = meant.meant(again)
    assert found.wrong == {}
    assert plain(read.condition(found.written, "where")) == plain(said)


def test_rows_become_fql_and_fql_becomes_rows_where_it_can():
    (row,) = rows.of_condition({"event": "A", "where": "properties.total > 100 and context.page.path = '/'"}).rows
    assert [(line.field, line.operator, line.value) for line in row.refined.lines] == [
        ("properties.total", "more_than", "100"), ("context.page.path", "is", "/"),
    ]  # fmt: skip
    (row,) = rows.of_condition({"event": "A", "where": "properties.total > 100 or properties.gift"}).rows
    assert row.refined.fql == "properties.total > 100 or properties.gift"


def test_a_bare_name_is_a_property_of_an_event_and_a_trait_of_a_contact():
    root = Row(kind="group", rows=(Row(kind="event", event="A"), Row(kind="traits")))
    more = {}
    for path, field in (("w.0", "total"), ("w.1", "seats")):
        more |= {f"{path}.f0.field": field, f"{path}.f0.operator": "at_least", f"{path}.f0.value": "5"}
    found = meant.meant(rows.of_fields(sent(root, **more)))
    assert found.written == {
        "all": [{"event": "A", "at_least": 1, "where": "properties.total >= 5"}, {"traits": "traits.seats >= 5"}]
    }


def test_what_stands_deeper_than_a_form_shows_is_kept_and_told_in_words():
    deep = {"any": [{"event": "A"}, {"event": "B", "within": "36h"}]}
    where = {"all": [{"event": "Z"}, {"any": [{"all": [{"not": deep}, {"event": "C"}]}, {"event": "D"}]}]}
    root = rows.of_condition(where)
    kept = root.rows[1].rows[0].rows[0]
    assert (kept.kind, kept.opposite) == ("kept", True)
    assert kept.says == "performed A at least once or performed B at least once within 36 hours"
    assert read.condition(meant.meant(rows.of_fields(sent(root))).written, "") == read.condition(where, "")


@pytest.mark.parametrize("edited", ["", "{", '{"all": []}', '{"event": 5}', "[1]"])
def test_what_was_kept_and_came_back_as_something_else_is_no_error_of_ours(edited: str):
    root = Row(kind="group", rows=(Row(kind="kept"),))
    row = rows.of_fields(sent(root, **{"w.0.kept": edited})).rows[0]
    assert row.says == "performed - at least once"


@pytest.mark.parametrize(
    ("row", "field", "said"),
    [
        (Row(kind="event"), "w.0.event", "Name the event."),
        (Row(kind="event", event="A", n="many"), "w.0.n", "Write a whole number from 0 to 1000000."),
        (Row(kind="event", event="A", n="5", often="between", most="2"), "w.0.most", "It is less than at_least."),
        (Row(kind="event", event="A", length="x"), "w.0.length", NO_LENGTH),
        (Row(kind="event", event="A", n="101", length="3"), "w.0.n", "Within a window count up to 100 times at most."),
        (Row(kind="audience"), "w.0.audience", "Choose an audience."),
        (Row(kind="traits"), "w.0.fql", "Say which traits."),
        (Row(kind="group"), "w.0.rows", "Add a condition."),
    ],
)  # fmt: skip
def test_what_cannot_be_obeyed_is_said_at_its_field(row: Row, field: str, said: str):
    assert meant.meant(Row(kind="group", rows=(row,))).wrong == {field: said}


@pytest.mark.parametrize("kind", ["event", "traits"])
def test_fql_that_cannot_be_read_is_said_at_its_field(kind: str):
    row = Row(kind=kind, event="A", refined=rows.Refined(fql="total >"))
    assert meant.meant(Row(kind="group", rows=(row,))).wrong.keys() == {"w.0.fql"}


def test_a_property_that_cannot_be_compared_is_said_at_its_row():
    row = rows.of_condition({"event": "A", "where": "properties.total > 5 and properties.gift = true"})
    found = meant.meant(rows.of_fields(sent(row, **{"w.0.f0.value": "many", "w.0.f1.field": ""})))
    assert found.wrong.keys() == {"w.0.f0.value", "w.0.f1.field"}
    assert found.blank == {"w.0.f1.field"}  # nobody has written there yet


def test_buttons_add_and_take_away_rows_and_say_where_to_go_on():
    root, focus = changed(rows.NOTHING, "add-event w")
    assert ([row.kind for row in root.rows], focus) == (["event"], "w.0")
    root, focus = changed(root, "add-group w")
    assert focus == "w.1.0"
    root, focus = changed(root, "add-traits w.1")
    assert ([row.kind for row in root.rows[1].rows], focus) == (["event", "traits"], "w.1.1")
    root, _ = changed(root, "line w.1.0")
    assert len(root.rows[1].rows[0].refined.lines) == 1
    root, _ = changed(root, "use w.1.0 Order Completed")
    assert root.rows[1].rows[0].event == "Order Completed"
    root, _ = changed(root, "drop-0 w.1.0")
    assert root.rows[1].rows[0].refined.lines == ()
    root, focus = changed(root, "drop w.1.0")
    assert ([row.kind for row in root.rows[1].rows], focus) == (["traits"], "w.1")


@pytest.mark.parametrize(
    "act", ["", "drop", "drop w", "drop w.9", "add-event w.9", "fly w", "drop x.1", "add-x w", "drop w.²"]
)
def test_a_button_that_there_is_not_changes_nothing(act: str):
    root = rows.of_condition(ORDERED)
    assert changed(root, act)[0] == root


def test_what_was_not_changed_is_word_for_word_as_it_was_kept():
    written = {"name": "A", "where": {"event": "Order Completed", "within": "2w", "where": "properties.total>5"}}
    kept = Kept(id=1, kind="audience", written=written, stamp="s")
    before = audience_form.of_kept(kept, "Heard")
    same = audience_form.of_fields(sent(before.root, name="A", to="Heard"), "audience")
    assert audience_form.meant(same, before, kept).line == written
    told = audience_form.of_fields(sent(before.root, name="A"), "audience")
    assert audience_form.meant(told, before, kept).line == {**written, "to": []}


@pytest.mark.parametrize(
    "written",
    [
        {"count": {"event": "Order Completed"}},
        {"sum": {"event": "Order Completed", "property": "total", "within": "30d"}},
        {"most_frequent": {"event": "Product Viewed", "property": "shop.category", "where": "properties.total > 5"}},
    ],
)
def test_a_computed_trait_is_shown_and_said_again(written: dict[str, Any]):
    kept = Kept(id=1, kind="trait", written={"name": "A", **written, "to": ["Hook"], "as": "events"}, stamp="s")
    form = audience_form.of_kept(kept, "Heard")
    fields = sent(form.root, name="A", of=form.of, property=form.property_, **{"as": "events", "to": "Hook"})
    again = audience_form.of_fields(fields, "trait")
    found = audience_form.meant(again, None, None)
    assert (found.wrong, found.line) == ({}, kept.written)


@pytest.mark.parametrize(
    ("more", "wrong"),
    [
        ({"of": "sum"}, {"property"}),
        ({"w.0.event": ""}, {"w.0.event"}),
        ({"w.0.length": "400"}, {"w.0.length"}),
        ({"w.0.fql": "total >"}, {"w.0.fql"}),
        ({"name": ""}, {"name"}),
    ],
)
def test_a_computed_trait_that_cannot_be_obeyed_is_told_at_its_field(more: dict[str, str], wrong: set[str]):
    root = Row(kind="group", rows=(Row(kind="event", event="A"),))
    form = audience_form.of_fields(sent(root, **{"name": "A", "of": "count", **more}), "trait")
    assert audience_form.meant(form, None, None).wrong.keys() == wrong


def test_text_becomes_rows_and_rows_text():
    form = Form(kind="audience", name="A", root=rows.of_condition(ORDERED))
    as_text = audience_form.as_text(form, ORDERED)
    assert as_text.text == "event: Order Completed\nat_least: 1\nwithin: 30d\n"
    assert audience_form.as_rows(as_text).root == form.root
    assert audience_form.meant(as_text, None, None).line["where"] == ORDERED


@pytest.mark.parametrize("text", ["", "event: [", "- a", "5", "event: A\nevent: B", "any: []", "event: 2026-01-01"])
def test_text_that_cannot_be_obeyed_says_why(text: str):
    form = Form(kind="audience", name="A", text=text)
    assert set(audience_form.meant(form, None, None).wrong) <= {"text"}
    if text != "event: 2026-01-01":  # a date is a text here, as in a file
        with pytest.raises(Invalid):
            audience_form.as_rows(form)
