from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from heard.cli import reach, show
from heard.cli.options import Data, Json, Workspace


class Period(StrEnum):
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"


def score(
    survey: Annotated[str, typer.Argument(help="The survey's name.")],
    where: Annotated[
        str | None, typer.Option(help="Only answers this is true of, in FQL: `traits.plan = 'Premium'`.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="Break it down by a trait, like `plan`.")] = None,
    begin: Annotated[str | None, typer.Option("--from", help="From this day on, like 2026-01-31.")] = None,
    end: Annotated[str | None, typer.Option("--to", help="Up to and with this day.")] = None,
    every: Annotated[Period | None, typer.Option(help="The score over time.")] = None,
    data: Data = None,
    workspace: Workspace = None,
    json: Json = False,
) -> None:
    """Show a survey's score with its count and interval.

    Of all answers or of some, broken down by a trait, over time.

    \b
    Example: heard score "Relationship NPS" --where "traits.plan = 'Premium'" --by country --every month
    """
    report = reach.ask(
        "score", data=data, survey=survey, where=where, by=by, from_=begin, to=end, every=every, workspace=workspace
    )
    if json:
        show.document(report)
        return
    from heard.cli.score_view import view

    without = 0
    if where and not report["n"]:  # nobody was found: it is the filter, or there are no answers at all
        whole = reach.ask("score", data=data, survey=survey, from_=begin, to=end, workspace=workspace)
        without = whole["n"]
    view(report, by=by, without_filter=without, console=show.console())
