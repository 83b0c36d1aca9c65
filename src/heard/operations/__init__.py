"""What people do to an installation: one function an operation, `async (app, **parameters) -> JSON`.

A command asks for an operation by name. Beside a running server the heart does it (`heard.control`), without one the
command opens the files and does it itself; the API calls the same functions. Operations are imported when they are
first asked for, so that an idle heart stays small.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from heard.errors import Invalid, NotFound

if TYPE_CHECKING:
    from heard.installation import Installation

OPERATIONS: Mapping[str, str] = {
    "init": "heard.operations.first_run:init",
    "apply": "heard.operations.workspace_file:apply",
    "export": "heard.operations.workspace_file:export",
    "users_list": "heard.operations.users:users_list",
    "users_add": "heard.operations.users:users_add",
    "users_password": "heard.operations.users:users_password",
    "users_remove": "heard.operations.users:users_remove",
    "keys_list": "heard.operations.keys:keys_list",
    "keys_add": "heard.operations.keys:keys_add",
    "keys_rotate": "heard.operations.keys:keys_rotate",
    "keys_revoke": "heard.operations.keys:keys_revoke",
    "score": "heard.operations.score:score",
    "why": "heard.operations.why:why",
    "heard_of": "heard.operations.heard_of:heard_of",
    "contact": "heard.operations.contacts:contact",
    "campaign_activate": "heard.operations.campaigns:activate",
    "campaign_pause": "heard.operations.campaigns:pause",
    "replay": "heard.operations.replay:begin",
    "replay_dead": "heard.operations.replay:dead",
    "replay_progress": "heard.operations.replay:progress",
    "doctor": "heard.operations.doctor:doctor",
    "clock_advance": "heard.operations.clock:clock_advance",
}


async def run(app: Installation, name: str, parameters: Mapping[str, Any]) -> Any:
    """Do the operation of this name.

    Raises:
        NotFound: there is no such operation.
        Invalid: it does not take these parameters.
        HeardError: whatever the operation has to say.
    """
    if name not in OPERATIONS:
        raise NotFound(f"There is no operation {name!r}.")
    module, _, function = OPERATIONS[name].partition(":")
    operation = getattr(importlib.import_module(module), function)
    try:
        inspect.signature(operation).bind(app, **parameters)
    except TypeError as error:
        raise Invalid(f"{name}: {error}.") from None
    return await operation(app, **parameters)
