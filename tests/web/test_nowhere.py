"""What members are told where there is nothing for them: inside their dashboard. Strangers see none of it."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from tests.flow.running import RunningHeard
from tests.web.visitors import Visitor, member

HTML = {"Accept": "text/html,*/*;q=0.8"}


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("nowhere") / "data") as running:
        yield running


@pytest.fixture(scope="module")
def marshall(heard: RunningHeard) -> Visitor:
    return member(heard, "marshall@nowhere.example", "viewer")


@pytest.mark.parametrize("path", ["/nowhere", "/settings/nowhere", "/contacts/1/2/3"])
def test_an_address_without_a_page_shows_members_their_dashboard(heard: RunningHeard, marshall: Visitor, path: str):
    inside = marshall.browser.get(path, headers=HTML)
    outside = httpx.get(f"{heard.url}{path}", headers=HTML)

    assert (inside.status_code, outside.status_code) == (404, 404)
    assert 'id="rail-nav"' in inside.text
    assert "There is no page at this address." in inside.text
    assert "script-src 'self'" in inside.headers["content-security-policy"]
    assert "There is no page here" in outside.text
    assert "rail-nav" not in outside.text


def test_a_page_for_another_role_tells_whose_inside_the_dashboard(marshall: Visitor):
    page = marshall.get("/settings/members", status=403)

    assert 'id="rail-nav"' in page
    assert "This takes the role admin; yours in this workspace is viewer." in page
    assert "/sign-in" not in page


def test_a_form_of_an_earlier_session_is_refused_inside_the_dashboard(marshall: Visitor):
    answer = marshall.browser.post("/theme", data={"form_token": "of yesterday", "theme": "dark"})

    assert answer.status_code == 403
    assert 'id="rail-nav"' in answer.text
