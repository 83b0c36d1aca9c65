"""Who is told of an audience, and which of them hear of it for the first time.

A destination that is named in `to` later has missed the first message of every member: it is introduced to those who
are members by then. So is every destination outside when `as` changes, for it knows them under another message.
"""

from __future__ import annotations

import msgspec

from heard.audiences.audience import Form


class Reach(msgspec.Struct, frozen=True, kw_only=True):
    """Numbers of destinations `outside`, whether contacts have the trait, and what is sent."""

    outside: frozenset[int] = frozenset()
    on_contact: bool = False
    form: Form = Form.TRAITS

    def __bool__(self) -> bool:
        return bool(self.outside) or self.on_contact


def newcomers(before: Reach, after: Reach) -> Reach:
    """Those of `after` that know nobody yet; nobody when all do."""
    known = before.outside if before.form is after.form else frozenset[int]()
    return Reach(outside=after.outside - known, on_contact=after.on_contact and not before.on_contact, form=after.form)
