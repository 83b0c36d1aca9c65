"""`/o/{token}`: the picture of one dot that a mail carries where its workspace counts opens.

Whatever is asked, the answer is a picture: a mail must not show a broken one. No cookie is set, and a token that is not
ours, or of a mail without a picture, changes nothing.
"""

from __future__ import annotations

import base64
from functools import partial
from typing import Any

import structlog
from litestar import Request, Response, route
from litestar.handlers import HTTPRouteHandler
from litestar.params import FromPath

from heard.ids import OPENED
from heard.installation import Installation
from heard.responses.opens import opened
from heard.store import opens

GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex"}
log = structlog.get_logger()


def routes(app: Installation) -> list[HTTPRouteHandler]:
    @route("/o/{token:str}", http_method=["GET", "HEAD"], include_in_schema=False, status_code=200)
    async def show_dot(request: Request[Any, Any, Any], token: FromPath[str]) -> Response[bytes]:
        try:
            if request.method == "GET" and (link := app.keys.read(token.removesuffix(".gif"), purpose=OPENED)):
                now = opened(app.clock.now(), request.headers.get("user-agent", "")[:300])
                known = {"workspace": link.workspace, "delivery_id": link.delivery_id, "now": now}
                if await app.store.read(partial(opens.looked_for, **known)):
                    await app.store.write(partial(opens.keep, **known))
        except Exception:
            log.exception("open_not_kept")
        return Response(GIF, media_type="image/gif", headers=HEADERS)

    return [show_dot]
