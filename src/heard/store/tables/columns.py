"""What every table shares: the one `MetaData`, and the columns that lead its keys."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    MetaData,
)

metadata = MetaData()
# Written out in queries too, since an index is only used where its words stand.
OPEN = "state IN ('sent', 'unknown')"
WITH_ORIGIN = "(agent <> '' OR client <> '')"
REMINDERS = "kind = 'reminder'"


def numbered(name: str = "id") -> Column[int]:
    return Column(name, BigInteger, primary_key=True, autoincrement=False)


def of_workspace() -> Column[int]:
    return Column("workspace_id", BigInteger, primary_key=True, autoincrement=False)
