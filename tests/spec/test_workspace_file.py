"""The workspace file: what it may say, and the words in which everything else is refused."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from heard import config
from heard.errors import Invalid, NotFound
from heard.installation import Installation
from heard.operations import first_run, mail, workspace_file, yaml_text
from heard.operations.file_read import read
from heard.store import tables

SURVEY = {"name": "Relationship NPS", "kind": "nps"}
OURS = {"name": "Heard", "type": "surveys"}
HOOK = {"name": "Hook", "type": "webhook", "settings": {"url": "https://hooks.acme.example/in"}}
CAMPAIGN = {"name": "Post-purchase", "survey": "Relationship NPS", "channel": "email", "event": "Order Completed"}
WHOLE = """
workspace: Acme
brand: {name: Acme, from: "Acme <feedback@acme.example>", reply_to: success@acme.example, color: "#2563EB",
        address: "Acme, 1 Main St"}
quiet_period: 720h
exclude: "match(traits.email, '*@acme.example')"
mail: {hourly_limit: 500, daily_limit: 5000, warm_up: 2027-01-31, count_opens: true}
sources:
  - {name: Website, write_key: wk_acme_website}
  - {name: Shop}
destinations:
  - {name: Surveys, type: surveys, sources: [Website], settings: {late_identify: 0, max_event_age: 24h, list: null}}
  - name: Warehouse hook
    type: webhook
    sources: [Website]
    settings: {url: "https://hooks.acme.example/in", secret: whsec_c2VjcmV0}
    events: {Order Completed: true, Page Scrolled: false}
    filters: [{if: "type = 'track' and contains(event, 'Debug')", then: drop}]
  - {name: Segment, type: segment, sources: [], settings: {write_key: wk_elsewhere, host: "https://api.segment.io"}}
tracking_plans:
  - name: Shop plan
    sources: [Shop]
    unplanned_events: block
    told: [Warehouse hook]
    events: {Order Completed: {properties: {total: number}, required: [total]}}
audiences:
  - {name: Order Completed Last 30days, where: {event: Order Completed, at_least: 1, within: 30d}, to: [Surveys]}
computed_traits:
  - {name: total_orders, count: {event: Order Completed}, to: [Surveys]}
surveys:
  - name: Relationship NPS
    kind: nps
    languages: [en, de]
    quiet_period: 90d
    send_back:
      {to: [Segment], events: {answered: NPS Answered}, properties: [value, comment], traits: {NPS_rating: value}}
  - {name: After support, kind: nps}
campaigns:
  - name: Post-purchase
    survey: Relationship NPS
    channel: email
    event: Order Completed
    where: "properties.total > 20"
    audience: Order Completed Last 30days
    list: Segment List
    delay: 0d
    throttle: 90d
    reminder: 3d
    older_than: 30d
    sample: 25%
    window: {days: [mon, tue], from: 09:00, to: 17:00, zone: contact}
    daily_cap: 500
    forward_to: success@acme.example
    quota: 10000
    starts: 2026-01-01
    ends: 2027-01-01T12:00:00Z
    template: {subject: "{{ brand }}: one question", intro: "Hi {{ traits.firstName | there }},"}
    status: ready
"""


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Installation]:
    app = Installation(config.read({}, data=tmp_path))
    yield app
    asyncio.run(app.close())


def apply(app: Installation, content: Any) -> list[dict[str, Any]]:
    given = yaml_text.load(content) if isinstance(content, str) else content
    return asyncio.run(workspace_file.apply(app, content=given))["changes"]


def export(app: Installation, workspace: str | None = None) -> dict[str, Any]:
    return asyncio.run(workspace_file.export(app, workspace=workspace))


def acme(**sections: Any) -> dict[str, Any]:
    return {"workspace": "Acme", **sections}


# ── what is kept ──


def test_a_file_applied_twice_changes_nothing_the_second_time(app: Installation):
    assert apply(app, WHOLE)
    assert apply(app, WHOLE) == []


def test_what_is_exported_changes_nothing_when_it_is_applied(app: Installation):
    apply(app, WHOLE)

    assert apply(app, yaml_text.dump(export(app))) == []


def test_what_is_exported_makes_the_same_workspace_elsewhere(app: Installation, tmp_path: Path):
    apply(app, WHOLE)
    other = Installation(config.read({}, data=tmp_path / "other"))
    apply(other, yaml_text.dump(export(app)))

    assert export(other) == export(app)
    asyncio.run(other.close())


def test_the_directory_obeys_what_the_file_says(app: Installation):
    apply(app, WHOLE)
    (workspace,) = app.directory.workspaces.values()
    campaign = app.directory.campaign(workspace.id, "Post-purchase")
    intake = app.directory.intakes[workspace.id]

    assert workspace.quiet_period is not None
    assert workspace.quiet_period.days == 30
    assert workspace.brand.color == "#2563eb"
    assert (campaign.sample, campaign.status, campaign.daily_cap) == (0.25, "ready", 500)
    assert intake.policy.late_identify.total_seconds() == 0
    surveys = app.directory.destinations[intake.destination]
    assert {app.directory.sources[number].name for number in surveys.sources or ()} == {"Website"}


def test_a_workspace_without_a_surveys_destination_gets_one_fed_by_every_source(app: Installation):
    apply(app, acme())

    assert export(app)["destinations"] == [{"name": "Heard", "type": "surveys"}]


def test_what_the_file_does_not_speak_of_is_left_alone(app: Installation):
    apply(app, WHOLE)
    before = export(app)

    assert apply(app, acme(surveys=[{"name": "A third", "kind": "nps"}])) == [
        {"place": "surveys[A third]", "added": True}
    ]
    after = export(app)
    assert after["surveys"].pop()["name"] == "A third"
    assert after == before


def test_what_a_line_leaves_out_is_not_there(app: Installation):
    apply(app, acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"throttle": "90d"}]))

    assert apply(app, acme(campaigns=[CAMPAIGN])) == [{"place": "campaigns[Post-purchase].throttle", "before": "90d"}]


def test_a_quiet_period_goes_by_null_and_not_by_silence(app: Installation):
    apply(app, acme(quiet_period="30d"))

    assert apply(app, acme()) == []
    assert apply(app, acme(quiet_period=None)) == [{"place": "quiet_period", "before": "30d"}]


def test_what_stands_below_mail_is_all_that_is_set_and_keys_are_left_alone(app: Installation):
    apply(app, WHOLE)
    asyncio.run(mail.new_key(app, 1, by="test"))
    changes = apply(app, acme(mail={"hourly_limit": 7}))

    assert {each["place"] for each in changes} == {
        "mail.hourly_limit",
        "mail.daily_limit",
        "mail.warm_up",
        "mail.count_opens",
    }
    assert export(app)["mail"] == {"hourly_limit": 7}
    assert app.mail_of(1).turn == 1
    assert apply(app, acme()) == []
    apply(app, acme(mail=None))
    assert "mail" not in export(app)


def test_a_source_without_a_key_is_given_one_and_keeps_it(app: Installation):
    (change,) = [each for each in apply(app, acme(sources=[{"name": "Shop"}])) if each["place"] == "sources[Shop]"]

    assert change["after"].startswith("wk_")
    assert apply(app, acme(sources=[{"name": "Shop"}])) == []


def test_each_change_of_a_survey_or_campaign_is_a_version(app: Installation):
    apply(app, acme(surveys=[SURVEY], campaigns=[CAMPAIGN]))
    apply(app, acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"delay": "1d"}]))
    counted = select(tables.versions.c.noun, func.max(tables.versions.c.version)).group_by(tables.versions.c.noun)

    assert dict(app.store.read_now(lambda connection: list(connection.execute(counted)))) == {
        "survey": 1,
        "campaign": 2,
    }
    assert next(iter(app.directory.campaigns.values())).version == 2


@pytest.mark.parametrize(
    ("was", "written", "then"),
    [
        ("active", "ready", "active"),  # ready means running: it runs
        ("active", None, "active"),
        ("active", "paused", "paused"),
        ("paused", "ready", "ready"),
        ("paused", "active", "active"),
        ("draft", "active", "active"),
        ("ready", "complete", "complete"),
    ],
)
def test_the_status_of_a_campaign(app: Installation, was: str, written: str | None, then: str):
    apply(app, acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"status": was}]))
    apply(app, acme(campaigns=[CAMPAIGN | ({"status": written} if written else {})]))

    assert next(iter(app.directory.campaigns.values())).status == then


def test_a_new_campaign_is_a_draft_unless_the_file_says_more(app: Installation):
    apply(app, acme(surveys=[SURVEY], campaigns=[CAMPAIGN]))

    assert next(iter(app.directory.campaigns.values())).status == "draft"


def test_the_workspace_of_the_first_run_takes_the_name_of_the_first_file(app: Installation):
    made = asyncio.run(first_run.init(app))
    apply(app, WHOLE)

    assert [each.name for each in app.directory.workspaces.values()] == ["Acme"]
    assert asyncio.run(first_run.init(app))["owner_email"] == made["owner_email"]


def test_a_workspace_that_was_named_is_not_renamed(app: Installation):
    asyncio.run(first_run.init(app, workspace="Robin's"))
    apply(app, WHOLE)

    assert sorted(each.name for each in app.directory.workspaces.values()) == ["Acme", "Robin's"]
    with pytest.raises(NotFound, match="one of Acme, Robin's"):
        export(app)


# ── what is refused ──


@pytest.mark.parametrize(
    ("content", "field", "words"),
    [
        (acme(surveyes=[]), "surveyes", "there is no such key. Known: workspace, brand"),
        ({}, "workspace", "write a name"),
        (acme(audiences=[{"name": "a"}]), "audiences[0].where", "who belongs"),
        (acme(computed_traits=[{"name": "a"}]), "computed_traits[0]", "write one of count"),
        (acme(quiet_period="30"), "quiet_period", "like 3d, 12h or 10m"),
        (acme(exclude="traits.email ="), "exclude", ""),
        (acme(brand={"colour": "red"}), "brand.colour", "no such key"),
        (acme(brand={"color": "red"}), "brand.color", "#2563eb"),
        (acme(brand={"from": "a@b\nBcc: c@d"}), "brand.from", "one line"),
        (acme(brand={"reply_to": "nobody"}), "brand.reply_to", "feedback@acme.example"),
        (acme(mail=7), "mail", "keys and values"),
        (acme(mail={"daily_limit": 0}), "mail.daily_limit", "whole number"),
        (acme(mail={"hourly_limit": "many"}), "mail.hourly_limit", "whole number"),
        (acme(mail={"domain_limit": True}), "mail.domain_limit", "whole number"),
        (acme(mail={"warm_up": "tomorrow"}), "mail.warm_up", "2027-01-31"),
        (acme(mail={"count_opens": "yes"}), "mail.count_opens", "true or false"),
        (acme(mail={"password": "swordfish"}), "mail.password", "Settings > Mail"),
        (acme(mail={"per_day": 5}), "mail.per_day", "no such key"),
        (acme(sources={"name": "a"}), "sources", "write a list"),
        (acme(sources=[{"name": "a", "write_key": "a b"}]), "sources[0].write_key", "4 to 100"),
        (acme(sources=[{"name": "a"}, {"name": "a"}]), "sources[1]", "stands above already"),
        (acme(destinations=[{"name": "Hook", "type": "pigeon"}]), "destinations[0].type", "webhook"),
        (acme(destinations=[{"name": "Hook", "type": "webhook"}]), "destinations[0].settings.url", "needs this"),
        (acme(destinations=[HOOK | {"enabled": "yes"}]), "destinations[0].enabled", "true or false"),
        (acme(destinations=[HOOK | {"events": {"a": "on"}}]), "destinations[0].events.a", "true or false"),
        (acme(destinations=[HOOK | {"filters": {}}]), "destinations[0].filters", "write a list"),
        (acme(destinations=[HOOK | {"filters": [{"if": "a =", "then": "drop"}]}]), "destinations[0].filters[0].if", ""),
        (acme(destinations=[HOOK | {"filters": [{"if": "all"}]}]), "destinations[0].filters[0].then", "drop"),
        (
            acme(destinations=[HOOK | {"settings": {"url": "https://127.0.0.1/"}}]),
            "destinations[0].settings.url",
            "not on the public internet",
        ),
        (
            acme(destinations=[OURS, {"name": "Other", "type": "surveys"}]),
            "destinations[1]",
            "one surveys destination",
        ),
        (acme(surveys=[{"name": "a", "kind": "csat"}]), "surveys[0].kind", "not yet"),
        (acme(surveys=[{"name": "a", "kind": "npss"}]), "surveys[0].kind", "write one of"),
        (acme(surveys=[SURVEY | {"languages": ["en", "tlh"]}]), "surveys[0].languages[1]", "not yet"),
        (acme(surveys=[SURVEY | {"send_back": {"to": []}}]), "surveys[0].send_back.to", "write a list"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"throttle": 90}]), "campaigns[0].throttle", "like 3d"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"audience": 7}]), "campaigns[0].audience", "write a text"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"reminder": "23h"}]), "campaigns[0].reminder", "24h or more"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"reminder": "30d"}]), "campaigns[0].reminder", "29d or less"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"reminder": "soon"}]), "campaigns[0].reminder", "like 3d"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"recurring": "7d"}]), "campaigns[0].recurring", "30d to 365d"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"language": "de"}]), "campaigns[0].language", "not yet"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"drip": "30d"}]), "campaigns[0].drip", "leave it out"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"recipients": "list"}]), "campaigns[0].list", "name the list"),
        (
            acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"recipients": "all"}]),
            "campaigns[0].recipients",
            "write one of",
        ),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"api": "yes"}]), "campaigns[0].api", "true or false"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"channel": "widget"}]), "campaigns[0].channel", "not yet"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"trottle": "1d"}]), "campaigns[0].trottle", "no such key"),
        (acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"where": "a ="}]), "campaigns[0].where", ""),
        (
            acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"template": {"intro": "{{ plan }}"}}]),
            "campaigns[0].template.intro",
            "traits.plan",
        ),
        (acme(campaigns=[{"name": "a"}]), "campaigns[0].survey", "name the survey"),
    ],
)
def test_a_fault_is_named_by_its_place(content: dict[str, Any], field: str, words: str):
    with pytest.raises(Invalid) as refused:
        read(content)

    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field.split('[')[0].split('.')[0]}")
    assert words in str(refused.value)


def test_a_fault_anywhere_changes_nothing(app: Installation):
    with pytest.raises(Invalid, match="there is no survey 'Other'"):
        apply(app, acme(surveys=[SURVEY], campaigns=[CAMPAIGN | {"survey": "Other"}]))

    assert app.directory.workspaces == {}


def test_a_write_key_of_another_source_is_refused(app: Installation):
    apply(app, acme(sources=[{"name": "Website", "write_key": "wk_acme"}]))

    with pytest.raises(Invalid, match="wk_acme is in use on this server"):
        apply(app, {"workspace": "Robin's", "sources": [{"name": "Shop", "write_key": "wk_acme"}]})


def test_a_destination_is_fed_by_sources_that_exist(app: Installation):
    with pytest.raises(Invalid, match="there is no source 'Shop'"):
        apply(app, acme(destinations=[{"name": "Heard", "type": "surveys", "sources": ["Shop"]}]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("workspace: A\nworkspace: B\n", "line 2, column 1: the key 'workspace' stands here twice"),
        ("surveys:\n  - {name: a, name: b}\n", "line 2.*'name' stands here twice"),
        ("workspace: [\n", "line 2"),
        ("workspace: !!python/object/apply:os.system ['true']\n", "could not determine a constructor"),
        ("yes: 1\n", "put the key True into quotes"),
        ("workspace: " + "[" * 5_000, "too many levels deep"),
    ],
)
def test_what_is_not_plain_yaml_is_refused_with_its_line(text: str, words: str):
    with pytest.raises(Invalid, match=words):
        yaml_text.load(text)


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (acme(campaigns=[{"name": "A", "survey": "R", "chanel": "email", "event": "E"}]), "campaigns[0].chanel"),
        (acme(campaigns=[{"name": "A", "survy": "R", "channel": "email", "event": "E"}]), "campaigns[0].survy"),
        (acme(surveys=[{"name": "R", "kin": "nps"}]), "surveys[0].kin"),
        (acme(destinations=[{"name": "H", "typ": "surveys"}]), "destinations[0].typ"),
    ],
)
def test_a_typo_is_named_before_what_it_leads_to(content: dict[str, Any], place: str):
    with pytest.raises(Invalid, match=re.escape(f"{place}: there is no such key. Known: ")):
        read(content)


def test_what_running_campaigns_lack_is_warned_of(app: Installation):
    bare = acme(surveys=[SURVEY], campaigns=[{**CAMPAIGN, "status": "draft"}])
    running = acme(campaigns=[{**CAMPAIGN, "status": "ready"}])
    drafted, started = (asyncio.run(workspace_file.apply(app, content=each)) for each in (bare, running))

    assert drafted["warnings"] == []
    assert [warning.partition(" is")[0] for warning in started["warnings"]] == ["brand.from", "brand.address"]
