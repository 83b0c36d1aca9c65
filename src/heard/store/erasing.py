"""Taking a person out of the store: finding under which ids they are known, and removing every row about them.

What is about somebody else and only names them (an account whose owner they are, a mail that was quoted) is kept with
the name taken out; a message that names them is removed whole, whoever sent it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection

from heard.contacts import address as addresses
from heard.contacts.regulation import SubjectType
from heard.contacts.traces import Traces
from heard.store import days, dialects, links, seen

ROWS_AT_ONCE = 500

# table, its key, and the texts in which a person may be named
NAMED_IN = (
    ("contacts", ("id",), ("traits",)),
    ("groups", ("id",), ("traits",)),
    ("decisions", ("id",), ("trigger", "message_id", "event", "objections", "revisions", "held_body")),
    ("deliveries", ("id",), ("event", "properties", "error")),
    ("responses", ("id",), ("comment", "answers", "traits", "properties")),
    ("response_revisions", ("response_id", "at"), ("answers",)),
    ("audit", ("id",), ("subject", "detail")),
    ("forwards", ("destination_id", "message"), ("tries", "request", "answer")),
    ("suppressions", ("id",), ("cause",)),
    ("mail_events", ("id",), ("detail",)),
    ("consents", ("person", "at", "anonymous", "mark"), ("preferences", "message_id")),
)
# tables of people who need be no contact, and the id by which they are known: it may be an address
KNOWN_BY = (
    ("consents", "person"),
    ("group_members", "member"),
    ("audience_people", "user_id"),
    ("anonymous_ids", "anonymous_id"),
    ("anonymous_ids", "user_id"),
)


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Some people whom requests are about, by everything that they are known by. `addresses` are keys of mailboxes."""

    workspace: int
    user_ids: tuple[str, ...] = ()
    anonymous_ids: tuple[str, ...] = ()
    addresses: tuple[str, ...] = ()
    contacts: tuple[int, ...] = ()
    deliveries: tuple[str, ...] = ()
    responses: tuple[int, ...] = ()

    @property
    def traces(self) -> Traces:
        return Traces(ids=(*self.user_ids, *self.anonymous_ids), addresses=self.addresses)

    def and_(self, other: Person) -> Person:
        """Both: what was known of them before some of it was removed, and what is known now."""
        return Person(
            workspace=self.workspace,
            **{
                name: tuple(dict.fromkeys((*getattr(self, name), *getattr(other, name))))
                for name in self.__struct_fields__
                if name != "workspace"
            },
        )


def find(connection: Connection, workspace: int, kind: SubjectType, subjects: Sequence[str]) -> Person:
    """Everything that these subjects are known by. A mailbox that is another contact's too is not among it, unless it
    is what was asked for."""
    look = _Look(connection, workspace)
    if kind is SubjectType.EMAIL:
        asked = {addresses.key(each) for each in subjects}
        rows = look.rows("SELECT id, user_id FROM contacts WHERE workspace_id = ? AND email_key {}", asked)
        users = {row[1] for row in rows if row[1] is not None}
    else:
        asked, users = set[str](), set(subjects)
        rows = look.rows("SELECT id, user_id FROM contacts WHERE workspace_id = ? AND user_id {}", users)
    contacts = {row[0] for row in rows}
    anonymous = look.column("SELECT anonymous_id FROM anonymous_ids WHERE workspace_id = ? AND user_id {}", users)
    deliveries = look.rows("SELECT id, address FROM deliveries WHERE workspace_id = ? AND contact_id {}", contacts)
    deliveries += look.rows("SELECT id, address FROM deliveries WHERE workspace_id = ? AND user_id {}", users)
    mailboxes = {addresses.key(row[1]) for row in deliveries if row[1]}
    for table, column, whose in (
        ("contacts", "id", contacts),
        ("touches", "contact_id", contacts),
        ("suppressions", "contact_id", contacts),
    ):
        mailboxes |= look.column(f"SELECT email_key FROM {table} WHERE workspace_id = ? AND {column} {{}}", whose)
    mailboxes |= _said_in_messages(look, users)
    shared = look.rows("SELECT email_key, id FROM contacts WHERE workspace_id = ? AND email_key {}", mailboxes - asked)
    mailboxes -= {row[0] for row in shared if row[1] not in contacts}
    ids = {row[0] for row in deliveries} | links.visits_of(connection, workspace, contacts)
    responses = look.column("SELECT id FROM responses WHERE workspace_id = ? AND contact_id {}", contacts)
    responses |= look.column("SELECT id FROM responses WHERE workspace_id = ? AND user_id {}", users)
    return Person(
        workspace=workspace,
        user_ids=tuple(sorted(users)),
        anonymous_ids=tuple(sorted(anonymous)),
        addresses=tuple(sorted(asked | {each for each in mailboxes if each})),
        contacts=tuple(sorted(contacts)),
        deliveries=tuple(sorted(ids)),
        responses=tuple(sorted(responses)),
    )


def messages_about(connection: Connection, person: Person, day: int) -> list[tuple[int, int, str]]:
    """(number, source, messageId) of what one day holds of them: by their ids, and where a message names them."""
    if not dialects.table_names(connection, f"messages_{day}"):  # it was old enough, and went meanwhile
        return []
    traces, within = person.traces, dialects.within(connection)
    like = "LIKE" if dialects.is_sqlite(connection) else "ILIKE"
    conditions = [
        f"user_id {within}",
        f"(user_id IS NULL AND anonymous_id {within})",
        *(f"body {like} ? ESCAPE '\\'" for _ in traces.likes),
    ]
    rows = dialects.fetch(
        connection,
        "SELECT id, source_id, message_id, user_id, anonymous_id, body"
        f" FROM messages_{day} WHERE workspace_id = ? AND ({' OR '.join(conditions)})",
        person.workspace,
        dialects.listed(connection, person.user_ids),
        dialects.listed(connection, person.anonymous_ids),
        *traces.likes,
    )
    users, anonymous = set(person.user_ids), set(person.anonymous_ids)
    return [
        (row[0], row[1], row[2])
        for row in rows
        if row[3] in users or (row[3] is None and row[4] in anonymous) or traces.stand_in(row[5])
    ]


def remove_messages(connection: Connection, workspace: int, day: int, rows: Sequence[tuple[int, int, str]]) -> None:
    """With their ids among those seen, and what was on its way of them."""
    numbers = [(row[0],) for row in rows]
    dialects.many(connection, f"DELETE FROM messages_{day} WHERE id = ?", numbers)
    tables = dialects.table_names(connection, "seen_2")
    for table in {f"seen_{each}" for each in (day, days.before(day))} & tables:
        dialects.many(
            connection, f"DELETE FROM {table} WHERE source_id = ? AND message_id = ?", [row[1:] for row in rows]
        )
    for table in ("forwards", "waiting"):
        _among(connection, f"DELETE FROM {table} WHERE workspace_id = ? AND message {{}}", workspace, _first(numbers))


def remove_rest(connection: Connection, person: Person) -> dict[str, int]:
    """Everything but messages; gives how many rows of each kind there were."""

    def remove(table: str, column: str, values: Iterable[Any]) -> int:
        statement = f"DELETE FROM {table} WHERE workspace_id = ? AND {column} {{}}"
        return _among(connection, statement, person.workspace, values)

    removed: dict[str, int] = {}
    remove("response_revisions", "response_id", person.responses)
    removed["responses"] = remove("responses", "id", person.responses)
    removed["clicks"] = remove("clicks", "delivery_id", person.deliveries)
    remove("opens", "delivery_id", person.deliveries)
    remove("touches", "contact_id", person.contacts)
    remove("touches", "delivery_id", person.deliveries)
    remove("postponements", "delivery_id", person.deliveries)
    remove("mail_events", "delivery_id", person.deliveries)
    remove("mail_events", "email_key", person.addresses)
    removed["deliveries"] = remove("deliveries", "id", person.deliveries)
    removed["decisions"] = (
        remove("decisions", "contact_id", person.contacts)
        + remove("decisions", "user_id", person.user_ids)
        + remove("decisions", "anonymous_id", person.anonymous_ids)
    )
    remove("suppressions", "contact_id", person.contacts)
    remove("suppressions", "email_key", person.addresses)
    remove("touches", "email_key", person.addresses)
    remove("list_members", "contact_id", person.contacts)
    remove("turns", "contact_id", person.contacts)
    _leave_audiences(connection, person)
    remove("audience_memberships", "contact_id", person.contacts)
    remove("audience_people", "user_id", person.user_ids)
    remove("consents", "person", (*person.user_ids, *person.anonymous_ids))
    remove("group_members", "member", (*person.user_ids, *person.anonymous_ids))
    remove("anonymous_ids", "user_id", person.user_ids)
    remove("anonymous_ids", "anonymous_id", (*person.user_ids, *person.anonymous_ids))
    removed["contacts"] = remove("contacts", "id", person.contacts)
    for user in person.user_ids:
        _noted_of(connection, person.workspace, user)
    for contact in person.contacts:
        _noted_of(connection, person.workspace, f"id:{contact}")
    _remove_who_is_called_so(connection, person)
    _take_names_out(connection, person)
    seen.forget_names(connection, person.workspace, person.traces)
    removed["set_aside"] = _remove_what_was_set_aside(connection, person)
    return removed


def _remove_who_is_called_so(connection: Connection, person: Person) -> None:
    """Whoever was never identified is known by an id alone, and that may be one of the addresses."""
    traces = person.traces
    like = "LIKE" if dialects.is_sqlite(connection) else "ILIKE"
    for table, column in KNOWN_BY if traces.likes else ():
        named = " OR ".join(f"{column} {like} ? ESCAPE '\\'" for _ in traces.likes)
        rows = dialects.fetch(
            connection,
            f"SELECT DISTINCT {column} FROM {table} WHERE workspace_id = ? AND ({named})",
            person.workspace,
            *traces.likes,
        )
        theirs = [row[0] for row in rows if traces.stand_in(row[0])]
        statement = f"DELETE FROM {table} WHERE workspace_id = ? AND {column} {{}}"
        _among(connection, statement, person.workspace, theirs)


def _leave_audiences(connection: Connection, person: Person) -> None:
    """Audiences count their members; whoever is erased was one of them."""
    within = dialects.within(connection)
    rows = dialects.fetch(
        connection,
        "SELECT audience_id, count(*) FROM audience_memberships"
        f" WHERE workspace_id = ? AND contact_id {within} AND left_at IS NULL GROUP BY audience_id",
        person.workspace,
        dialects.listed(connection, person.contacts),
    )
    dialects.many(
        connection,
        "UPDATE audiences SET members = members - ? WHERE workspace_id = ? AND id = ?",
        [(n, person.workspace, audience) for audience, n in rows],
    )


def _said_in_messages(look: _Look, users: set[str]) -> set[str]:
    """Mailboxes that their own identify calls named, former ones among them."""
    found: set[str] = set()
    for day in days.kept(look.connection):
        query = f"SELECT body FROM messages_{day} WHERE workspace_id = ? AND user_id {{}} AND type = 'identify'"
        for (body,) in look.rows(query, users):
            try:
                said: Any = msgspec.json.decode(body)
            except msgspec.DecodeError:
                continue
            context = said.get("context") if isinstance(said, dict) else None
            for part in (said, context):
                traits = part.get("traits") if isinstance(part, dict) else None
                if isinstance(traits, dict) and (address := addresses.read(traits.get("email"))):
                    found.add(addresses.key(address))
    return found


def _take_names_out(connection: Connection, person: Person) -> None:
    """From what is about somebody else."""
    traces = person.traces
    if not traces.likes:
        return
    like = "LIKE" if dialects.is_sqlite(connection) else "ILIKE"
    for table, key, texts in NAMED_IN:
        conditions = " OR ".join(f"{column} {like} ? ESCAPE '\\'" for column in texts for _ in traces.likes)
        rows = dialects.fetch(
            connection,
            f"SELECT {', '.join((*key, *texts))} FROM {table} WHERE workspace_id = ? AND ({conditions})",
            person.workspace,
            *(traces.likes * len(texts)),
        )
        for row in rows:
            old = row[len(key) :]
            new = [None if text is None else traces.taken_from(text) for text in old]
            if list(old) != new:
                dialects.changed(
                    connection,
                    f"UPDATE {table} SET {', '.join(f'{column} = ?' for column in texts)}"
                    f" WHERE workspace_id = ? AND {' AND '.join(f'{column} = ?' for column in key)}",
                    *new,
                    person.workspace,
                    *row[: len(key)],
                )
    for table in dialects.table_names(connection, "seen_2"):
        conditions = " OR ".join(f"message_id {like} ? ESCAPE '\\'" for _ in traces.likes)
        rows = dialects.fetch(
            connection, f"SELECT source_id, message_id FROM {table} WHERE {conditions}", *traces.likes
        )
        named = [tuple(row) for row in rows if traces.stand_in(row[1])]
        dialects.many(connection, f"DELETE FROM {table} WHERE source_id = ? AND message_id = ?", named)


def _noted_of(connection: Connection, workspace: int, subject: str) -> None:
    """What members did to them stays in the log of changes, without whom it was done to."""
    dialects.changed(
        connection,
        "UPDATE audit SET subject = '(erased)'"
        " WHERE workspace_id = ? AND subject = ? AND substr(what, 1, 8) = 'contact.'",
        workspace,
        subject,
    )


def _remove_what_was_set_aside(connection: Connection, person: Person) -> int:
    """Records that could not be read are bytes of anybody; those in which one of them stands are removed."""
    traces, gone = person.traces, list[tuple[int]]()
    numbers = [row[0] for row in dialects.fetch(connection, 'SELECT "offset" FROM set_aside')]
    for number in numbers:
        ((data,),) = dialects.fetch(connection, 'SELECT data FROM set_aside WHERE "offset" = ?', number)
        if traces.may_stand_in(bytes(data)):
            gone.append((number,))
    dialects.many(connection, 'DELETE FROM set_aside WHERE "offset" = ?', gone)
    return len(gone)


class _Look:
    """Queries with one list each: `{}` stands where it is compared."""

    def __init__(self, connection: Connection, workspace: int) -> None:
        self.connection, self._workspace = connection, workspace

    def rows(self, query: str, values: Iterable[Any]) -> list[Any]:
        wanted = list(values)
        if not wanted:
            return []
        statement = query.format(dialects.within(self.connection))
        return dialects.fetch(self.connection, statement, self._workspace, dialects.listed(self.connection, wanted))

    def column(self, query: str, values: Iterable[Any]) -> set[Any]:
        return {row[0] for row in self.rows(query, values) if row[0] is not None}


def _among(connection: Connection, statement: str, workspace: int, values: Iterable[Any]) -> int:
    wanted = list(values)
    if not wanted:
        return 0
    written = statement.format(dialects.within(connection))
    return dialects.changed(connection, written, workspace, dialects.listed(connection, wanted))


def _first(rows: Iterable[tuple[Any, ...]]) -> list[Any]:
    return [row[0] for row in rows]
