"""How somebody comes in, stays in, and is put out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.flow.running import RunningHeard
from tests.web.visitors import Visitor, error_at, everything_kept, member, owner


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    with RunningHeard(tmp_path_factory.mktemp("sign-in") / "data", test_clock=False) as running:
        yield running


def wrong_try(heard: RunningHeard, email: str, password: str = "a guess") -> httpx.Response:
    return httpx.post(f"{heard.url}/sign-in", data={"email": email, "password": password})


def test_whoever_comes_to_a_page_signs_in_first_and_comes_back_to_it(heard: RunningHeard):
    with httpx.Client(base_url=heard.url) as browser:
        away = browser.get("/contacts?q=ted").headers["location"]
        assert away == "/sign-in?next=/contacts%3Fq%3Dted"
        assert 'name="next" value="/contacts?q=ted"' in browser.get(away).text

        email, password = heard.owner
        back = browser.post("/sign-in", data={"email": email, "password": password, "next": "/contacts?q=ted"})

        assert (back.status_code, back.headers["location"]) == (303, "/contacts?q=ted")
        assert browser.get("/account").status_code == 200


def test_a_session_is_a_cookie_that_no_script_reads(heard: RunningHeard):
    email, password = heard.owner
    cookie = httpx.post(f"{heard.url}/sign-in", data={"email": email, "password": password}).headers["set-cookie"]

    assert cookie.startswith("heard_session=")
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie


def test_only_the_fingerprint_of_a_session_is_kept(heard: RunningHeard):
    ted = owner(heard)
    token = ted.browser.cookies["heard_session"]

    assert len(token) > 40
    assert token.encode() not in everything_kept(heard)


def test_a_wrong_password_says_so_and_keeps_the_address(heard: RunningHeard):
    answer = wrong_try(heard, "lily@acme.example")

    assert answer.status_code == 422
    assert 'value="lily@acme.example"' in answer.text
    assert error_at(answer.text, "password") == (
        "Check the e-mail address and the password; together they open nothing."
    )
    assert "heard_session" not in answer.headers.get("set-cookie", "")


def test_an_unknown_address_is_refused_in_the_same_words_as_a_known_one(heard: RunningHeard):
    known, unknown = wrong_try(heard, heard.owner[0]), wrong_try(heard, "nobody@acme.example")

    assert known.status_code == unknown.status_code
    assert error_at(known.text, "password") == error_at(unknown.text, "password")


def test_whoever_guesses_has_to_wait(heard: RunningHeard):
    email = "barney@acme.example"
    heard.cli("users", "add", email, "--json")
    answers = [wrong_try(heard, email, f"guess {number}") for number in range(6)]

    assert [each.status_code for each in answers] == [422, 422, 422, 422, 422, 429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 2
    assert "Too many tries. Wait" in error_at(answers[-1].text, "password")
    assert Visitor(heard.url).sign_in(*heard.owner).is_in()  # nobody else waits with them


@pytest.mark.parametrize(
    "planted", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:x", "/\t/e"]
)
def test_signing_in_leads_to_no_other_host(heard: RunningHeard, planted: str):
    email, password = heard.owner
    answer = httpx.post(f"{heard.url}/sign-in", data={"email": email, "password": password, "next": planted})

    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    assert 'name="next" value="/"' in httpx.get(f"{heard.url}/sign-in", params={"next": planted}).text


def test_signing_in_leads_back_to_an_address_in_any_letters(heard: RunningHeard):
    email, password = heard.owner
    answer = httpx.post(
        f"{heard.url}/sign-in", data={"email": email, "password": password, "next": "/contacts?q=Zoë%20日本"}
    )

    assert (answer.status_code, answer.headers["location"]) == (303, "/contacts?q=Zo%C3%AB%20%E6%97%A5%E6%9C%AC")


def test_another_site_cannot_sign_anybody_in(heard: RunningHeard):
    email, password = heard.owner
    answer = httpx.post(
        f"{heard.url}/sign-in",
        data={"email": email, "password": password},
        headers={"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"},
    )

    assert answer.status_code == 400
    assert "heard_session" not in answer.headers.get("set-cookie", "")


def test_a_form_without_its_token_changes_nothing(heard: RunningHeard):
    ted, robin = owner(heard), member(heard, "robin@acme.example", "admin")

    for token in ({}, {"form_token": ""}, {"form_token": robin.token()}, {"form_token": "0" * 64}):
        answer = ted.browser.post("/sources", data={"name": "Planted", **token})
        assert answer.status_code == 403
        assert "This form is from an earlier session" in answer.text
    assert "Planted" not in ted.get("/sources")


def test_signing_out_ends_the_session_on_the_server_too(heard: RunningHeard):
    ted = owner(heard)
    token = ted.browser.cookies["heard_session"]

    assert ted.post("/sign-out") == "/sign-in"

    ted.browser.cookies.set("heard_session", token)  # as somebody would who copied it
    assert ted.browser.get("/account").headers["location"] == "/sign-in?next=/account"


def test_a_new_password_of_ones_own_ends_the_other_sessions(heard: RunningHeard):
    made = heard.cli("users", "add", "marshall@acme.example", "--json")
    here, there = (Visitor(heard.url).sign_in("marshall@acme.example", made["password"]) for _ in range(2))

    page = here.post("/account", {"old": made["password"], "new": "short"}, status=422)
    assert error_at(page, "new") == "Choose a password of at least 10 characters."
    page = here.post("/account", {"old": "not this one", "new": "Beercules, the first"}, status=422)
    assert error_at(page, "old") == "That is not the password you signed in with."
    here.post("/account", {"old": made["password"], "new": "Beercules, the first"})

    assert here.is_in()
    assert not there.is_in()
    assert wrong_try(heard, "marshall@acme.example", made["password"]).status_code == 422
    assert Visitor(heard.url).sign_in("marshall@acme.example", "Beercules, the first").is_in()


def test_a_password_reset_by_command_puts_everybody_out_who_had_the_old_one(heard: RunningHeard):
    made = heard.cli("users", "add", "zoey@acme.example", "--json")
    zoey = Visitor(heard.url).sign_in("zoey@acme.example", made["password"])
    assert zoey.is_in()

    new = heard.cli("users", "password", "zoey@acme.example", "--json")["password"]

    assert not zoey.is_in()
    assert zoey.sign_in("zoey@acme.example", new).is_in()


def test_an_installation_under_a_path_keeps_its_cookie_to_itself(tmp_path: Path):
    with RunningHeard(tmp_path / "data", environment={"HEARD_BASE_URL": "https://acme.example/feedback"}) as heard:
        email, password = heard.owner
        answer = httpx.post(f"{heard.url}/feedback/sign-in", data={"email": email, "password": password})

        assert answer.headers["location"] == "/feedback/"
        assert "Path=/feedback;" in answer.headers["set-cookie"] + ";"
        assert "Secure" in answer.headers["set-cookie"]
