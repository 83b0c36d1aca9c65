"""What the collector counts, as Prometheus text. No client library: this process stays small."""

from __future__ import annotations

from collections import Counter

from heard.collector.suppressed import Suppressed
from heard.log.segments import SegmentWriter


class Counters:
    def __init__(self, log: SegmentWriter, suppressed: Suppressed) -> None:
        self._log = log
        self._suppressed = suppressed
        self.answered: Counter[int] = Counter()
        self.pixels: Counter[int] = Counter()
        """Pixels that were loaded, by the status that their message would have had as a POST."""

    def text(self) -> bytes:
        log = self._log
        lines = [
            "# HELP heard_collector_requests_total Requests the collector answered itself, by status.",
            "# TYPE heard_collector_requests_total counter",
            *(
                f'heard_collector_requests_total{{status="{status}"}} {count}'
                for status, count in sorted(self.answered.items())
            ),
            "# HELP heard_collector_pixels_total Pixels, by what their message would have been answered as a POST.",
            "# TYPE heard_collector_pixels_total counter",
            *(
                f'heard_collector_pixels_total{{status="{status}"}} {count}'
                for status, count in sorted(self.pixels.items())
            ),
        ]
        for name, kind, help_text, value in (
            (
                "heard_collector_suppressed_total",
                "counter",
                "Messages left out because a privacy request suppresses their person.",
                self._suppressed.dropped,
            ),
            ("heard_log_appended_bytes_total", "counter", "Bytes kept on the log.", log.appended_bytes),
            ("heard_log_groups_total", "counter", "Groups of records, one fdatasync each.", log.groups),
            ("heard_log_sync_seconds_total", "counter", "Time spent in fdatasync.", f"{log.sync_seconds:.6f}"),
            ("heard_log_failures_total", "counter", "Groups that could not be kept.", log.failures),
            ("heard_log_durable_offset", "gauge", "The log is on disk up to here.", log.durable),
            ("heard_log_available", "gauge", "1 while the log takes records.", int(log.available)),
        ):
            lines += [f"# HELP {name} {help_text}", f"# TYPE {name} {kind}", f"{name} {value}"]
        return ("\n".join(lines) + "\n").encode()
