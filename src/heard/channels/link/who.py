"""Who a public link names, by its parameters: `user_id`, `email`, and `sig`, which proves them.

Mail tools fill the parameters in. Where one does not, a tag is left in its place; that is nobody's name, and whoever
made the mail has to be told, not a person made of it.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from enum import StrEnum

import msgspec

from heard.campaigns.campaign import LinkIdentity
from heard.contacts import address as addresses
from heard.contacts.written import LONGEST_ID

USER_ID, EMAIL, SIGNATURE = "user_id", "email", "sig"
PARAMETERS = (USER_ID, EMAIL, SIGNATURE)

_TAG = re.compile(
    r"\{\{.*\}\}|\{%.*%\}|\{[^{}]*\}|\$\{.*\}|\*\|.*\|\*|%%[^%]+%%|%[^%@]+%|<%.*%>|<<.*>>|\[\[.*\]\]|\[[^\]]*\]|##.+##"
    r"|__test_email__|undefined|null|None|USER_ID|EMAIL"
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Named(msgspec.Struct, frozen=True, kw_only=True):
    """At least one of the two is there; `email` is an address. `signed`: by whoever knows the link's secret."""

    user_id: str | None = None
    email: str | None = None
    signed: bool = False


class Unnamed(StrEnum):
    """Why a link names nobody; the words under which it is counted."""

    UNFILLED = "unfilled"
    NOBODY = "nobody"
    UNSIGNED = "unsigned"


def read(parameters: Mapping[str, str], *, secrets: Sequence[str], identity: LinkIdentity) -> Named | Unnamed:
    """`secrets` are those the signature may have been made with. A signature that is wrong is never overlooked."""
    said = {key: parameters.get(key, "").strip() for key in PARAMETERS}
    said[EMAIL] = said[EMAIL].replace(" ", "+")  # where a tool did not encode the plus of an address
    tags = [key for key in (USER_ID, EMAIL) if is_unfilled(said[key])]
    user_id, email = (None if key in tags else said[key] or None for key in (USER_ID, EMAIL))
    if user_id is not None and (len(user_id) > LONGEST_ID or _CONTROL.search(user_id)):
        user_id = None
    address = addresses.read(email)
    if user_id is None and address is None:
        return Unnamed.UNFILLED if tags else Unnamed.NOBODY
    if said[SIGNATURE]:
        text = {key: "" if key in tags else said[key] for key in (USER_ID, EMAIL)}
        made = [signature(secret, text[USER_ID], text[EMAIL]) for secret in secrets]
        if not any(hmac.compare_digest(each.encode(), said[SIGNATURE].lower().encode()) for each in made):
            return Unnamed.UNSIGNED
    elif identity is LinkIdentity.SIGNED:
        return Unnamed.UNSIGNED
    return Named(user_id=user_id, email=address, signed=bool(said[SIGNATURE]))


def signature(secret: str, user_id: str, email: str) -> str:
    """Hex HMAC-SHA256, keyed by the secret as written, of the two as they stand in the link with a line end between."""
    text = f"{user_id}\n{email}"
    return hmac.digest(secret.encode(), text.encode("utf-8", "surrogatepass"), "sha256").hex()


def is_unfilled(value: str) -> bool:
    """Whether this is a tag of a mail tool, and no name: `{{email}}`, `*|EMAIL|*`, `%recipient.email%`."""
    return _TAG.fullmatch(value) is not None
