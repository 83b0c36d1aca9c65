"""`/ready` and `/metrics` of the heart."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from litestar import MediaType, Response, get

from heard.courier import Courier
from heard.installation import Installation
from heard.store import messages, tallies
from heard.store.days import before, day_of

GAUGES: tuple[tuple[str, str, Callable[[Courier, int], int]], ...] = (
    ("behind", "gauge", lambda courier, last: last - courier.position),  # messages it has not looked at yet
    ("failures_in_a_row", "gauge", lambda courier, _: courier.failures),
    ("resting", "gauge", lambda courier, _: int(courier.resting_until is not None)),
)


def routes(app: Installation) -> list[Any]:
    totals = tallies.Totals()

    @get("/ready", include_in_schema=False, sync_to_thread=False)
    def ready() -> Response[Any]:
        """200 only while everything works; else what does not. `apart`: the workspaces whose own mail server takes
        nothing just now. That is theirs to mend, and no reason to send the others' messages elsewhere."""
        missing = sorted(app.pipeline.failing)
        body: dict[str, Any] = {"ready": not missing, "missing": missing}
        if missing:
            body["because"] = app.pipeline.failing
        if away := sorted(app.pipeline.postman.failing_apart):
            body["apart"] = [f"mail server of workspace {number}" for number in away]
        return Response(body, status_code=503 if missing else 200, headers={"Cache-Control": "no-store"})

    @get("/metrics", include_in_schema=False, media_type=MediaType.TEXT)
    async def metrics() -> str:
        """Prometheus text: what was routed, how far behind we are, what waits."""
        workspaces, yesterday = list(app.directory.workspaces), before(day_of(app.clock.now()))
        look = partial(totals.read, workspaces=workspaces, yesterday=yesterday)
        counted = await app.store.read(look)
        pipeline = app.pipeline
        lines = [
            "# TYPE heard_routed_messages_total counter",
            f"heard_routed_messages_total {pipeline.routed}",
            "# TYPE heard_repeated_messages_total counter",
            f"heard_repeated_messages_total {pipeline.repeated}",
            "# TYPE heard_conflicting_duplicates_total counter",
            *(
                f'heard_conflicting_duplicates_total{{source="{number}"}} {pipeline.conflicting[number]}'
                for number in sorted(app.directory.sources)
            ),
            "# TYPE heard_route_lag_seconds gauge",
            f"heard_route_lag_seconds {pipeline.lag:.6f}",
            "# TYPE heard_log_backlog_bytes gauge",
            f"heard_log_backlog_bytes {max(0, app.board.durable - pipeline.offset)}",
            "# TYPE heard_messages_total counter",
        ]
        for name, number in sorted(counted.items()):
            verdict, _, reason = name.partition(":")
            lines.append(f'heard_messages_total{{verdict="{verdict}",reason="{_label(reason)}"}} {number}')
        return "\n".join([*lines, *await destinations()]) + "\n"

    async def destinations() -> list[str]:
        """How each destination outside stands; by its number alone, for nobody needs a key to read this."""
        last = await app.store.read(messages.last)
        lines: list[str] = []
        for name, kind, of in GAUGES:
            lines.append(f"# TYPE heard_destination_{name} {kind}")
            for number, courier in sorted(app.couriers.by_destination.items()):
                lines.append(f'heard_destination_{name}{{id="{number}"}} {of(courier, last)}')
        return lines if app.couriers.by_destination else []

    return [ready, metrics]


def _label(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
