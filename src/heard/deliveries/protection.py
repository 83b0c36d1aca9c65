"""When a campaign has to stop by itself, before mail providers stop all mails of its sender.

Gmail and Yahoo want complaints below 0.1 % and refuse senders from 0.3 % on; who writes to many mailboxes that nobody
has counts as a sender of spam. LIMITS is all of it; below `least` sends a share says nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from datetime import timedelta
from fractions import Fraction

import msgspec

from heard.deliveries.notice import NoticeKind

LOOKS_BACK = timedelta(days=7)


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    over: Fraction  # of the sends
    least: int  # sends
    came_to: str  # what that many sends did

    def enough(self, bad: int) -> int:
        """So many sends make `bad` of them bearable: counting further changes nothing."""
        return max(int(bad / self.over), self.least)


LIMITS: Mapping[NoticeKind, Limit] = {
    NoticeKind.COMPLAINT: Limit(over=Fraction(1, 1000), least=500, came_to="were reported as spam"),
    NoticeKind.HARD: Limit(over=Fraction(5, 100), least=100, came_to="went to mailboxes that nobody has"),
}
TELLING: Set[NoticeKind] = frozenset(LIMITS)


def why_stop(kind: NoticeKind, *, bad: int, sends: int) -> str | None:
    """The sentence that says why; None = it may go on. `sends` of the last seven days, counted up to `enough`."""
    limit = LIMITS[kind]
    if sends < limit.least or Fraction(bad, sends) <= limit.over:
        return None
    return f"{bad} of {sends} mails in the last 7 days {limit.came_to}: more than {float(limit.over):.1%}."
