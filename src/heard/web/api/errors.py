"""Errors of the API: `{"error": {"code", "message", "field"?}}`."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import structlog
from litestar import Request, Response
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from sqlalchemy.exc import DataError

from heard.errors import HeardError, Invalid, NotFound

log = structlog.get_logger()
NO_VALUE = "A value here cannot be used: it holds a character that a database does not take."
NO_BODY = "Send the body as a JSON object."
BODY = "data"  # what Litestar calls it
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
CODES = {400: "invalid", 401: "unauthorized", 403: "forbidden", 404: "not_found", 405: "method_not_allowed"}


class Said(msgspec.Struct):
    """`field` where one is to blame."""

    code: str
    message: str
    field: str | msgspec.UnsetType = msgspec.UNSET


class Problem(msgspec.Struct):
    """What every error looks like."""

    error: Said


DESCRIBED = {
    400: ResponseSpec(Problem, generate_examples=False, description="A value cannot be used; `field` says which."),
    401: ResponseSpec(Problem, generate_examples=False, description="There is no secret key, or none that works."),
    403: ResponseSpec(Problem, generate_examples=False, description="This key may only read."),
    404: ResponseSpec(Problem, generate_examples=False, description="There is nothing of this name or number."),
    409: ResponseSpec(Problem, generate_examples=False, description="It cannot be done as things stand."),
}
"""For the description of the API."""


def error(status: int, message: str, *, code: str | None = None, field: str | None = None) -> Response[Any]:
    said = {"code": code or CODES.get(status, "error"), "message": message}
    if field is not None:
        said["field"] = field
    headers = {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    return Response({"error": said}, status_code=status, headers=headers)


def _ours(_: Request[Any, Any, Any], failure: HeardError) -> Response[Any]:
    if isinstance(failure, Invalid):
        return error(400, str(failure), field=failure.field)
    if isinstance(failure, NotFound):
        return error(404, str(failure))
    return error(409, str(failure), code="conflict")


def _theirs(_: Request[Any, Any, Any], failure: HTTPException) -> Response[Any]:
    extra: Any = failure.extra
    field = extra[0].get("key") if isinstance(extra, list) and extra and isinstance(extra[0], dict) else None
    detail = str(extra[0].get("message")) if field else failure.detail
    if field == BODY:
        field, detail = _of_body(detail)
    return error(failure.status_code, detail, field=field)


def _of_body(detail: str) -> tuple[str | None, str]:
    """The field that is to blame and what there is to say, where Litestar blames the body as a whole."""
    if found := _FIELD.fullmatch(detail):
        return found[
            2
        ], f"{found[2]}: {'this is needed' if found[1] == 'missing required' else 'there is no such key'}."
    return None, NO_BODY


def _bug(request: Request[Any, Any, Any], failure: Exception) -> Response[Any]:
    log.error("api_failed", path=request.url.path, exc_info=failure)
    return error(500, "Heard failed to answer this. The log of the server says why.", code="failed")


def _no_value(_: Request[Any, Any, Any], __: DataError) -> Response[Any]:
    """PostgreSQL takes no NUL in a text, whatever is asked with it."""
    return error(400, NO_VALUE)


HANDLERS: dict[Any, Any] = {HeardError: _ours, DataError: _no_value, HTTPException: _theirs, Exception: _bug}
