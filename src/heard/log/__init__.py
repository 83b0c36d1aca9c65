"""The durable, ordered record of accepted requests, kept until every reader has passed.

`log.py` is what the rest of Heard may know; `segments.py` is the embedded log behind it (`recovery.py` and `frame.py`
are its parts).
"""

from heard.log.log import Damage, LogReader, LogUnavailable, LogWriter, Record

__all__ = ["Damage", "LogReader", "LogUnavailable", "LogWriter", "Record"]
