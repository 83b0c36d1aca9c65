"""The routing plan of a workspace: its destinations, with what each kind can take."""

from __future__ import annotations

import msgspec

from heard.destinations.kinds import KINDS
from heard.routing.plan import Plan
from heard.store.directory import Directory


def plan_of(directory: Directory, workspace: int) -> Plan:
    """Made once for each state of the directory."""
    plan = directory.plans.get(workspace)
    if plan is None:
        plan = directory.plans[workspace] = Plan(
            [
                msgspec.structs.replace(each, methods=frozenset(KINDS[each.type].methods))
                for each in directory.destinations_of(workspace)
            ]
        )
    return plan
