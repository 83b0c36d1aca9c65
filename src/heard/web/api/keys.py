"""Who calls: the secret key names the workspace; nothing in a request's body ever does."""

from __future__ import annotations

from concurrent.futures import Future
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import structlog
from litestar import Request
from litestar.di import Provide
from litestar.exceptions import NotAuthorizedException, PermissionDeniedException

from heard.accounts.keys import SECRET_KEY, Scope, SecretKey
from heard.installation import Installation
from heard.store import accounts

NO_KEY = "Send the workspace's secret key: `Authorization: Bearer sk_...`."
ONLY_READS = "This key may only read. Make one with the scope `full` to change something."
READING = frozenset({"GET", "HEAD"})
USE_IS_NOTED_EVERY = timedelta(hours=1)

log = structlog.get_logger()


class Keys:
    def __init__(self, app: Installation) -> None:
        self._app = app
        self._noted: dict[int, datetime] = {}  # key -> when its use was last written down

    def dependencies(self) -> dict[str, Provide]:
        """`key`: the key that calls; `workspace`: its id; `caller`: what the audit log calls it."""

        async def key(request: Request[Any, Any, Any]) -> SecretKey:
            return await self._caller(request)

        return {
            "key": Provide(key),
            "workspace": Provide(_workspace, sync_to_thread=False),
            "caller": Provide(_called, sync_to_thread=False),
        }

    async def _caller(self, request: Request[Any, Any, Any]) -> SecretKey:
        """Raises:
        NotAuthorizedException: no key, or one that does not work.
        PermissionDeniedException: it may only read.
        """
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        secret = secret.strip()
        if scheme.lower() != "bearer" or not secret.startswith(SECRET_KEY):
            raise NotAuthorizedException(NO_KEY)
        found = await self._app.store.read(partial(accounts.key_by_secret, key=secret))
        if found is None:
            raise NotAuthorizedException("This secret key is not known, or was revoked.")
        self._note(found)
        if found.scope == Scope.READ and request.method not in READING:
            raise PermissionDeniedException(ONLY_READS)
        return found

    def _note(self, key: SecretKey) -> None:
        """Write down that a key is used, to the hour; the request does not wait for it."""
        now = self._app.clock.now()
        last = self._noted.get(key.id, key.last_used)
        if last is None or not timedelta(0) <= now - last < USE_IS_NOTED_EVERY:
            self._noted[key.id] = now
            self._app.store.submit(partial(accounts.key_used, key=key, now=now)).add_done_callback(_say_failure)


def _workspace(key: SecretKey) -> int:
    return key.workspace


def _called(key: SecretKey) -> str:
    return f"key {key.name}"


def _say_failure(done: Future[None]) -> None:
    if not done.cancelled() and (problem := done.exception()) is not None:
        log.warning("key_use_not_noted", problem=repr(problem))
