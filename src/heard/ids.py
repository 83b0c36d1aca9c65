"""Names that are computed, not drawn: the same delivery has the same id, Message-ID and link on every try.

A link is a capability. Its token says which workspace and which delivery, and a MAC under that workspace's own key
says that we wrote it; there is nothing to look up before it is believed, and nothing personal in it.

One token opens both the survey (`/s/`) and the preferences (`/u/`): both stand in the same mail and the survey page
itself leads to the preferences, so two tokens would only pretend to be two rights. What a token is *for* is under the
MAC all the same, so that a later kind of link (a preview, a public survey) can never be used as this one.
"""

from __future__ import annotations

import binascii
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

import msgspec

VERSION = 1
RESPONDENT = b"respondent"  # the purpose of a token in a survey mail
PREVIEW = b"preview"  # ... in a mail that a member sent to themselves; it opens nobody's invitation
CAMPAIGN = b"campaign"  # ... of the public link of a campaign, which stands in mails that others send
OPENED = b"opened"  # ... of the picture in a mail, which opens nothing
PREVIEW_TIME = 42  # bits of milliseconds, until the year 2109; what stands above them is the language
MAC = 16  # octets of HMAC-SHA256 that are kept
SIZE = 1 + 1 + 4 + 16 + MAC  # version, key id, workspace, delivery, MAC
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LENGTH = (SIZE * 4 + 2) // 3  # characters of base64 without padding: 51


class Link(msgspec.Struct, frozen=True):
    """What a token that we signed speaks of."""

    workspace: int
    delivery_id: str


def delivery_id(campaign: int, contact: int, trigger: str, kind: str) -> str:
    """The id of a delivery, 32 hex digits: the same for the same ask however often its trigger is read again.

    `trigger` is what set it off (source and messageId); `kind` is `first` or `reminder`.
    """
    asked = msgspec.json.encode((campaign, contact, trigger, kind))
    return blake2b(asked, digest_size=16, person=b"heard delivery").hexdigest()


def forward_id(destination: int, source: int, message_id: str, run: int) -> str:
    """What a receiver can tell repeats by: the same in every try. `run` is the replay that sends it again, else 0."""
    asked = msgspec.json.encode((destination, source, message_id, run))
    return "msg_" + blake2b(asked, digest_size=16, person=b"heard forward").hexdigest()


def told_id(computation: int, user_id: str, change: int) -> str:
    """The messageId of what destinations are told of a contact: the `change`th about this audience or trait."""
    asked = msgspec.json.encode((computation, user_id, change))
    return "told_" + blake2b(asked, digest_size=16, person=b"heard told").hexdigest()


def introduced_id(introduction: int, user_id: str) -> str:
    """The messageId of what destinations that are told of an audience later hear of a contact who is in it."""
    asked = msgspec.json.encode((introduction, user_id))
    return "told_" + blake2b(asked, digest_size=16, person=b"heard introduced").hexdigest()


def violation_id(source: int, message_id: str, place: int) -> str:
    """The messageId of what destinations are told of a message's `place`th violation of its tracking plan."""
    asked = msgspec.json.encode((source, message_id, place))
    return "violation_" + blake2b(asked, digest_size=16, person=b"heard violation").hexdigest()


def sent_back_id(delivery: str, what: str) -> str:
    """The messageId of what destinations are told of the answer to an invitation: `what` is `answered`, say."""
    asked = msgspec.json.encode((delivery, what))
    return "answer_" + blake2b(asked, digest_size=16, person=b"heard send back").hexdigest()


def visit_id(campaign: int, contact: int) -> str:
    """Under which is kept what a contact opened of a campaign's public link, until an answer gives it a delivery."""
    asked = msgspec.json.encode((campaign, contact))
    return blake2b(asked, digest_size=16, person=b"heard visit").hexdigest()


class Previewed(msgspec.Struct, frozen=True):
    """What the id of a mail speaks of that is nobody's delivery."""

    workspace: int
    campaign: int
    at: datetime
    language: int = 0  # which of those its survey speaks


def preview_id(workspace: int, campaign: int, at: datetime, language: int = 0) -> str:
    """The id of a mail that a member sends to themselves, 32 hex digits that begin with eight zeros: no delivery's.

    (A delivery's id begins so once in four billion, and then still has to name a workspace and a campaign.)
    """
    milliseconds = (at - EPOCH) // timedelta(milliseconds=1)
    return f"{0:08x}{workspace:06x}{campaign:06x}{language << PREVIEW_TIME | milliseconds:012x}"


def previewed(delivery_id: str) -> Previewed | None:
    """What a member looks at; None for the id of a delivery."""
    if not delivery_id.startswith("00000000"):
        return None
    language, milliseconds = divmod(int(delivery_id[20:], 16), 1 << PREVIEW_TIME)
    at = EPOCH + timedelta(milliseconds=milliseconds)
    return Previewed(int(delivery_id[8:14], 16), int(delivery_id[14:20], 16), at, language)


def message_id(delivery_id: str, domain: str) -> str:
    """The Message-ID of a delivery's mail. `domain` is the sender's, in ASCII."""
    return f"<{delivery_id}@{domain}>"


class LinkKeys:
    """The keys that sign links: one per workspace, derived from the server's secret.

    After the secret was changed the former ones still open the links that were mailed under them; only the first signs.
    """

    def __init__(self, secret: bytes, *, former: Sequence[bytes] = ()) -> None:
        if len(secret) < 16:
            raise ValueError("a secret of fewer than 16 octets can be guessed")
        self._secrets = [(_key_id(each), each) for each in (secret, *former)]
        self._derived: dict[tuple[bytes, int], bytes] = {}

    def token(self, workspace: int, delivery_id: str, *, purpose: bytes = RESPONDENT) -> str:
        """The token of a delivery's links: 51 characters of the URL-safe alphabet."""
        key_id, secret = self._secrets[0]
        said = bytes((VERSION, key_id)) + workspace.to_bytes(4, "big") + bytes.fromhex(delivery_id)
        signed = said + self._mac(secret, workspace, purpose, said)
        return urlsafe_b64encode(signed).rstrip(b"=").decode()

    def read(self, token: str, *, purpose: bytes = RESPONDENT) -> Link | None:
        """What the token speaks of; None when we did not sign exactly this text for this purpose.

        Every well-formed token costs one comparison in constant time, whether or not its key is known.
        """
        signed = _decode(token)
        if signed is None or signed[0] != VERSION:
            return None
        said, mac = signed[:-MAC], signed[-MAC:]
        workspace = int.from_bytes(said[2:6], "big")
        candidates = [secret for key_id, secret in self._secrets if key_id == said[1]] or [self._secrets[0][1]]
        genuine = [hmac.compare_digest(self._mac(each, workspace, purpose, said), mac) for each in candidates]
        return Link(workspace, said[6:].hex()) if any(genuine) else None

    def campaign_tokens(self, workspace: int, campaign: int, turn: int) -> list[str]:
        """What the public link of a campaign may be called, 22 characters, the one to show first; the others were shown
        under former secrets. `turn` counts how often it was made anew."""
        said = b"%d/%d" % (campaign, turn)
        macs = (self._mac(secret, workspace, CAMPAIGN, said) for _, secret in self._secrets)
        return [urlsafe_b64encode(each).rstrip(b"=").decode() for each in macs]

    def campaign_secrets(self, workspace: int, campaign: int, turn: int) -> list[str]:
        """What the parameters of a campaign's public link are signed with, the one to show first."""
        said = b"%d/%d" % (campaign, turn)
        return ["ls_" + self._mac(secret, workspace, CAMPAIGN + b" secret", said).hex() for _, secret in self._secrets]

    def _mac(self, secret: bytes, workspace: int, purpose: bytes, said: bytes) -> bytes:
        key = self._derived.get((secret, workspace))
        if key is None:
            key = hmac.digest(secret, b"heard/links/workspace/%d" % workspace, "sha256")
            if len(self._derived) < 1000:  # a guessed token can name any workspace: what it names must not pile up
                self._derived[secret, workspace] = key
        return hmac.digest(key, purpose + b"\x00" + said, "sha256")[:MAC]


def _key_id(secret: bytes) -> int:
    """One octet that tells secrets apart in most cases; when two share it, both are tried."""
    return hmac.digest(secret, b"heard/links/key-id", "sha256")[0]


def _decode(token: str) -> bytes | None:
    if len(token) != LENGTH or not token.isascii():
        return None
    try:
        signed = urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return None
    # Lax decoding maps several texts to the same octets; only the one we would write is a token.
    return signed if urlsafe_b64encode(signed).rstrip(b"=").decode() == token else None
