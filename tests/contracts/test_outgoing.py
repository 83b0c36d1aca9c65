"""The one way out: where it goes, where it never goes, and what it makes of those who misbehave."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Sequence
from ipaddress import ip_address

import pytest
import uvloop

from heard.outgoing.addresses import Address
from heard.outgoing.client import MOST_READ, Client
from heard.outgoing.exchange import ERRORS, Answer, Request
from heard.outgoing.kept_open import KEPT_OPEN
from tests.contracts.mail_server import free_port
from tests.contracts.receiver import (
    CERTIFICATE,
    Receiver,
    a_gigabyte,
    answer,
    dripping,
    endless_chunks,
    hang,
    receiver,
    receivers,
    reset,
)

__all__ = ["receiver", "receivers"]  # the fixtures

in_the_heart = uvloop.run  # on the loop that the product runs on


def post(url: str, *, resolve=None, allow_private: bool = True, timeout: float = 5.0, **more) -> Answer:
    return in_the_heart(send(Client(allow_private=allow_private, resolve=resolve), url, timeout=timeout, **more))


async def send(client: Client, *urls: str, timeout: float = 5.0, **more) -> Answer:  # noqa: ASYNC109
    try:
        for url in urls:
            got = await client.send(Request(url=url, **{"body": b'{"a":1}', **more}), timeout=timeout)
        return got
    finally:
        await client.close()


def leads_to(*answers: Sequence[str]):
    """A resolver that gives these addresses, lookup after lookup; it stays at the last. `asked` are the names."""
    waiting, asked = list(answers), []

    async def resolve(host: str) -> Sequence[Address]:
        asked.append(host)
        found = waiting.pop(0) if len(waiting) > 1 else waiting[0]
        return [ip_address(each) for each in found]

    resolve.asked = asked  # type: ignore[attr-defined]
    return resolve


# ---------------------------------------------------------------- what is sent, what comes back


def test_a_request_arrives_as_it_was_made(receiver: Receiver):
    receiver.script = [answer(201, b"taken", X_Number="7")]

    got = post(
        f"{receiver.url}/in?a=b",
        headers=(("Content-Type", "application/json"), ("X-Name", "Jürgen"), ("Host", "evil"), ("Content-Length", "1")),
        body='{"name":"Jürgen"}'.encode(),
    )

    (received,) = receiver.received
    assert (received.method, received.path, received.body) == ("POST", "/in?a=b", b'{"name":"J\xc3\xbcrgen"}')
    assert received.headers == {
        "host": f"127.0.0.1:{receiver.port}",
        "content-type": "application/json",
        "x-name": "Jürgen",
        "content-length": str(len(received.body)),
    }
    assert (got.status, got.body, got.header("x-number"), got.error) == (201, b"taken", "7", None)
    assert 0 < got.seconds < 2


def test_a_connection_is_used_again(receiver: Receiver):
    in_the_heart(send(Client(allow_private=True), *[receiver.url] * 5))

    assert [each.connection for each in receiver.received] == [1] * 5


@pytest.mark.slow
def test_a_connection_that_nobody_uses_is_closed(receiver: Receiver):
    async def run() -> int:
        client = Client(allow_private=True)
        await client.send(Request(url=receiver.url))
        kept = receiver.open
        deadline = time.monotonic() + 3 * KEPT_OPEN
        while receiver.open and time.monotonic() < deadline:  # noqa: ASYNC110  the other side has its own loop
            await asyncio.sleep(0.1)
        return kept

    assert in_the_heart(run()) == 1
    assert receiver.open == 0


def test_a_header_that_would_be_two_is_never_sent(receiver: Receiver):
    got = post(receiver.url, headers=(("X-Name", "Ann\r\nX-Other: 1"),))

    assert got.error == "bad_request"
    assert receiver.received == []


def test_no_proxy_and_no_password_of_the_environment_is_used(receiver: Receiver, monkeypatch: pytest.MonkeyPatch):
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert post(receiver.url).status == 200
    assert "authorization" not in receiver.received[0].headers


def test_a_cookie_is_not_given_back(receiver: Receiver):
    receiver.script = [answer(200, Set_Cookie="a=b; Path=/")]

    in_the_heart(send(Client(allow_private=True), receiver.url, receiver.url))

    assert "cookie" not in receiver.received[1].headers


def test_fault_53_a_redirect_is_an_answer_and_is_never_followed(receiver: Receiver):
    with Receiver() as elsewhere:
        for there in ("http://169.254.169.254/", f"{elsewhere.url}/secret"):
            receiver.script = [answer(302, Location=there)]

            got = post(receiver.url)

            assert (got.status, got.header("location")) == (302, there)
        assert elsewhere.received == []
    assert len(receiver.received) == 2


# ---------------------------------------------------------------- those who misbehave


def test_fault_51_a_receiver_that_does_not_answer_is_given_up_after_the_timeout(receiver: Receiver):
    receiver.script = [hang]

    got = post(receiver.url, timeout=0.5)

    assert (got.status, got.error) == (None, "timeout")
    assert 0.5 <= got.seconds < 1.5
    assert "0.5 seconds" in got.detail


def test_fault_51_one_that_hangs_delays_no_other(receivers: Sequence[Receiver]):
    slow, *others = receivers
    slow.script = [hang] * 20

    async def run() -> tuple[list[Answer], list[Answer]]:
        client = Client(allow_private=True)
        stuck = [asyncio.create_task(client.send(Request(url=slow.url))) for _ in range(20)]
        await asyncio.sleep(0.1)
        quick = [await client.send(Request(url=each.url)) for _ in range(20) for each in others]
        done = [task for task in stuck if task.done()]
        assert done == []
        answers = await asyncio.gather(*stuck)
        await client.close()
        return quick, answers

    quick, answers = in_the_heart(run())

    assert {each.status for each in quick} == {200}
    assert sorted(each.seconds for each in quick)[int(len(quick) * 0.99)] < 0.5
    assert {each.error for each in answers} == {"timeout"}


@pytest.mark.parametrize("behaviour", [a_gigabyte, endless_chunks])
def test_fault_52_a_body_without_end_is_cut_at_64_kilobytes(receiver: Receiver, behaviour):
    receiver.script = [200, behaviour, behaviour]

    async def run() -> tuple[Answer, int]:
        client = Client(allow_private=True)
        await client.send(Request(url=receiver.url))  # what is loaded once is loaded before
        tracemalloc.start()
        await client.send(Request(url=receiver.url))
        got = await client.send(Request(url=receiver.url))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        await client.close()
        return got, peak

    got, peak = in_the_heart(run())

    assert (got.status, len(got.body)) == (200, MOST_READ)
    assert got.seconds < 2
    assert peak < 2 << 20, "the other side's thread included"


def test_an_answer_that_drips_in_is_given_up_after_the_timeout(receiver: Receiver):
    receiver.script = [dripping(answer(200), every=0.1)]

    got = post(receiver.url, timeout=0.5)

    assert got.error == "timeout"
    assert got.seconds < 1.5


def test_a_status_that_has_come_counts_whatever_becomes_of_the_body(receiver: Receiver):
    async def drip_after_the_head(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nthank")
        await dripping(b"s" * 900, every=0.1)(writer)

    receiver.script = [drip_after_the_head]

    got = post(receiver.url, timeout=0.5)

    assert (got.status, got.error) == (200, None)
    assert got.body.startswith(b"thank")
    assert got.seconds < 1.5


def test_an_answer_before_the_request_has_been_read_is_an_answer():
    async def run() -> Answer:
        async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(answer(413, b"too large", connection="close"))
            await writer.drain()
            writer.write_eof()
            await asyncio.sleep(0.5)
            writer.transport.abort()

        server = await asyncio.start_server(refuse, "127.0.0.1", 0)
        url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        got = await send(Client(allow_private=True), url, body=b"x" * (20 << 20))
        server.close()
        return got

    assert in_the_heart(run()).status == 413


@pytest.mark.parametrize(
    ("reply", "error"),
    [
        (reset, "reset"),
        (b"220 mail.acme.example ESMTP\r\n\r\n", "protocol"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx", "protocol"),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 300_000, "protocol"),
    ],
)
def test_what_is_no_answer_has_its_own_word(receiver: Receiver, reply, error: str):
    receiver.script = [reply]

    got = post(receiver.url, timeout=2)

    assert (got.status, got.error) == (None, error)
    assert got.detail.startswith("127.0.0.1 ")


def test_a_port_where_nobody_listens_refuses():
    assert post(f"http://127.0.0.1:{free_port()}").error == "refused"


def test_a_certificate_nobody_vouches_for_is_refused():
    with Receiver(tls=True) as receiver:
        got = post(receiver.url)

    assert (got.error, receiver.received) == ("tls", [])
    assert "self-signed certificate" in got.detail


def test_a_certificate_of_the_system_is_trusted_for_its_name_only(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))
    with Receiver(tls=True) as receiver:
        here = leads_to(["127.0.0.1"])
        url = f"https://NAME:{receiver.port}/in"

        assert post(url.replace("NAME", "localhost"), resolve=here).status == 200
        assert post(url.replace("NAME", "hooks.acme.example"), resolve=here).error == "tls"
        assert post(url.replace("NAME", "127.0.0.1")).status == 200
    assert [each.headers["host"] for each in receiver.received] == [
        f"localhost:{receiver.port}",
        f"127.0.0.1:{receiver.port}",
    ]


def test_what_does_not_speak_tls_is_told_so():
    async def run() -> Answer:
        async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 mail.acme.example ESMTP\r\n")

        server = await asyncio.start_server(greet, "127.0.0.1", 0)
        got = await send(Client(allow_private=True), f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        server.close()
        return got

    got = in_the_heart(run())

    assert got.error == "tls"
    assert got.detail == "No secure connection to 127.0.0.1: wrong version number."


def test_a_client_that_sends_nothing_loads_nothing():
    code = (
        "import sys; from heard.outgoing.client import Client; Client(allow_private=False);"
        "print([name for name in ('httpcore', 'h11', 'ssl', 'certifi') if name in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout

    assert said.strip() == "['ssl']"  # asyncio's own


def test_a_closed_client_leaves_no_connection_and_can_be_used_again(receiver: Receiver):
    async def run() -> None:
        client = Client(allow_private=True)
        for _ in range(2):
            assert (await client.send(Request(url=receiver.url))).status == 200
            await client.close()

    in_the_heart(run())
    deadline = time.monotonic() + 5
    while receiver.connections < 2 and time.monotonic() < deadline:
        time.sleep(0.01)

    assert receiver.connections == 2


def test_every_word_for_no_answer_is_declared():
    assert {"timeout", "refused", "reset", "dns", "tls", "forbidden_address", "bad_url", "protocol"} <= ERRORS
