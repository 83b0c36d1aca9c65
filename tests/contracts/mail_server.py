"""A real SMTP server on loopback that can be told to misbehave."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

Answer = str | Callable[[SMTP], Awaitable[str]]

TAKEN = "250 2.0.0 taken"


class MailServer:
    """`mail`, `recipient` and `data` say what it answers at that step: a reply, or something it does first."""

    def __init__(self, *, password: str | None = None, utf8: bool = False, tls: str = "none") -> None:
        self.mail: Answer = "250 OK"
        self.recipient: Answer = "250 OK"
        self.data: Answer = TAKEN
        self.taken: list[Envelope] = []
        self.sessions: set[int] = set()
        self.users: list[str | None] = []
        self.encrypted: list[bool] = []
        options: dict[str, Any] = {"enable_SMTPUTF8": utf8, "data_size_limit": 10_000_000}
        if password is not None:
            options |= {
                "auth_require_tls": False,
                "authenticator": lambda server, session, envelope, mechanism, said: AuthResult(
                    success=said.password == password.encode(), handled=False, auth_data=said.login.decode()
                ),
            }
        if tls == "offered":
            options["tls_context"] = its_own_certificate()
        from_the_start = its_own_certificate() if tls == "from the start" else None
        self._scheme = "smtps" if from_the_start else "smtp"
        self._controller = Controller(
            self, hostname="127.0.0.1", port=free_port(), ssl_context=from_the_start, **options
        )

    def __enter__(self) -> MailServer:
        self._controller.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        return self._controller.port

    @property
    def url(self) -> str:
        return f"{self._scheme}://127.0.0.1:{self.port}"

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.sessions.add(id(session))
        self.users.append(session.auth_data if session.authenticated else None)
        self.encrypted.append(session.ssl is not None)
        envelope.mail_from = address
        return await _said(self.mail, server)

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        envelope.rcpt_tos.append(address)
        return await _said(self.recipient, server)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await _said(self.data, server)
        if answer.startswith("2"):
            self.taken.append(envelope)
        return answer


@pytest.fixture
def mail_server() -> Iterator[MailServer]:
    with MailServer() as running:
        yield running


async def _said(answer: Answer, server: SMTP) -> str:
    return answer if isinstance(answer, str) else await answer(server)


async def hang_up(server: SMTP) -> str:
    """Reset the connection instead of answering."""
    assert isinstance(server.transport, asyncio.Transport)
    server.transport.abort()
    return "250 nobody hears this"


async def say_nothing(server: SMTP) -> str:
    """A tarpit: the answer comes long after everybody has gone."""
    await asyncio.sleep(20)
    return "250 at last"


def in_turn(*answers: Answer) -> Callable[[SMTP], Awaitable[str]]:
    """One answer after the other; the last one stays."""
    left = list(answers)

    async def next_answer(server: SMTP) -> str:
        return await _said(left.pop(0) if len(left) > 1 else left[0], server)

    return next_answer


def its_own_certificate() -> ssl.SSLContext:
    """A certificate that nobody vouches for, made for these tests: it proves nothing and protects nothing."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Path(__file__).with_name("loopback.pem"))
    return context


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
