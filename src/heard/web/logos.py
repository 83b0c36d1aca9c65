"""`/logo/{name}`: the pictures of brands, for mails and the pages of respondents.

The name is made of the octets: whoever asks gets the same picture for ever, and caches may keep it. That somebody asked
is written nowhere.
"""

from __future__ import annotations

import re
from typing import Any

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

from heard.accounts import logo
from heard.installation import Installation

HEADERS = {
    "Cache-Control": "public, max-age=31536000, immutable",
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "X-Content-Type-Options": "nosniff",
}
_NAME = re.compile(r"[0-9a-f]{32}\.(png|jpeg)")


def routes(app: Installation) -> list[Any]:
    @get("/logo/{name:str}", include_in_schema=False, sync_to_thread=False)
    def show_logo(name: FromPath[str]) -> Response[bytes]:
        if _NAME.fullmatch(name):
            for workspace in app.directory.workspaces.values():
                picture = logo.read(workspace.brand.logo)
                if picture is not None and picture.name == name:
                    return Response(picture.content, media_type=picture.media_type, headers=HEADERS)
        raise NotFoundException("There is no such picture.")

    return [show_logo]
