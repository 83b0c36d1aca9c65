"""The daily caps of the campaigns whose mails were claimed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from heard.deliveries import schedule
from heard.deliveries.capping import Cap
from heard.deliveries.case import Case
from heard.deliveries.delivery import Delivery
from heard.deliveries.eligibility import Decline, Invite
from heard.deliveries.ledger import TouchKind
from heard.deliveries.reminder import Later, Moot
from heard.destinations.known import Known
from heard.store import touches

Answer = Invite | Decline | Later | Moot


class Caps:
    """Of the campaigns of one workspace that have one, each read when it is first asked for. No reminder counts."""

    def __init__(self, known: Known, claimed: Sequence[Delivery], now: datetime) -> None:
        self._known, self._now = known, now
        self._claimed = [each.id for each in claimed]
        self._caps: dict[int, Cap] = {}

    def within(self, answer: Answer, delivery: Delivery, case: Case) -> Answer:
        """Later for whom the day has no room."""
        cap = self._of(delivery, case) if isinstance(answer, Invite) else None
        if cap is None:
            return answer
        zone = schedule.zone_of(case.campaign, case.contact)
        later = cap.turn_of(partial(schedule.in_window, case.campaign, zone=zone))
        return answer if later is None else Later(later)

    def take(self, delivery: Delivery) -> None:
        """It goes out."""
        if delivery.kind is TouchKind.FIRST and (cap := self._caps.get(delivery.campaign)) is not None:
            cap.take()

    def _of(self, delivery: Delivery, case: Case) -> Cap | None:
        most = case.campaign.daily_cap
        if most is None or delivery.kind is not TouchKind.FIRST:
            return None
        if delivery.campaign not in self._caps:
            known = self._known
            sent = touches.went_out(known.connection, known.workspace, delivery.campaign, self._now, self._claimed)
            self._caps[delivery.campaign] = Cap(most, sent, case.invited.by_day, self._now)
        return self._caps[delivery.campaign]
