"""What a batch of one workspace led to, until it is kept in the transaction of the batch."""

from __future__ import annotations

from heard.deliveries.case import Trigger
from heard.deliveries.decision import Decision
from heard.deliveries.delivery import Delivery
from heard.deliveries.ledger import Touch


class Considered:
    """What a batch led to in one workspace, until it is kept."""

    def __init__(self) -> None:
        self.decisions: dict[int, tuple[Decision, bytes | None]] = {}
        self.revised: dict[int, tuple[Decision, bytes | None]] = {}
        self.moved: dict[int, Decision] = {}  # waited under an anonymous id, waits for a user now
        self.deliveries: list[Delivery] = []
        self.touches: list[Touch] = []
        self.listed: list[tuple[str, int]] = []
        self.activated: set[int] = set()
        self.settled: list[Trigger] = []  # messages that are held no longer

    def decision(self, decision: Decision, waiting: bytes | None = None) -> None:
        """A decision of an earlier batch, or of this one, is another now; `waiting` is the track that it holds."""
        if decision.id in self.decisions:
            self.decisions[decision.id] = (decision, waiting)
        else:
            self.revised[decision.id] = (decision, waiting)

    def move(self, decision: Decision) -> None:
        if decision.id in self.decisions:
            self.decisions[decision.id] = (decision, self.decisions[decision.id][1])
        else:
            self.moved[decision.id] = decision
