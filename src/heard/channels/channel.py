"""What everything that carries an invitation can do. The contract suite runs over each of them."""

from __future__ import annotations

from typing import Protocol

from heard.channels.email.mail import Mail


class Channel(Protocol):
    """Hands mails over, several at a time, one answer each.

    The caller commits `sending` before `hand_over` and the outcome after it; so a crash leaves at most `connections`
    mails of which nobody knows whether they arrived.
    """

    title: str
    help: str
    connections: int  # how many hand-overs run side by side; more than that wait for their turn

    async def hand_over(self, mail: Mail) -> str:
        """Give the mail away; returns the other side's answer once it has taken responsibility.

        Raises:
            DeliveryFailed: it did not. `permanent`: this mail will never be taken. `ambiguous`: it may have been.
                Neither: nothing was handed over, try again later.
        """
        ...

    async def close(self) -> None:
        """Let go of what is open. Hand-overs under way are cut, as ambiguous as a crash."""
        ...
