"""Every page is there over PostgreSQL too: the statements are written by hand, and SQLite lets more pass."""

from __future__ import annotations

import email
from collections.abc import Iterator
from contextlib import closing
from email import policy
from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import create_engine, text

from tests.flow.running import ACME, RunningHeard, answer, links_in
from tests.web.test_every_route import HOOK, LINKED, Route, every_route

CHANGED = "plan%20%3D%20'Premium'"


class Postgres(NamedTuple):
    heard: RunningHeard
    ids: dict[str, str]


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory, postgres: Any) -> Iterator[Postgres]:
    schema, uri = f"s{uuid4().hex}", postgres.get_uri()
    postgres.psql(f"CREATE SCHEMA {schema};")
    url = f"{uri}{'&' if '?' in uri else '?'}options={quote(f'-csearch_path={schema}')}"
    data = tmp_path_factory.mktemp("there") / "data"
    with RunningHeard(data, environment={"HEARD_DATABASE_URL": url}, workspace=ACME + LINKED + HOOK) as heard:
        for user in ("ted", "robin"):
            heard.send("identify", userId=user, traits={"email": f"{user}@mosby.example", "plan": "Premium"})
        for user in ("ted", "robin", "barney"):  # nobody knows Barney: he is waited for
            heard.send("track", userId=user, event="Order Completed", properties={"total": 40})
        heard.settle()
        first, _ = sorted((data / "outbox").glob("*.eml"))
        html = email.message_from_bytes(first.read_bytes(), policy=policy.default).get_body(("html",))
        assert html is not None
        answer(links_in(html.get_content())[9], comment="Legendary")
        yield Postgres(heard, ids_in(url))


def ids_in(url: str) -> dict[str, str]:
    engine = create_engine(url.replace("postgresql://", "postgresql+psycopg://"))
    with engine.connect() as connection:

        def one(table: str) -> str:
            return str(connection.execute(text(f"SELECT max(id) FROM {table}")).scalar_one())

        newest = "SELECT max(tablename) FROM pg_tables WHERE schemaname = current_schema() AND tablename LIKE :name"
        today = connection.execute(text(newest), {"name": "messages_2%"}).scalar_one()
        nouns = {"campaign": "campaigns", "contact": "contacts", "survey": "surveys", "source": "sources",
                 "delivery": "deliveries", "key": "secret_keys", "member": "members", "response": "responses",
                 "destination": "destinations", "audience": "audiences", "list": "lists",
                 "message": today}  # fmt: skip
        found = {noun: one(table) for noun, table in nouns.items()}
        found["linked"] = one("campaigns WHERE name = 'Newsletter'")
        found["campaign"] = one("campaigns WHERE name <> 'Newsletter'")
    engine.dispose()
    return found | {"invite": "999999", "version": "1"}


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> list[Route]:
    return [each for each in every_route(tmp_path_factory.mktemp("pages")) if each.method == "GET"]


@pytest.mark.parametrize(
    "query",
    ["", "q=ted", "q=id:1", "q=mos%5C", f"where=traits.{CHANGED}", f"where=now.traits.{CHANGED}", "by=plan",
     "campaign={campaign}", "source={source}", "user_id=ted", "state=answered", "outcome=declined", "outcome=held",
     "outcome=declined&reason=campaign_throttle", "verdict=held", "verdict=accepted",
     "destination=Heard", "destination=Hook", "event=Order+Completed",
     "status=unsubscribed", "status=active", "from=2020-01-01&to=2030-01-01", "category=promoter", "open={message}",
     "window=week&state=dead&reason=http_500", "edit=0", "message={message}"],
)  # fmt: skip
def test_every_page_is_there(pages: list[Route], there: Postgres, query: str):
    with closing(there.heard.member()) as browser:
        found = {each.path: browser.get(f"{each.filled(there.ids)}?{query.format(**there.ids)}") for each in pages}

    failed = {path: said.status_code for path, said in found.items() if said.status_code >= 500}
    assert failed == {}


def test_contacts_are_found_by_what_one_knows_of_them(there: Postgres):
    with closing(there.heard.member()) as browser:
        assert "robin@mosby.example" in browser.get("/contacts").text
        assert "robin@mosby.example" in browser.get("/contacts?q=rob").text
        assert "robin@mosby.example" not in browser.get("/contacts?q=ted").text


@pytest.mark.parametrize("name", ["user_id", "event", "q"])
def test_what_no_database_takes_is_no_failure_of_ours(pages: list[Route], there: Postgres, name: str):
    """PostgreSQL takes no NUL, where SQLite finds nothing by one."""
    with closing(there.heard.member()) as browser:
        said = {each.path: browser.get(f"{each.filled(there.ids)}?{name}=a%00b").status_code for each in pages}

    assert {path: status for path, status in said.items() if status >= 500} == {}
    bearer = {"Authorization": f"Bearer {there.heard.secret_key}"}
    answered = httpx.get(f"{there.heard.url}/api/contacts/a%00b", headers=bearer, timeout=20)
    assert (answered.status_code, answered.json()["error"]["code"]) == (400, "invalid")
