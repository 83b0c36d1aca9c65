"""The reference page about destinations, from what each kind says of itself."""

# ruff: noqa: E501  tables of a page
from __future__ import annotations

from typing import Any

HEAD = """\
# Destinations

Made by `make docs` from `heard/destinations`. What the sources feed: in the workspace file each stands under `destinations`
with its `name`, its `type`, and the `settings` below.

| type | what it does |
|---|---|
"""

TAIL = """
## What comes of a message

A destination that sends has 5 seconds for each request, 3 of them to connect. It reads 64 KB of the answer.

| the receiver | what comes of it |
|---|---|
| answers 200 to 299 | delivered |
| does not answer, cannot be reached, breaks off, has a bad certificate | tried again |
| answers 408, 409, 423, 425, 429, 500 to 511 but 501, 520 to 530, 598 or 599 | tried again, not before its `Retry-After` has passed, which counts up to an hour |
| answers 400, 413 or 422 to more than one message | handed over in halves, so that one message costs the others nothing |
| answers 300 to 399 | discarded as `redirect`: none is followed |
| answers anything else | discarded, with the status as reason: `http_400` |
| is not on the public internet | discarded as `forbidden_address`, and refused already when it is saved |

Tries follow each other after 1 second, then 2, 4, 8 and so on up to 10 minutes, of which each waits a random share. When the
next would be later than `give_up_after` from the first, four hours unless it is set, the message is given up: it is kept
with its tries, and can be sent again. A change counts from the next try on.

The latency on a destination's page is counted from receipt to delivery, all tries and waits between them included: 95 % of the
deliveries took no longer than its P95. What is replayed, and what was given up or delivered and is sent again by hand, is not
counted: it says when somebody asked, not how long a delivery takes.

## Where one may send

An address begins with `https://` and names a public host; its port is 80, 443, or one from 1024 on. An address with user
and password, an IP address in an unusual spelling, and a name that leads to any private address are refused, when they are
saved and again at every connection. [`HEARD_ALLOW_PRIVATE_NETWORK`](settings.md) opens http, loopback and private networks,
for development. [Why](../decisions/0016-one-way-out.md).
"""


def destinations_page() -> str:
    from heard.destinations.kinds import KINDS

    listed = "".join(f"| [`{name}`](#{name}) | {kind.help} |\n" for name, kind in KINDS.items())
    return HEAD + listed + "".join(section(name, kind) for name, kind in KINDS.items()) + TAIL


def section(name: str, kind: Any) -> str:
    """One kind under its own heading: what it takes, and its settings."""
    batched = f" Up to {kind.most_at_once} of them go in one request." if getattr(kind, "most_at_once", 1) > 1 else ""
    rows = "".join(row(field) for field in kind.fields)
    return (
        f"\n## {name}\n\n{kind.help} It takes {in_words(sorted(kind.methods))}.{batched}\n\n"
        f"| setting | what | if absent | meaning |\n|---|---|---|---|\n{rows}"
    )


def row(field: Any) -> str:
    absent = "it has to be there" if field.required else f"`{field.default}`" if field.default is not None else "–"
    bounds = f" From `{field.bounds[0]}` to `{field.bounds[1]}`." if field.bounds else ""
    return f"| `{field.name}` | {field.kind} | {cell(absent)} | {cell(field.help + bounds)} |\n"


def in_words(names: list[str]) -> str:
    *others, last = (f"`{name}`" for name in names)
    return f"{', '.join(others)} and {last}" if others else last


def cell(text: str) -> str:
    return text.replace("|", "\\|")
