"""Messages, deliveries and responses, as members see them: what stands there, what narrows it, and whose it is."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator

import httpx
import pytest

from heard.channels.email.outbox import opened
from tests.flow.running import ACME, RunningHeard, answer, eventually, links_in

OTHER = ACME.replace("Acme", "MacLaren").replace("acme", "maclaren")
ORDER = {"event": "Order Completed", "properties": {"total": 50}}
PAGES = ("/messages", "/deliveries", "/responses", "/outbox")


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """Ted, Lily and Marshall ordered and were asked; two answered. A day later all sorts of things came in."""
    with RunningHeard(tmp_path_factory.mktemp("traffic") / "data") as heard:
        heard.cli("init", "--workspace", "MacLaren", "--json")
        heard.apply(OTHER)
        for name, plan in (("Ted", "Pro"), ("Lily", "Free"), ("Marshall", "Pro")):
            mail = f"{name.lower()}@mosby.example"
            heard.send("identify", userId=name.lower(), traits={"email": mail, "firstName": name, "plan": plan})
            heard.send("track", userId=name.lower(), **ORDER)
        heard.settle()
        mails = eventually(lambda: len(found := list((heard.data / "outbox").glob("*.eml"))) == 3 and found)
        for mail in mails:
            message = opened(mail.read_bytes())
            html = message.get_body(("html",))
            assert html is not None
            if "ted@" in str(message["To"]):
                answer(links_in(html.get_content())[9], comment="Two minutes, and the parcel came a day early.")
            if "lily@" in str(message["To"]):
                answer(links_in(html.get_content())[2], comment="=HYPERLINK(1)")
        heard.advance("1d")
        heard.send("track", userId="ted", **ORDER)
        heard.send("track", userId="lily", event="order completed", messageId="<script>alert(1)</script>")
        heard.send("track", userId="lily", event="Product Viewed")
        heard.send("track", event="Nobody Did It")
        heard.send("track", userId="barney", **ORDER)
        heard.send("track", userId="marshall", **ORDER, integrations={"Heard": False})
        heard.send("page", anonymousId="a1", properties={"path": "/pricing"})
        carl = {"userId": "carl", "traits": {"email": "carl@maclaren.example", "firstName": "Carl"}}
        httpx.post(f"{heard.url}/v1/identify", json=carl, auth=("wk_maclaren_website", ""))
        heard.settle()
        yield heard


@pytest.fixture(scope="module")
def ted(heard: RunningHeard) -> Iterator[httpx.Client]:
    with heard.member() as browser:
        yield browser


@pytest.fixture(scope="module")
def viewer(heard: RunningHeard) -> Iterator[httpx.Client]:
    added = heard.cli("users", "add", "victoria@acme.example", "--workspace", "Acme", "--role", "viewer", "--json")
    with heard.member("victoria@acme.example", added["password"]) as browser:
        yield browser


@pytest.fixture(scope="module")
def robin(heard: RunningHeard) -> Iterator[httpx.Client]:
    added = heard.cli("users", "add", "robin@maclaren.example", "--workspace", "MacLaren", "--json")
    with heard.member("robin@maclaren.example", added["password"]) as browser:
        yield browser


def rows(page: httpx.Response) -> dict[int, str]:
    """The messages of a page by their ids, in its order, as text without tags."""
    found = re.findall(r'<tbody role="rowgroup" id="m-(\d+)">(.*?)</tbody>', page.text, re.S)
    return {int(number): " ".join(re.sub(r"<[^>]+>", " ", row).split()) for number, row in found}


def row_of(page: httpx.Response, words: str) -> str:
    return next(row for row in rows(page).values() if words in row)


def test_every_message_says_what_became_of_it(ted: httpx.Client):
    page = ted.get("/messages")

    assert re.search(r"Order Completed Ted Declined · Post-purchase .*asked.* Why$", row_of(page, "Declined"), re.I)
    assert "Waits 9 min" in row_of(page, "barney") or "Waits 10 min" in row_of(page, "barney")
    assert "No campaign listens to this event" in row_of(page, "Product Viewed")
    wrong_case = row_of(page, "order completed")
    assert "No campaign listens to “order completed”. Post-purchase listens to “Order Completed”; case" in wrong_case
    rejected = row_of(page, "Nobody Did It")
    assert "Rejected Neither userId nor anonymousId is set; send at least one of them. no_user_anon_id" in rejected
    assert "integrations_object" in row_of(page, 'object says "Heard": false; send true'.replace('"', "&#34;"))
    assert "/pricing anonymous Accepted" in row_of(page, "/pricing")
    assert "Invited · Post-purchase" in row_of(page, "answered")
    assert list(rows(page)) == sorted(rows(page), reverse=True)
    assert "carl" not in page.text


def test_tabs_count_today_and_narrow(ted: httpx.Client):
    page = ted.get("/messages")
    names = "All|Accepted|Matched a campaign|Held|Rejected"
    counts = dict(re.findall(rf">({names}) <span class=\"n\">([\d,]+)", page.text))
    tabs = ("accepted", "matched", "held", "rejected")
    shown = {name: len(rows(ted.get(f"/messages?verdict={name}"))) for name in tabs}

    assert counts == {"All": "7", "Accepted": "5", "Matched a campaign": "2", "Held": "1", "Rejected": "1"}
    assert shown == {"accepted": 11, "matched": 5, "held": 1, "rejected": 1}  # some of them the day before


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("user_id=lily", 4),
        ("event=Order+Completed", 6),
        ("event=Order", 0),
        ("type=identify", 3),
        ("source=Website", 13),
        ("time=hour", 7),
        ("destination=Heard", 11),
        ("destination=Heard&verdict=accepted", 10),
        ("destination=Heard&event=Order+Completed", 5),
        ("user_id=lily&type=track", 3),
        ("to=2020-01-01", 0),
    ],
)
def test_messages_are_narrowed_by_the_address(ted: httpx.Client, query: str, count: int):
    assert len(rows(ted.get(f"/messages?{query}"))) == count


@pytest.mark.parametrize(
    "query", ["verdict=odd", "type=odd", "source=Nowhere", "destination=Nowhere", "cursor=x", "from=odd", "open=-1"]
)
def test_what_cannot_be_looked_for_is_refused_by_name(ted: httpx.Client, query: str):
    assert ted.get(f"/messages?{query}").status_code == 400


def test_an_opened_message_shows_its_route_and_its_body(ted: httpx.Client):
    number = next(number for number, row in rows(ted.get("/messages")).items() if "order completed" in row)
    page, alone = ted.get(f"/messages?open={number}"), ted.get(f"/messages/{number}")
    opened_row, closed_row = (ted.get(f"/messages/{number}?row={how}") for how in ("open", "closed"))
    elsewhere = ted.get(f"/messages?type=identify&open={number}")

    for shown in (page, alone, opened_row, elsewhere):
        words = rows(shown)[number]
        assert "Collected from Website" in words
        assert "Routed to Heard" in words
        assert "Nobody is asked" in words
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in words
        assert "<script>alert" not in shown.text
    assert "Collected from" not in closed_row.text
    assert "<html" not in opened_row.text + closed_row.text


def test_pages_go_on_where_the_last_one_ended(heard: RunningHeard, ted: httpx.Client):
    for number in range(60):
        heard.send("track", userId="marshall", event="Step", properties={"number": number})
    heard.settle()
    first = ted.get("/messages?event=Step")
    older = re.search(r'href="([^"]+)">Older<', first.text)
    assert older
    second = ted.get(older[1].replace("&amp;", "&"))

    assert (len(rows(first)), len(rows(second))) == (50, 10)
    assert min(rows(first)) > max(rows(second))
    assert 'id="live"' not in second.text


def test_what_comes_in_later_is_put_above_the_rest_and_nothing_else(heard: RunningHeard, ted: httpx.Client):
    page = ted.get("/messages")
    ask = re.search(r'id="live" hx-get="([^"]+)"', page.text)
    assert ask
    path = ask[1].replace("&amp;", "&")
    quiet = ted.get(path)
    heard.send("track", userId="lily", event="Just Now")
    heard.settle()
    newer = ted.get(path)
    paused = ted.get("/messages?live=off")

    assert rows(quiet) == {}
    assert [row for row in rows(newer).values() if "Just Now" in row]
    assert len(rows(newer)) == 1
    assert 'hx-swap-oob="afterend:#log-head"' in newer.text
    assert 'id="live"' not in paused.text
    assert "Paused" in paused.text


def test_deliveries_are_told_in_words_and_narrowed(heard: RunningHeard, ted: httpx.Client):
    page = ted.get("/deliveries")
    (delivery,) = heard.get("deliveries", user_id="lily")["data"]
    narrowed = {
        query: ted.get(f"/deliveries?{query}").text.count('<tr role="row"><th role="rowheader"')
        for query in (
            "state=answered", "state=sent", "state=failed", "user_id=lily", "user_id=ted@mosby.example", "campaign=1",
            "campaign=Post-purchase&state=answered", "to=2020-01-01", "user_id=barney",
        )
    }  # fmt: skip

    assert page.text.count(">Answered</span>") == 2
    assert "Open for an answer until" in page.text
    assert f'href="/outbox/{delivery["id"]}">See the mail' in page.text
    assert list(narrowed.values()) == [2, 1, 0, 1, 1, 3, 2, 0, 0]
    assert ted.get("/deliveries?state=odd").status_code == ted.get("/deliveries?campaign=99").status_code == 400


def test_the_inbox_shows_what_was_said_and_by_whom(ted: httpx.Client):
    page = ted.get("/responses")
    said = page.text.index("Two minutes, and the parcel came a day early."), page.text.index("=HYPERLINK(1)")

    assert all(position > 0 for position in said)
    assert re.search(r'<span class="trait">plan</span> Pro', page.text)
    assert page.text.count('<div class="who">') == 2


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("category=promoter", 1),
        ("category=passive", 0),
        ("value=2", 1),
        ("comment=without", 0),
        ("verdict=all", 2),
        ("verdict=bot", 0),
        ("campaign=1&survey=Relationship+NPS", 2),
        ("where=traits.plan+%3D+'Free'", 1),
        ("to=2020-01-01", 0),
    ],
)
def test_answers_are_narrowed_by_the_address(ted: httpx.Client, query: str, count: int):
    assert ted.get(f"/responses?{query}").text.count('<div class="who">') == count


def test_an_expression_that_cannot_be_read_is_told_at_its_field(ted: httpx.Client):
    page = ted.get("/responses", params={"where": 'traits.plan = "<b>', "category": "promoter"})

    assert page.status_code == 400
    assert 'name="where" value="traits.plan = &#34;&lt;b&gt;" aria-invalid="true"' in page.text
    assert '<input type="hidden" name="category" value="promoter">' in page.text


def test_the_file_holds_exactly_what_is_shown_and_runs_nothing(ted: httpx.Client):
    whole, narrow = (ted.get(f"/responses.csv{query}") for query in ("", "?category=promoter"))
    found = list(csv.DictReader(io.StringIO(whole.text)))

    assert whole.headers["content-disposition"].startswith("attachment; filename=")
    assert {each["comment"] for each in found} == {
        "'=HYPERLINK(1)",
        "Two minutes, and the parcel came a day early.",
    }
    assert [each["email"] for each in csv.DictReader(io.StringIO(narrow.text))] == ["ted@mosby.example"]
    assert ted.get("/responses.csv?where=(").status_code == 400


def test_a_viewer_may_look_and_another_workspace_sees_nothing_of_it(
    ted: httpx.Client, viewer: httpx.Client, robin: httpx.Client
):
    ours = next(iter(rows(ted.get("/messages"))))
    for path in (*PAGES, f"/messages/{ours}", "/messages/newer", "/responses.csv"):
        assert viewer.get(path).status_code == 200, path
        assert "mosby.example" not in robin.get(path).text, path
    assert robin.get(f"/messages/{ours}").status_code == 404
    assert "is not there any more" in robin.get(f"/messages?open={ours}").text
    assert "carl" in robin.get("/messages").text.lower()
    assert "Nothing to deliver yet" in robin.get("/deliveries").text
    assert "Nobody has answered yet" in robin.get("/responses").text


def test_looking_changes_nothing(heard: RunningHeard, ted: httpx.Client):
    def everything() -> list[object]:
        return [heard.get(noun, limit=200) for noun in ("messages", "deliveries", "responses")]

    before = everything()
    for path in (*PAGES, "/messages?verdict=matched", "/messages/newer?after=1", "/responses.csv"):
        assert ted.get(path).status_code == 200

    assert everything() == before
