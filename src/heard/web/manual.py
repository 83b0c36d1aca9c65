"""`/api/docs`: the API as a page, made from the description at `/api/openapi.json`; no script, no other host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jinja2
import msgspec
from litestar import Request, Response, get

HEADERS = {
    "Cache-Control": "no-cache",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
}
METHODS = ("get", "post", "put", "patch", "delete")


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One call, as the page shows it."""

    method: str
    path: str
    help: str
    parameters: tuple[dict[str, Any], ...]
    body: tuple[str, ...]  # names of the fields of a JSON body


def routes(*, base: str, origin: str, outbox: bool) -> list[Any]:
    templates = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, trim_blocks=True
    )

    @get("/api/docs", include_in_schema=False, sync_to_thread=True)
    def show_manual(request: Request[Any, Any, Any]) -> Response[bytes]:
        described = request.app.openapi_schema.to_schema()
        page = templates.get_template("manual.html").render(
            base=base, origin=origin, outbox=outbox, groups=groups(described)
        )
        return Response(page.encode(), media_type="text/html", headers=HEADERS)

    @get("/api/openapi.json", include_in_schema=False, sync_to_thread=True)
    def get_openapi(request: Request[Any, Any, Any]) -> dict[str, Any]:
        return request.app.openapi_schema.to_schema()

    return [show_manual, get_openapi]


def groups(described: dict[str, Any]) -> dict[str, list[Call]]:
    """The calls of an OpenAPI document, by their first tag, in its order."""
    schemas = described.get("components", {}).get("schemas", {})
    found: dict[str, list[Call]] = {}
    for path, item in sorted(described["paths"].items()):
        for method in METHODS:
            if operation := item.get(method):
                call = Call(
                    method=method.upper(),
                    path=path,
                    help=operation.get("description") or operation.get("summary") or "",
                    parameters=tuple(operation.get("parameters", ())),
                    body=_fields(operation, schemas),
                )
                found.setdefault((operation.get("tags") or ["other"])[0], []).append(call)
    return found


def _fields(operation: dict[str, Any], schemas: dict[str, Any]) -> tuple[str, ...]:
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    name = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    return tuple(schemas.get(name, {}).get("properties", {}))
