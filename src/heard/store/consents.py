"""What people said of consent: loaded by the batch, and only added to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from hashlib import blake2b
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection

from heard.contacts.consent import History, Speaker, Word, word_of
from heard.messages.again import again
from heard.store import days, dialects, whose
from heard.store.types import micros, moment
from heard.store.whose import Whose

ADD = (
    "INSERT INTO consents (workspace_id, person, at, anonymous, mark, preferences, source_id, message_id,"
    " heard_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (workspace_id, person, at, anonymous, mark) DO NOTHING"
)
MOST = 1000  # words of one person that are looked at, the newest; nobody changes their mind so often
MOST_MESSAGES = 5000  # that are read to see what was said again, the newest
_preferences = lru_cache(maxsize=1024)(msgspec.json.Decoder(dict[str, bool]).decode)  # most say one of a few things


class Owner(NamedTuple):
    """`since` None: what the browser said before is theirs too, for it never was another's."""

    user: str
    since: datetime | None


def of(connection: Connection, workspace: int, speakers: Iterable[Speaker]) -> dict[Speaker, History]:
    """A history for each of them, empty where nothing is kept."""
    found: dict[Speaker, list[Word]] = {speaker: [] for speaker in speakers}
    rows = dialects.fetch(
        connection,
        "SELECT c.person, c.anonymous, c.at, c.preferences, c.source_id, c.message_id, c.heard_at"
        f" FROM {dialects.each_of(connection)} CROSS JOIN consents AS c"
        " WHERE c.workspace_id = ? AND c.person = asked.value AND c.at >= coalesce("
        "(SELECT earlier.at FROM consents AS earlier WHERE earlier.workspace_id = ? AND earlier.person = asked.value"
        f" ORDER BY earlier.at DESC LIMIT 1 OFFSET {MOST}), 0)",
        dialects.listed(connection, {speaker.id for speaker in found}),
        workspace,
        workspace,
    )
    for person, anonymous, at, preferences, source, message_id, heard_at in rows:
        words = found.get(Speaker(person, bool(anonymous)))
        if words is not None:
            said = _preferences(preferences)
            heard = None if heard_at is None else moment(heard_at)
            words.append(Word(at=moment(at), preferences=said, source=source, message_id=message_id, heard_at=heard))
    return {speaker: History(words) for speaker, words in found.items()}


def of_user(connection: Connection, workspace: int, user_id: str | None) -> History:
    """What is on record of a contact; nothing of one without a userId."""
    if user_id is None:
        return History()
    user = Speaker(user_id, False)
    return of(connection, workspace, [user])[user]


def keep(connection: Connection, workspace: int, words: Iterable[tuple[Speaker, Word]]) -> None:
    """What is there already is the same word, and stays."""
    dialects.many(
        connection,
        ADD,
        [
            (
                workspace,
                speaker.id,
                micros(word.at),
                int(speaker.anonymous),
                _mark(written := msgspec.json.encode(word.preferences, order="sorted")),
                written.decode(),
                word.source,
                word.message_id,
                None if word.heard_at is None else micros(word.heard_at),
            )
            for speaker, word in words
        ],
    )


def said_again(
    connection: Connection, workspace: int, speakers: Iterable[Speaker], since: datetime
) -> dict[Speaker, list[Word]]:
    """Every word of theirs from `since` on, as their messages have it; of users, what came under their anonymous
    ids too."""
    users = [each.id for each in speakers if not each.anonymous]
    owners = _owners(connection, workspace, users)
    browsers = {each.id for each in speakers if each.anonymous}
    found: dict[Speaker, list[Word]] = defaultdict(list)
    theirs = Whose(workspace=workspace, user_ids=tuple(users), anonymous_ids=tuple(browsers | owners.keys()))
    first = days.day_of(since)
    kept = whose.newest(
        connection,
        theirs,
        [day for day in days.kept(connection) if day >= first],
        conditions=" AND received_at >= ? AND body LIKE ?",
        values=[micros(since), '%"categoryPreferences"%'],
        limit=MOST_MESSAGES,
    )
    for each in kept:
        message = again(each, each.message_id)
        word = None if message is None else word_of(message)
        if message is None or word is None or word.at < since:
            continue
        if message.user_id is not None:
            found[Speaker(message.user_id, False)].append(word)
        elif message.anonymous_id is not None:
            owner = owners.get(message.anonymous_id)
            if owner is not None and (owner.since is None or message.received_at >= owner.since):
                found[Speaker(owner.user, False)].append(word)
            if message.anonymous_id in browsers:
                found[Speaker(message.anonymous_id, True)].append(word)
    return found


def _owners(connection: Connection, workspace: int, users: list[str]) -> dict[str, Owner]:
    """Whose the browsers of these users are."""
    rows = dialects.fetch(
        connection,
        "SELECT anonymous_id, user_id, at, shared FROM"
        f" {dialects.by('anonymous_ids_by_user', 'anonymous_ids', connection)}"
        f" WHERE workspace_id = ? AND user_id {dialects.within(connection)}",
        workspace,
        dialects.listed(connection, users),
    )
    return {row[0]: Owner(row[1], moment(row[2]) if row[3] else None) for row in rows}


def _mark(written: bytes) -> int:
    return int.from_bytes(blake2b(written, digest_size=8).digest()) >> 1
