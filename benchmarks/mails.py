"""Mails a second: what it costs to write a survey mail, beside handing over octets that were written before.

One run does both against one SMTP server in another process, turn by turn, through the same client:

- floor: the same constant mail, handed over N times;
- ours:  N different invitations, each rendered and handed over;
- peer:  N different invitations, each built with the standard library's EmailMessage, and handed over.

    .venv/bin/python benchmarks/mails.py [--mails 5000] [--connections 4]

Two servers, because aiosmtpd costs more than our client does and so hides what writing a mail costs: a bare protocol
that reads to the final dot shows it. Bracket: ours at least 0.6 of the floor, over either.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import platform
import resource
import statistics
import time
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime
from typing import cast

import uvloop
from aiosmtpd.smtp import SMTP

from heard.accounts.workspace import Brand
from heard.channels.email.invitation import Invitation
from heard.channels.email.mail import Mail
from heard.channels.email.render import render
from heard.channels.email.smtp import Smtp
from heard.ids import LinkKeys, delivery_id, message_id
from heard.surveys.wording import worded

AT_LEAST = 0.6
ROUNDS = 5
NOW = datetime(2026, 11, 22, 9, tzinfo=UTC)
ACME = Brand(
    name="Acme",
    from_="Acme <feedback@acme.example>",
    reply_to="success@acme.example",
    color="#2563eb",
    address="Acme GmbH, Lindenstraße 4, 10969 Berlin",
)
WORDING = worded("nps", brand=ACME.name)
KEYS = LinkKeys(b"the secret of a benchmark, 32 oct")


def invitation(number: int) -> Invitation:
    delivery = delivery_id(1, number, f"order {number}", "first")
    token = KEYS.token(1, delivery)
    return Invitation(
        delivery_id=delivery,
        to_address=f"person{number}@example.com",
        to_name=f"Jürgen {number}",
        brand=ACME,
        wording=WORDING,
        traits={"firstName": f"Jürgen {number}", "plan": "Premium"},
        link=f"https://heard.acme.example/s/{token}",
        hidden="https://heard.example/about/TOKEN",
        unsubscribe=f"https://heard.acme.example/u/{token}",
        because="you placed an order on 19 November",
        at_most=timedelta(days=90),
    )


def by_us(number: int) -> Mail:
    return render(invitation(number), at=NOW)


def by_the_standard_library(number: int) -> Mail:
    """The same headers and bodies of the same length, by the way every Python tutorial shows."""
    asked = invitation(number)
    mail = EmailMessage()
    mail["From"] = ACME.from_
    mail["To"] = f"{asked.to_name} <{asked.to_address}>"
    mail["Reply-To"] = ACME.reply_to
    mail["Subject"] = "Acme: one question"
    mail["Date"] = format_datetime(NOW)
    mail["Message-ID"] = message_id(asked.delivery_id, "acme.example")
    mail["List-Unsubscribe"] = f"<{asked.unsubscribe}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(TEXT.replace("LINK", asked.link).replace("NAME", asked.to_name or ""))
    mail.add_alternative(HTML.replace("LINK", asked.link).replace("NAME", asked.to_name or ""), subtype="html")
    content = mail.as_bytes(policy=mail.policy.clone(linesep="\r\n"))
    return Mail(
        delivery_id=asked.delivery_id,
        at=NOW,
        sender="feedback@acme.example",
        recipient=asked.to_address,
        content=content,
    )


TEXT = "Hi NAME,\n\nHow likely is it?\n\n" + "\n".join(f"{score}: LINK?a={score}" for score in range(11))
HTML = "<p>Hi NAME,</p>" + "".join(
    f'<a href="LINK?a={score}" style="{"display:inline-block;" * 40}">{score}</a>\n' for score in range(11)
)


class Sink:
    """For aiosmtpd: takes every mail."""

    async def handle_DATA(self, *_: object) -> str:  # noqa: N802
        return "250 OK"


class BareServer(asyncio.Protocol):
    """As little of SMTP as takes a mail: no envelope is kept, and the text is only read to its final dot."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's own does not inherit from it
        self._in_text = False
        self._held = b""
        self._transport.write(b"220 bare\r\n")

    def data_received(self, data: bytes) -> None:
        self._held += data
        end = b"\r\n.\r\n" if self._in_text else b"\r\n"
        if not self._held.endswith(end):
            return
        command, self._held = self._held[:4], b""
        if self._in_text or command != b"DATA":
            self._in_text = False
            self._transport.write(b"250 OK\r\n")
        else:
            self._in_text = True
            self._transport.write(b"354 go on\r\n")


SERVERS: dict[str, Callable[[asyncio.AbstractEventLoop], asyncio.BaseProtocol]] = {
    "aiosmtpd": lambda loop: SMTP(Sink(), loop=loop),
    "bare": lambda _: BareServer(),
}


def serve(kind: str, port: multiprocessing.Queue[int]) -> None:
    uvloop.install()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    server = loop.run_until_complete(loop.create_server(lambda: SERVERS[kind](loop), "127.0.0.1", 0))
    port.put(server.sockets[0].getsockname()[1])
    loop.run_forever()


async def mails_a_second(smtp: Smtp, write: Callable[[int], Mail], numbers: range) -> float:
    """As the send loop does it: a few hand-overs side by side, each mail written when its turn comes."""
    waiting = iter(numbers)

    async def one_after_the_other() -> None:
        for number in waiting:
            await smtp.hand_over(write(number))

    started = time.perf_counter()
    await asyncio.gather(*(one_after_the_other() for _ in range(smtp.connections)))
    return len(numbers) / (time.perf_counter() - started)


async def compare(port: int, mails: int, connections: int) -> dict[str, list[float]]:
    constant = by_us(0)
    ways: dict[str, Callable[[int], Mail]] = {
        "floor": lambda _: constant,
        "ours": by_us,
        "peer": by_the_standard_library,
    }
    smtp = Smtp(f"smtp://127.0.0.1:{port}", connections=connections)
    rates: dict[str, list[float]] = {name: [] for name in ways}
    await mails_a_second(smtp, ways["floor"], range(200))
    for turn in range(ROUNDS):
        order = list(ways) if turn % 2 == 0 else list(reversed(ways))
        for name in order:
            share = mails // ROUNDS
            rates[name].append(await mails_a_second(smtp, ways[name], range(turn * share, (turn + 1) * share)))
    await smtp.close()
    return rates


def microseconds(write: Callable[[int], Mail], times: int = 2000) -> float:
    """The best of five: what it costs when nothing else wants the processor."""
    best = float("inf")
    for _ in range(5):
        started = time.perf_counter()
        for number in range(times // 5):
            write(number)
        best = min(best, (time.perf_counter() - started) / (times // 5))
    return best * 1e6


def kilobytes_a_mail() -> float:
    invitations = [invitation(number) for number in range(500)]
    tracemalloc.start()
    kept = [render(each, at=NOW) for each in invitations]
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / len(kept) / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--mails", type=int, default=5000)
    parser.add_argument("--connections", type=int, default=4)
    asked = parser.parse_args()

    print(f"{platform.platform()}, {multiprocessing.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{asked.mails} mails each, {asked.connections} connections, {len(by_us(0).content):,} octets a mail")
    for kind in SERVERS:
        report(kind, rates_over(kind, asked.mails, asked.connections))
    ready = invitation(1)
    print("by itself")
    print(f"  one render        {microseconds(lambda _: render(ready, at=NOW)):8.1f} µs (invitation at hand)")
    print(f"  with invitation   {microseconds(by_us):8.1f} µs (id, token, link and render)")
    print(f"  EmailMessage      {microseconds(by_the_standard_library, 500):8.1f} µs")
    print(f"  a mail in memory  {kilobytes_a_mail():8.1f} KB")
    print(f"  largest RSS       {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:8.1f} MB (this process)")


def rates_over(kind: str, mails: int, connections: int) -> dict[str, list[float]]:
    port: multiprocessing.Queue[int] = multiprocessing.Queue()
    server = multiprocessing.Process(target=serve, args=(kind, port), daemon=True)
    server.start()
    try:
        return uvloop.run(compare(port.get(timeout=20), mails, connections))
    finally:
        server.terminate()
        server.join(10)


def report(kind: str, rates: dict[str, list[float]]) -> None:
    """Each share is the median over turns of the rate beside the floor's in the same turn: neighbours hit both."""
    print(f"over {kind}")
    for name, label in (("floor", "constant octets"), ("ours", "rendered by us"), ("peer", "EmailMessage")):
        share = statistics.median(rate / floor for rate, floor in zip(rates[name], rates["floor"], strict=True))
        print(f"  {label:<16} {statistics.median(rates[name]):8,.0f} mails/s   {share:5.2f} of the floor", end="")
        print(f"   (at least {AT_LEAST}: {'holds' if share >= AT_LEAST else 'FALLS SHORT'})" if name == "ours" else "")


if __name__ == "__main__":
    main()
