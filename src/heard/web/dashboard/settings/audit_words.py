"""The audit log in words: what was done, as a sentence that goes on after who did it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from heard.store.audit import Noted

# `{subject}` and whatever `detail` holds can be filled in.
SENTENCES: Mapping[str, str] = {
    "audience.changed": "changed the audience {subject}",
    "audience.made": "made the audience {subject}",
    "audience.removed": "removed the audience {subject}",
    "campaign.activated": "activated the campaign {subject}",
    "campaign.link_made_anew": "made the link of the campaign {subject} anew",
    "campaign.paused": "paused the campaign {subject}",
    "campaign.changed": "changed the campaign {subject}",
    "campaign.stopped": "paused the campaign {subject}: {why}",
    "campaign.made": "made the campaign {subject}",
    "campaign.sent": "sent the campaign {subject} again, to {to}",
    "contact.unsubscribed": "unsubscribed {subject}",
    "contact.resubscribed": "let {subject} be asked again",
    "deadletters.retried": "had {messages} given up messages tried again at {subject}",
    "destination.added": "made the destination {subject}, of type {type}",
    "destination.changed": "changed the destination {subject}",
    "destination.removed": "removed the destination {subject}",
    "destination.tried": "tried the destination {subject} with a message of type {type}: {outcome}",
    "list.filled": "put {named} contacts on the list {subject}, {made} of them new",
    "list.made": "made the list {subject}",
    "list.removed": "removed the list {subject}",
    "key.added": "made the key {subject}, scope {scope}",
    "key.rotated": "put a new key in the place of {subject}",
    "key.revoked": "revoked the key {subject}",
    "mail.dkim_begun": "began to sign mails of {subject}, with the key at {name}",
    "mail.dkim_ended": "stopped signing mails of {subject}",
    "mail.dkim_key_made": "made a key to sign mails of {subject}, to be published at {name}",
    "mail.key_replaced": "made a new address for reports of mails",
    "mail.opens_counted": "began to count which mails are opened",
    "mail.opens_left": "stopped counting which mails are opened",
    "mail.rates_set": "set how fast mails go out",
    "mail.secret_kept": "kept the secret that {subject} signs its reports with",
    "mail.secret_removed": "took away the secret that {subject} signs its reports with",
    "mail.server_removed": "took away the mail server {subject}",
    "mail.server_set": "had mails sent through {subject}",
    "mail.server_tried": "sent a test mail through {subject}",
    "member.added": "added {subject} as {role}",
    "member.invited": "invited {subject} as {role}",
    "member.invite_withdrawn": "withdrew the invitation of {subject}",
    "member.joined": "joined as {role}, invited by {invited_by}",
    "member.password_changed": "changed the password of {subject}",
    "member.removed": "removed {subject}",
    "member.role_changed": "made {subject} {role}, who was {was}",
    "messages.dropped": "dropped {messages} messages of {day} that {subject} had not taken in time",
    "message.sent_again": "sent the message {message} to {subject} again",
    "privacy.requested": "made the privacy request {subject}: {type}, for {subjects}",
    "plan.added": "made the tracking plan {subject}",
    "plan.changed": "changed the tracking plan {subject}",
    "plan.removed": "removed the tracking plan {subject}",
    "replay.begun": "began a replay to {subject}, from {since} until {until}",
    "replay.cancelled": "cancelled a replay to {subject}",
    "response.judged": "said who gave the answer {subject}: {verdict}",
    "source.added": "made the source {subject}",
    "source.key_replaced": "replaced the write key of {subject}",
    "source.renamed": "renamed the source {was} to {subject}",
    "source.secret_kept": "kept the shared secret of {subject}",
    "source.secret_made": "made a shared secret for {subject}",
    "source.secret_removed": "took away the shared secret of {subject}",
    "survey.changed": "changed the survey {subject}",
    "survey.made": "made the survey {subject}",
    "trait.changed": "changed the computed trait {subject}",
    "trait.made": "made the computed trait {subject}",
    "trait.removed": "removed the computed trait {subject}",
    "workspace.changed": "changed the workspace {subject}",
    "workspace.made": "made the workspace {subject}",
}


_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d):\d\d(?:\.\d+)?\+00:00")


class Said(msgspec.Struct, frozen=True, kw_only=True):
    sentence: str
    changes: list[str]  # one line a change, where several were made at once
    more: int = 0  # changes that are not listed


def said(noted: Noted) -> Said:
    return Said(
        sentence=_sentence(noted),
        changes=[change_in_words(each) for each in _changes(noted.detail)],
        more=max(0, int(noted.detail.get("more") or 0)),
    )


def _changes(detail: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """As the workspace file lists them, or as a form does: `{"throttle": ["30d", "90d"]}`."""
    if isinstance(listed := detail.get("changes"), list):
        return [each for each in listed if isinstance(each, dict)]
    pairs = [(key, value) for key, value in detail.items() if isinstance(value, list) and len(value) == 2]
    return [{"place": key, "before": before, "after": after} for key, (before, after) in pairs]


def change_in_words(change: Mapping[str, Any]) -> str:
    """`campaigns[Post-purchase].throttle: 30d, was 90d`."""
    place, before, after = change.get("place", ""), change.get("before"), change.get("after")
    if change.get("added"):
        return f"{place}: new" + (f", {_value(after)}" if after is not None else "")
    return f"{place}: {_value(after)}, was {_value(before)}"


def _sentence(noted: Noted) -> str:
    pattern = SENTENCES.get(noted.what)
    if pattern is None:
        return f"{noted.what.replace('.', ' ').replace('_', ' ')}: {noted.subject}"
    values = {key: _value(value) for key, value in noted.detail.items()} | {"subject": noted.subject}
    return pattern.format_map(_Known(values))


def _value(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    moment = _MOMENT.fullmatch(str(value))
    return f"{moment[1]}, {moment[2]} UTC" if moment else str(value)


class _Known(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return "?"
