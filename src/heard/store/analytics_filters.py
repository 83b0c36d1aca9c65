"""What an answer may be filtered and grouped by, and how that reads in SQL."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from heard import fql
from heard.errors import Invalid
from heard.fql.sql import Column, Form, key_of, to_sql
from heard.fql.tree import Expression, Path
from heard.store.analytics_rows import Paths

PLAIN: Mapping[str, Column] = {
    "value": Column("answers.value", Form.NUMBER),
    "category": Column("answers.category", Form.TEXT),
    "comment": Column("answers.comment", Form.TEXT),
    "campaign": Column("answers.campaign", Form.TEXT),
    "channel": Column("answers.channel", Form.TEXT),
    "survey": Column("answers.survey", Form.TEXT),
    "userId": Column("answers.user_id", Form.TEXT),
    "user_id": Column("answers.user_id", Form.TEXT),
}
FROZEN = ("traits", "properties")


class Fields:
    """The columns of one question: those of the answers, and those of today's traits that it names."""

    def __init__(self, paths: Paths) -> None:
        self.paths = paths
        self.today: dict[Path, str] = {}  # a path below now.traits: its column in the table `today`

    def column(self, path: Path) -> Column | None:
        """Where a field is found.

        Raises:
            Invalid: when an answer has no such field.
        """
        match path:
            case ("traits" | "properties", _, *_):
                return self.paths.column(path)
            case ("now", "traits", _, *_):
                return Column("today." + self.today.setdefault(path[2:], f"n{len(self.today)}"))
            case (name,) if name in PLAIN:
                return PLAIN[name]
            case _:
                raise Invalid(_refusal(path))


def condition(where: str | Expression, fields: Fields) -> tuple[str, dict[str, Any]]:
    """SQL that is true of the answers meant, and its parameters.

    Raises:
        Invalid: when the expression cannot be read or names what an answer does not have (`field` is `where`).
    """
    try:
        return to_sql(where, fields.column, prefix="where")
    except Invalid as error:
        error.field = "where"
        raise


def grouping(by: str | Expression, fields: Fields) -> str:
    """SQL for the value an answer is grouped by, as canonical JSON text. A bare name is a trait: `plan`.

    Raises:
        Invalid: when it is no field of an answer (`field` is `by`).
    """
    try:
        field = fql.parse(by) if isinstance(by, str) else by
        if not isinstance(field, fql.Field):
            raise Invalid(f"write the name of one field to group by, such as traits.plan, not {by!r}")
        path = field.path
        known = path[0] in (*FROZEN, "now") or (len(path) == 1 and path[0] in PLAIN)
        found = fields.column(path if known else ("traits", *path))
    except Invalid as error:
        error.field = "by"
        raise
    return key_of(found) if found else "'null'"


def _refusal(path: Path) -> str:
    written = ".".join(path)
    if path[0] in FROZEN or path[0] == "now":
        return f"name one of them: {written}.plan" if path != ("now",) else "write now.traits.plan"
    return (
        f"an answer has no {written}; write traits.{written}, or one of {', '.join(PLAIN)}, properties.*, now.traits.*"
    )
