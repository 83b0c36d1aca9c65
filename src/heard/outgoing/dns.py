"""What is published under a name: TXT records, asked of the system's name servers or of the one that is set."""

from __future__ import annotations

from heard.outgoing.exchange import NoAnswer

LIFETIME = 4.0  # seconds for one question, tries included


class Dns:
    """`server` is the IP address and the port of a name server; None = the system's."""

    def __init__(self, server: tuple[str, int] | None) -> None:
        self._server = server

    async def texts(self, name: str) -> list[str]:
        """The TXT records of a name, their strings joined; [] = there are none, or there is no such name.

        Raises:
            NoAnswer: "dns": nobody could say.
        """
        import dns.asyncresolver
        import dns.exception
        import dns.name
        import dns.resolver

        try:
            resolver = dns.asyncresolver.Resolver(configure=self._server is None)
            if self._server is not None:
                resolver.nameservers, resolver.port = [self._server[0]], self._server[1]
            answer = await resolver.resolve(f"{name}.", "TXT", lifetime=LIFETIME)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer, dns.name.LabelTooLong, dns.name.EmptyLabel):
            return []
        except (dns.exception.DNSException, OSError) as error:
            why = type(error).__name__ if isinstance(error, dns.exception.DNSException) else str(error)
            raise NoAnswer("dns", f"The name servers could not be asked for {name}: {why}.") from error
        return [b"".join(record.strings).decode("utf-8", "replace") for record in answer]
