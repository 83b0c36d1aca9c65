"""Where the one way out leads, and where it never does: fault 54."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from ipaddress import ip_address

import pytest

from heard.errors import Invalid
from heard.outgoing.addresses import Address, may_be_reached
from heard.outgoing.client import Client
from heard.outgoing.url import check_url, read
from tests.contracts.receiver import Receiver, answer, receiver
from tests.contracts.test_outgoing import in_the_heart, leads_to, post, send

__all__ = ["receiver"]  # the fixture

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
