"""The shared secret of a source: entered, made and removed on its page, and what Segment may post from then on."""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Iterator

import httpx
import pytest

from tests.flow.running import ACME, RunningHeard
from tests.web.visitors import Visitor, code_in, error_at, everything_kept, member, owner

SECRET = "a shared secret, ünïcödé"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("secrets") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def posted(address: str, *, signed_with: str | None) -> tuple[int, str | None]:
    """What Segment's Webhook destination is answered: the status, and the code of a refusal."""
    order = {"type": "track", "userId": "ann", "event": "Order Completed", "properties": {"by": signed_with}}
    body = json.dumps(order, ensure_ascii=False).encode()
    headers = {"Content-Type": "application/json"}
    if signed_with is not None:
        headers["X-Signature"] = hmac.new(signed_with.encode(), body, hashlib.sha1).hexdigest()
    answer = httpx.post(address, content=body, headers=headers)
    return answer.status_code, answer.json().get("code")


def test_what_is_signed_with_the_secret_that_was_entered_is_taken_and_nothing_else(heard: RunningHeard, ted: Visitor):
    path = ted.post("/sources", {"name": "Entered"})
    address = code_in(ted.get(path), "Address")
    assert posted(address, signed_with=None) == (200, None)

    assert ted.post(f"{path}/secret", {"secret": f" {SECRET}\n"}) == path

    assert posted(address, signed_with=SECRET) == (200, None)
    assert posted(address, signed_with="another secret") == (401, "signature_wrong")
    assert posted(address, signed_with=None) == (401, "signature_missing")
    heard.settle()
    kept = [each for each in heard.get("messages")["data"] if each["source"] == "Entered"]
    assert [each["message"]["properties"]["by"] for each in kept] == [SECRET, None]


def test_a_secret_is_made_shown_once_and_works(heard: RunningHeard, ted: Visitor):
    path = ted.post("/sources", {"name": "Made"})
    answer = ted.browser.post(f"{path}/secret/make", data={"form_token": ted.token()})
    secret = code_in(answer.text, "Shared secret")

    assert answer.headers["hx-replace-url"] == path  # loading the page again makes no other
    assert re.fullmatch(r"[\w-]{43}", secret)
    page = ted.get(path)
    assert secret not in page + ted.get("/sources") + ted.get("/settings/audit")
    assert "what is not signed with it is refused" in page
    assert posted(code_in(page, "Address"), signed_with=secret) == (200, None)


def test_another_one_takes_its_place_at_once(ted: Visitor):
    path = ted.post("/sources", {"name": "Made twice"})
    address = code_in(ted.get(path), "Address")
    first, second = (code_in(ted.post(f"{path}/secret/make", status=200), "Shared secret") for _ in range(2))

    assert posted(address, signed_with=first) == (401, "signature_wrong")
    assert posted(address, signed_with=second) == (200, None)


def test_removed_nothing_need_be_signed_and_the_collector_knows_it_no_longer(heard: RunningHeard, ted: Visitor):
    path = ted.post("/sources", {"name": "Removed"})
    address = code_in(ted.get(path), "Address")
    ted.post(f"{path}/secret", {"secret": "soon to be removed"})
    assert b"soon to be removed" in heard.data.joinpath("hooks.json").read_bytes()

    ted.post(f"{path}/secret/remove")

    assert posted(address, signed_with=None) == (200, None)
    assert posted(address, signed_with="soon to be removed") == (401, "signature_wrong")
    assert b"soon to be removed" not in heard.data.joinpath("hooks.json").read_bytes()
    assert "Make one" in ted.get(path)


def test_each_change_is_noted_without_the_secret(ted: Visitor):
    path = ted.post("/sources", {"name": "Noted"})
    ted.post(f"{path}/secret", {"secret": "not for the audit log"})
    ted.post(f"{path}/secret/make", status=200)
    for _ in range(2):
        ted.post(f"{path}/secret/remove")  # the second finds none, and is not noted

    log = ted.get("/settings/audit")
    assert "kept the shared secret of Noted" in log
    assert "made a shared secret for Noted" in log
    assert log.count("took away the shared secret of Noted") == 1
    assert "not for the audit log" not in log


@pytest.mark.parametrize("secret", ["", " " * 12, "seven77", "s" * 501])
def test_a_secret_that_is_too_short_or_too_long_is_refused_at_its_field(ted: Visitor, secret: str):
    path = ted.post("/sources", {"name": f"Refused {len(secret)}"})
    page = ted.post(f"{path}/secret", {"secret": secret}, status=422)

    assert error_at(page, "secret") == "Write the secret with 8 to 500 characters."
    assert "name-error" not in page
    assert not secret.strip() or secret not in page
    assert posted(code_in(page, "Address"), signed_with=None) == (200, None)


def test_the_workspace_file_and_the_page_speak_of_the_same_secret(heard: RunningHeard, ted: Visitor):
    heard.apply(ACME.replace("wk_acme_website}", "wk_acme_website, webhook_secret: written in the file}"))
    page = ted.get("/sources/1")
    assert "Make another" in page
    assert "written in the file" not in page

    ted.post("/sources/1/secret", {"secret": "entered on the page"})

    assert "webhook_secret: entered on the page" in heard.cli("export")
    assert posted(code_in(page, "Address"), signed_with="entered on the page") == (200, None)
    ted.post("/sources/1/secret/remove")


def test_secrets_are_for_admins(heard: RunningHeard, ted: Visitor):
    path = ted.post("/sources", {"name": "Guarded"})
    acts = ("secret", "secret/make", "secret/remove")
    for role, statuses in (("viewer", [403] * 3), ("member", [403] * 3), ("admin", [303, 200, 303])):
        visitor = member(heard, f"{role}@secrets.example", role)
        page = visitor.get(path)
        form = {"form_token": visitor.token(), "secret": f"of somebody {role}"}

        assert [visitor.browser.post(f"{path}/{act}", data=form).status_code for act in acts] == statuses
        assert ('id="secret"' in page) == (role == "admin")
    assert b"of somebody member" not in everything_kept(heard)


def test_a_source_of_another_workspace_is_not_found_and_keeps_its_secret(heard: RunningHeard, ted: Visitor):
    heard.cli("init", "--workspace", "MacLaren", "--json")
    theirs = ACME.replace("Acme", "MacLaren").replace("wk_acme_website", "wk_maclaren, webhook_secret: of the pub only")
    heard.apply(theirs)
    number = json.loads(heard.data.joinpath("keys.json").read_bytes())["wk_maclaren"]

    for act, data in (("secret", {"secret": "of somebody else"}), ("secret/make", {}), ("secret/remove", {})):
        ted.post(f"/sources/{number}/{act}", data, status=404)

    assert posted(f"{heard.url}/hooks/segment/wk_maclaren", signed_with="of the pub only") == (200, None)
    ted.post("/sources/999/secret/make", status=404)
