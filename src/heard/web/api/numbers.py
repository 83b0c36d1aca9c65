"""Numbers in paths and queries: what a database can hold, so that one that it cannot is refused by its name."""

from __future__ import annotations

from typing import Annotated

from litestar.params import Parameter

LARGEST = 2**63 - 1

Number = Annotated[int, Parameter(ge=0, le=LARGEST)]
