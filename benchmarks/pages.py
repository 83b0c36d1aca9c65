"""How long the pages take over a workspace as large as they get: 1M contacts, 5M messages, 200k answers.

    .venv/bin/python benchmarks/pages.py [--scale 0.01] [--folder /tmp/large] [--rounds 40]

Every page is asked for again and again, each time with other parameters where it has some, through the collector, as a
browser does; what is printed is the time until the whole page is there. The floor is the sign-in page: a template of
the same shell that asks nothing of anything.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from urllib.parse import quote

import httpx
import large_workspace as large
from tree import HEARD, WORKSPACE, Tree, megabytes, share

TARGET = 200  # ms, the 95th percentile
SECOND = WORKSPACE[WORKSPACE.index("  - name: Post-purchase") :].replace("Post-purchase", "After a ticket")


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--scale", type=float, default=1.0, help="1 is the whole workspace; 0.01 takes seconds")
    asked.add_argument("--folder", type=Path, help="keep the workspace here, and use it again")
    asked.add_argument("--rounds", type=int, default=40, help="how often each page is asked for")
    given = asked.parse_args()
    folder = given.folder or Path("/tmp") / f"heard-large-{given.scale:g}"
    tree = Tree(folder)
    if not (tree.data / "heard.db").exists():
        make(folder, tree.data, given.scale)
    password = subprocess.run(
        [HEARD, "users", "password", "owner@localhost", "--json", "--data", str(tree.data)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    tree.start()
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{tree.port}", timeout=120) as browser:
            secret = json.loads(password.stdout)["password"]
            assert browser.post("/sign-in", data={"email": "owner@localhost", "password": secret}).status_code == 303
            measure(browser, given.rounds, given.scale)
        print(f"\nheart afterwards: {megabytes(tree.pids()['heart']):.0f} MB PSS")
    finally:
        tree.stop()


def make(folder: Path, data: Path, scale: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "heard.yaml").write_text(WORKSPACE + SECOND)
    for arguments in (["init"], ["apply", str(folder / "heard.yaml")]):
        subprocess.run([HEARD, *arguments, "--data", str(data)], check=True, stdout=subprocess.DEVNULL)
    large.write(data / "heard.db", scale=scale)


def measure(browser: httpx.Client, rounds: int, scale: float) -> None:
    contacts = int(large.CONTACTS * scale)
    draw = random.Random(11)

    def somebody() -> int:
        return draw.randint(1, contacts)

    def where(text: str) -> str:
        return quote(text)

    pages: list[tuple[str, Callable[[], str]]] = [
        ("floor: /sign-in", lambda: "/sign-in"),
        ("/ (90 days)", lambda: "/"),
        ("/ all time, by country", lambda: "/?from=2020-01-01&by=country&every=month"),
        ("/ filtered", lambda: "/?where=" + where(f"traits.plan = '{draw.choice(large.PLANS)}' and traits.seats > 10")),
        ("/contacts", lambda: "/contacts"),
        ("/contacts by address", lambda: f"/contacts?q={large.user(somebody())[:6]}"),
        ("/contacts by name", lambda: f"/contacts?q={draw.choice(large.FIRST)}+{draw.choice(large.LAST)}"),
        ("/contacts by a name nobody has", lambda: "/contacts?q=Zebulon"),
        ("/contacts filtered", lambda: "/contacts?where=" + where("traits.plan = 'Enterprise'")),
        ("/contacts/{id}", lambda: f"/contacts/{somebody()}"),
        ("/decisions", lambda: "/decisions"),
        ("/decisions of a reason", lambda: f"/decisions?campaign=1&reason={draw.choice(large.REASONS)}"),
        ("/campaigns", lambda: "/campaigns"),
        ("/campaigns/{id}", lambda: f"/campaigns/{draw.choice(large.CAMPAIGNS)}"),
        ("/messages", lambda: "/messages"),
        ("/messages rejected", lambda: "/messages?verdict=rejected"),
        ("/messages of a contact", lambda: f"/messages?user_id={large.user(somebody())}"),
        ("/deliveries", lambda: "/deliveries"),
        ("/deliveries failed", lambda: "/deliveries?state=failed"),
        ("/responses", lambda: "/responses"),
        ("/responses with FQL", lambda: "/responses?where=" + where("traits.country = 'DE'")),
        ("/outbox", lambda: "/outbox"),
        ("/sources", lambda: "/sources"),
        ("/settings/members", lambda: "/settings/members"),
        ("/settings/file", lambda: "/settings/file"),
        ("/settings/audit", lambda: "/settings/audit"),
    ]
    began = time.perf_counter()
    browser.get("/").raise_for_status()
    print(f"first overview after the start (the answers are read into memory): {time.perf_counter() - began:.1f} s\n")
    print(f"{'page':34} {'p50 ms':>8} {'p95 ms':>8} {'KB':>6}")
    for name, path in pages:
        taken: list[float] = []
        size = 0
        for _ in range(rounds):
            began = time.perf_counter()
            answer = browser.get(path())
            taken.append((time.perf_counter() - began) * 1000)
            size = len(answer.content)
            if answer.status_code != 200:
                print(f"{name:34} answered {answer.status_code}")
                break
        slow = share(sorted(taken), 95)
        note = "  over the target" if slow > TARGET else ""
        print(f"{name:34} {median(taken):8.0f} {slow:8.0f} {size / 1024:6.0f}{note}")


if __name__ == "__main__":
    main()
