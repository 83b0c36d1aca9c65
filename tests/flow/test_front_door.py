"""Heard where Segment stood: between libraries and destinations, every step with real parts."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from datetime import datetime
from operator import sub
from pathlib import Path
from typing import Any

import httpx
import pytest
import segment.analytics as segment

from tests.contracts.receiver import Receiver
from tests.flow.running import RunningHeard, eventually

SECRET = "whsec_c2hhcmVkIGJ5IHR3bw=="


def workspace(hook: str, **more: Any) -> dict[str, Any]:
    return {
        "workspace": "Acme",
        "sources": [{"name": "Website", "write_key": "wk_acme_website"}],
        "destinations": [
            {"name": "Heard", "type": "surveys", "sources": ["Website"], "settings": {"daily_limit": 50_000}},
            {
                "name": "Warehouse hook",
                "type": "webhook",
                "sources": ["Website"],
                "settings": {"url": hook, "secret": SECRET},
                "events": {"Order Completed": True, "Page Scrolled": False},
                "filters": [{"if": "type = 'track' and contains(event, 'Debug')", "then": "drop"}],
                **more,
            },
        ],
    }


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as started:
        yield started


@pytest.fixture
def heard(tmp_path: Path, receiver: Receiver) -> Iterator[RunningHeard]:
    running = RunningHeard(
        tmp_path / "data",
        environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"},
        workspace=json.dumps(workspace(f"{receiver.url}/in")),  # YAML too
    )
    with running:
        yield running


def library(heard: RunningHeard) -> segment.Client:
    return segment.Client("wk_acme_website", host=heard.url, sync_mode=True)


def messages(heard: RunningHeard) -> list[dict[str, Any]]:
    return heard.get("messages")["data"]


def bodies(receiver: Receiver) -> list[dict[str, Any]]:
    return [json.loads(body) for body in receiver.bodies]


AS_SENT = {
    "nested": {"list": [1, 2.5, {"deep": [None, True, "x"]}], "empty": {}},
    "spaces in keys": {"and in these": "Ärger 🎉 \u2028"},
    "nothing": None,
    'quote"d': "back\\slash",
}


def test_what_a_library_sends_a_webhook_receives_signed_and_unchanged(heard: RunningHeard, receiver: Receiver):
    send = library(heard)
    send.identify("ann", {"email": "ann@example.com", **AS_SENT}, anonymous_id="a1")
    send.track("ann", "Order Completed", AS_SENT, integrations={"Unknown Product": {"option": [1]}})
    eventually(lambda: len(receiver.received) == 2, what="both messages")

    for each in receiver.received:
        assert each.headers["x-signature"] == hmac.new(SECRET.encode(), each.body, hashlib.sha1).hexdigest()
        assert each.headers["webhook-signature"].startswith("v1,")
    identify, track = bodies(receiver)
    assert (identify["userId"], identify["anonymousId"]) == ("ann", "a1")
    assert identify["traits"] == {"email": "ann@example.com", **AS_SENT}
    assert track["properties"] == AS_SENT
    assert track["integrations"] == {"Unknown Product": {"option": [1]}}
    assert track["context"]["library"]["name"] == "analytics-python"
    assert "writeKey" not in track
    kept = {each["message_id"]: each for each in messages(heard)}
    assert {identify["messageId"], track["messageId"]} == set(kept)


def test_an_integrations_object_a_switch_and_a_filter_each_stop_a_message_and_say_so(
    heard: RunningHeard, receiver: Receiver
):
    send = library(heard)
    send.track("ann", "Private", integrations={"All": False, "Heard": True})
    send.track("ann", "Page Scrolled")
    send.track("ann", "Debug session")
    send.track("ann", "Order Completed")
    eventually(lambda: receiver.received, what="the order")
    eventually(lambda: len(messages(heard)) == 4, what="all four on record")

    why = {each["event"]: {no["destination"]: no["why"] for no in each["not_to"]} for each in messages(heard)}
    assert [each["event"] for each in bodies(receiver)] == ["Order Completed"]
    assert '"All": false' in why["Private"]["Warehouse hook"]
    assert "switched off" in why["Page Scrolled"]["Warehouse hook"]
    assert "contains(event, 'Debug')" in why["Debug session"]["Warehouse hook"]
    assert why["Order Completed"] == {}


def test_a_killed_webhook_comes_back_and_catches_up(tmp_path: Path):
    with Receiver() as first:
        port = first.port
        running = RunningHeard(
            tmp_path / "data",
            environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"},
            workspace=json.dumps(workspace(f"{first.url}/in")),
            test_clock=False,
        )
        with running:
            send = library(running)
            send.track("ann", "Before")
            eventually(lambda: first.received, what="the first")
            first.__exit__(None, None, None)
            for number in range(200):
                send.track(f"user {number}", f"While it was away {number}")
            with Receiver(port=port) as second:
                eventually(lambda: len(second.received) >= 200, seconds=60, what="the rest")
                arrived = [each["event"] for each in bodies(second)]
                assert len(set(arrived)) == 200


def test_replay_sends_a_week_again(heard: RunningHeard, receiver: Receiver):
    """Seven days with a message each, and one from the hour before them that stays where it is."""
    send = library(heard)
    send.track("ann", "The week before")
    heard.advance("2h")
    send.identify("ann", {"plan": "Premium"})
    week = ("Order Completed", "Page Scrolled", "Debug session", "Order Completed", "Invoice Paid", "Order Completed")
    for event in week:
        heard.advance("24h")
        send.track("ann", event, integrations={"Heard": True})
    heard.advance("23h")  # the identify is an hour younger than a week now, and what came before it an hour older
    eventually(lambda: len(receiver.received) == 6, what="all but what a switch and a filter stop")
    before = bodies(receiver)
    assert before[0]["event"] == "The week before"
    kept = [datetime.fromisoformat(each["received_at"]) for each in reversed(messages(heard))]
    assert [gap.total_seconds() // 3600 for gap in map(sub, kept[1:], kept)] == [2, *[24] * 6]

    said = heard.cli("replay", "Warehouse hook", "--since", "7d", "--json")

    assert (said["state"], said["looked_at"], said["sent"]) == ("done", 7, 6)
    again = bodies(receiver)[6:]
    sent = [event for event in week if event != "Debug session"]  # filters hold in a replay, switches do not
    assert [each.get("event") for each in again] == [None, *sent]
    assert all(each["integrations"] == {"All": False, "Warehouse hook": True} for each in again)
    assert {each["messageId"] for each in again} > {each["messageId"] for each in before[1:]}
    ids = [each.headers["webhook-id"] for each in receiver.received]
    assert len(set(ids)) == 12  # a receiver that drops repeats takes a replay all the same


def test_line_20_replay_works_on_a_destination_that_is_switched_off_and_keeps_consent(tmp_path: Path):
    with Receiver() as receiver:
        content = workspace(f"{receiver.url}/in", enabled=False)
        content["destinations"][1]["settings"]["consent_categories"] = ["Ads"]
        environment = {"HEARD_ALLOW_PRIVATE_NETWORK": "on"}
        with RunningHeard(tmp_path / "data", environment=environment, workspace=json.dumps(content)) as heard:
            send = library(heard)
            consent = {"consent": {"categoryPreferences": {"Ads": False}}}
            send.track("ann", "Said no", context=consent)
            send.track("ann", "Said nothing")
            eventually(lambda: len(messages(heard)) == 2, what="both on record")
            assert receiver.received == []
            said = heard.cli("replay", "Warehouse hook", "--since", "1d", "--json")
            assert (said["looked_at"], said["sent"]) == (2, 1)
            assert [each["event"] for each in bodies(receiver)] == ["Said nothing"]


def test_replay_without_a_server_is_done_by_the_command(heard: RunningHeard, receiver: Receiver):
    library(heard).track("ann", "Order Completed")
    eventually(lambda: receiver.received, what="the order")
    heard.stop()
    said = heard.cli("replay", "Warehouse hook", "--since", "1h", "--json")
    assert (said["state"], said["sent"]) == ("done", 1)
    assert len(receiver.received) == 2


def test_line_25_a_track_that_overtook_its_identify_leads_to_a_survey(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        call = {"userId": "ann", "event": "Order Completed", "properties": {"total": 30}}
        auth = ("wk_acme_website", "")
        assert httpx.post(f"{heard.url}/v1/t", json=call, auth=auth).status_code == 200
        time.sleep(0.01)
        traits = {"userId": "ann", "traits": {"email": "ann@example.com"}}
        assert httpx.post(f"{heard.url}/v1/i", json=traits, auth=auth).status_code == 200
        eventually(lambda: heard.get("deliveries", user_id="ann")["data"], what="the survey")
        stranger = {**call, "userId": "nobody"}
        assert httpx.post(f"{heard.url}/v1/t", json=stranger, auth=auth).status_code == 200
        heard.advance("1h")
        ((declined),) = heard.cli("why", "nobody", "--json")["decisions"]
        assert [no["reason"] for no in declined["objections"]] == ["not_identified"]


def test_line_22_the_events_of_somebody_identified_lead_to_a_survey_after_the_delay_and_once_a_throttle(tmp_path: Path):
    content = {
        "workspace": "Acme",
        "sources": [{"name": "Website", "write_key": "wk_acme_website"}],
        "surveys": [{"name": "Relationship NPS", "kind": "nps"}],
        "campaigns": [
            {
                "name": "After the trial",
                "survey": "Relationship NPS",
                "channel": "email",
                "event": "Trial Started",
                "delay": "7d",
                "throttle": "90d",
                "status": "ready",
            }
        ],
    }
    with RunningHeard(tmp_path / "data", workspace=json.dumps(content)) as heard:
        send = library(heard)
        send.track("nobody", "Trial Started")
        heard.advance("1h")
        assert heard.cli("export").count("status: ready") == 1  # a stranger's event activates nothing
        send.identify("ann", {"email": "ann@example.com"})
        send.track("ann", "Trial Ended")
        send.track("ann", "Trial Started")
        heard.settle()
        assert "status: active" in heard.cli("export")
        (delivery,) = heard.get("deliveries")["data"]
        assert (delivery["user_id"], delivery["state"]) == ("ann", "scheduled")
        heard.advance("6d")
        assert [each["state"] for each in heard.get("deliveries")["data"]] == ["scheduled"]
        heard.advance("1d")
        assert [each["state"] for each in heard.get("deliveries")["data"]] == ["sent"]
        send.track("ann", "Trial Started")
        heard.settle()
        newest = heard.get("contacts/ann/why")["decisions"][0]
        assert (newest["outcome"], newest["objections"][0]["reason"]) == ("declined", "campaign_throttle")
        heard.advance("91d")
        send.track("ann", "Trial Started")
        heard.advance("8d")
        assert [each["state"] for each in heard.get("deliveries")["data"]] == ["sent", "expired"]


def test_fault_17_a_message_sent_again_because_its_200_was_lost_has_no_second_effect(
    heard: RunningHeard, receiver: Receiver
):
    call = {"userId": "ann", "event": "Order Completed", "messageId": "order-1"}
    for _ in range(3):
        heard.send("track", **call)
    heard.settle()
    assert [each["message_id"] for each in messages(heard)] == ["order-1"]
    assert len(receiver.received) == 1
