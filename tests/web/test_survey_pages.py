"""The survey page and the way out, as a browser without script and a mail provider meet them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from litestar import Litestar
from litestar.testing import TestClient
from msgspec import structs

from tests.web.respondents import KEYS, InMemory, an_app, asked, closed

Client = TestClient[Litestar]
ORIGIN = "http://heard.example"


class Form(HTMLParser):
    """The first POST form of a page, and what a browser would send of it as it was served."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.radios: list[str] = []
        self._in_form = False
        self._textarea: str | None = None
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        said = {name: value or "" for name, value in attrs}
        if tag == "form" and said.get("method", "").lower() == "post" and not self.action:
            self.action, self._in_form = said["action"], True
        if not self._in_form:
            return
        if tag == "input" and said["type"] == "radio":
            self.radios.append(said["value"])
        if tag == "input" and (said["type"] == "hidden" or "checked" in said):
            self.fields[said["name"]] = said.get("value", "")
        if tag == "textarea":
            self._textarea = said["name"]
            self.fields[said["name"]] = ""

    def handle_data(self, data: str) -> None:
        if self._textarea:
            self.fields[self._textarea] += data.removeprefix("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._textarea = None
        if tag == "form":
            self._in_form = False


@pytest.fixture
def acme() -> InMemory:
    return InMemory()


@pytest.fixture
def browser(acme: InMemory) -> Iterator[Client]:
    with TestClient(an_app(acme), base_url=ORIGIN) as client:
        yield client


def survey(acme: InMemory, **query: object) -> str:
    return f"/s/{acme.token}" + ("?" + "&".join(f"{name}={value}" for name, value in query.items()) if query else "")


# ---------------------------------------------------------------- answering


def test_the_tapped_score_is_chosen_and_the_form_as_served_records_it(browser: Client, acme: InMemory):
    form = Form(browser.get(survey(acme, a=9)).text)
    assert form.radios == [str(score) for score in range(11)]
    assert form.fields == {"score": "9", "comment": ""}

    sent = browser.post(form.action, data=form.fields, follow_redirects=False)

    assert sent.status_code == 303
    assert acme.answers == [(9, "")]
    assert "You answered <b>9</b> of 10 on 22 November." in browser.get(sent.headers["location"]).text


def test_another_score_and_a_comment_can_be_given(browser: Client, acme: InMemory):
    form = Form(browser.get(survey(acme, a=9)).text)

    thanks = browser.post(form.action, data=form.fields | {"score": "4", "comment": "Late.\r\nTwice. 👎 <b>"})

    assert acme.answers == [(4, "Late.\nTwice. 👎 <b>")]
    assert "Thank you, Marshall" in thanks.text
    assert "Late.\nTwice. 👎 &lt;b&gt;" in thanks.text


def test_without_a_tapped_score_nothing_is_chosen(browser: Client, acme: InMemory):
    assert "score" not in Form(browser.get(survey(acme)).text).fields
    assert acme.clicks == []


@pytest.mark.parametrize(
    "a", ["11", "-1", "9.5", "", "nine", "9 ", "٣", "1e1", "999999999999999999999", "%00", "09999"]
)
def test_a_score_that_is_none_is_not_chosen(browser: Client, acme: InMemory, a: str):
    page = browser.get(survey(acme, a=a))

    assert page.status_code == 200
    assert "score" not in Form(page.text).fields
    assert acme.clicks == []


def test_an_answer_can_be_changed(browser: Client, acme: InMemory):
    browser.post(survey(acme), data={"score": "3", "comment": "Late"})
    receipt = browser.get(survey(acme))
    assert "You can change it until 22 December" in receipt.text
    change = re.search(r'href="([^"]*\?change=1)"', receipt.text)
    assert change is not None

    form = Form(browser.get(change[1]).text)
    assert form.fields == {"score": "3", "comment": "Late"}
    browser.post(form.action, data=form.fields | {"score": "8"})

    assert acme.answers == [(3, "Late"), (8, "Late")]


def test_another_number_tapped_in_the_mail_changes_nothing_until_it_is_sent(browser: Client, acme: InMemory):
    browser.post(survey(acme), data={"score": "3", "comment": "Late"})

    again = browser.get(survey(acme, a=8))

    assert Form(again.text).fields == {"score": "8", "comment": "Late"}
    assert "You answered <b>3</b> on 22 November" in again.text
    assert acme.answers == [(3, "Late")]


@pytest.mark.parametrize("score", [None, "", "11", "-1", "x", "5.0"])
def test_without_a_score_nothing_is_sent_and_nothing_is_lost(browser: Client, acme: InMemory, score: str | None):
    page = browser.post(survey(acme), data={"comment": "It was <fine>"} | ({} if score is None else {"score": score}))

    assert page.status_code == 422
    assert acme.answers == []
    assert Form(page.text).fields["comment"] == "It was <fine>"
    assert 'id="wrong-score">Choose a number from 0 to 10.' in page.text
    assert 'aria-describedby="wrong-score"' in page.text
    assert "<title>Not sent yet: Acme: one question</title>" in page.text


def test_a_comment_beyond_the_cap_is_handed_back_whole(browser: Client, acme: InMemory):
    page = browser.post(survey(acme), data={"score": "9", "comment": "x" * 5001})

    assert page.status_code == 422
    assert acme.answers == []
    assert Form(page.text).fields == {"score": "9", "comment": "x" * 5001}
    assert "5000 characters" in page.text


def test_a_comment_up_to_the_cap_is_taken_line_ends_counted_once(browser: Client, acme: InMemory):
    browser.post(survey(acme), data={"score": "9", "comment": "😀\r\n" * 2499 + "ab"})

    assert acme.answers == [(9, "😀\n" * 2499 + "ab")]


def test_a_form_too_large_to_be_one_is_turned_away(browser: Client, acme: InMemory):
    page = browser.post(survey(acme), data={"score": "9", "comment": "x" * 200_000})

    assert page.status_code == 413
    assert "This did not work" in page.text
    assert acme.answers == []


@pytest.mark.parametrize("body", [b"score=%ff%fe&comment=%00", b"\xff\xfe\x00", b"&" * 1000, b"score", b'{"score":9}'])
def test_a_body_that_is_no_form_of_ours_is_no_answer(browser: Client, acme: InMemory, body: bytes):
    page = browser.post(
        survey(acme),
        content=body,
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        follow_redirects=False,
    )

    assert page.status_code in (400, 422)
    assert acme.answers == []


# ---------------------------------------------------------------- machines


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_scanner_that_follows_every_link_answers_nothing(browser: Client, acme: InMemory, method: str):
    for score in range(11):
        assert browser.request(method, survey(acme, a=score)).status_code == 200
    browser.request(method, f"/u/{acme.token}")
    browser.request(method, f"/u/{acme.token}/undo")

    assert acme.clicks == [(method, score) for score in range(11)]
    assert acme.answers == []
    assert not acme.invitation.unsubscribed


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_nothing_else_is_understood(browser: Client, acme: InMemory, method: str):
    assert browser.request(method, survey(acme)).status_code == 405


# ---------------------------------------------------------------- links that lead nowhere


@pytest.mark.parametrize("path", ["/s/", "/u/"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_changed_link_gets_a_kind_page(browser: Client, acme: InMemory, path: str, method: str):
    token = acme.token
    for tampered in (
        token[:-1],
        token[:-1] + ("A" if token[-1] != "A" else "B"),
        KEYS.token(8, "0" * 32),
        "%00",
        "é",
        "x" * 5000,
    ):
        page = browser.request(method, path + tampered, data={"score": "9"} if method == "POST" else None)

        assert page.status_code == 404
        assert "We do not know this link" in page.text
    assert acme.answers == []
    assert not acme.invitation.unsubscribed


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_closed_survey_says_so(browser: Client, acme: InMemory, method: str):
    acme.invitation = closed()

    page = browser.request(method, survey(acme), data={"score": "9"} if method == "POST" else None)

    assert page.status_code == 410
    assert "It closed on 1 November" in page.text
    assert acme.answers == []


def test_one_can_leave_by_a_link_whose_survey_has_closed(browser: Client, acme: InMemory):
    acme.invitation = closed()

    assert browser.post(f"/u/{acme.token}").status_code == 200
    assert acme.invitation.unsubscribed


# ---------------------------------------------------------------- leaving


def test_looking_at_the_way_out_changes_nothing(browser: Client, acme: InMemory):
    page = browser.get(f"/u/{acme.token}")

    assert "No more surveys from Acme?" in page.text
    assert not acme.invitation.unsubscribed


@pytest.mark.parametrize(
    "request_",
    [
        {"data": {"List-Unsubscribe": "One-Click"}},
        {"files": {"List-Unsubscribe": (None, "One-Click")}},
        {"content": b""},
        {"content": b"\xff", "headers": {"Content-Type": "multipart/form-data"}},
    ],
    ids=["form", "multipart", "empty", "garbled"],
)
def test_a_provider_needs_one_post_and_no_cookie(browser: Client, acme: InMemory, request_: dict):
    page = browser.post(f"/u/{acme.token}", follow_redirects=False, **request_)

    assert page.status_code == 200
    assert "set-cookie" not in page.headers
    assert acme.invitation.unsubscribed


def test_leaving_can_be_undone(browser: Client, acme: InMemory):
    left = browser.post(Form(browser.get(f"/u/{acme.token}").text).action)
    assert "You will get no more surveys" in left.text
    assert "You will get no more surveys" in browser.get(f"/u/{acme.token}").text

    back = browser.post(Form(left.text).action)

    assert "You can be asked again" in back.text
    assert not acme.invitation.unsubscribed


def test_a_mail_that_was_forwarded_does_not_leave_by_itself(browser: Client, acme: InMemory):
    assert "post" in browser.get(f"/u/{acme.token}").text
    browser.head(f"/u/{acme.token}")

    assert not acme.invitation.unsubscribed


# ---------------------------------------------------------------- every page


PAGES = ["/s/{token}", "/s/{token}?a=3", "/u/{token}", "/u/{token}/less", "/about/{token}", "/s/nobody", "/u/nobody"]


@pytest.mark.parametrize("path", PAGES)
def test_a_page_keeps_to_itself(browser: Client, acme: InMemory, path: str):
    page = browser.get(path.format(token=acme.token))
    policy = page.headers["content-security-policy"]
    nonce = re.search(r"'nonce-([^']+)'", policy)

    assert nonce is not None
    assert f'<style nonce="{nonce[1]}">' in page.text
    assert policy.startswith("default-src 'none';")
    assert "script" not in policy + page.text
    assert "unsafe" not in policy
    assert not re.search(r'\sstyle="|\son\w+="|(?:src|href)="(?:https?:)?//', page.text)
    assert page.headers["cache-control"] == "no-store"
    assert page.headers["x-robots-tag"] == "noindex"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["x-content-type-options"] == "nosniff"
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "set-cookie" not in page.headers


def test_no_two_pages_share_a_nonce(browser: Client, acme: InMemory):
    policies = {browser.get(survey(acme)).headers["content-security-policy"] for _ in range(5)}

    assert len(policies) == 5


def test_what_people_typed_is_text(browser: Client, acme: InMemory):
    typed = "<img src=x onerror=alert(1)>{{7*7}}"
    brand = structs.replace(asked().brand, name=typed)
    acme.invitation = asked(brand=brand, first_name=typed, because=typed)

    first = browser.get(survey(acme)).text
    then = browser.post(survey(acme), data={"score": "1", "comment": "</textarea>" + typed}).text
    change = browser.get(survey(acme, change=1)).text

    for page in (first, then, change):
        assert "<img" not in page
        assert "&lt;img src=x onerror=alert(1)&gt;{{7*7}}" in page
    assert Form(change).fields["comment"] == "</textarea>" + typed


def test_heard_can_live_under_a_path_of_its_own(acme: InMemory):
    with TestClient(an_app(acme, base="/feedback"), base_url=ORIGIN) as browser:
        page = browser.get(survey(acme, a=1)).text
        sent = browser.post(survey(acme), data={"score": "1"}, follow_redirects=False)

    assert Form(page).action == f"/feedback/s/{acme.token}"
    assert set(re.findall(r'(?:href|action)="([^"d][^"]*?)[^"/]*"', page)) == {
        "/feedback/static/",
        "/feedback/s/",
        "/feedback/u/",
    }
    assert sent.headers["location"] == f"/feedback/s/{acme.token}"
