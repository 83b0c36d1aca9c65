"""What several destinations, a switched-off event and consent come to in a page: nothing that routing would not do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser

from heard.routing.browser import settings_of
from heard.routing.destination import SURVEYS, Destination
from heard.routing.integrations import permits
from heard.sources.source import Source
from tests.browser.shop import Visit, browsing, bundled, shop
from tests.flow.running_collector import KEY, SOURCE, Collector, eventually, running

HEAD = '<!doctype html><title>Shop</title><link rel="icon" href="data:,">'
ODD = """It's "Ann & Co." <b> \\ __proto__ é.io (EU)"""
SURVEYS_ONE = Destination(id=1, workspace=1, name="Heard", type=SURVEYS)
HOOK = Destination(
    id=2, workspace=1, name="Warehouse hook", type="webhook", switches={"Page Scrolled": False, "Signed Up": True}
)
CHAT = Destination(id=3, workspace=1, name=ODD, type="slack", switches={"Page Scrolled": False, ODD: False})
WEBSITE = Source(id=SOURCE, workspace=1, name="Website", write_key=KEY)


@pytest.fixture(scope="module")
def browser(chromium: Path) -> Iterator[Browser]:
    with browsing(chromium) as browser:
        yield browser


@pytest.fixture
def collector(tmp_path: Path) -> Iterator[Collector]:
    with running(tmp_path / "data") as collector:
        yield collector


def publish(collector: Collector, *destinations: Destination) -> None:
    settings = settings_of(WEBSITE, destinations, base_url=collector.url)
    collector.publish("browser.json", {KEY: settings})


def snippet_page(collector: Collector) -> dict[str, str]:
    """The shortest stub that the library accepts, and the library."""
    library = f"{collector.url}/analytics.js/v1/{KEY}/analytics.min.js"
    return {"/": f'{HEAD}<script>window.analytics = []</script><script src="{library}"></script><h1>Shop</h1>'}


def kept(collector: Collector, *events: str) -> dict[str, dict[str, Any]]:
    """The messages as they came over the wire, by event, once all of these are there."""

    def seen() -> dict[str, dict[str, Any]]:
        bodies = [msgspec.json.decode(each.body) for each in collector.kept()]
        found = {body.get("event") or body["type"]: body for body in bodies}
        return found if set(events) <= set(found) else {}

    return eventually(seen)


def allowed(message: dict[str, Any], *destinations: Destination) -> list[str]:
    """Who may have it by the `integrations` object alone."""
    said = msgspec.json.encode(message["integrations"])
    return [each.name for each in destinations if permits(said, each.names)]


def test_a_page_asks_for_no_script_of_any_destination(collector: Collector, browser: Browser):
    publish(collector, SURVEYS_ONE, HOOK, CHAT)
    with shop(snippet_page(collector)) as site:
        visit = Visit(browser, site, collector.url)
        visit.page.goto(site)
        visit.page.wait_for_function("window.analytics.initialized")
        visit.page.evaluate("void analytics.track('Signed Up')")
        sent = kept(collector, "Signed Up")["Signed Up"]
        visit.page.wait_for_load_state("networkidle")

    assert visit.complaints == []
    assert visit.asked_for("next-integrations") == []
    parts = {each.rpartition("/")[2].partition(".")[0] for each in visit.asked_for("/analytics-next/bundles/")}
    assert parts == {"ajs-destination", "schemaFilter"}
    assert sent["_metadata"]["bundled"] == ["Segment.io"]
    assert set(sent["_metadata"]["unbundled"]) == {"Heard", "Warehouse hook", ODD}


def test_line_17_a_switched_off_event_still_reaches_us_and_names_who_does_not_want_it(
    collector: Collector, browser: Browser
):
    publish(collector, SURVEYS_ONE, HOOK, CHAT)
    with shop(snippet_page(collector)) as site:
        visit = Visit(browser, site, collector.url)
        visit.page.goto(site)
        visit.page.wait_for_function("window.analytics.initialized")
        visit.page.evaluate(
            """odd => {
              void analytics.track('Page Scrolled')
              void analytics.track('Signed Up')
              void analytics.track('Never heard of')
              void analytics.track(odd)
              void analytics.track('For Heard only', {}, {integrations: {All: false, Heard: true}})
              void analytics.identify('ted', {plan: 'Team'})
              void analytics.page()
            }""",
            ODD,
        )
        heeded = ("Signed Up", "Never heard of", "identify", "page")
        sent = kept(collector, "Page Scrolled", ODD, "For Heard only", *heeded)

    everybody = ["Heard", "Warehouse hook", ODD]
    assert visit.complaints == []
    assert sent["Page Scrolled"]["integrations"] == {"Warehouse hook": False, ODD: False}
    assert allowed(sent["Page Scrolled"], SURVEYS_ONE, HOOK, CHAT) == ["Heard"]
    assert allowed(sent[ODD], SURVEYS_ONE, HOOK, CHAT) == ["Heard", "Warehouse hook"]
    assert allowed(sent["For Heard only"], SURVEYS_ONE, HOOK, CHAT) == ["Heard"]
    for name in heeded:
        assert allowed(sent[name], SURVEYS_ONE, HOOK, CHAT) == everybody, name


def test_in_a_page_the_switch_overrules_what_the_page_itself_allows(collector: Collector, browser: Browser):
    """As with Segment, whose library writes the plan over the page's own word. Elsewhere the sender's word wins."""
    publish(collector, SURVEYS_ONE, HOOK)
    with shop(snippet_page(collector)) as site:
        visit = Visit(browser, site, collector.url)
        visit.page.goto(site)
        visit.page.wait_for_function("window.analytics.initialized")
        insisting = "{integrations: {All: false, 'Warehouse hook': true, Heard: true}}"
        visit.page.evaluate(f"void analytics.track('Page Scrolled', {{}}, {insisting})")
        sent = kept(collector, "Page Scrolled")["Page Scrolled"]

    assert sent["integrations"] == {"All": False, "Heard": True, "Warehouse hook": False}
    assert allowed(sent, SURVEYS_ONE, HOOK) == ["Heard"]


CONSENT = """
  import { AnalyticsBrowser } from '@segment/analytics-next'
  import { createWrapper } from '@segment/analytics-consent-tools'
  const given = JSON.parse(new URLSearchParams(location.search).get('consent'))
  const analytics = window.analytics = new AnalyticsBrowser()
  createWrapper({
    shouldLoadSegment: (context) => context.load({ consentModel: 'opt-in' }),
    getCategories: () => given,
  })(analytics)
  analytics.load({ writeKey: 'wk_test', cdnURL: 'http://heard' })
"""


def test_line_16_segments_consent_wrapper_stamps_what_was_given(
    collector: Collector, browser: Browser, node: Path, tmp_path: Path
):
    mapped = msgspec.structs.replace(HOOK, consent_categories=("ads",))
    publish(collector, SURVEYS_ONE, mapped)
    sent = consenting(collector, browser, node, tmp_path, '{"ads":false,"unheard_of":true}')

    assert sent[0]["context"]["consent"] == {"categoryPreferences": {"ads": False, "unheard_of": True}}
    assert sent[0]["_metadata"]["unbundled"] == ["Heard"]


def test_line_16_where_every_destination_needs_consent_and_none_was_given_a_page_sends_nothing(
    collector: Collector, browser: Browser, node: Path, tmp_path: Path
):
    publish(collector, *(msgspec.structs.replace(each, consent_categories=("ads",)) for each in (SURVEYS_ONE, HOOK)))

    assert consenting(collector, browser, node, tmp_path, '{"ads":false}') == []
    assert len(consenting(collector, browser, node, tmp_path, '{"ads":true}')) == 1


def consenting(collector: Collector, browser: Browser, node: Path, folder: Path, consent: str) -> list[dict[str, Any]]:
    """What arrives of one event of a page whose visitor has given this consent."""
    scripts = bundled(node, CONSENT.replace("http://heard", collector.url), folder / "scripts")
    with shop({"/": f'{HEAD}<script type="module" src="/stdin.js"></script>'}, scripts=scripts) as site:
        visit = Visit(browser, site, collector.url)
        visit.page.goto(f"{site}/?consent={consent}")
        visit.page.evaluate("analytics.ready(() => {}); void analytics.track('Signed Up')")
        visit.page.evaluate("analytics.then(() => true)")  # loaded, or switched off
        visit.page.wait_for_timeout(300)
        visit.page.wait_for_load_state("networkidle")
    assert visit.complaints == []
    return [msgspec.json.decode(each.body) for each in collector.kept()]
