"""What the heart tells pages through the collector, from an edit of the workspace to the next request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx

from tests.flow.running import ACME, RunningHeard

ASKING = """
destinations:
  - {name: Asking, type: surveys, sources: [Website], settings: {consent_categories: [research]}}
"""


def settings(heard: RunningHeard, key: str = "wk_acme_website") -> dict[str, Any]:
    answer = httpx.get(f"{heard.url}/v1/projects/{key}/settings")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_pages_are_told_of_an_edit_with_their_next_request(tmp_path: Path):
    with RunningHeard(tmp_path / "data") as heard:
        ours = {"apiKey": "wk_acme_website", "apiHost": f"127.0.0.1:{heard.port}/v1", "protocol": "http"}
        assert settings(heard)["integrations"] == {"Segment.io": ours, "Heard": {"bundlingStatus": "unbundled"}}

        heard.apply(ACME + ASKING)
        told = settings(heard)
        assert told["integrations"]["Asking"]["consentSettings"] == {"categories": ["research"]}
        assert told["consentSettings"] == {"allCategories": ["research"], "hasUnmappedDestinations": False}

        heard.apply(ACME.replace("sources:", "sources:\n  - {name: Shop, write_key: wk_acme_shop}") + ASKING)
        assert list(settings(heard, "wk_acme_shop")["integrations"]) == ["Segment.io"]
        assert f'"{heard.url}"' in httpx.get(f"{heard.url}/analytics.js/v1/wk_acme_shop/analytics.min.js").text
        published = heard.data / "browser.json"
        assert published.stat().st_mode & 0o077 == 0
