"""The native API against everything its own description permits, and much that it does not: Schemathesis asks a running
Heard, first about whatever it thinks of, then about what is really there. No answer is an error of ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.contracts.receiver import Receiver
from tests.flow.running import ACME, RunningHeard

SCHEMATHESIS = Path(sys.executable).parent / "schemathesis"
CHECKS = "not_a_server_error,content_type_conformance,response_headers_conformance,response_schema_conformance"
OUTSIDE = """
destinations:
  - {{name: Heard, type: surveys}}
  - {{name: Shop hook, type: webhook, settings: {{url: "{url}"}}}}
audiences:
  - {{name: Buyers, where: {{event: Order Completed}}}}
computed_traits:
  - {{name: orders, count: {{event: Order Completed}}}}
"""
THERE = """
[parameters]
"path.who" = "ann"
"path.name" = "Shop hook"
"path.id" = 1

[[operations]]
include-path-regex = "/campaigns/"
parameters = { "path.name" = "Post-purchase" }

[[operations]]
include-path-regex = "/audiences/"
parameters = { "path.name" = "Buyers" }

[[operations]]
include-path-regex = "/computed-traits/"
parameters = { "path.name" = "orders" }
"""
EXAMPLES = 15  # a call and phase
SEED = "8800"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def heard(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHeard]:
    """Ann ordered; the hook took nothing of it at first."""
    folder = tmp_path_factory.mktemp("properties")
    with (
        Receiver(500, 400) as shop,
        RunningHeard(
            folder / "data",
            workspace=ACME + OUTSIDE.format(url=shop.url),
            environment={"HEARD_ALLOW_PRIVATE_NETWORK": "on"},
        ) as running,
    ):
        running.send("identify", userId="ann", traits={"email": "ann@acme.example", "firstName": "Ann"})
        running.send("track", userId="ann", event="Order Completed", properties={"total": 50})
        running.settle()
        running.post("destinations/Shop%20hook/replay", {"since": "1d"})
        running.settle()
        yield running


def ask(heard: RunningHeard, folder: Path, *, about_what_is_there: bool) -> str:
    """Every call but the one that moves the test clock."""
    config = folder / "schemathesis.toml"
    config.write_text(THERE if about_what_is_there else "")
    command = [
        str(SCHEMATHESIS), "--config-file", str(config),
        "run", f"{heard.url}/api/openapi.json", "--url", heard.url,
        "--header", f"Authorization: Bearer {heard.secret_key}",
        "--exclude-path", "/api/test-clock", "--phases", "coverage,fuzzing", "--max-examples", str(EXAMPLES),
        "--checks", CHECKS, "--continue-on-failure", "--no-shrink", "--seed", SEED, "--generation-database", "none",
        "--request-timeout", "20", "--no-color", "--warnings", "off",
    ]  # fmt: skip
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stdout[-20_000:] + done.stderr[-5_000:]
    return done.stdout


@pytest.mark.parametrize("about_what_is_there", [False, True])
def test_whatever_is_asked_is_answered_or_refused_and_never_an_error_of_ours(
    heard: RunningHeard, tmp_path: Path, *, about_what_is_there: bool
):
    said = ask(heard, tmp_path, about_what_is_there=about_what_is_there)

    assert "No issues found" in said, said
    given_up = heard.get("destinations/Shop%20hook/deliveries", state="dead")["data"]
    assert len(given_up) == (0 if about_what_is_there else 1)  # it was tried again, among all that was asked
