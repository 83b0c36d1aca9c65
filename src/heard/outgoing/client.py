"""The one client that everything leaves by: webhooks, forwards, the button that tries them.

It reaches public addresses only (`url.py`, `connect.py`), follows no redirect, knows no cookie, no proxy and no
password of the environment, and never waits longer nor reads more than it is told. It is httpcore's connections: what
httpx adds around them is what would have to be switched off here.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from typing import TYPE_CHECKING

from msgspec.structs import replace

from heard.errors import Invalid
from heard.outgoing import url
from heard.outgoing.exchange import Answer, NoAnswer, Request
from heard.outgoing.names import Resolver, SystemResolver

if TYPE_CHECKING:
    import httpcore

    from heard.outgoing.connect import CheckedConnections
    from heard.outgoing.kept_open import KeptOpen

TIMEOUT = 5.0  # seconds from the first packet to the last octet; what Segment gives a webhook
CONNECT_TIMEOUT = 3.0  # seconds, of those, for name and connection; the same again for TLS
MOST_READ = 64 << 10  # octets of an answer's body
OURS = frozenset({"host", "content-length", "transfer-encoding", "connection"})  # headers nobody else sets


class Client:
    """Sends requests, any number side by side; how many, is for those to limit who call it.

    One for an installation. Nothing is loaded before the first request. `resolve` stands in for the system's resolver.
    """

    def __init__(self, *, allow_private: bool, resolve: Resolver | None = None) -> None:
        self._allow_private = allow_private
        self._resolve = resolve
        self._checked: CheckedConnections | None = None
        self._kept_open: KeptOpen | None = None

    async def send(self, request: Request, *, timeout: float = TIMEOUT) -> Answer:  # noqa: ASYNC109
        """What came back, within `timeout` seconds whatever the other side does. Failures are answers, not raised."""
        began = time.monotonic()
        try:
            target = url.read(request.url, allow_private=self._allow_private)
            answer = await self._exchange(request, target, timeout)
        except url.Forbidden as error:
            answer = Answer(error="forbidden_address", detail=str(error))
        except Invalid as error:
            answer = Answer(error="bad_url", detail=str(error))
        except NoAnswer as failure:
            answer = Answer(error=failure.error, detail=str(failure))
        return replace(answer, seconds=time.monotonic() - began)

    async def check_url(self, written: str, *, field: str | None = None) -> None:
        """As `url.check_url`, and what the name leads to is checked too; a name unknown just now is let pass.

        Raises:
            Invalid: nothing would be sent there.
        """
        url.check_url(written, allow_private=self._allow_private, field=field)
        await self.check_host(url.read(written, allow_private=self._allow_private).host, field=field)

    async def check_host(self, host: str, *, field: str | None = None) -> None:
        """Whether what a name leads to may be reached; see `check_url`."""
        try:
            async with asyncio.timeout(CONNECT_TIMEOUT):
                await self._checking().checked(host)
        except url.Forbidden as error:
            error.field = field
            raise
        except (NoAnswer, TimeoutError):
            pass

    async def dial(self, host: str, port: int) -> socket.socket:
        """A connection for another protocol than HTTP, to an address by the same rules.

        Raises:
            Forbidden: it is not public.
            NoAnswer: nobody took it in time.
        """
        return await self._checking().dial(host, port, CONNECT_TIMEOUT)

    async def close(self) -> None:
        """Let go of the idle connections; requests under way end by themselves. It can be used again."""
        kept_open, self._kept_open = self._kept_open, None
        if kept_open is not None:
            await kept_open.close()

    async def _exchange(self, request: Request, target: url.Target, timeout: float) -> Answer:  # noqa: ASYNC109
        import httpcore

        outgoing = _outgoing(request, target)
        kept_open = self._connections()
        body, response = bytearray(), None
        connection = await kept_open.take(target)
        try:
            async with asyncio.timeout(timeout):
                response = await connection.handle_async_request(outgoing)
                try:
                    async for part in response.aiter_stream():
                        body += part
                        if len(body) >= MOST_READ:
                            break
                finally:
                    await response.aclose()
        except (TimeoutError, httpcore.NetworkError, httpcore.RemoteProtocolError) as error:
            # What the other side decided is in its status. If a body that nobody ends undid that, we would send again.
            if response is None:
                raise _no_answer(error, target.host, timeout) from error
        except httpcore.LocalProtocolError as error:
            raise NoAnswer("bad_request", f"This cannot be sent: {error}.") from error
        finally:
            await kept_open.give_back(target, connection)
        return Answer(
            status=response.status,
            headers=tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in response.headers),
            body=bytes(body[:MOST_READ]),
        )

    def _connections(self) -> KeptOpen:
        if self._kept_open is None:
            from heard.outgoing.kept_open import KeptOpen

            self._kept_open = KeptOpen(self._checking(), _trusted())
        return self._kept_open

    def _checking(self) -> CheckedConnections:
        if self._checked is None:
            from heard.outgoing.connect import CheckedConnections

            resolve = self._resolve or SystemResolver()
            self._checked = CheckedConnections(resolve, allow_private=self._allow_private)
        return self._checked


def _outgoing(request: Request, target: url.Target) -> httpcore.Request:
    import httpcore

    given = [
        (name.encode("latin-1", "replace"), value.encode("utf-8"))
        for name, value in request.headers
        if name.lower() not in OURS
    ]
    return httpcore.Request(
        request.method,
        httpcore.URL(
            scheme=target.scheme.encode(), host=target.host.encode(), port=target.port, target=target.path.encode()
        ),
        headers=[
            (b"Host", target.authority.encode()),
            *given,
            (b"Content-Length", str(len(request.body)).encode()),
        ],
        content=request.body,
        extensions={"timeout": {"connect": CONNECT_TIMEOUT}},
    )


def _no_answer(error: Exception, host: str, timeout: float) -> NoAnswer:
    if isinstance(error, TimeoutError):
        return NoAnswer("timeout", f"{host} did not answer within {timeout:g} seconds.")
    if "disconnected without" in str(error) or not type(error).__name__.endswith("ProtocolError"):
        return NoAnswer("reset", f"{host} broke the connection off before it answered.")
    return NoAnswer("protocol", f"{host} answered with something that is not HTTP.")


def _trusted() -> ssl.SSLContext:
    """The system's certificates (or those that SSL_CERT_FILE names), and Mozilla's for systems that have none."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context
