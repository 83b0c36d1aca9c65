"""What the people of a batch said of consent. It is loaded at once and learns from message to message, so that a track
is judged by what was said just before it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec
from sqlalchemy import Connection

from heard.contacts.consent import History, Said, Speaker, Word, contradicts, differ, word_of
from heard.contacts.identity import Links, names_nobody
from heard.messages.message import Message
from heard.store import consents as stored


class Consents:
    """By speaker: what a browser said before it is known whose it is joins the user when it is.

    What is kept is only what changed something. Where a word contradicts what is kept, the messages are read to see
    what was said again after it: once a batch, and rarely.
    """

    def __init__(self, connection: Connection, workspace: int) -> None:
        self.connection, self.workspace = connection, workspace
        self.added: list[tuple[Speaker, Word]] = []
        self._words: dict[tuple[int, str], tuple[Speaker, Word, datetime]] = {}  # of the batch, with their receipt
        self._histories: dict[Speaker, History] = {}
        self._said: dict[Speaker, list[Word]] = defaultdict(list)  # all of the batch until now, and what messages held

    # ── loading ──

    def hear(self, message: Message) -> str | None:
        """Note what a message says, if it says anything; gives the anonymous id that may be somebody's."""
        word = word_of(message)
        speaker = None if word is None else _speaker(message)
        if word is None or speaker is None:
            return None
        self._words[message.source, message.id] = speaker, word, message.received_at
        return speaker.id if speaker.anonymous else None

    def load(self, links: Links, claimed: Mapping[str, Iterable[str]], users: Iterable[str]) -> None:
        """The histories of all who speak in the batch, of browsers that are nobody's until now with those who claim
        them, and of these users. `claimed`: anonymousId -> userIds whose it may be."""
        spoken: dict[Speaker, list[tuple[Word, datetime]]] = defaultdict(list)
        for speaker, word, received_at in self._words.values():
            for each in _may_be(speaker, links, claimed) if speaker.anonymous else (speaker,):
                spoken[each].append((word, received_at))
        joining: dict[Speaker, list[Speaker]] = defaultdict(list)
        for browser, theirs in claimed.items():
            for user in theirs:
                if links.of(browser) is None:
                    joining[Speaker(user, False)].append(Speaker(browser, True))
        browsers = {browser for each in joining.values() for browser in each}
        everybody = {*spoken, *joining, *browsers, *(Speaker(user, False) for user in users)}
        if everybody:
            self._histories = stored.of(self.connection, self.workspace, everybody)
            self._load_what_was_said_again(spoken, joining)

    def _load_what_was_said_again(
        self, spoken: Mapping[Speaker, list[tuple[Word, datetime]]], joining: Mapping[Speaker, list[Speaker]]
    ) -> None:
        since: dict[Speaker, datetime] = {}
        for speaker, heard in spoken.items():
            history = self._histories[speaker]
            late = [
                word.at
                for word, received_at in heard
                if word.at < received_at and not history.repeats(word) and contradicts(history, word)
            ]
            if late:
                since[speaker] = min(late)
        for user, browsers in joining.items():
            one = (user, *browsers)
            words = [[*self._histories[each].words, *(word for word, _ in spoken.get(each, ()))] for each in one]
            moments = [since[each] for each in one if each in since]
            if differ(words):
                moments.append(sorted(min(word.at for word in each) for each in words if each)[1])
            if moments:
                since |= dict.fromkeys(one, min(moments))
        if since:
            found = stored.said_again(self.connection, self.workspace, since, min(since.values()))
            for speaker, said in found.items():
                self._said[speaker] += said

    # ── learning ──

    def learn(self, message: Message, links: Links) -> None:
        """What this message says, if it says anything."""
        heard = self._words.get((message.source, message.id)) if self._words else None
        if heard is None:
            return
        speaker, word, _ = heard
        if speaker.anonymous and (owner := links.of(speaker.id)) is not None:
            speaker = Speaker(owner, False)
        if not self._history(speaker).repeats(word):
            self._take(speaker, [word], message.received_at)
        self._said[speaker].append(word)

    def join(self, anonymous_id: str, user_id: str, at: datetime) -> None:
        """It is known for the first time whose this browser is: what it said, they said.

        Whoever it is of later says nothing by that: what it said before was another's.
        """
        browser, user = Speaker(anonymous_id, True), Speaker(user_id, False)
        words = [*self._history(browser).words, *self._said[browser]]
        self._take(user, words, at)
        self._said[user] += words

    def of(self, user_id: str | None) -> Mapping[str, Said]:
        """What holds of each category, by the newest word."""
        return {} if user_id is None else self._history(Speaker(user_id, False)).now

    def _take(self, speaker: Speaker, words: list[Word], at: datetime) -> None:
        kept = self._history(speaker).learn(words, self._said[speaker])
        self.added += [(speaker, msgspec.structs.replace(word, heard_at=at)) for word in kept]

    def _history(self, speaker: Speaker) -> History:
        """Rarely more than a look."""
        if speaker not in self._histories:
            self._histories |= stored.of(self.connection, self.workspace, [speaker])
        return self._histories[speaker]


def _speaker(message: Message) -> Speaker | None:
    if message.user_id is not None:
        return Speaker(message.user_id, False)
    if message.anonymous_id is None or names_nobody(message.anonymous_id):
        return None
    return Speaker(message.anonymous_id, True)


def _may_be(browser: Speaker, links: Links, claimed: Mapping[str, Iterable[str]]) -> set[Speaker]:
    """Whoever it may turn out to be before its turn comes."""
    owner = links.of(browser.id)
    users = {*claimed.get(browser.id, ()), *([owner] if owner is not None else ())}
    return {browser, *(Speaker(user, False) for user in users)}
