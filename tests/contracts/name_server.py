"""A name server on loopback that knows what a test has published, and nothing else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from types import TracebackType

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

STRING = 255  # octets of one string of a TXT record


class NameServer:
    """`texts` are the TXT records by name. `silent`: it answers nothing."""

    def __init__(self) -> None:
        self.texts: dict[str, list[str]] = {}
        self.asked: list[str] = []
        self.silent = False
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = ("127.0.0.1", self._socket.getsockname()[1])
        self._thread = threading.Thread(target=self._serve, daemon=True)

    @property
    def setting(self) -> str:
        return f"{self.address[0]}:{self.address[1]}"

    def __enter__(self) -> NameServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.sendto(b"", self.address)  # what ends it
        self._thread.join(5)
        self._socket.close()

    def _serve(self) -> None:
        while True:
            data, client = self._socket.recvfrom(4096)
            if not data:
                return
            query = dns.message.from_wire(data)
            name = str(query.question[0].name).rstrip(".").lower()
            self.asked.append(name)
            if not self.silent:
                self._socket.sendto(self._answer(query, name).to_wire(), client)

    def _answer(self, query: dns.message.Message, name: str) -> dns.message.Message:
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        texts = self.texts.get(name)
        if texts is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        else:
            written = [" ".join(f'"{part}"' for part in _strings(text)) for text in texts]
            answer.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "TXT", *written))
        return answer


def _strings(text: str) -> list[str]:
    return [text[start : start + STRING] for start in range(0, len(text), STRING)] or [""]


@pytest.fixture
def name_server() -> Iterator[NameServer]:
    with NameServer() as server:
        yield server
