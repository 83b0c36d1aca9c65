"""How a workspace sends mail and hears of what became of it.

Reports come in at an address that ends with a key. It is computed from the installation's secret, the workspace and how
often it was made anew, so there is nothing to keep, and nothing to look up before it is believed.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping

import msgspec

PREFIX = "mail"
MAC = 20  # octets


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    turn: int = 0  # how often the key of the address for reports was made anew
    secrets: Mapping[str, str] = {}  # by provider: what its reports are signed with


NOTHING_SET = MailSettings()


def report_key(secret: bytes, workspace: int, turn: int) -> str:
    """`mail-<workspace>-<40 hex digits>`. `secret` is the installation's."""
    mac = hmac.digest(secret, b"heard/mail/reports/workspace/%d/turn/%d" % (workspace, turn), "sha256")[:MAC]
    return f"{PREFIX}-{workspace}-{mac.hex()}"


def workspace_of(secret: bytes, key: str, turns: Mapping[int, int]) -> int | None:
    """Whose key it is; None = nobody's. Every key that could be one costs one comparison in constant time.

    `turns`: of each workspace there is.
    """
    prefix, _, rest = key.partition("-")
    number = rest.partition("-")[0]
    if prefix != PREFIX or not (number.isascii() and number.isdigit() and len(number) < 19):
        return None
    workspace = int(number)
    right = report_key(secret, workspace, turns.get(workspace, 0))
    genuine = hmac.compare_digest(right.encode(), key.encode("utf-8", "replace"))
    return workspace if genuine and workspace in turns else None
