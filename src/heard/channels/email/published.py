"""What a domain publishes about its mails, judged: SPF (RFC 7208), DKIM (RFC 6376), DMARC (RFC 7489)."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum

import msgspec

from heard.accounts.mail_settings import DkimKey


class Verdict(StrEnum):
    GOOD = "good"
    WARNING = "warning"
    WRONG = "wrong"


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """One line: what was looked at, how it is, and what to do about it ("" = nothing)."""

    check: str
    verdict: Verdict
    said: str
    fix: str = ""


def good(check: str, said: str) -> Finding:
    return Finding(check=check, verdict=Verdict.GOOD, said=said)


def warning(check: str, said: str, fix: str) -> Finding:
    return Finding(check=check, verdict=Verdict.WARNING, said=said, fix=fix)


def wrong(check: str, said: str, fix: str) -> Finding:
    return Finding(check=check, verdict=Verdict.WRONG, said=said, fix=fix)


def spf(domain: str, texts: Sequence[str]) -> Finding:
    """Which servers are named cannot be judged from here: only the receiver sees who connects."""
    found = [text for text in texts if text.lower().split(" ")[0] == "v=spf1"]
    if not found:
        return wrong(
            "SPF",
            f"{domain} does not say which servers may send for it.",
            f"Publish a TXT record at {domain}, like v=spf1 include:PROVIDER ~all; your provider says what to name.",
        )
    if len(found) > 1:
        return wrong(
            "SPF", f"{domain} has {len(found)} SPF records, so none of them counts.", "Put them together into one."
        )
    terms = found[0].lower().split()[1:]
    if {"all", "+all"} & set(terms):
        return wrong("SPF", f"{domain} lets every server in the world send.", "End the record with ~all or -all.")
    if not any(term.lstrip("~-?") == "all" or term.startswith("redirect=") for term in terms):
        return warning(
            "SPF", f"The SPF record of {domain} does not say what others are.", "End the record with ~all or -all."
        )
    return good("SPF", f"{domain} says which servers may send for it: {found[0]}")


def dkim(domain: str, key: DkimKey | None, texts: Sequence[str]) -> Finding:
    """`texts` are published under the key's name."""
    if key is None:
        return warning(
            "DKIM",
            f"Heard signs no mails of {domain}.",
            "Make a key in Settings > Mail. Where your provider signs for this domain, that is enough.",
        )
    publish = f"Publish a TXT record at {key.name} that says: {key.record}"
    theirs = [dict(_tags(text)) for text in texts]
    if not any(tags.get("p") for tags in theirs):
        if key.active_since is None:
            return warning("DKIM", f"A key waits until its record is published at {key.name}.", publish)
        return wrong("DKIM", f"Mails are signed, but no key is published at {key.name}.", publish)
    if not any(_is(tags, key) for tags in theirs):
        return wrong("DKIM", f"What is published at {key.name} is not the key of this workspace.", publish)
    if key.active_since is None:
        return warning(
            "DKIM", f"The key is published at {key.name}, and signs nothing yet.", "Begin to sign in Settings > Mail."
        )
    return good("DKIM", f"Mails of {domain} are signed, and the key is published at {key.name}.")


def is_published(key: DkimKey, texts: Sequence[str]) -> bool:
    return any(_is(dict(_tags(text)), key) for text in texts)


def dmarc(domain: str, where: str, texts: Sequence[str]) -> Finding:
    """`where` is the name under which `texts` were found: the domain's own, or that of a domain above it."""
    found = [tags for text in texts if (tags := dict(_tags(text))).get("v") == "DMARC1"]
    example = f"Publish a TXT record at _dmarc.{domain}, to begin with: v=DMARC1; p=none; rua=mailto:YOU@{domain}"
    if not found:
        return wrong("DMARC", f"{domain} publishes no policy; Gmail, Yahoo and Microsoft want one.", example)
    if len(found) > 1:
        return wrong("DMARC", f"{where} has {len(found)} DMARC records, so none of them counts.", "Leave one of them.")
    policy = found[0].get("p", "").lower()
    if policy not in ("none", "quarantine", "reject"):
        return wrong("DMARC", f"The record at {where} has no policy that counts.", "Say none, quarantine or reject.")
    if policy == "none" and "rua" not in found[0]:
        return warning(
            "DMARC",
            f"The policy at {where} is none, and nobody is told what fails.",
            f"Add rua=mailto:YOU@{domain} to the record, and make it stricter once nothing of yours fails.",
        )
    return good("DMARC", f"The policy of {domain} is {policy}, at {where}.")


def alignment(domain: str, key: DkimKey | None) -> Finding:
    """DMARC counts a signature or SPF only where it is of the domain that people see. Our envelope's sender is that
    address, so SPF is; but it breaks where a mail is forwarded, and at a provider that puts in one of its own."""
    if key is not None and key.active_since is not None:
        return good("Alignment", f"The signature, the envelope and From are all of {domain}.")
    return warning(
        "Alignment",
        f"Without a signature of {domain}, only SPF can speak for it, and that breaks where a mail is forwarded.",
        "Sign in Settings > Mail, or have your provider sign for this domain.",
    )


def _is(tags: dict[str, str], key: DkimKey) -> bool:
    return "".join(tags.get("p", "").split()) == key.public_key and tags.get("k", "rsa") == "rsa"


def _tags(text: str) -> list[tuple[str, str]]:
    """`v=DKIM1; p=...` -> its tags."""
    pairs = (part.partition("=") for part in text.split(";"))
    return [(name.strip().lower(), value.strip()) for name, _, value in pairs if name.strip()]
