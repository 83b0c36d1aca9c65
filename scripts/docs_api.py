"""The page about the API: its operations from the OpenAPI description that a server serves, each with an example.

The examples stand in api_examples.yaml; `tests/flow/test_documented_api.py` sends every one of them to a running Heard.
"""

from __future__ import annotations

import asyncio
import json
import re
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

EXAMPLES = Path(__file__).with_name("api_examples.yaml")
SHORT = 90
SERVER = "http://localhost:8800"
HEAD = """\
# API

Made by `make docs` from what your server says at `/api/openapi.json`; the same, for your own address, is the page
`/api/docs` of your server. Messages come in [another way](../how-to/from-segment.md); this is for reading what became
of them.

Every call carries a secret key of the workspace, `Authorization: Bearer sk_...`. `heard init` printed the first one,
and `heard keys add NAME` makes another. The key says which workspace is meant; nothing in a body or a path does. A key
with the scope `read` may ask and change nothing. To paste the examples, put the key into your shell first:

```sh
export SECRET_KEY=sk_...
```

- Times are RFC 3339, in UTC. Names in a path are percent-encoded: `Post%20purchase`.
- Lists are newest first, `{"data": [...], "next": ...}`. A `next` that is not null, passed back as `cursor`, leads
  on.
- `from` and `to` are days, `2026-01-31`, both included, or moments. Without them all of time is meant.
- A `where` is written in [FQL](fql.md). In answers and scores, `traits.plan` is the trait as it was at the answer,
  `now.traits.plan` as it is today.
- Errors are `{"error": {"code", "message", "field"}}`, `field` where one is to blame: 400 `invalid`, 401
  `unauthorized`, 403 `forbidden`, 404 `not_found`, 409 `conflict`.
"""


def api_page() -> str:
    told = yaml.safe_load(EXAMPLES.read_text(encoding="utf-8"))
    parts = [HEAD]
    for call, operation in operations(description()):
        parts.append(section(call, operation, told["parameters"], told["calls"].get(call, {})))
    return "\n".join(parts)


def description() -> dict[str, Any]:
    """What a server answers at /api/openapi.json: of a new installation, with the test clock, which adds a call."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        return asyncio.run(_asked())


async def _asked() -> dict[str, Any]:
    import httpx

    from heard import config
    from heard.app import application
    from heard.installation import Installation

    with tempfile.TemporaryDirectory() as folder:
        app = Installation(config.read({}, data=Path(folder) / "data"), test_clock=True)
        try:
            served: Any = application(app)
            transport = httpx.ASGITransport(app=served)
            async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
                return (await client.get("/api/openapi.json")).json()
        finally:
            await app.close()


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """(`GET /api/scores`, operation), in the description's order; `fields` are those of a JSON body."""
    schemas = described.get("components", {}).get("schemas", {})
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            name = body.get("$ref", "").rpartition("/")[2]
            yield f"{method.upper()} {path}", operation | {"fields": list(schemas.get(name, {}).get("properties", {}))}


def section(call: str, operation: dict[str, Any], meanings: dict[str, str], example: dict[str, Any]) -> str:
    said = (operation.get("description") or operation.get("summary") or "").strip()
    own = {f"{field} in the body": meaning for field, meaning in example.get("means", {}).items()}
    parts = [f"## `{call}`", said, parameters(operation, meanings | own)]
    if example.get("note"):
        parts.append(example["note"].strip())
    if example:
        answer = json.dumps(example["answer"], indent=2, ensure_ascii=False)
        parts += [f"```sh\n{curl(call, example)}\n```", f"```json\n{folded(answer)}\n```"]
    return "\n\n".join(part for part in parts if part) + "\n"


def parameters(operation: dict[str, Any], meanings: dict[str, str]) -> str:
    rows = [
        f"| `{each['name']}` | {_where(each)} | {each.get('description') or meanings.get(each['name'], '')} |"
        for each in operation.get("parameters", [])
    ]
    fields = {name: meanings.get(f"{name} in the body") or meanings.get(name, "") for name in operation["fields"]}
    rows += [f"| `{name}` | body | {meaning} |" for name, meaning in fields.items()]
    return "\n".join(["| | in | |", "|---|---|---|", *rows]) if rows else ""


def _where(parameter: dict[str, Any]) -> str:
    return parameter["in"] + (", needed" if parameter["in"] == "query" and parameter.get("required") else "")


def curl(call: str, example: dict[str, Any]) -> str:
    method, _ = call.split(" ")
    url = f'"{SERVER}{example["path"]}"'
    head = "curl -H" if method == "GET" else f"curl -X {method} -H"
    command = f'{head} "Authorization: Bearer $SECRET_KEY" {url}'
    if "body" in example:
        command += f" \\\n  -H 'Content-Type: application/json' -d '{json.dumps(example['body'])}'"
    return command


def folded(text: str) -> str:
    """JSON with its short lists and objects on one line, the innermost ones."""

    def on_one_line(found: re.Match[str]) -> str:
        inside = re.sub(r",\n\s+", ", ", found[2])
        return f"{found[1]}{inside}{found[3]}" if len(inside) <= SHORT else found[0]

    return re.sub(r"([\[{])\n\s+([^\[\]{}]*?)\n\s+([\]}])", on_one_line, text)
