"""An address that has no page: members are told inside their dashboard, everybody else by a page without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, cast

from litestar import Request, Response
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from heard.web.dashboard.door import Door
from heard.web.dashboard.shell import Dashboard

NO_PAGE = "There is no page at this address. It may have a typo, or the page has moved."

Nowhere = Callable[[Request[Any, Any, Any], Response[bytes]], Response[bytes]]


def nowhere(dashboard: Dashboard) -> Nowhere:
    """Tells a request that met no page; the second argument is what somebody gets who is not signed in."""
    door = Door(dashboard.app)
    return lambda request, outside: _Told(dashboard, door, request, outside)


class _Told(Response[bytes]):
    """Litestar asks for the answer to an error at once, and a session has to be waited for: so it is looked up here."""

    def __init__(
        self, dashboard: Dashboard, door: Door, request: Request[Any, Any, Any], outside: Response[bytes]
    ) -> None:
        super().__init__(b"", status_code=404)
        self._dashboard, self._door, self._request, self._outside = dashboard, door, request, outside

    def to_asgi_response(self, *args: Any, **how: Any) -> ASGIResponse:
        async def answer(scope: Scope, receive: Receive, send: Send) -> None:
            seen = await self._door.look(self._request)
            page = self._outside
            if seen is not None:
                page = self._dashboard.page(seen, "problem.html", status=404, problem=NO_PAGE, code=404)
            await page.to_asgi_response(*args, **how)(scope, receive, send)

        return cast(ASGIResponse, answer)
