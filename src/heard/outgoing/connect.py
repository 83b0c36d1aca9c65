"""Connections to checked addresses only.

The name is resolved here, once; every address it has is judged; and the connection is opened to one of those very
addresses, never to the name again. A name that changes its mind in between (DNS rebinding) changes nothing. Host and
certificate still go by the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Iterable, Sequence
from typing import Any

import httpcore

from heard.outgoing.addresses import Address, may_be_reached
from heard.outgoing.exchange import NoAnswer
from heard.outgoing.names import Resolver
from heard.outgoing.url import literal, not_public
from heard.outgoing.wire import Wire


class CheckedConnections(httpcore.AsyncNetworkBackend):
    """What httpcore opens its connections with."""

    def __init__(self, resolve: Resolver, *, allow_private: bool) -> None:
        self._resolve = resolve
        self._allow_private = allow_private

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  httpcore's signature
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.AsyncNetworkStream:
        """A connection to the first address that takes it.

        Raises:
            Forbidden: any of the addresses is not public.
            NoAnswer: there are none, or nobody took it, in `timeout` seconds for all of this.
        """
        return Stream(await self.dial(host, port, timeout), host)

    async def dial(self, host: str, port: int, timeout: float | None) -> socket.socket:  # noqa: ASYNC109
        """As `connect_tcp`, the socket alone."""
        try:
            async with asyncio.timeout(timeout):
                return await _first_of(await self.checked(host), port)
        except TimeoutError:
            raise NoAnswer("timeout", f"{host} took no connection within {timeout:g} seconds.") from None
        except OSError as error:
            raise _not_connected(host, error) from error

    async def checked(self, host: str) -> Sequence[Address]:
        """Every address of a host, each of which may be reached.

        Raises:
            Forbidden, NoAnswer: see above.
        """
        address = literal(host)
        found = [address] if address is not None else await self._resolve(host)
        # One that is not public among others is how rebinding begins: the whole name is refused.
        if not found or not all(may_be_reached(each, allow_private=self._allow_private) for each in found):
            raise not_public(host)
        return found


async def _first_of(addresses: Sequence[Address], port: int) -> socket.socket:
    last = OSError("it has no address")
    for address in addresses:
        family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
        try:
            opened = socket.socket(family, socket.SOCK_STREAM)
        except OSError as error:  # no IPv6 on this machine
            last = error
            continue
        try:
            opened.setblocking(False)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(opened, (str(address), port))
            return opened
        except OSError as error:
            opened.close()
            last = error
        except BaseException:
            opened.close()
            raise
    raise last


def _not_connected(host: str, error: OSError) -> NoAnswer:
    if isinstance(error, ssl.SSLError):
        why = getattr(error, "verify_message", None) or error.reason or "it does not speak TLS"
        return NoAnswer("tls", f"No secure connection to {host}: {str(why).replace('_', ' ').lower()}.")
    if isinstance(error, ConnectionRefusedError):
        return NoAnswer("refused", f"{host} refuses connections.")
    if isinstance(error, ConnectionError):
        return NoAnswer("reset", f"{host} broke the connection off.")
    return NoAnswer("unreachable", f"{host} cannot be reached: {error.strerror or error}.")


class Stream(httpcore.AsyncNetworkStream):
    """One connection. The time allowed is the whole request's, so that nothing here counts it again."""

    def __init__(self, opened: socket.socket, host: str) -> None:
        self._socket = opened
        self._host = host
        self._wire: Wire | None = None

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore.AsyncNetworkStream:
        try:
            async with asyncio.timeout(timeout):
                await self._open(ssl=ssl_context, server_hostname=server_hostname)
            return self
        except TimeoutError:
            await self.aclose()
            raise NoAnswer("timeout", f"{self._host} agreed on no TLS within {timeout:g} seconds.") from None
        except OSError as error:  # SSLError is one
            await self.aclose()
            raise _not_connected(self._host, error) from error
        except BaseException:
            await self.aclose()
            raise

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ARG002, ASYNC109
        try:
            return await (await self._open()).read(max_bytes)
        except OSError as error:
            raise httpcore.ReadError(str(error)) from error

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ARG002, ASYNC109
        try:
            await (await self._open()).write(buffer)
        except OSError as error:
            raise httpcore.WriteError(str(error)) from error

    async def aclose(self) -> None:
        if self._wire is not None:
            self._wire.cut()
        else:
            self._socket.close()

    def get_extra_info(self, info: str) -> Any:
        # Asked of an idle connection, about to be used again: has the other side closed it, or said what nobody asked?
        return self._wire is not None and self._wire.has_more if info == "is_readable" else None

    async def _open(self, **tls: Any) -> Wire:
        """The socket with TLS, where `start_tls` came first, or plain."""
        if self._wire is None:
            loop = asyncio.get_running_loop()
            _, self._wire = await loop.create_connection(Wire, sock=self._socket, **tls)
        return self._wire
