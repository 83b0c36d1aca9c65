"""`/ready` and `/metrics` of the heart."""

from __future__ import annotations

from typing import Any

from litestar import MediaType, Response, get

from heard.installation import Installation
from heard.store import tallies


def routes(app: Installation) -> list[Any]:
    @get("/ready", include_in_schema=False, sync_to_thread=False)
    def ready() -> Response[Any]:
        """200 only while everything works; else what does not."""
        missing = sorted(app.pipeline.failing)
        body: dict[str, Any] = {"ready": not missing, "missing": missing}
        if missing:
            body["because"] = app.pipeline.failing
        return Response(body, status_code=503 if missing else 200, headers={"Cache-Control": "no-store"})

    @get("/metrics", include_in_schema=False, media_type=MediaType.TEXT)
    async def metrics() -> str:
        """Prometheus text: what was routed, how far behind we are, what waits."""
        counted = await app.store.read(tallies.totals)
        pipeline = app.pipeline
        lines = [
            "# TYPE heard_routed_messages_total counter",
            f"heard_routed_messages_total {pipeline.routed}",
            "# TYPE heard_repeated_messages_total counter",
            f"heard_repeated_messages_total {pipeline.repeated}",
            "# TYPE heard_route_lag_seconds gauge",
            f"heard_route_lag_seconds {pipeline.lag:.6f}",
            "# TYPE heard_log_backlog_bytes gauge",
            f"heard_log_backlog_bytes {max(0, app.board.durable - pipeline.offset)}",
            "# TYPE heard_messages_total counter",
        ]
        for name, number in sorted(counted.items()):
            verdict, _, reason = name.partition(":")
            label = reason.replace("\\", "\\\\").replace('"', '\\"').replace("\n", " ")
            lines.append(f'heard_messages_total{{verdict="{verdict}",reason="{label}"}} {number}')
        return "\n".join(lines) + "\n"

    return [ready, metrics]
