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

from heard.errors import Invalid
from heard.outgoing.addresses import Address, may_be_reached
from heard.outgoing.client import MOST_READ, Client
from heard.outgoing.exchange import ERRORS, Answer, Request
from heard.outgoing.url import check_url, read
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

NEVER_PUBLIC = [
    "http://127.0.0.1:5432",
    "https://127.0.0.1:5432",
    "https://[::ffff:10.0.0.1]",
    "http://[::ffff:10.0.0.1]",
    "http://0x7f000001",
    "https://0x7f000001",
    "https://0x7f.1",
    "http://2130706433",
    "https://2130706433",
    "https://0177.0.0.1",
    "https://127.1",
    "https://１２７.０.０.１",
    "https://127。0。0。1",
    "http://localhost.",
    "https://localhost.",
    "https://LOCALHOST:8443",
    "https://db.localhost",
    "https://postgres:5432",
    "https://metadata.google.internal/computeMetadata/v1/",
    "http://foo@10.0.0.1",
    "https://foo@10.0.0.1",
    "https://hooks.acme.example@10.0.0.1/",
    "https://hooks.acme.example\\@10.0.0.1/",
    "https://169.254.169.254/latest/meta-data",
    "https://100.100.100.200",
    "https://168.63.129.16",
    "https://0.0.0.0",
    "https://255.255.255.255",
    "https://224.0.0.1",
    "https://[::1]",
    "https://[::]",
    "https://[fe80::1]",
    "https://[fe80::1%25eth0]",
    "https://[fd00:ec2::254]",
    "https://[64:ff9b::10.0.0.1]",
    "https://[64:ff9b:1::10.0.0.1]",
    "https://[2002:7f00:1::]",
    "https://[2001:0:7f00:1::]",
    "https://[::127.0.0.1]",
    "https://[ff02::1]",
]  # fmt: skip
NOT_AN_ADDRESS = [
    "",
    "hooks.acme.example/in",
    "ftp://hooks.acme.example",
    "file:///etc/passwd",
    "gopher://hooks.acme.example",
    "https://",
    "https:///in",
    "https://hooks.acme.example:25/",
    "https://hooks.acme.example:22/",
    "https://hooks.acme.example:0/",
    "https://hooks.acme.example:99999/",
    "https://hooks.acme.example:x/",
    "https://hooks.acme.example /",
    "https://hooks.acme.example/\r\nX: y",
    "https://hooks..example/",
    "https://[::1]a:443/",
    "https://-.example/",
    "http://hooks.acme.example/in",
    "https://hooks.acme.example/" + "x" * 2000,
]


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


# ---------------------------------------------------------------- where it may go


@pytest.mark.parametrize("url", NEVER_PUBLIC)
def test_fault_54_what_is_not_public_is_refused_when_it_is_saved(url: str):
    with pytest.raises(Invalid) as caught:
        check_url(url, allow_private=False, field="settings.url")

    assert caught.value.field == "settings.url"
    assert str(caught.value).endswith(".")


@pytest.mark.parametrize("url", NEVER_PUBLIC)
def test_fault_54_what_is_not_public_is_refused_when_it_is_sent_to(url: str):
    assert post(url, allow_private=False).error in ("forbidden_address", "bad_url")


@pytest.mark.parametrize("url", NOT_AN_ADDRESS)
def test_what_is_no_address_is_refused_with_the_fix(url: str):
    with pytest.raises(Invalid, match=r"\.$"):
        check_url(url, allow_private=False)

    assert post(url, allow_private=False).error in ("bad_url", "forbidden_address")


@pytest.mark.parametrize(
    "url",
    [
        "https://hooks.acme.example/in",
        "https://hooks.acme.example:8443/in?a=b&c=%20d",
        "https://hooks.acme.example:9000",
        "HTTPS://Hooks.Acme.Example./in",
        "https://bücher.example/ä?ö=ü",
        "https://8.8.8.8/in",
        "https://[2606:4700:4700::1111]/in",
        "https://a_b.acme.example",
    ],
)
def test_a_public_address_is_taken(url: str):
    check_url(url, allow_private=False)


def test_an_address_is_sent_as_http_wants_it():
    target = read("https://Bücher.example.:8443/ä b?q=ü".replace(" ", "%20"), allow_private=False)

    assert (target.host, target.authority) == ("xn--bcher-kva.example", "xn--bcher-kva.example:8443")
    assert target.path == "/%C3%A4%20b?q=%C3%BC"


def test_on_a_private_network_what_clouds_keep_secret_stays_out_of_reach():
    for url in ("http://127.0.0.1:5432", "http://10.1.2.3", "http://[::1]:8080", "http://postgres:5432"):
        check_url(url, allow_private=True)
    for url in ("http://169.254.169.254", "http://224.0.0.1", "http://0.0.0.0", "http://u:p@10.0.0.1", "http://127.1"):
        with pytest.raises(Invalid):
            check_url(url, allow_private=True)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8"])
def test_a_public_address_in_any_wrapping_may_be_reached(address: str):
    assert may_be_reached(ip_address(address), allow_private=False)


# ---------------------------------------------------------------- names


@pytest.mark.parametrize("private", ["10.0.0.1", "127.0.0.1", "::1", "169.254.169.254", "64:ff9b::10.0.0.1"])
@pytest.mark.parametrize("turned", [False, True])
def test_fault_54_a_name_with_one_private_address_among_public_ones_is_refused(private: str, turned: bool):
    addresses = ["8.8.8.8", private]
    resolve = leads_to(addresses[::-1] if turned else addresses)

    got = post("https://hooks.acme.example/in", resolve=resolve, allow_private=False)

    assert got.error == "forbidden_address"
    assert "hooks.acme.example" in got.detail
    assert got.seconds < 1, "nothing was connected to"


@pytest.mark.parametrize("addresses", [["10.0.0.1"], ["8.8.8.8", "10.0.0.1"]])
def test_fault_54_a_name_that_leads_inside_is_refused_when_it_is_saved(addresses: list[str]):
    client = Client(allow_private=False, resolve=leads_to(addresses))

    with pytest.raises(Invalid, match="not on the public internet"):
        in_the_heart(client.check_url("https://hooks.acme.example/in"))


def test_a_public_name_and_one_nobody_knows_yet_may_be_saved():
    in_the_heart(Client(allow_private=False, resolve=leads_to(["8.8.8.8"])).check_url("https://hooks.acme.example/in"))
    in_the_heart(Client(allow_private=False).check_url("https://nobody.invalid/in"))


def test_fault_54_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(receiver: Receiver):
    resolve = leads_to(["127.0.0.1"], ["169.254.169.254"])

    got = post(f"http://hooks.acme.example:{receiver.port}/in", resolve=resolve)

    assert got.status == 200
    assert resolve.asked == ["hooks.acme.example"], "it is asked once, and what is checked is what is used"
    assert receiver.received[0].headers["host"] == f"hooks.acme.example:{receiver.port}"


def test_fault_54_a_name_that_leads_inside_later_is_refused_at_the_next_connection(receiver: Receiver):
    receiver.script = [answer(200, connection="close")]
    url = f"http://hooks.acme.example:{receiver.port}/in"

    got = in_the_heart(send(Client(allow_private=True, resolve=leads_to(["127.0.0.1"], ["169.254.169.254"])), url, url))

    assert got.error == "forbidden_address"
    assert len(receiver.received) == 1


def test_the_next_address_of_a_name_is_tried_where_the_first_takes_no_connection(receiver: Receiver):
    got = post(f"http://hooks.acme.example:{receiver.port}/", resolve=leads_to(["127.0.0.2", "::1", "127.0.0.1"]))

    assert got.status == 200


def test_a_name_that_does_not_exist_is_named():
    got = post("http://nobody.invalid/in")

    assert (got.status, got.error) == (None, "dns")
    assert "nobody.invalid" in got.detail


def test_a_resolver_that_hangs_is_waited_for_no_longer_than_a_connection():
    async def never(host: str) -> Sequence[Address]:
        await asyncio.sleep(60)
        return []

    got = post("http://hooks.acme.example/in", resolve=never)

    assert got.error == "timeout"
    assert 2.5 < got.seconds < 4.5


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
