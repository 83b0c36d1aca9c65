"""`POST /hooks/segment/<write key>`: messages from Segment's cloud, as its Webhook destination sends them.

The address carries the same right as the write key in it. A source that has a shared secret takes only what is signed
with it: `X-Signature` is the hex HMAC-SHA1 of the body as it came over the wire. Without one nothing need be signed;
what is signed all the same must be signed with the write key.

The heart keeps the secrets in `DATA/hooks.json` (`{"<write key>": "<shared secret>"}`), read again like the keys.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from pathlib import Path

import msgspec

from heard.board import Board
from heard.collector.answers import Answer, Headers, later, refusal

PATH = "/hooks/segment"
KIND = "hook"

NO_KEY = refusal(404, "not_found", "The address has to end with a source's write key: /hooks/segment/<write key>.")
WRONG_METHOD = refusal(405, "method_not_allowed", "Messages are posted to this address.", ((b"allow", b"POST"),))
UNKNOWN_KEY = refusal(
    401, "invalid_write_key", "No source has the write key in this address. It is /hooks/segment/<write key>."
)
UNSIGNED = refusal(
    401,
    "signature_missing",
    "This source has a shared secret and the request has no X-Signature. Enter the same secret in the settings of "
    "Segment's Webhook destination.",
)
WRONG_SIGNATURE = refusal(
    401,
    "signature_wrong",
    "X-Signature is not the hex HMAC-SHA1 of this body with the source's shared secret (with its write key, where it "
    "has none). Enter the same secret in Segment's Webhook destination and here.",
)
UNREADABLE = later("secrets_unreadable", "The shared secrets cannot be read at the moment; send it again.", 5)

_decode = msgspec.json.Decoder(dict[str, str]).decode


class Hooks:
    """The shared secrets by write key, as of the board's generation."""

    def __init__(self, path: Path, board: Board) -> None:
        self._path = path
        self._board = board
        self._secrets: Mapping[str, str] | None = None
        self._load()

    def objection(self, key: str, headers: Headers, body: bytes) -> Answer | None:
        """Why this body may not come in under `key`, whose source exists; None when it may."""
        if self._generation != self._board.keys_generation:
            self._load()
        if self._secrets is None:
            return UNREADABLE
        secret = self._secrets.get(key)
        given = next((value.strip().lower() for name, value in headers if name == b"x-signature"), b"")
        if not given:
            return UNSIGNED if secret else None
        right = hmac.new((secret or key).encode(), body, "sha1").hexdigest()
        return None if hmac.compare_digest(right.encode(), given) else WRONG_SIGNATURE

    def _load(self) -> None:
        self._generation = self._board.keys_generation
        try:
            self._secrets = _decode(self._path.read_bytes())
        except FileNotFoundError:
            self._secrets = {}
        except (OSError, msgspec.MsgspecError):
            pass  # what is known stays; where nothing is, nobody comes in unsigned who might have had to sign


def key_in(path: str) -> str | None:
    """The write key that a path ends with: "" when it is a hook's path without one, None when it is another path."""
    if not (path + "/").startswith(PATH + "/"):
        return None
    return path[len(PATH) :].strip("/")
