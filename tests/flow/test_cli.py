"""Every command, beside a running server and without one: the same work, the same words, the same exit codes."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.flow.running import ACME, HEARD, RunningHeard

SURVEY = "Relationship NPS"


@pytest.fixture(scope="module", params=["beside a server", "without a server"])
def heard(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """One folder for all tests of a kind: each leaves to the others what they look at."""
    with RunningHeard(tmp_path_factory.mktemp("heard") / "data") as running:
        if request.param == "without a server":
            running.stop()
        yield running


def run(*arguments: str, data: Path, stdin: str | None = None, **environment: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HEARD_")}
    return subprocess.run(
        [str(HEARD), *arguments],
        env=clean | {"HEARD_DATA": str(data)} | environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_init_shows_secrets_once_and_changes_nothing_again(tmp_path: Path):
    first = run("init", "--workspace", "Acme", "--json", data=tmp_path / "new")
    again = run("init", "--json", data=tmp_path / "new")
    made, known = json.loads(first.stdout), json.loads(again.stdout)

    assert list(made) == ["workspace", "write_key", "secret_key", "owner_email", "owner_password"]
    assert made["write_key"].startswith("wk_")
    assert len(made["secret_key"]) >= 40
    assert known == {name: made[name] for name in ("workspace", "write_key", "owner_email")}


def test_only_the_owner_of_the_machine_can_read_the_folder(tmp_path: Path):
    run("init", data=tmp_path / "new")

    assert (tmp_path / "new").stat().st_mode & 0o077 == 0


def test_apply_says_what_changed_and_then_that_nothing_did(heard: RunningHeard):
    text = ACME.replace("throttle: 90d", "throttle: 60d")

    assert heard.apply(text) == "~ campaigns[Post-purchase].throttle: 90d -> 60d\n"
    assert heard.apply(text) == "= Acme: nothing changed\n"


def test_apply_names_the_keys_of_a_destination_that_changed_and_shows_no_secret(heard: RunningHeard):
    hook = """
destinations:
  - name: Hook
    type: webhook
    enabled: false
    settings: {url: "https://hooks.acme.example/in", secret: "a long random text", headers: {X-Shop: "1"}}
"""
    heard.apply(ACME + hook)

    [secret, events] = heard.apply(ACME + hook.replace("random", "other") + "    events: {Debug: false}").splitlines()

    assert re.fullmatch(r"~ destinations\[Hook\]\.settings\.secret: \(secret \w{8}\) -> \(secret \w{8}\)", secret)
    assert events == "~ destinations[Hook].events.Debug: none -> false"


def test_why_says_that_an_identify_may_wait_for_the_next_day_as_well(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        heard.apply(ACME + "\ndestinations:\n  - {name: Heard, type: surveys, settings: {daily_limit: 1}}\n")
        heard.send("identify", userId="ted", traits={"email": "ted@mosby.example"})
        heard.send("identify", userId="lily", traits={"email": "lily@aldrin.example"})
        heard.send("track", userId="lily", event="Order Completed")
        heard.settle()

        said = heard.cli("why", "lily")

    assert "lily is not known yet; an identify may wait for the next day as well." in said
    assert "intake_limit" in said


def test_export_can_be_piped_into_apply(heard: RunningHeard):
    exported = run("export", data=heard.data)
    applied = run("apply", "-", data=heard.data, stdin=exported.stdout)

    assert (applied.returncode, applied.stdout) == (0, "= Acme: nothing changed\n")


def test_a_fault_in_the_file_is_one_sentence_with_its_place(heard: RunningHeard):
    said = run("apply", "-", data=heard.data, stdin=ACME.replace("throttle: 90d", "throttle: 90"))

    assert (said.returncode, said.stdout) == (1, "")
    assert said.stderr.startswith("campaigns[0].throttle: Write a length of time like 3d")
    assert len(said.stderr.splitlines()) == 1


def test_members_are_added_given_passwords_and_removed(heard: RunningHeard):
    added = heard.cli("users", "add", "ted@acme.example", "--role", "admin", "--json")
    changed = heard.cli("users", "password", "TED@acme.example", "--json")

    assert added["password"] != changed["password"]
    assert [each["email"] for each in heard.cli("users", "list", "--json")] == ["owner@localhost", "ted@acme.example"]
    assert "member already" in heard.cli("users", "add", "Ted@Acme.example", code=1)
    heard.cli("users", "remove", "ted@acme.example")
    assert [each["email"] for each in heard.cli("users", "list", "--json")] == ["owner@localhost"]
    assert "last owner" in heard.cli("users", "remove", "owner@localhost", code=1)


def test_keys_are_shown_once_and_stop_working(heard: RunningHeard):
    added = heard.cli("keys", "add", "warehouse", "--json")
    rotated = heard.cli("keys", "rotate", "warehouse", "--json")
    heard.cli("keys", "revoke", "first key")
    listed = heard.cli("keys", "list", "--json")

    assert added["secret_key"] != rotated["secret_key"]
    assert [(each["name"], each["revoked_at"] is None) for each in listed] == [
        ("first key", False),
        ("warehouse", False),
        ("warehouse", True),
    ]
    assert not {"secret_key", "fingerprint"} & set(listed[0])
    assert "no key 'first key'" in heard.cli("keys", "revoke", "first key", code=1)


def test_why_and_score_of_nobody(heard: RunningHeard):
    why = heard.cli("why", "robin", "--json")

    assert (why["contact"], why["decisions"]) == (None, [])
    assert [each["reason"] for each in why["now"][0]["objections"]] == ["not_identified"]
    assert "robin was never identified." in heard.cli("why", "robin")
    assert heard.cli("score", SURVEY, "--json")["score"] is None
    assert "No answers yet, so there is no number." in heard.cli("score", SURVEY)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("score", "Nothing"), "There is no survey 'Nothing'. Surveys: Relationship NPS."),
        (("score", SURVEY, "--where", "traits.plan ="), ""),
        (("score", SURVEY, "--from", "yesterday"), "2026-01-31"),
        (("why", "ann", "--campaign", "Nothing"), "There is no campaign 'Nothing'. Campaigns: Post-purchase."),
        (("export", "--workspace", "Robin's"), 'There is no workspace "Robin\'s". Workspaces: Acme.'),
        (("apply", "nowhere.yaml"), "nowhere.yaml cannot be read: No such file or directory."),
        (("users", "add", "ted"), "Write an e-mail address, not 'ted'."),
        (("users", "add", "t@x.example", "--role", "king"), "Write a role: owner, admin, member, viewer."),
    ],
)
def test_a_failure_is_one_sentence_and_no_traceback(heard: RunningHeard, arguments: tuple[str, ...], words: str):
    said = run(*arguments, data=heard.data)

    assert (said.returncode, said.stdout) == (1, "")
    assert words in said.stderr
    assert len(said.stderr.splitlines()) == 1


def test_wrong_usage_exits_2(tmp_path: Path):
    assert run("score", data=tmp_path).returncode == 2
    assert run("nonsense", data=tmp_path).returncode == 2
    assert run("serve", "--port", "high", data=tmp_path).returncode == 2


def test_asking_does_not_make_a_data_folder(tmp_path: Path):
    said = run("why", "ann", data=tmp_path / "typo")

    assert (said.returncode, (tmp_path / "typo").exists()) == (1, False)
    assert "There is no Heard in" in said.stderr


def test_a_setting_with_a_typo_stops_the_start(tmp_path: Path):
    said = run("init", data=tmp_path, HEARD_DATABSE_URL="sqlite:///x")

    assert said.returncode == 1
    assert said.stderr.startswith("HEARD_DATABSE_URL is not a setting of Heard.")


def test_a_new_write_key_works_when_apply_returns(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        for number in range(5):
            heard.apply(ACME.replace("wk_acme_website", f"wk_{number}_website"))
            answer = httpx.post(
                f"{heard.url}/v1/track", json={"userId": "u", "event": "E"}, auth=(f"wk_{number}_website", "")
            )
            assert answer.status_code == 200


def test_a_whole_story_told_by_why_and_score(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        heard.send("identify", userId="marshall", traits={"email": "marshall@eriksen.example", "plan": "Premium"})
        for number in (1, 2):
            heard.send(
                "track", userId="marshall", event="Order Completed", messageId=f"o{number}", properties={"total": 50}
            )
            heard.settle()
        story: Any = heard.cli("why", "email:Marshall@Eriksen.example", "--json")
        told = heard.cli("why", "marshall")
        heard.advance("91d")
        later = heard.cli("why", "marshall")

    assert [each["outcome"] for each in story["decisions"]] == ["declined", "invited"]
    assert {each["reason"] for each in story["decisions"][0]["objections"]} == {"campaign_throttle", "asked_within_24h"}
    assert "two rules objected. The last lapses on" in told
    assert "in 90 days" in told
    assert "would be invited." in later


def test_two_commands_at_once_wait_for_each_other(tmp_path: Path):
    data = tmp_path / "data"
    run("init", data=data)
    environment = {**os.environ, "HEARD_DATA": str(data)}
    both = [
        subprocess.Popen([str(HEARD), "keys", "add", name], env=environment, stdout=subprocess.PIPE) for name in "ab"
    ]
    for process in both:
        process.communicate(timeout=60)

    assert [process.returncode for process in both] == [0, 0]
    assert len(json.loads(run("keys", "list", "--json", data=data).stdout)) == 3
