"""Somebody asks to be forgotten: afterwards no byte of them is under the data folder, and nobody else is missing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from heard.channels.email.outbox import opened
from tests.contracts.receiver import Receiver
from tests.flow.running import ACME, RunningHeard, answer, eventually, links_in

ANN, MAIL, OLD_MAIL = "user-ann-1842", "Ann.Perkins@pawnee.example", "annie@pawnee.example"
NAMES = (ANN, MAIL, OLD_MAIL)
HOOK_SECRET = "a shared secret of some length"
HOOK = """
destinations:
  - {{name: Heard, type: surveys, sources: [Website], settings: {{late_identify: 10m}}}}
  - {{name: Hook, type: webhook, sources: [Website], settings: {{url: "{url}/in", secret: "{secret}"}}}}
  - {{name: Slow hook, type: webhook, sources: [Website], settings: {{url: "{url}/slow"}}}}
audiences:
  - {{name: Ordered lately, where: {{event: Order Completed, at_least: 1, within: 30d}}, to: [Heard, Hook]}}
computed_traits:
  - {{name: orders, count: {{event: Order Completed}}, to: [Heard, Hook]}}
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def heard(tmp_path: Path, receiver: Receiver) -> Iterator[RunningHeard]:
    workspace = ACME + HOOK.format(url=receiver.url, secret=HOOK_SECRET)
    with RunningHeard(
        tmp_path / "data", workspace=workspace, environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"}
    ) as running:
        yield running


def live(heard: RunningHeard) -> None:
    """Ann's life with us, and that of others who are near to her."""
    said = {"consent": {"categoryPreferences": {"Research": True, f"Mails to {MAIL}": True}}}
    heard.send("track", anonymousId="anon-of-ann", event="Looked Around", properties={"for": "shoes"}, context=said)
    heard.send("identify", userId=ANN, anonymousId="anon-of-ann", traits={"email": OLD_MAIL, "name": "Ann Perkins"})
    heard.send("track", userId=MAIL, event="Never Identified", context=said)
    heard.send("identify", userId=ANN, traits={"email": MAIL})
    heard.send("group", userId=ANN, groupId="pawnee", traits={"owner": MAIL, "plan": "gold"})
    heard.send("page", userId=ANN, name="Home", properties={"url": f"https://a.example/?email={quote(MAIL, safe='')}"})
    heard.send("track", userId=ANN, event="Order Completed", messageId=f"{ANN}-1", properties={"total": 50})
    heard.send("track", userId="leslie", event="Invited", properties={"whom": MAIL})
    heard.send("track", userId="leslie", event="Page Seen", properties={"of": f"/users/{ANN}/edit"})
    heard.send("identify", userId="leslie", traits={"email": "leslie@pawnee.example", "friend": ANN, "age": 40})
    heard.send("track", userId="leslie", event="Order Completed", properties={"total": 50})
    heard.send("alias", userId="user-ann-18422", previousId=ANN)
    heard.send("track", userId="user-ann-18422", event="Somebody Else", properties={"near": f"x{MAIL}"})
    heard.send("track", userId=ANN, event="Odd", properties="no object")
    heard.send("track", event="Nobody's", properties={"note": f"from {MAIL}"})
    message = {"userId": ANN, "event": "Opened", "writeKey": "wk_acme_website"}
    data = base64.b64encode(json.dumps(message).encode()).decode()
    httpx.get(f"{heard.url}/v1/pixel/track", params={"data": data})
    heard.settle()
    (mail,) = [
        each for path in (heard.data / "outbox").glob("*.eml") if MAIL in (each := opened(path.read_bytes()))["To"]
    ]
    html = mail.get_body(("html",))
    assert html is not None
    links = links_in(html.get_content())
    for link in (links[9], links[9].partition("?")[0].replace("/s/", "/about/")):
        assert httpx.get(link, headers={"User-Agent": f"Phone of {MAIL}"}).status_code == 200
    assert answer(links[9], comment=f"Call me, {MAIL}").status_code == 200
    preferences = links[9].partition("?")[0].replace("/s/", "/u/")
    for way in ("less", "not-this"):
        assert httpx.post(f"{preferences}/{way}").status_code == 200
    (heard.data / "backups").mkdir(exist_ok=True)
    heard.cli("backup", str(heard.data / "backups"))
    heard.settle()


def regulate(heard: RunningHeard, what: str, *subjects: str, kind: str = "USER_ID") -> str:
    asked = {"regulationType": what, "subjectType": kind, "subjectIds": list(subjects)}
    return heard.post("regulations", asked)["data"]["regulateId"]


def status(heard: RunningHeard, regulation: str) -> str:
    return heard.get(f"regulations/{regulation}")["data"]["regulation"]["overallStatus"]


def finished(heard: RunningHeard, regulation: str) -> dict[str, Any]:
    eventually(lambda: status(heard, regulation) == "FINISHED", seconds=60, what="FINISHED", every=0.2)
    return heard.get(f"regulations/{regulation}")["data"]["regulation"]


def left_of(folder: Path, *names: str) -> list[tuple[str, str]]:
    """(file, how it is spelled there) of whatever of these names is in any file below."""
    spelled = {
        form.lower()
        for name in names
        for form in (
            name.encode(),
            quote(name, safe="").encode(),
            base64.b64encode(name.encode()).rstrip(b"="),
            base64.urlsafe_b64encode(name.encode()).rstrip(b"="),
        )
    }
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [
        (str(path.relative_to(folder)), each.decode())
        for path in files
        for content in [path.read_bytes().lower()]
        for each in spelled
        if each in content.replace(b"x" + MAIL.lower().encode(), b"").replace(b"user-ann-18422", b"")
    ]


def test_whoever_is_erased_leaves_no_byte_and_nobody_else_is_missing(heard: RunningHeard, receiver: Receiver):
    receiver.script += [400, 503, 500]  # dead letters, and messages that wait to be sent again
    live(heard)
    assert heard.get("scores", survey="Relationship NPS")["n"] == 1
    assert len({name for name, _ in left_of(heard.data, *NAMES)}) >= 3

    told = finished(heard, regulate(heard, "SUPPRESS_WITH_DELETE", ANN))

    assert left_of(heard.data, *NAMES) == []
    assert heard.get(f"contacts/{ANN}", status=404)["error"]["code"] == "not_found"
    leslie = heard.get("contacts/leslie")
    assert (leslie["traits"]["age"], leslie["traits"]["friend"]) == (40, "(erased)")
    assert [each["event"] for each in heard.get("messages", user_id="user-ann-18422")["data"]] == ["Somebody Else"]
    tracks = [each for each in heard.get("messages", user_id="leslie")["data"] if each["type"] == "track"]
    assert {each["event"] for each in tracks} == {"Order Completed"}
    assert heard.get("scores", survey="Relationship NPS")["n"] == 0
    assert [each["status"] for each in told["streamStatus"][0]["destinationStatus"]] == ["FINISHED", "FINISHED"]
    deletes = [each for each in receiver.received if json.loads(each.body).get("type") == "delete"]
    assert {json.loads(each.body)["userId"] for each in deletes} == {ANN}
    (signed,) = [each for each in deletes if each.path == "/in"]
    mac = hmac.new(HOOK_SECRET.encode(), signed.body, hashlib.sha1).hexdigest()
    assert signed.headers["x-signature"] == mac


@pytest.mark.parametrize("seconds", [0.0, 0.5, 1.0, 2.0])
def test_a_deletion_that_is_killed_goes_on_until_it_is_finished(
    heard: RunningHeard, receiver: Receiver, seconds: float
):
    live(heard)
    receiver.script += [503] * 400  # destinations are away, so that it is not finished before the kill
    regulation = regulate(heard, "SUPPRESS_WITH_DELETE", ANN)
    time.sleep(seconds)
    heard.kill()
    receiver.script.clear()

    heard.start()
    heard.send("track", userId=ANN, event="Not Taken")
    heard.advance("1m")
    finished(heard, regulation)

    assert left_of(heard.data, *NAMES) == []
    assert [each["event"] for each in heard.get("messages", user_id="user-ann-18422")["data"]] == ["Somebody Else"]


def test_destinations_that_stay_away_are_given_up_and_named(heard: RunningHeard, receiver: Receiver):
    heard.send("identify", userId=ANN, traits={"email": MAIL})
    heard.settle()
    receiver.script += [503] * 4000
    regulation = regulate(heard, "DELETE_ONLY", ANN)
    eventually(lambda: status(heard, regulation) == "RUNNING", what="RUNNING")
    for _ in range(30):
        heard.advance("20m")
        eventually(lambda: True)

    told = finished(heard, regulation)["streamStatus"][0]["destinationStatus"]
    assert [(each["name"], each["status"]) for each in told] == [("Hook", "FAILED"), ("Slow hook", "FAILED")]
    assert left_of(heard.data, ANN, MAIL) == []


def test_whoever_is_suppressed_is_refused_with_200_and_never_reaches_the_disk(heard: RunningHeard):
    regulate(heard, "SUPPRESS_ONLY", ANN)
    regulate(heard, "SUPPRESS_ONLY", MAIL, kind="EMAIL")
    batch = [
        {"type": "track", "userId": ANN, "event": "Order Completed"},
        {"type": "identify", "userId": "april", "traits": {"email": MAIL}},
        {"type": "track", "userId": "ron", "event": "Neighbour"},
    ]

    heard.send("track", userId=ANN, event="Order Completed")
    heard.send("batch", batch=batch)
    heard.settle()

    assert left_of(heard.data, ANN, MAIL) == []
    assert [each["user_id"] for each in heard.get("messages")["data"]] == ["ron"]
    assert "heard_collector_suppressed_total 3" in httpx.get(f"{heard.url}/metrics").text
    shown = heard.get("suppressions")["data"]["suppressions"]
    assert [(each["subjectType"], len(each["subjectIds"])) for each in shown] == [("USER_ID", 1), ("EMAIL", 1)]
    assert heard.get("suppressions", user_id=ANN)["data"]["suppressions"][0]["subjectIds"] == [ANN]


def test_a_suppression_outlives_a_restart(heard: RunningHeard):
    regulate(heard, "SUPPRESS_ONLY", ANN)
    heard.stop()
    heard.start()
    heard.send("track", userId=ANN, event="Order Completed")
    heard.settle()

    assert heard.get("messages")["data"] == []


def test_whoever_is_unsuppressed_is_taken_again_and_nothing_is_restored(heard: RunningHeard):
    heard.send("identify", userId=ANN, traits={"email": MAIL, "plan": "gold"})
    heard.settle()
    finished(heard, regulate(heard, "SUPPRESS_WITH_DELETE_INTERNAL", ANN))
    assert status(heard, regulate(heard, "UNSUPPRESS", ANN)) == "FINISHED"

    heard.send("identify", userId=ANN, traits={"email": MAIL})
    heard.settle()

    assert heard.get(f"contacts/{ANN}")["traits"] == {"email": MAIL}


def test_a_contact_who_is_suppressed_is_not_asked_until_that_is_taken_back(heard: RunningHeard):
    heard.send("identify", userId=ANN, traits={"email": MAIL})
    heard.settle()
    regulate(heard, "SUPPRESS_ONLY", ANN)

    def objections() -> set[str]:
        (now,) = heard.get(f"contacts/{ANN}/why")["now"]
        return {each["reason"] for each in now["objections"]}

    assert "suppressed" in objections()
    regulate(heard, "UNSUPPRESS", ANN)
    assert "suppressed" not in objections()


def test_another_account_behind_the_mailbox_stays_and_is_not_asked(heard: RunningHeard):
    for user in (ANN, "ann-at-work"):
        heard.send("identify", userId=user, traits={"email": MAIL})
    heard.settle()
    finished(heard, regulate(heard, "SUPPRESS_WITH_DELETE", ANN))

    assert left_of(heard.data, ANN) == []
    assert heard.get("contacts/ann-at-work")["email"] == MAIL
    (now,) = heard.get("contacts/ann-at-work/why")["now"]
    assert "suppressed" in {each["reason"] for each in now["objections"]}


def test_an_address_that_is_erased_takes_everybody_behind_it(heard: RunningHeard, receiver: Receiver):
    for user in (ANN, "ann-at-work"):
        heard.send("identify", userId=user, traits={"email": MAIL})
    heard.settle()
    finished(heard, regulate(heard, "DELETE_ONLY", MAIL.upper(), kind="EMAIL"))

    assert left_of(heard.data, ANN, MAIL, "ann-at-work") == []
    told = {json.loads(body)["userId"] for body in receiver.bodies if json.loads(body).get("type") == "delete"}
    assert told == {ANN, "ann-at-work"}


def test_a_request_has_segments_shapes(heard: RunningHeard):
    regulation = regulate(heard, "SUPPRESS_ONLY", ANN, "nobody")
    listed = heard.get("regulations")["data"]

    assert set(heard.get(f"regulations/{regulation}")["data"]["regulation"]) == {
        "id", "workspaceId", "overallStatus", "createdAt", "finishedAt", "streamStatus",
    }  # fmt: skip
    (one,) = listed["regulations"]
    assert (one["id"], one["regulationType"], one["subjectType"]) == (regulation, "SUPPRESS_ONLY", "USER_ID")
    assert (one["status"], len(one["subjects"])) == ("FINISHED", 2)
    assert listed["pagination"]["totalEntries"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("regulationType", "FORGET"),
        ("subjectType", "OBJECT_ID"),
        ("subjectIds", []),
        ("subjectIds", ["x"] * 5001),
        ("subjectIds", [" "]),
        ("subjectIds", ["x" * 513]),
    ],
)
def test_what_cannot_be_asked_for_is_refused_by_field(heard: RunningHeard, field: str, value: Any):
    asked = {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": ["ann"]} | {field: value}

    assert heard.post("regulations", asked, status=400)["error"]["field"] == field


def test_everything_about_one_person_is_one_document(heard: RunningHeard):
    live(heard)
    story = heard.get(f"contacts/{ANN}/export")

    assert story["contact"]["user_id"] == ANN
    assert [each["outcome"] for each in story["decisions"]] == ["invited"]
    assert len(story["messages"]) > 5
