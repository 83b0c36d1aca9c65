"""A page speaks through Segment's browser library, and a webhook behind Heard gets whole what the page posted."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from tests.browser.shop import Visit, browsing, bundled, shop
from tests.browser.test_snippet import BUNDLE, page_with, segments_snippet
from tests.contracts.receiver import Receiver
from tests.flow.as_sent import GIVEN, KEY, MORE, arrived_as_given, arrives_as_sent, with_hook
from tests.flow.running import RunningHeard

SPEAK = """
async ([user, given, more]) => {
  const said = { ...more, anonymousId: 'unknown ' + user }
  await analytics.identify(user, given, said)
  await analytics.track('Order Completed', given, said)
  await analytics.page('Docs', 'Start here', given, said)
  await analytics.screen('App', 'Welcome', given, said)
  await analytics.group('acme', given, said)
  await analytics.alias(user, 'before ' + user, said)
}
"""


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with browsing(chromium) as running:
        yield running


@pytest.fixture(scope="module")
def hook() -> Iterator[Receiver]:
    """A webhook behind Heard."""
    with Receiver() as listening:
        yield listening


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory, hook: Receiver) -> Iterator[RunningHeard]:
    data = tmp_path_factory.mktemp("as-sent") / "data"
    environment = {"HEARD_ALLOW_PRIVATE_NETWORK": "on"}
    with RunningHeard(data, environment=environment, workspace=with_hook(hook), test_clock=False) as running:
        yield running


def speaks(visit: Visit, user: str) -> None:
    """The page makes one call of each kind, and every one of them has been answered."""
    visit.page.evaluate(SPEAK, [user, GIVEN, MORE])
    visit.page.wait_for_load_state("networkidle")
    assert visit.complaints == []


def test_the_snippet(heard: RunningHeard, hook: Receiver, browser: Browser, node: Path):
    snippet = segments_snippet(node, f"127.0.0.1:{heard.port}").replace('"https://', '"http://')
    with shop({"/": page_with(snippet)}) as site:
        visit = Visit(browser, site, heard.url)
        with visit.page.expect_response(lambda said: said.url.endswith("/v1/p")):
            visit.page.goto(site)  # the snippet makes a call itself, before anybody is known
        speaks(visit, "snippet")

    arrives_as_sent(hook, "snippet", map(posted, visit.posted))
    assert arrived_as_given(heard, "snippet")["library"] == {"name": "analytics.js", "version": "next-1.84.3"}


def test_the_npm_package(heard: RunningHeard, hook: Receiver, browser: Browser, node: Path, tmp_path: Path):
    program = f"""
      import {{ AnalyticsBrowser }} from '@segment/analytics-next'
      window.analytics = AnalyticsBrowser.load({{writeKey: '{KEY}', cdnURL: '{heard.url}'}})
    """
    with shop({"/": BUNDLE}, scripts=bundled(node, program, tmp_path / "scripts")) as site:
        visit = Visit(browser, site, heard.url)
        visit.page.goto(site)
        speaks(visit, "npm")

    arrives_as_sent(hook, "npm", map(posted, visit.posted))
    assert arrived_as_given(heard, "npm")["library"] == {"name": "analytics.js", "version": "npm:next-1.84.3"}


def posted(body: bytes) -> dict[str, object]:
    """A message as the page posted it, without the key that says whose it is: that is about the request."""
    message = json.loads(body)
    assert message.pop("writeKey") == KEY
    return message
