"""An expression that cannot be read."""

from __future__ import annotations

from heard.errors import Invalid as InvalidValue


class Invalid(InvalidValue):
    """The expression cannot be used; the message says where and what to write instead.

    `position` counts characters from 1, so that it is the column a person sees.
    """

    def __init__(self, message: str, *, position: int, field: str | None = None) -> None:
        super().__init__(f"at {position}: {message}", field=field)
        self.position = position
