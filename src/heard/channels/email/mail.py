"""A mail that is ready to be handed over: an envelope, and octets that nobody looks into again."""

from __future__ import annotations

from datetime import datetime

import msgspec


class Mail(msgspec.Struct, frozen=True, kw_only=True):
    delivery_id: str
    at: datetime  # what its Date says
    sender: str  # the envelope's addresses, as they go over the wire: domains in ASCII
    recipient: str
    content: bytes  # RFC 5322, lines ended by CRLF, none longer than 998 octets
    counts_opens: bool = False  # it has a picture that tells when it is loaded
    utf8: bool = False  # the recipient's local part is not ASCII: only a server with SMTPUTF8 can take it
