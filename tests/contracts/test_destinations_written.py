"""Destinations in the workspace file: an export changes nothing, and what changed is told without any secret."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from heard.errors import Invalid
from heard.operations import destinations, workspace_file
from heard.operations.file_keep import destination_as_written
from heard.store import edits, tables
from tests.contracts.front import Front, front

SECRET = "T000/B000/very-secret"


def every_kind(*, more: str = "") -> list[dict[str, Any]]:
    odd = "Sl:ack \n'\"[x]"
    return [
        {"name": odd, "type": "slack", "settings": {"url": f"https://hooks.slack.com/services/{SECRET}{more}"}},
        {
            "name": "Hook",
            "type": "webhook",
            "enabled": False,
            "sources": [],
            "settings": {
                "url": f"https://hooks.acme.example/in?token=very-secret{more}",
                "secret": f"very-secret{more}",
                "headers": {"X-Token": f"very-secret{more}"},
            },
            "events": {
                "a: b": False,
                "ü\n": True,
                "c": {"Website": False},
                "d": {"every source": False, "Website": True},
            },
            "filters": [
                {"if": "all", "then": {"sample": "0.1%"}},
                {"if": "event = 'x'", "then": {"drop_properties": ["properties.a\\.b"]}},
            ],
        },
        {"name": "Segment", "type": "segment", "settings": {"write_key": f"very-secret{more}"}},
        {"name": "Heard", "type": "surveys", "settings": {"daily_limit": 5, "late_identify": 0}},
    ]


def test_an_export_of_every_kind_applied_again_changes_nothing(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(*every_kind())
        written = await workspace_file.export(heard.app)
        assert (await workspace_file.apply(heard.app, content=written))["changes"] == []

    front(tmp_path, story)


def test_a_switch_for_one_source_is_kept_by_its_number_and_written_by_its_name(tmp_path: Path):
    async def story(heard: Front) -> None:
        await heard.apply(*every_kind())
        (kept,) = [row for row in heard.app.directory.destinations.values() if row.name == "Hook"]
        number = next(each.id for each in heard.app.directory.sources.values() if each.name == "Website")
        assert kept.switches["c"] == {str(number): False}
        assert kept.switches["d"] == {"*": False, str(number): True}

        for wrong, said in (
            ({"Nowhere": False}, "destinations[Hook].events.c: there is no source 'Nowhere'. Sources: Website."),
            ({}, "write true or false, or names of sources"),
            ({"Website": "no"}, "write true or false, or names of sources"),
            ("off", "write true or false, or names of sources"),
        ):
            with pytest.raises(Invalid) as refused:
                await heard.apply({**every_kind()[1], "events": {"c": wrong}})
            assert said in str(refused.value)

    front(tmp_path, story)


def test_changed_secrets_and_addresses_are_told_by_their_fingerprints(tmp_path: Path):
    async def story(heard: Front) -> None:
        whole = {"workspace": "Acme", "sources": [{"name": "Website", "webhook_secret": "very-secret"}]}
        await workspace_file.apply(heard.app, content={**whole, "destinations": every_kind()})
        whole["sources"][0]["webhook_secret"] = "very-secret too"  # type: ignore[index]
        told = await workspace_file.apply(heard.app, content={**whole, "destinations": every_kind(more="2")})

        assert len(told["changes"]) == 4
        noted = heard.app.store.read_now(lambda found: [row.detail for row in found.execute(select(tables.audit))])
        for shown in (told, noted):
            assert "very-secret" not in json.dumps(shown, default=str)
            assert "https://hooks.slack.com/…" in json.dumps(shown, default=str, ensure_ascii=False)

    front(tmp_path, story)


def test_what_pages_switched_and_filtered_outlives_a_file_that_does_not_speak_of_it(tmp_path: Path):
    async def story(heard: Front) -> None:
        hook = {"name": "Hook", "type": "webhook", "settings": {"url": "https://hooks.acme.example/in"}}
        by_hand = {"events": {"Page Scrolled": False}, "filters": [{"if": "event = 'x'", "then": "drop"}]}
        await heard.apply(hook)
        await destinations.save(
            heard.app, workspace=1, number=heard.destination("Hook"), written=by_hand, by="ted@acme.example"
        )

        for silent in (hook, {**hook, "events": None, "filters": None}):
            told = await workspace_file.apply(heard.app, content={"workspace": "Acme", "destinations": [silent]})
            assert told["changes"] == []
        moved = {**hook, "settings": {"url": "https://hooks.acme.example/elsewhere"}}
        told = await workspace_file.apply(heard.app, content={"workspace": "Acme", "destinations": [moved]})
        assert [each["place"] for each in told["changes"]] == ["destinations[Hook].settings"]
        assert written(heard)["Hook"].items() >= by_hand.items()

        none = {**moved, "events": {}, "filters": []}
        told = await workspace_file.apply(heard.app, content={"workspace": "Acme", "destinations": [none]})
        places = [each["place"] for each in told["changes"]]
        assert places == ["destinations[Hook].events", "destinations[Hook].filters"]
        assert not written(heard)["Hook"].keys() & by_hand.keys()

    def written(heard: Front) -> dict[str, Any]:
        rows = heard.app.store.read_now(lambda found: edits.rows_of(found, tables.destinations, 1))
        return {row["name"]: destination_as_written(row, {}) for row in rows}

    front(tmp_path, story)


def test_the_surveys_destination_keeps_its_filters_too_and_a_new_one_begins_with_none(tmp_path: Path):
    async def story(heard: Front) -> None:
        ours = {"name": "Heard", "type": "surveys"}
        await heard.apply({**ours, "filters": [{"if": "event = 'x'", "then": "drop"}]})
        await heard.apply(
            ours, {"name": "Hook", "type": "webhook", "settings": {"url": "https://hooks.acme.example/in"}}
        )
        found = {each.name: each for each in heard.app.directory.destinations.values()}
        assert [len(found[name].filters) for name in ("Heard", "Hook")] == [1, 0]
        assert found["Hook"].switches == {}

    front(tmp_path, story)
