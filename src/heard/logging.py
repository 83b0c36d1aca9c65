"""What the processes say on stderr: JSON lines, or lines for people where a terminal reads them.

No line carries a secret or an address: a log travels further than the data it speaks of.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

# structlog draws tracebacks with rich where that is installed. We never draw one, and a heart that loads rich is later
# to be ready and 10 MB larger; so for structlog it is not installed.
sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
import structlog  # noqa: E402

if sys.modules["rich"] is None:
    del sys.modules["rich"]

SECRET_NAMES = re.compile(r"password|secret|token|authorization|write_key|cookie", re.IGNORECASE)
SECRETS = re.compile(r"\b(?:sk|wk)_[\w-]{6,}|(?<=://)[^/@\s:]+:[^/@\s]+(?=@)")  # our keys; user:password in a URL
ADDRESSES = re.compile(r"[^\s@<>\"'(),;:=]+@[^\s@<>\"'(),;:]+\.[^\s@<>\"'(),;:]+")
WITHHELD = "[withheld]"


def set_up(level: str = "info", *, stream: TextIO = sys.stderr) -> None:
    """Once a process, before anything is logged. Lines of libraries are shown from `warning` on, in the same form."""
    least = getattr(logging, level.upper())
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            withhold,
            _for_people if stream.isatty() else structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(least),
        logger_factory=structlog.PrintLoggerFactory(stream),
        cache_logger_on_first_use=True,
    )
    logging.basicConfig(handlers=[_Passing()], level=max(least, logging.WARNING), force=True)


def withhold(_logger: object, _method: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Take secrets and addresses out of whatever is about to be written."""
    for name, value in said.items():
        if SECRET_NAMES.search(name):
            said[name] = WITHHELD
        elif isinstance(value, str):
            said[name] = ADDRESSES.sub(WITHHELD, SECRETS.sub(WITHHELD, value))
        elif not isinstance(value, int | float | bool | None):
            said[name] = ADDRESSES.sub(WITHHELD, SECRETS.sub(WITHHELD, str(value)))
    return said


def _for_people(_logger: object, _method: str, said: MutableMapping[str, Any]) -> str:
    """One line: the time, what happened, its values; a traceback below."""
    at, level, event = said.pop("timestamp"), said.pop("level"), said.pop("event")
    trace = said.pop("exception", None)
    values = " ".join(f"{name}={value}" for name, value in said.items())
    line = f"{str(at)[11:19]} {level:<7} {str(event).replace('_', ' ')} {values}".rstrip()
    return f"{line}\n{trace}" if trace else line


class _Passing(logging.Handler):
    """Hands the lines of libraries on to ours."""

    def emit(self, record: logging.LogRecord) -> None:
        exc_info = record.exc_info if record.exc_info and record.exc_info[0] else None
        structlog.get_logger().log(record.levelno, record.getMessage(), logger=record.name, exc_info=exc_info)
