"""How a workspace sends mail and hears of what became of it.

Reports come in at an address that ends with a key. It is computed from the installation's secret, the workspace and how
often it was made anew, so there is nothing to keep, and nothing to look up before it is believed.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from datetime import date, datetime

import msgspec

PREFIX = "mail"
MAC = 20  # octets


class DkimKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key that signs mails of one domain. `active_since` None: its record is not published yet, as far as we know."""

    domain: str  # the sender's, in ASCII
    selector: str
    private_key: str  # PEM
    public_key: str  # base64 of its DER: what the record says after p=
    made_at: datetime
    active_since: datetime | None = None

    @property
    def name(self) -> str:
        """Where its record is published."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        return f"v=DKIM1; k=rsa; p={self.public_key}"


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign that Heard paused by itself. `since`: when, or when somebody activated it again (`over`)."""

    campaign: int
    since: datetime
    why: str
    over: bool = False


class Rates(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The most mails that go out; None = as many as there are."""

    hour: int | None = None
    day: int | None = None
    domain: int | None = None  # an hour, to the addresses of one domain
    warm_up: date | None = None  # the first day on which only few go out: `heard.deliveries.pacing`


class MailServer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A workspace's own mail server. `sealed`: its password, as `heard.sealed` keeps it; "" = there is none."""

    host: str
    port: int
    tls: bool = False  # from the start, as smtps:// says
    verify: bool = True
    user: str = ""
    sealed: str = ""

    @property
    def shown(self) -> str:
        """As a URL, without its user and password."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"smtp{'s' if self.tls else ''}://{host}:{self.port}{'' if self.verify else '?verify=no'}"

    def is_at(self, other: MailServer) -> bool:
        """Whether both are the same server and account, so that one password opens both."""
        return (self.shown, self.user) == (other.shown, other.user)


class MailSettings(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    turn: int = 0  # how often the key of the address for reports was made anew
    secrets: Mapping[str, str] = {}  # by provider: what its reports are signed with
    dkim: tuple[DkimKey, ...] = ()  # at most one active and one waiting for a domain

    stopped: tuple[Stopped, ...] = ()  # the last time of each campaign
    rates: Rates = Rates()
    count_opens: bool = False  # mails carry a picture that tells when it is loaded; unreliable, so off
    server: MailServer | None = None  # None = the installation's

    def stop_of(self, campaign: int) -> Stopped | None:
        return next((each for each in self.stopped if each.campaign == campaign), None)

    def signs(self, domain: str) -> DkimKey | None:
        """The key that signs what goes out from this domain; None = nothing does."""
        return next((each for each in self.dkim if each.domain == domain and each.active_since), None)

    def waits(self, domain: str) -> DkimKey | None:
        """A key of this domain whose record has yet to be published."""
        return next((each for each in self.dkim if each.domain == domain and each.active_since is None), None)


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
