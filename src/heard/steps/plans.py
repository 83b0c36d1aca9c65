"""The routing plan of a workspace: its destinations, with what each kind can take."""

from __future__ import annotations

import msgspec

from heard.destinations.kinds import KINDS
from heard.messages.again import again
from heard.messages.message import Message
from heard.routing import document
from heard.routing.answer import Refusal
from heard.routing.destination import Destination
from heard.routing.filters import ALLOW_PROPERTIES, DROP_PROPERTIES
from heard.routing.plan import Plan
from heard.routing.shape import shaped
from heard.store.directory import Directory


def plan_of(directory: Directory, workspace: int) -> Plan:
    """Made once for each state of the directory."""
    plan = directory.plans.get(workspace)
    if plan is None:
        names = {each.id: each.name for each in directory.sources.values() if each.workspace == workspace}
        ours = [able(each) for each in directory.destinations_of(workspace)]
        plan = directory.plans[workspace] = Plan(ours, sources=names)
    return plan


def plan_for_replay(destination: Destination) -> Plan:
    """The one destination, for messages that `for_replay` made: being switched off does not matter then."""
    return Plan([msgspec.structs.replace(able(destination), enabled=True)])


def refusal_of_replay(message: Message, destination: Destination, plan: Plan) -> Refusal | None:
    """Why it does not get the message once more. The sender's wish is "this one alone"; consent and filters hold."""
    wish = msgspec.json.encode({"All": False, destination.name: True})
    return plan.route(msgspec.structs.replace(message, integrations=wish)).refusal(destination.id)


def shapes(destination: Destination) -> bool:
    """Whether its filters may take something from a message."""
    return any(each.action in (DROP_PROPERTIES, ALLOW_PROPERTIES) for each in destination.filters)


def as_it_gets_it(message: Message, destination: Destination) -> Message | None:
    """The message after the destination's property filters; None when they leave none."""
    whole = document.of(message)
    left = shaped(whole, destination)
    return message if left is whole else again(message, message.id, body=msgspec.json.encode(left))


def able(destination: Destination) -> Destination:
    """With what its kind can take."""
    return msgspec.structs.replace(destination, methods=frozenset(KINDS[destination.type].methods))
