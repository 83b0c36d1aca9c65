"""`POST /api/test-clock`: move time, with everything that falls due on the way. Only with `--test-clock`."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import post

from heard.installation import Installation
from heard.operations import clock


class Move(msgspec.Struct, forbid_unknown_fields=True):
    """One of the two: a length like `3d`, or the moment to move to."""

    advance: str | None = None
    to: str | None = None


def routes(app: Installation) -> list[Any]:
    @post("/test-clock", tags=["test clock"], status_code=200)
    async def move_test_clock(workspace: int, data: Move) -> Any:  # noqa: ARG001  (a secret key is needed all the same)
        """Visit every due moment in order, and answer when all is idle."""
        return await clock.clock_advance(app, advance=data.advance, to=data.to)

    return [move_test_clock]
