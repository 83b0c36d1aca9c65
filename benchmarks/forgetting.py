"""How long one person takes to be forgotten among millions of messages, and what it costs whoever is served meanwhile.

    .venv/bin/python benchmarks/forgetting.py [--scale 1.0] [--folder /tmp/large]

A workspace as large as they get (`large_workspace.py`; scale 1 is 1M contacts and 5M messages), served. One person is
deleted through `POST /api/regulations`; the clock stops at FINISHED, which means that no byte of them is left: every
message of every day was searched, the rows are gone, and the database was written anew. Meanwhile a message is sent 20
times a second and a page asked for twice a second. The floor is what has to be done at the least, by SQLite alone on a
copy: one look at every message's text, and one VACUUM.
"""

from __future__ import annotations

import argparse
import json
import platform
import shutil
import sqlite3
import subprocess
import threading
import time
from pathlib import Path
from statistics import median

import httpx
import large_workspace as large
from pages import make
from tree import HEARD, KEY, Tree, share


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--scale", type=float, default=1.0)
    asked.add_argument("--folder", type=Path)
    given = asked.parse_args()
    folder = given.folder or Path("/tmp") / f"heard-forgetting-{given.scale:g}"
    tree = Tree(folder)
    if not (tree.data / "heard.db").exists():
        make(folder, tree.data, given.scale)
    key, password = (
        json.loads(
            subprocess.run([HEARD, *each, "--json", "--data", str(tree.data)], capture_output=True, check=True).stdout
        )
        for each in (["keys", "add", "benchmark"], ["users", "password", "owner@localhost"])
    )
    size = (tree.data / "heard.db").stat().st_size / 1e9
    whom = large.user(int(large.CONTACTS * given.scale) // 2)
    least = floor(tree.data / "heard.db", folder / "copy.db", whom)
    tree.start()
    stop, sent, shown = threading.Event(), list[float](), list[float]()
    url = f"http://127.0.0.1:{tree.port}"
    try:
        beside = [
            threading.Thread(target=repeat, args=(stop, sent, 0.05, lambda: send(url))),
            threading.Thread(target=repeat, args=(stop, shown, 0.5, visitor(url, password["password"]))),
        ]
        for each in beside:
            each.start()
        took = forget(url, key["secret_key"], whom)
        stop.set()
        for each in beside:
            each.join()
    finally:
        tree.stop()
    messages = int(large.MESSAGES * given.scale)
    print(f"{platform.machine()}, {messages:,} messages, a database of {size:.1f} GB\n")
    print(f"one person forgotten   {took:8.1f} s   ({took / messages * 1e6:.1f} us a message)")
    print(f"floor                  {least:8.1f} s   ratio {took / least:.2f}")
    print(f"a message meanwhile    p50 {median(sent):.0f} ms, p99 {share(sorted(sent), 99):.0f} ms, of {len(sent)}")
    print(f"a page meanwhile       p50 {median(shown):.0f} ms, p99 {share(sorted(shown), 99):.0f} ms, of {len(shown)}")


def forget(url: str, key: str, whom: str) -> float:
    """Seconds until FINISHED."""
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=120) as api:
        began = time.perf_counter()
        body = {"regulationType": "DELETE_ONLY", "subjectType": "USER_ID", "subjectIds": [whom]}
        answer = api.post("/api/regulations", json=body).raise_for_status()
        number = answer.json()["data"]["regulateId"]
        while True:
            state = api.get(f"/api/regulations/{number}").raise_for_status().json()
            said = json.dumps(state)
            if "FINISHED" in said:
                return time.perf_counter() - began
            assert "FAILED" not in said, state
            time.sleep(0.2)


def floor(database: Path, copy: Path, whom: str) -> float:
    shutil.copyfile(database, copy)
    with sqlite3.connect(copy, isolation_level=None) as connection:
        began = time.perf_counter()
        days = connection.execute("SELECT name FROM sqlite_master WHERE name GLOB 'messages_2???????'").fetchall()
        for (table,) in days:
            connection.execute(f"SELECT count(*) FROM {table} WHERE body LIKE ?", [f"%{whom}%"]).fetchone()
        connection.execute("VACUUM")
        took = time.perf_counter() - began
    copy.unlink()
    return took


def repeat(stop: threading.Event, taken: list[float], every: float, act: object) -> None:
    while not stop.is_set():
        began = time.perf_counter()
        act()  # type: ignore[operator]
        taken.append((time.perf_counter() - began) * 1000)
        stop.wait(max(0.0, every - (time.perf_counter() - began)))


def send(url: str) -> None:
    message = {"userId": large.user(1), "event": "Order Completed", "properties": {"total": 1}}
    httpx.post(f"{url}/v1/track", json=message, auth=(KEY, ""), timeout=120).raise_for_status()


def visitor(url: str, password: str) -> object:
    browser = httpx.Client(base_url=url, timeout=300)
    assert browser.post("/sign-in", data={"email": "owner@localhost", "password": password}).status_code == 303
    return lambda: browser.get("/messages").raise_for_status()


if __name__ == "__main__":
    main()
