"""Settings: environment variables that begin with HEARD_, each with its meaning and default.

The reference page is made from `SETTINGS`, and an unknown name stops the start: a setting with a typo is worse than
none.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from heard import retention
from heard.errors import Invalid
from heard.retention import RULES, Keep

YES, NO = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}
INJECTED = ("HEARD_PORT", "HEARD_SERVICE_")  # Kubernetes sets these for a service that is called heard
EXAMPLE_SECRETS = {"secret", "changeme", "change-me", "example", "password"}


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    default: str
    help: str


SETTINGS: tuple[Setting, ...] = (
    Setting(name="HEARD_DATA", default="./heard-data", help="The folder where everything is kept."),
    Setting(
        name="HEARD_DATABASE_URL",
        default="sqlite:///DATA/heard.db",
        help="Where state is kept: `sqlite:///path` or `postgresql://user:password@host/name`.",
    ),
    Setting(
        name="HEARD_LOG_URL",
        default="(files in DATA/log)",
        help="Where accepted requests wait. Only the embedded log is there yet; leave it unset.",
    ),
    Setting(
        name="HEARD_LOG_SEGMENT_BYTES",
        default="33554432",
        help="The size of one file of the embedded log. Two of them are kept ready ahead.",
    ),
    Setting(
        name="HEARD_RATE_LIMIT",
        default="(unset: no limit)",
        help="How many requests a second each source may send to `/v1` and `/hooks/segment`; two seconds' worth may "
        "come at once. What is over it is answered with 429 and `Retry-After`, and Segment's libraries send it again.",
    ),
    Setting(
        name="HEARD_SMTP_URL",
        default="(unset: mails go to the outbox)",
        help="The mail server: `smtp[s]://user:password@host:port`. STARTTLS and AUTH are used when it offers them. "
        "A workspace can have its own, set in Settings > Mail.",
    ),
    Setting(
        name="HEARD_OWN_MAIL_SERVERS",
        default="on",
        help="Off: workspaces' own mail servers are not used, and none can be set; their mails go where "
        "HEARD_SMTP_URL says, or to the outbox. For a copy that must mail nobody.",
    ),
    Setting(name="HEARD_SMTP_CONNECTIONS", default="8", help="How many mails are handed over side by side, 1 to 64."),
    Setting(
        name="HEARD_BASE_URL",
        default="http://HOST:PORT",
        help="How the outside reaches Heard; links in mails begin with it. May have a path prefix. Unset, it is where "
        "`heard serve` listens, with localhost for every address.",
    ),
    Setting(
        name="HEARD_DNS_SERVER",
        default="(the system's)",
        help="Which name server `heard doctor` and Settings > Mail ask what a domain publishes, as `192.0.2.1` or "
        "`192.0.2.1:53`.",
    ),
    Setting(
        name="HEARD_TRUSTED_PROXIES",
        default="(none)",
        help="Networks whose X-Forwarded-For is believed, like `10.0.0.0/8, 127.0.0.1`.",
    ),
    Setting(
        name="HEARD_SECRET",
        default="(made at first start, kept in DATA/secret)",
        help="Signs the links in mails, and seals the passwords of workspaces' own mail servers; at least 32 "
        "characters. Changing it breaks links already sent, and those passwords have to be written again.",
    ),
    Setting(
        name="HEARD_SECRET_FILE",
        default="DATA/secret",
        help="A file that holds the secret instead. It has to exist; only DATA/secret is made.",
    ),
    Setting(
        name="HEARD_ALLOW_PRIVATE_NETWORK",
        default="off",
        help="On: destinations may be reached over http, and they and workspaces' own mail servers on loopback and "
        "private addresses. For development and tests.",
    ),
    *(Setting(name=rule.setting, default=rule.without, help=f"For how long. {rule.help}") for rule in RULES),
    Setting(name="HEARD_LOG_LEVEL", default="info", help="What is logged to stderr: debug, info, warning or error."),
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    data: Path
    database_url: str
    segment_bytes: int
    rate_limit: int | None  # requests a second of each source; None = no limit
    smtp_url: str | None
    smtp_connections: int
    own_mail_servers: bool
    base_url: str | None  # without a slash at the end; None = made from the port
    dns_server: tuple[str, int] | None
    trusted_proxies: tuple[IPv4Network | IPv6Network, ...]
    secret: str | None
    secret_file: Path
    allow_private_network: bool
    keep: Keep
    log_level: str

    @property
    def control_socket(self) -> Path:
        """Where commands reach a running heart."""
        return self.data / "heard.sock"


def read(environment: Mapping[str, str] | None = None, *, data: Path | None = None) -> Settings:
    """The settings of this process. `data` (from the command line) wins over HEARD_DATA.

    Raises:
        Invalid: naming the variable and the fix.
    """
    given = os.environ if environment is None else environment
    known = {setting.name for setting in SETTINGS}
    for name in given:
        if name.startswith("HEARD_") and name not in known and not name.startswith(INJECTED):
            raise Invalid(f"{name} is not a setting of Heard. Known: {', '.join(sorted(known))}.", field=name)
    folder = (data or Path(given.get("HEARD_DATA") or "heard-data")).absolute()
    folder = folder.resolve() if ".." in folder.parts else folder
    if given.get("HEARD_LOG_URL"):
        raise Invalid("HEARD_LOG_URL: not yet: leave it unset to use the embedded log.", field="HEARD_LOG_URL")
    return Settings(
        data=folder,
        database_url=_database(given.get("HEARD_DATABASE_URL") or f"sqlite:///{folder / 'heard.db'}"),
        segment_bytes=_number(given, "HEARD_LOG_SEGMENT_BYTES", 32 << 20, 1 << 20, 1 << 30),
        rate_limit=_number(given, "HEARD_RATE_LIMIT", 0, 1, 1_000_000) or None,
        smtp_url=given.get("HEARD_SMTP_URL") or None,
        smtp_connections=_number(given, "HEARD_SMTP_CONNECTIONS", 8, 1, 64),
        own_mail_servers=_switch(given, "HEARD_OWN_MAIL_SERVERS", default="on"),
        base_url=_base(given.get("HEARD_BASE_URL")),
        dns_server=_name_server(given.get("HEARD_DNS_SERVER")),
        trusted_proxies=_networks(given.get("HEARD_TRUSTED_PROXIES", "")),
        secret=_secret(given.get("HEARD_SECRET")),
        secret_file=Path(given.get("HEARD_SECRET_FILE") or folder / "secret"),
        allow_private_network=_switch(given, "HEARD_ALLOW_PRIVATE_NETWORK"),
        keep=retention.read(given),
        log_level=_level(given.get("HEARD_LOG_LEVEL") or "info"),
    )


def secret(settings: Settings) -> bytes:
    """The installation's secret. Where none is named it is made, with 256 bits of entropy, and kept in the data folder.

    Raises:
        Invalid: HEARD_SECRET_FILE names no file that can be read, or what is in it is no secret.
    """
    if settings.secret:
        return settings.secret.encode()
    path, is_ours = settings.secret_file, settings.secret_file == settings.data / "secret"
    try:
        text = _made(path) if is_ours and not path.exists() else path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as problem:
        why = problem.strerror if isinstance(problem, OSError) else "it is not text"
        raise Invalid(f"HEARD_SECRET_FILE: {path} cannot be read: {why}.", field="HEARD_SECRET_FILE") from None
    if not text:
        raise Invalid(f"The secret in {path} is missing: the file is empty.", field="HEARD_SECRET_FILE")
    return (_secret(text, field=str(path)) or "").encode()


def _made(path: Path) -> str:
    """A new secret, on the disk whole or not at all."""
    text, draft = secrets.token_urlsafe(32), path.with_suffix(".tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(path)
    return text


def _secret(text: str | None, field: str = "HEARD_SECRET") -> str | None:
    if not text:
        return None
    if len(text) < 32 or text.lower() in EXAMPLE_SECRETS or len(set(text)) < 8:
        raise Invalid(f"{field}: use at least 32 random characters; `openssl rand -base64 32` makes them.", field=field)
    return text


def _database(url: str) -> str:
    if not url.startswith(("sqlite:///", "postgresql://")):
        raise Invalid("HEARD_DATABASE_URL: begin with sqlite:/// or postgresql://.", field="HEARD_DATABASE_URL")
    return url


def _base(url: str | None) -> str | None:
    if not url:
        return None
    parts = urlsplit(url)
    if not url.isascii():
        raise Invalid(
            "HEARD_BASE_URL: write the host in ASCII, as xn--…, and other letters as %XX.", field="HEARD_BASE_URL"
        )
    if parts.scheme not in ("http", "https") or not parts.netloc or parts.query or parts.fragment:
        raise Invalid("HEARD_BASE_URL: write it like https://feedback.example.com.", field="HEARD_BASE_URL")
    return url.rstrip("/")


def _name_server(text: str | None) -> tuple[str, int] | None:
    """`192.0.2.1` or `192.0.2.1:53`; an IPv6 address with a port in brackets."""
    if not text:
        return None
    host, port = text, "53"
    if text.startswith("[") or text.count(":") == 1:
        host, _, port = text.rpartition(":")
    try:
        if not 0 < (number := int(port)) < 65536:
            raise ValueError
        return str(ip_address(host.strip("[]"))), number
    except ValueError:
        raise Invalid(
            "HEARD_DNS_SERVER: write an IP address like 192.0.2.1, or with a port 192.0.2.1:53.",
            field="HEARD_DNS_SERVER",
        ) from None


def _networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    try:
        return tuple(ip_network(part.strip(), strict=False) for part in text.split(",") if part.strip())
    except ValueError as error:
        raise Invalid(f"HEARD_TRUSTED_PROXIES: {error}.", field="HEARD_TRUSTED_PROXIES") from None


def _number(given: Mapping[str, str], name: str, default: int, least: int, most: int) -> int:
    text = given.get(name, "").strip()
    if not text:
        return default
    if not text.isdigit() or not least <= int(text) <= most:
        raise Invalid(f"{name}: write a whole number from {least} to {most}.", field=name)
    return int(text)


def _switch(given: Mapping[str, str], name: str, *, default: str = "") -> bool:
    text = given.get(name, "").strip().lower() or default
    if text not in YES | NO:
        raise Invalid(f"{name}: write on or off.", field=name)
    return text in YES


def _level(text: str) -> str:
    if text.lower() not in ("debug", "info", "warning", "error"):
        raise Invalid("HEARD_LOG_LEVEL: write debug, info, warning or error.", field="HEARD_LOG_LEVEL")
    return text.lower()
