"""From an order to the survey mail: how soon at light load, and how many a second from a backlog.

    .venv/bin/python benchmarks/handover.py [--triggers 200] [--a-second 10] [--surveys 5000] [--connections 8]
    .venv/bin/python benchmarks/handover.py --triggers 0 --mails 100000    # the same as --surveys: a large backlog

The first part runs a whole `heard serve`: from the moment before the track is sent until the mail server has the final
dot. The floor is the last step alone: constant octets, handed over by the same client on a connection that is open.

The second part is the whole sending path over a store with that many due surveys: claim, ask the rules again, render,
commit `sending`, hand over, commit `sent`; and what memory this takes as the backlog goes down. The floor is constant
octets through the same client, as many connections, and below it a bare client that knows four commands. The peer is
what listmonk publishes, which was not run here: see `PUBLISHED`. Two servers stand on the other side: aiosmtpd, and a
bare protocol that hides nothing of what we cost; `--servers` picks one.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import json
import os
import platform
import sys
import tempfile
import time
from base64 import b64encode
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import uvloop
import yaml
from mails import SERVERS, by_us, mails_a_second
from sink import Sink, serving
from tree import KEY, WORKSPACE, Tree, megabytes, share

from heard import config
from heard.board import Board
from heard.channels.email.mail import Mail
from heard.channels.email.smtp import Smtp
from heard.installation import Installation
from heard.log.segments import SegmentWriter
from heard.messages.accepted import Accepted, encode
from heard.operations import first_run, workspace_file

TARGET_SECONDS, TARGET_SHARE = 1.0, 0.6
OPEN = "SELECT 1 FROM deliveries WHERE state IN ('scheduled', 'sending') LIMIT 1"
# listmonk.app states no rate: "A production listmonk instance sending a campaign of 7+ million e-mails. CPU usage is a
# fraction of a single core with peak RAM usage of 57 MB." Its settings say of the rate, 10 and 10 by default: "If
# concurrency = 10 and message_rate = 10, then up to 10x10=100 messages may be pushed out every second."
PUBLISHED = """listmonk, published, not run: no rate is; its defaults allow 100 mails/s (10 workers, 10 a second each),
                   and a campaign of 7+ million mails took at most 57 MB, PostgreSQL beside it not counted"""
HEADERS = {"Authorization": "Basic " + b64encode(f"{KEY}:".encode()).decode(), "Content-Type": "application/json"}


def main() -> None:
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--triggers", type=int, default=200)
    asked.add_argument("--a-second", type=float, default=10)
    asked.add_argument("--surveys", "--mails", type=int, default=5000)
    asked.add_argument("--servers", nargs="+", choices=list(SERVERS), default=list(SERVERS))
    asked.add_argument("--connections", type=int, default=8)
    given = asked.parse_args()
    load = os.getloadavg()[0]
    python = platform.python_version()
    print(f"{platform.platform()}, Python {python}, {given.connections} connections, load {load:.1f}")
    if given.triggers:
        with Sink() as sink, tempfile.TemporaryDirectory() as folder:
            _latency(Path(folder), sink, given.triggers, given.a_second, given.connections)
    for kind in given.servers if given.surveys else ():
        with serving(kind) as port, tempfile.TemporaryDirectory() as folder:
            uvloop.run(_backlog(Path(folder), kind, port, given.surveys, given.connections))


def _latency(folder: Path, sink: Sink, triggers: int, rate: float, connections: int) -> None:
    smtp = {"HEARD_SMTP_URL": sink.url, "HEARD_SMTP_CONNECTIONS": str(connections)}
    with Tree(folder, environment=smtp) as tree:
        way = http.client.HTTPConnection("127.0.0.1", tree.port)
        for number in range(triggers):
            _post(way, "identify", number, {"traits": {"email": f"person{number}@example.com"}})
        began: dict[str, float] = {}
        started = time.monotonic()
        for number in range(triggers):
            time.sleep(max(0.0, started + number / rate - time.monotonic()))
            began[f"person{number}@example.com"] = time.time()
            _post(way, "track", number, {"event": "Order Completed", "properties": {"total": 25}})
        until, came = time.monotonic() + 10, dict(sink.arrivals())
        while len(came) < triggers and time.monotonic() < until:
            time.sleep(0.1)
            came |= dict(sink.arrivals())
    waits = sorted(came[who] - at for who, at in began.items() if who in came)
    bare = sorted(uvloop.run(_hand_overs(sink, triggers)))
    print(f"\ntrigger to hand-over, {triggers} at {rate:g} a second ({triggers - len(waits)} missing)")
    for label, each in (("ours", waits), ("hand-over alone", bare)):
        print(f"  {label:<16} p50 {share(each, 50) * 1e3:8.1f} ms   p99 {share(each, 99) * 1e3:8.1f} ms")
    print(
        f"  p99 target < {TARGET_SECONDS:g} s: {_holds(share(waits, 99) < TARGET_SECONDS and len(waits) == triggers)}"
    )


def _post(way: http.client.HTTPConnection, kind: str, number: int, what: dict[str, object]) -> None:
    way.request("POST", f"/v1/{kind}", json.dumps({"userId": f"user-{number}", **what}), HEADERS)
    answer = way.getresponse()
    answer.read()
    assert answer.status == 200, answer.status


async def _hand_overs(sink: Sink, count: int) -> list[float]:
    smtp, mail = Smtp(sink.url, connections=1), by_us(0)
    waits: list[float] = []
    for _ in range(count):
        began = time.time()
        await smtp.hand_over(mail)
        (arrival,) = sink.arrivals()
        waits.append(arrival[1] - began)
    await smtp.close()
    return waits


async def _backlog(folder: Path, kind: str, port: int, surveys: int, connections: int) -> None:
    url = f"smtp://127.0.0.1:{port}"
    environment = {"HEARD_SMTP_URL": url, "HEARD_SMTP_CONNECTIONS": str(connections), "HEARD_LOG_LEVEL": "error"}
    app = Installation(config.read(environment, data=folder / "data"))
    await first_run.init(app)
    await workspace_file.apply(app, content=yaml.safe_load(WORKSPACE))
    await _invite(app, surveys)
    sizes: list[float] = []
    watching = asyncio.create_task(_watch(sizes))
    began, spent = time.perf_counter(), time.process_time()
    app.pipeline.start()
    while app.store.read_now(lambda each: each.exec_driver_sql(OPEN).first()):
        await asyncio.sleep(0.1)
    ours, spent = surveys / (time.perf_counter() - began), time.process_time() - spent
    watching.cancel()
    await app.pipeline.stop()
    rest = app.store.read_now(
        lambda each: each.exec_driver_sql("SELECT count(*) FROM deliveries WHERE state <> 'sent'").scalar()
    )
    assert rest == 0, f"{rest} were not sent"
    await app.close()
    smtp, mail = Smtp(url, connections=connections), by_us(0)
    await mails_a_second(smtp, lambda _: mail, range(200))
    floor = await mails_a_second(smtp, lambda _: mail, range(surveys))
    await smtp.close()
    bare = await _bare_client(port, mail, surveys, connections)
    print(f"\n{surveys:,} due surveys over {kind}")
    print(f"  a bare client    {bare:8,.0f} mails/s")
    print(f"  constant octets  {floor:8,.0f} mails/s")
    print(f"  ours             {ours:8,.0f} mails/s   {ours / floor:5.2f} of the floor, target >= {TARGET_SHARE}")
    print(f"                   {ours / bare:5.2f} of the bare client, {spent / surveys * 1e6:,.0f} us of CPU a mail")
    steps = "; ".join(f"{sizes[len(sizes) * quarter // 4]:.0f}" for quarter in (1, 2, 3))
    print(f"  memory (RSS)     {sizes[0]:.0f} MB at first; {steps} after quarters; {sizes[-1]:.0f} at last, ", end="")
    print(f"{max(sizes):.0f} at most")
    print(f"  {PUBLISHED}")


async def _watch(sizes: list[float]) -> None:
    """What this process takes, in MB, a few times a second."""
    while True:
        sizes.append(megabytes(os.getpid(), "Rss"))
        await asyncio.sleep(0.2)


async def _bare_client(port: int, mail: Mail, count: int, connections: int) -> float:
    """Mails a second: four commands and the octets of one mail, written beforehand, as often as ours sent one."""
    text = mail.content.replace(b"\r\n.", b"\r\n..").removesuffix(b"\r\n") + b"\r\n.\r\n"
    envelope = f"MAIL FROM:<{mail.sender}>\r\n".encode(), f"RCPT TO:<{mail.recipient}>\r\n".encode(), b"DATA\r\n", text

    async def one(mails: int) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await reader.readline()
        writer.write(b"EHLO benchmark\r\n")
        while (await reader.readline())[3:4] == b"-":
            pass
        for _ in range(mails):
            for piece in envelope:
                writer.write(piece)
                answer = await reader.readline()
                assert answer[:1] in b"23", answer
        writer.close()

    began = time.perf_counter()
    await asyncio.gather(*(one(count // connections) for _ in range(connections)))
    return count // connections * connections / (time.perf_counter() - began)


async def _invite(app: Installation, surveys: int) -> None:
    """Identify and order, through the log and the router; nothing is sent yet."""
    source = next(each.id for each in app.directory.sources.values() if each.write_key == KEY)
    log = SegmentWriter(app.settings.data / "log", Board(app.settings.data / "board")).start()
    for first in range(0, surveys, 50):
        batch = [
            message
            for number in range(first, min(first + 50, surveys))
            for message in (
                {"type": "identify", "userId": f"user-{number}", "traits": {"email": f"person{number}@example.com"}},
                {"type": "track", "userId": f"user-{number}", "event": "Order Completed", "properties": {"total": 25}},
            )
        ]
        now = int(datetime.now(UTC).timestamp() * 1e6)
        await log.append(encode(Accepted(source, "batch", now, "", "", msgspec.json.encode({"batch": batch}))))
    await log.close()
    while await app.pipeline.route_once():
        pass


def _holds(it_does: bool) -> str:
    return "holds" if it_does else "FALLS SHORT"


if __name__ == "__main__":
    sys.exit(main())
