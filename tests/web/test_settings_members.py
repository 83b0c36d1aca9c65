"""Members: invited by a link, given a role, removed; and another workspace beside this one."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.flow.running import RunningHeard
from tests.web.visitors import Visitor, code_in, error_at, everything_kept, member, owner

PASSWORD = "Suit up, every day"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("members") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Visitor:
    return owner(heard)


def invited(by: Visitor, note: str, role: str) -> str:
    """The path of the link."""
    page = by.post("/settings/members", {"note": note, "role": role}, status=200)
    assert "shown this once" in page
    return "/" + code_in(page, "Invitation link").split("/", 3)[3]


def joined(heard: RunningHeard, path: str, email: str, password: str = PASSWORD) -> Visitor:
    visitor = Visitor(heard.url)
    answer = visitor.browser.post(path, data={"email": email, "password": password})
    assert answer.status_code == 303, answer.text
    return visitor


def number_of(ted: Visitor, email: str) -> str:
    page = ted.get("/settings/members")
    found = re.search(rf">{re.escape(email)}</span>.*?/settings/members/(\d+)/role", page, re.S)
    assert found is not None
    return found[1]


def test_an_invitation_is_a_link_that_works_once(heard: RunningHeard, ted: Visitor):
    path = invited(ted, "Barney", "member")
    token = path.rpartition("/")[2]
    assert "Barney" in ted.get("/settings/members")
    assert token not in ted.get("/settings/members")
    assert token not in ted.get("/settings/audit")

    assert "Join Acme" in httpx.get(heard.url + path).text
    barney = joined(heard, path, "barney@stinson.example")

    assert barney.is_in()
    barney.get("/settings/keys", status=403)
    assert httpx.get(heard.url + path).status_code == 404
    assert httpx.post(heard.url + path, data={"email": "x@y.example", "password": PASSWORD}).status_code == 404
    log = re.sub(r"<[^>]+>", "", ted.get("/settings/audit"))
    assert "invited Barney as member" in log
    assert f"barney@stinson.example joined as member, invited by {heard.owner[0]}" in log
    assert token.encode() not in everything_kept(heard)


def test_what_is_wrong_with_joining_is_said_at_its_field(heard: RunningHeard, ted: Visitor):
    path = invited(ted, "Lily", "viewer")

    def refused(**data: str) -> str:
        answer = httpx.post(heard.url + path, data=data)
        assert answer.status_code == 422
        return answer.text

    page = refused(email="lily@aldrin.example", password="short")
    assert error_at(page, "password") == "Choose a password of at least 10 characters."
    assert 'value="lily@aldrin.example"' in page
    assert "like ann@acme.example" in error_at(refused(email="lily", password=PASSWORD), "email")
    page = refused(email=heard.owner[0], password=PASSWORD)
    assert error_at(page, "password") == "This address has a password here already. Write that one."
    assert httpx.get(heard.url + path).status_code == 200  # it still works


def test_an_invitation_lapses_and_can_be_withdrawn(heard: RunningHeard, ted: Visitor):
    path = invited(ted, "Nobody", "viewer")
    number = re.findall(r"/settings/invites/(\d+)/withdraw", ted.get("/settings/members"))[-1]
    ted.post(f"/settings/invites/{number}/withdraw")
    assert httpx.get(heard.url + path).status_code == 404
    ted.post(f"/settings/invites/{number}/withdraw", status=404)
    assert "withdrew the invitation of Nobody" in ted.get("/settings/audit")

    late = invited(ted, "Late", "viewer")
    heard.advance("8d")
    assert httpx.get(heard.url + late).status_code == 404


def test_a_role_changes_with_the_next_click(heard: RunningHeard, ted: Visitor):
    lily = member(heard, "lily@members.example", "viewer")
    lily.get("/settings/keys", status=403)

    ted.post(f"/settings/members/{number_of(ted, 'lily@members.example')}/role", {"role": "admin"})

    lily.get("/settings/keys")
    assert "made lily@members.example admin, who was viewer" in ted.get("/settings/audit")


def test_whoever_is_removed_is_out_at_once(heard: RunningHeard, ted: Visitor):
    zoey = member(heard, "zoey@members.example", "admin")
    assert zoey.is_in()
    page = ted.get("/settings/members")
    assert "With the next click they are out." in page

    ted.post(f"/settings/members/{number_of(ted, 'zoey@members.example')}/remove")

    assert not zoey.is_in()
    assert "zoey@members.example</span>" not in ted.get("/settings/members")


def test_whoever_is_removed_and_invited_again_signs_in_again(heard: RunningHeard, ted: Visitor):
    before = joined(heard, invited(ted, "Stella", "viewer"), "stella@members.example")
    ted.post(f"/settings/members/{number_of(ted, 'stella@members.example')}/remove")

    after = joined(heard, invited(ted, "Stella", "admin"), "stella@members.example", "Another password")

    assert after.is_in()
    assert not before.is_in(), "a session of before was good again, with the new role"


def test_an_admin_makes_and_unmakes_no_owner(heard: RunningHeard, ted: Visitor):
    robin = member(heard, "robin@members.example", "admin")
    first = re.search(r"owner@localhost</span>.*?</tr>", robin.get("/settings/members"), re.S)
    assert first is not None
    assert "/role" not in first[0]

    page = robin.post("/settings/members", {"role": "owner", "note": "me too"}, status=422)
    assert error_at(page, "role") == "Only an owner makes an owner."
    assert 'value="me too"' in page
    theirs = number_of(robin, "robin@members.example")
    page = robin.post(f"/settings/members/{theirs}/role", {"role": "owner"}, status=422)
    assert error_at(page, f"role-{theirs}") == "Only an owner makes and unmakes owners."
    for act, data in (("role", {"role": "viewer"}), ("remove", {})):
        page = robin.post(f"/settings/members/{number_of(ted, 'owner@localhost')}/{act}", data, status=422)
        assert "Only an owner" in page
    assert ted.is_in()


def test_the_last_owner_stays(ted: Visitor):
    number = number_of(ted, "owner@localhost")

    page = ted.post(f"/settings/members/{number}/role", {"role": "viewer"}, status=422)
    assert error_at(page, f"role-{number}") == "owner@localhost is the last owner; make somebody else owner first."
    page = ted.post(f"/settings/members/{number}/remove", status=422)
    assert error_at(page, f"role-{number}") == "owner@localhost is the last owner; make somebody else owner first."


@pytest.mark.parametrize("role", ["viewer", "member"])
def test_members_are_for_admins(heard: RunningHeard, role: str):
    visitor = member(heard, f"{role}@only.example", role)

    visitor.get("/settings/members", status=403)
    visitor.post("/settings/members", {"role": "viewer"}, status=403)
    assert visitor.browser.get("/settings").headers["location"] == "/settings/workspaces"


def test_an_owner_makes_another_workspace_and_lands_in_its_first_steps(heard: RunningHeard, ted: Visitor):
    assert ted.post("/settings/workspaces", {"name": "MacLaren"}) == "/start"
    page = ted.get("/start")
    assert '<span class="vh">Workspace: </span>MacLaren' in page
    assert "wk_acme_website" not in page
    assert "owner@localhost made the workspace MacLaren" in re.sub(r"<[^>]+>", "", ted.get("/settings/audit"))
    assert Visitor(heard.url).sign_in(*heard.owner).is_in()  # with the same password

    ted.post("/workspace", {"workspace": "acme"})
    assert "wk_acme_website" in ted.get("/sources")
    page = ted.post("/settings/workspaces", {"name": "MacLaren"}, status=422)
    assert error_at(page, "name") == "This name is taken on this server. Choose another."
    assert error_at(ted.post("/settings/workspaces", {"name": " "}, status=422), "name").startswith(
        "Give the workspace"
    )


def test_a_page_left_open_changes_no_other_workspace(heard: RunningHeard):
    victoria = member(heard, "victoria@members.example", "owner")
    left_open = {"form_token": victoria.token()}
    victoria.post("/settings/workspaces", {"name": "Bakery"})  # in another tab, which then looks at it
    assert "Bakery" in victoria.get("/settings/brand")

    answer = victoria.browser.post("/settings/brand", data={"name": "Acme", **left_open})

    assert answer.status_code == 403
    assert "about another workspace" in answer.text
    assert victoria.browser.post("/settings/brand", data={"name": "Bakery"}).status_code == 403
    back = {"workspace": "acme", **left_open}
    assert victoria.browser.post("/workspace", data=back).status_code == 303, "from there one gets back all the same"
    assert victoria.browser.post("/sources", data={"name": "Shop", **left_open}).status_code == 303


def test_only_an_owner_makes_a_workspace(heard: RunningHeard):
    admin = member(heard, "admin@only.example", "admin")

    assert "Make another workspace" not in admin.get("/settings/workspaces")
    admin.post("/settings/workspaces", {"name": "Mine"}, status=403)


def test_somebody_of_two_workspaces_keeps_one_password_and_each_role(heard: RunningHeard, ted: Visitor):
    heard.cli("init", "--workspace", "Goliath", "--json")
    heard.cli("users", "add", "marvin@goliath.example", "--role", "viewer", "--workspace", "Goliath", "--json")
    password = heard.cli("users", "password", "marvin@goliath.example", "--workspace", "Goliath", "--json")["password"]

    marvin = joined(heard, invited(ted, "Marvin", "admin"), "marvin@goliath.example", password)

    assert "Acme" in marvin.get("/account")
    marvin.get("/settings/keys")
    marvin.post("/workspace", {"workspace": "goliath"})
    marvin.get("/settings/keys", status=403)
