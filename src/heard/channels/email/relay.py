"""The mail server that mails are given to, as HEARD_SMTP_URL or a workspace names it."""

from __future__ import annotations

from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from heard.errors import Invalid


class Relay(msgspec.Struct, frozen=True, kw_only=True):
    """What `smtp[s]://user:password@host:port` says. Without a port: 465 for smtps, 587 with a user, else 25."""

    host: str
    port: int
    tls: bool
    user: str = ""
    password: str = ""
    verify: bool = True  # `?verify=no` takes any certificate: for a relay of one's own that signed its own


def relay(url: str, *, field: str = "HEARD_SMTP_URL") -> Relay:
    """Read the URL of a mail server; `field` is where it was written.

    Raises:
        Invalid: not such a URL. The message never repeats the password.
    """
    example = "smtp://user:password@mail.example:587"
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise Invalid(f"{field}: write a URL like {example}.", field=field) from None
    if parts.scheme not in ("smtp", "smtps") or not host or parts.path not in ("", "/"):
        raise Invalid(f"{field}: write it like {example} (smtps:// for TLS from the start).", field=field)
    options = dict(parse_qsl(parts.query, keep_blank_values=True))
    if unknown := set(options) - {"verify"}:
        raise Invalid(f"{field}: there is no option {min(unknown)!r}; there is verify=no.", field=field)
    tls = parts.scheme == "smtps"
    return Relay(
        host=host,
        port=port or (465 if tls else 587 if parts.username else 25),
        tls=tls,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        verify=options.get("verify", "yes").lower() not in ("no", "0", "false", "off"),
    )
