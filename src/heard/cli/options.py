"""Options that several commands take, each written once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Data = Annotated[
    Path | None, typer.Option("--data", help="The data folder; HEARD_DATA, else ./heard-data.", show_default=False)
]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]
Workspace = Annotated[
    str | None, typer.Option("--workspace", help="The workspace, where there are several.", show_default=False)
]
