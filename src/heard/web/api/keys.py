"""Who calls: the secret key names the workspace; nothing in a request's body ever does."""

from __future__ import annotations

from typing import Any

from litestar import Request
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException
from sqlalchemy import Connection

from heard.accounts.keys import SECRET_KEY, fingerprint
from heard.installation import Installation
from heard.store import dialects

NO_KEY = "Send the workspace's secret key: `Authorization: Bearer sk_...`."


class Keys:
    def __init__(self, app: Installation) -> None:
        self._app = app

    def dependency(self) -> Provide:
        async def workspace(request: Request[Any, Any, Any]) -> int:
            scheme, _, key = request.headers.get("authorization", "").partition(" ")
            key = key.strip()
            if scheme.lower() != "bearer" or not key.startswith(SECRET_KEY):
                raise NotAuthorizedException(NO_KEY)
            found = await self._app.store.read(lambda connection: _workspace_of(connection, key))
            if found is None:
                raise NotAuthorizedException("This secret key is not known, or was revoked.")
            return found

        return Provide(workspace)


def _workspace_of(connection: Connection, key: str) -> int | None:
    """Found by fingerprint: what is compared is a hash of 256 random bits, so timing tells nothing of the key."""
    rows = dialects.fetch(
        connection,
        "SELECT workspace_id FROM secret_keys WHERE fingerprint = ? AND revoked_at IS NULL",
        fingerprint(key),
    )
    return rows[0][0] if rows else None
