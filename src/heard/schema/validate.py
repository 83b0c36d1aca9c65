"""JSON Schema, by a library: whether an object is as its schema has it, and in words where it is not.

Nothing is fetched: a schema that refers elsewhere is refused when it is written (`schema.read`). Patterns run in linear
time, so that no pattern can hold the loop up.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import msgspec

from heard.schema.violation import Kind

Path = tuple[str | int, ...]
LONGEST_SAID = 200


class Fault(msgspec.Struct, frozen=True):
    """`path` leads to what is wrong; of something missing, to where it should stand."""

    kind: Kind
    path: Path
    detail: str


class Validator:
    def __init__(self, schema: str) -> None:
        import jsonschema_rs  # it weighs 15 MB, and most workspaces have no plan

        self._validator = jsonschema_rs.validator_for(
            {"type": "object", **msgspec.json.decode(schema)},
            offline=True,
            validate_formats=True,
            pattern_options=jsonschema_rs.RegexOptions(),
        )
        self.is_valid = self._validator.is_valid

    def faults(self, fields: Mapping[str, Any]) -> list[Fault]:
        """In the order of their places."""
        found = [_fault(error) for error in self._validator.iter_errors(fields)]
        return sorted(found, key=lambda fault: [str(part) for part in fault.path])


@lru_cache(maxsize=4096)
def validator(schema: str) -> Validator:
    """Made once for each schema (JSON text).

    Raises:
        ValueError: it is no JSON Schema; `problem_of` says why.
    """
    return Validator(schema)


def problem_of(schema: Mapping[str, Any]) -> str | None:
    """Why this is no JSON Schema; None when it is one."""
    try:
        validator(msgspec.json.encode(schema).decode())
    except ValueError as problem:
        where = ".".join(str(part) for part in getattr(problem, "instance_path", ()))
        said = str(problem).partition("\n")[0]
        return f"at {where}, {said}" if where else said
    return None


def _fault(error: Any) -> Fault:
    kind, path = error.kind, tuple(error.instance_path)
    match kind.name:
        case "required":
            return Fault(Kind.MISSING, (*path, kind.property), "It is required, and was not sent.")
        case "type":
            wanted = " or ".join(str(each) for each in kind.types)
            return Fault(Kind.WRONG_TYPE, path, f"It must be {_a(wanted)}, and {_a(_type(error.instance))} was sent.")
        case "falseSchema":
            return Fault(Kind.WRONG_VALUE, path, "The plan does not allow it here.")
        case "enum":
            return Fault(Kind.WRONG_VALUE, path, f"It must be one of {_cut(', '.join(map(str, kind.options)))}.")
        case "const":
            return Fault(Kind.WRONG_VALUE, path, f"It must be {_cut(str(kind.expected_value))}.")
        case "pattern":
            return Fault(Kind.WRONG_VALUE, path, f"It must match {_cut(kind.pattern)}.")
        case "format":
            return Fault(Kind.WRONG_VALUE, path, f"It must be {_a(kind.format)}.")
        case "minimum" | "maximum" | "exclusiveMinimum" | "exclusiveMaximum" | "multipleOf":
            return Fault(Kind.WRONG_VALUE, path, f"{_LIMITS[kind.name]} {_limit(kind)}.")
        case name:
            return Fault(Kind.WRONG_VALUE, path, f"It is not as `{name}` demands.")


_LIMITS = {
    "minimum": "It must be at least",
    "maximum": "It must be at most",
    "exclusiveMinimum": "It must be more than",
    "exclusiveMaximum": "It must be less than",
    "multipleOf": "It must be a multiple of",
}
_TYPES = {str: "string", bool: "boolean", int: "integer", float: "number", list: "array", dict: "object"}


def _limit(kind: Any) -> str:
    said = kind.multiple_of if kind.name == "multipleOf" else kind.limit
    return f"{said:g}" if isinstance(said, float) else str(said)


def _type(value: object) -> str:
    return _TYPES.get(type(value), "null")


def _a(name: str) -> str:
    if name == "null":
        return name
    return f"an {name}" if name[:1] in "aeiou" else f"a {name}"


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST_SAID else f"{text[:LONGEST_SAID]}…"
