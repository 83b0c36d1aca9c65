"""Secret keys: shown once, scoped, known by when they were used, gone at once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.flow.running import RunningHeard, eventually
from tests.web.visitors import Visitor, code_in, error_at, everything_kept, member, owner


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("keys") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def made(ted: Visitor, name: str, scope: str = "full") -> str:
    page = ted.post("/settings/keys", {"name": name, "scope": scope}, status=200)
    assert "Copy it now" in page
    return code_in(page, f"Secret key {name}")


def number_of(ted: Visitor, name: str) -> str:
    found = re.search(rf">{name}</th>.*?/settings/keys/(\d+)/rotate", ted.get("/settings/keys"), re.S)
    assert found is not None
    return found[1]


def call(heard: RunningHeard, key: str, method: str = "GET", path: str = "responses") -> httpx.Response:
    return httpx.request(method, f"{heard.url}/api/{path}", headers={"Authorization": f"Bearer {key}"}, timeout=20)


def test_a_key_is_shown_once_and_kept_nowhere(heard: RunningHeard, ted: Visitor):
    key = made(ted, "Warehouse")

    assert call(heard, key).status_code == 200
    assert key not in ted.get("/settings/keys")
    assert key not in ted.get("/settings/audit")
    assert f"{key[:7]}…{key[-4:]}" in ted.get("/settings/keys")
    assert "made the key Warehouse, scope full" in ted.get("/settings/audit")
    assert key.encode() not in everything_kept(heard)


def test_a_key_that_may_only_read_changes_nothing(heard: RunningHeard, ted: Visitor):
    key = made(ted, "Reports", "read")

    assert call(heard, key).status_code == 200
    refused = call(heard, key, "POST", "campaigns/Post-purchase/pause")

    assert refused.status_code == 403
    assert refused.json()["error"] == {
        "code": "forbidden",
        "message": "This key may only read. Make one with the scope `full` to change something.",
    }
    assert heard.cli("export", "--json")["campaigns"][0]["status"] == "ready"


def test_the_last_use_is_known_to_the_hour(heard: RunningHeard, ted: Visitor):
    key = made(ted, "Nightly")

    def used() -> str | None:
        return next(each["last_used"] for each in heard.cli("keys", "list", "--json") if each["name"] == "Nightly")

    assert used() is None
    call(heard, key)
    first = eventually(used, what="the first use")
    call(heard, key)
    heard.settle()
    assert used() == first
    heard.advance("2h")
    call(heard, key)
    assert eventually(lambda: (now := used()) != first and now, what="the later use") > first


def test_a_rotated_key_gives_way_to_the_new_one(heard: RunningHeard, ted: Visitor):
    old = made(ted, "Rotated", "read")

    page = ted.post(f"/settings/keys/{number_of(ted, 'Rotated')}/rotate", status=200)
    new = code_in(page, "Secret key Rotated")

    assert (call(heard, old).status_code, call(heard, new).status_code) == (401, 200)
    assert call(heard, new, "POST", "campaigns/Post-purchase/pause").status_code == 403  # the scope stays
    assert "put a new key in the place of Rotated" in ted.get("/settings/audit")


def test_a_revoked_key_stops_at_once_and_for_ever(heard: RunningHeard, ted: Visitor):
    key, number = made(ted, "Gone"), number_of(ted, "Gone")
    assert "It stops working at once and for ever" in ted.get("/settings/keys")

    ted.post(f"/settings/keys/{number}/revoke")

    assert call(heard, key).status_code == 401
    ted.post(f"/settings/keys/{number}/rotate", status=404)
    assert "Revoked keys" in ted.get("/settings/keys")
    assert "revoked the key Gone" in ted.get("/settings/audit")


def test_what_is_wrong_with_a_new_key_is_said_at_its_field(ted: Visitor):
    made(ted, "Taken")
    page = ted.post("/settings/keys", {"name": "Taken", "scope": "read"}, status=422)

    assert error_at(page, "name") == "There is a key called 'Taken' already."
    assert 'value="Taken"' in page
    assert re.search(r'value="read"[^>]* checked', page)
    assert error_at(ted.post("/settings/keys", {"name": " ", "scope": "full"}, status=422), "name").startswith("Give")
    assert error_at(ted.post("/settings/keys", {"name": "x", "scope": "all"}, status=422), "scope") == (
        "Write a scope: full or read."
    )


def test_what_a_key_does_is_noted_under_its_name(heard: RunningHeard, ted: Visitor):
    key = made(ted, "Pauser")
    assert call(heard, key, "POST", "campaigns/Post-purchase/pause").status_code == 200
    assert call(heard, key, "POST", "campaigns/Post-purchase/activate").status_code == 200

    log = re.sub(r"<[^>]+>", "", ted.get("/settings/audit"))
    assert "key Pauser paused the campaign Post-purchase" in log
    assert "key Pauser activated the campaign Post-purchase" in log


def test_commands_know_scopes_and_are_noted(heard: RunningHeard, ted: Visitor):
    added = heard.cli("keys", "add", "From a shell", "--scope", "read", "--json")
    assert (added["scope"], call(heard, added["secret_key"]).status_code) == ("read", 200)
    assert "Write a scope: full or read." in heard.cli("keys", "add", "x", "--scope", "all", code=1)
    heard.cli("keys", "rotate", "From a shell", "--json")
    heard.cli("keys", "revoke", "From a shell", "--json")

    table = heard.cli("keys", "list")
    assert table.splitlines()[0].split() == ["Name", "Key", "Scope", "Made", "Used", "Revoked"]
    log = re.sub(r"<[^>]+>", "", ted.get("/settings/audit"))
    for act in ("made the key From a shell, scope read", "put a new key in the place", "revoked the key From a shell"):
        assert f"command line {act}" in log


def test_keys_are_for_admins(heard: RunningHeard):
    for role, status in (("viewer", 403), ("member", 403), ("admin", 200)):
        visitor = member(heard, f"{role}@keys.example", role)
        visitor.get("/settings/keys", status=status)
        visitor.post("/settings/keys", {"name": f"of {role}", "scope": "full"}, status=status)
