"""Erasing and suppressing from the pages: asked first, by who may, and noted without saying who it was."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.flow.running import RunningHeard, eventually

ANN, MAIL = "user-ann-1842", "ann.perkins@pawnee.example"


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    folder: Path = tmp_path_factory.mktemp("privacy") / "data"
    with RunningHeard(folder) as running:
        yield running


@pytest.fixture
def contact(heard: RunningHeard) -> int:
    heard.send("identify", userId=ANN, traits={"email": MAIL})
    heard.settle()
    return heard.get(f"contacts/{ANN}")["id"]


def form_token(page: httpx.Response) -> dict[str, str]:
    found = re.search(r'name="form_token" value="(\w+)"', page.text)
    assert found is not None
    return {"form_token": found[1]}


def test_a_contact_is_erased_by_a_button_that_asks_first(heard: RunningHeard, contact: int):
    with heard.member() as owner:
        assert f'href="/contacts/{contact}/erase"' in owner.get(f"/contacts/{contact}").text
        asked = owner.get(f"/contacts/{contact}/erase")
        assert "Answers leave the score" in asked.text
        done = owner.post(f"/contacts/{contact}/erase", data={**form_token(asked), "again": "yes"})
        assert (done.status_code, done.headers["location"]) == (303, "/privacy")
        eventually(lambda: "Finished" in owner.get("/privacy").text, seconds=30, what="Finished")

        heard.get(f"contacts/{ANN}", status=404)
        log = owner.get("/settings/audit").text
        assert "made the privacy request reg_" in log
        assert ANN not in log
        assert MAIL not in log


def test_a_contact_is_suppressed_and_taken_back_from_the_pages(heard: RunningHeard, contact: int):
    with heard.member() as owner:
        asked = owner.get(f"/contacts/{contact}/suppress")
        assert owner.post(f"/contacts/{contact}/suppress", data=form_token(asked)).status_code == 303
        page = owner.get("/privacy")
        assert "1 suppressed" in page.text
        back = {"what": "UNSUPPRESS", "kind": "USER_ID", "subjects": f"  {ANN}\n\n"}
        assert owner.post("/privacy", data={**form_token(page), **back}).status_code == 303
        assert "0 suppressed" in owner.get("/privacy").text


def test_a_request_that_cannot_be_read_says_what_to_write(heard: RunningHeard):
    with heard.member() as owner:
        token = form_token(owner.get("/privacy"))
        wrong = {"what": "DELETE_ONLY", "kind": "EMAIL", "subjects": "no address"}
        answer = owner.post("/privacy", data={**token, **wrong})

    assert answer.status_code == 422
    assert "each is an address" in answer.text
