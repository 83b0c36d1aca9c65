"""The outbox: what would have been mailed, for those it concerns."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from heard.channels.email.outbox import Outbox
from heard.channels.email.render import render
from heard.web import outbox as outbox_pages
from tests.spec.test_mail import an_invitation
from tests.web.respondents import NOW, everything

ORIGIN = "http://heard.example"


@pytest.fixture
def outbox(tmp_path: Path) -> Outbox:
    return Outbox(tmp_path / "outbox")


def test_the_outbox_shows_a_mail_as_its_reader_would_see_it(outbox: Outbox):
    invitation = an_invitation(to_name="<Marshall>")
    asyncio.run(outbox.hand_over(render(invitation, at=NOW)))
    with TestClient(
        Litestar(outbox_pages.routes(outbox, mine=everything), openapi_config=None, logging_config=None),
        base_url=ORIGIN,
    ) as browser:
        listed = browser.get("/outbox")
        shown = browser.get(f"/outbox/{invitation.delivery_id}")
        html = browser.get(f"/outbox/{invitation.delivery_id}/html")

    assert f'href="/outbox/{invitation.delivery_id}"' in listed.text
    assert "&lt;Marshall&gt;" in listed.text
    assert shown.text.count("<iframe sandbox=") == 2
    assert "Hi Marshall," in shown.text
    assert "allow-scripts" not in shown.text + html.headers["content-security-policy"]
    assert "sandbox" in html.headers["content-security-policy"]
    assert "default-src 'none'" in html.headers["content-security-policy"]
    assert f'{invitation.link}?a=9"' in html.text


@pytest.mark.parametrize("name", ["0" * 32, "..%2f..%2fetc%2fpasswd", "x", "%00"])
def test_a_mail_that_is_not_there_is_not_found(outbox: Outbox, name: str):
    with TestClient(
        Litestar(outbox_pages.routes(outbox, mine=everything), openapi_config=None, logging_config=None),
        base_url=ORIGIN,
    ) as browser:
        assert browser.get(f"/outbox/{name}").status_code == 404
        assert browser.get(f"/outbox/{name}/html").status_code == 404


def test_an_empty_outbox_says_what_will_fill_it(outbox: Outbox):
    with TestClient(
        Litestar(outbox_pages.routes(outbox, mine=everything), openapi_config=None, logging_config=None),
        base_url=ORIGIN,
    ) as browser:
        assert "No mail yet" in browser.get("/outbox").text


def test_nobody_sees_the_mails_of_another_workspace(outbox: Outbox):
    async def nothing(_: object, __: object) -> frozenset[str]:
        return frozenset()

    invitation = an_invitation()
    asyncio.run(outbox.hand_over(render(invitation, at=NOW)))
    app = Litestar(outbox_pages.routes(outbox, mine=nothing), openapi_config=None, logging_config=None)
    with TestClient(app, base_url=ORIGIN) as robin:
        assert "No mail yet" in robin.get("/outbox").text
        assert robin.get(f"/outbox/{invitation.delivery_id}").status_code == 404
        assert robin.get(f"/outbox/{invitation.delivery_id}/html").status_code == 404
