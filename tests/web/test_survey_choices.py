"""Between all surveys and none, as a browser without script meets it; and which links are noted."""

from __future__ import annotations

import re

import pytest
from litestar import Litestar
from litestar.testing import TestClient

from tests.web.respondents import InMemory, asked, closed
from tests.web.test_survey_pages import Form, survey
from tests.web.test_survey_pages import acme as acme
from tests.web.test_survey_pages import browser as browser

Client = TestClient[Litestar]

WAYS = {"less": "less_often", "not-this": "not_this_one"}


@pytest.mark.parametrize(("way", "field"), WAYS.items())
def test_one_can_ask_for_fewer_or_for_one_no_more_and_take_it_back(
    browser: Client, acme: InMemory, way: str, field: str
):
    for method in ("GET", "HEAD"):
        assert browser.request(method, f"/u/{acme.token}/{way}").status_code == 200
    assert not getattr(acme.invitation, field)

    done = browser.post(f"/u/{acme.token}/{way}")

    assert done.status_code == 200
    assert getattr(acme.invitation, field)
    assert not acme.invitation.unsubscribed
    heading = "You will be asked less often" if way == "less" else "This survey will not come again"
    assert heading in done.text
    assert heading in browser.get(f"/u/{acme.token}").text

    form = Form(done.text)
    back = browser.post(form.action, data=form.fields)
    assert "You can be asked again" in back.text
    assert not getattr(acme.invitation, field)


def test_the_preferences_offer_three_ways_and_the_first_form_is_all_of_it(browser: Client, acme: InMemory):
    page = browser.get(f"/u/{acme.token}").text

    assert Form(page).action == f"/u/{acme.token}"
    assert re.findall(r'action="[^"]*/u/[^"/]+(/?[^"]*)"', page) == ["", "/less", "/not-this"]
    assert "At most one survey from Acme in 180 days." in page


def test_taking_one_wish_back_leaves_the_others(browser: Client, acme: InMemory):
    acme.invitation = asked(unsubscribed=True, less_often=True, not_this_one=True)
    browser.post(f"/u/{acme.token}/undo", data={"wish": "less"})

    said = acme.invitation
    assert (said.unsubscribed, said.less_often, said.not_this_one) == (True, False, True)


@pytest.mark.parametrize("wish", ["", "everything", "none"])
def test_undo_without_a_wish_of_ours_takes_back_the_unsubscribing(browser: Client, acme: InMemory, wish: str):
    acme.invitation = asked(unsubscribed=True, less_often=True)
    browser.post(f"/u/{acme.token}/undo", data={"wish": wish} if wish else None)

    assert (acme.invitation.unsubscribed, acme.invitation.less_often) == (False, True)


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_another_way_is_not_known(browser: Client, acme: InMemory, method: str):
    assert browser.request(method, f"/u/{acme.token}/never").status_code == 404
    assert acme.invitation == asked()


def test_one_can_choose_by_a_link_whose_survey_has_closed(browser: Client, acme: InMemory):
    acme.invitation = closed()

    assert browser.post(f"/u/{acme.token}/less").status_code == 200
    assert acme.invitation.less_often


# ---------------------------------------------------------------- the link that no person sees


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_the_hidden_link_is_noted_and_does_nothing(browser: Client, acme: InMemory, method: str):
    before = acme.invitation
    page = browser.request(method, f"/about/{acme.token}")

    assert page.status_code == 200
    assert acme.opened == ["hidden"]
    assert acme.invitation == before
    assert "<form" not in page.text


def test_which_link_was_opened_is_noted_and_a_receipt_is_none(browser: Client, acme: InMemory):
    browser.get(survey(acme))
    browser.get(f"/u/{acme.token}")
    browser.post(survey(acme), data={"score": "3"})
    browser.get(survey(acme))
    browser.get(survey(acme, change=1))

    assert acme.opened == ["survey", "leave"]
