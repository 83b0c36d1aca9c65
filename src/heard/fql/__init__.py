"""FQL, Segment's filter language: the one expression language of Heard.

    wants = predicate("type = 'track' and properties.total > 20")
    wants({"type": "track", "properties": {"total": 25}})        # True

An expression runs as closures (`evaluate.py`, for messages and people) and as SQL (`sql.py`, for scores); both give the
same answer, and `tests/contracts/test_fql_sql.py` holds them to it. Every expression has an answer for every document:
there are no errors after parsing. The language is described, with examples that are tested, in docs/reference/fql.md.
"""

from heard.fql.errors import Invalid
from heard.fql.evaluate import evaluate, predicate
from heard.fql.parse import parse
from heard.fql.tree import Expression, Field, fields

__all__ = ["Expression", "Field", "Invalid", "evaluate", "fields", "parse", "predicate"]
