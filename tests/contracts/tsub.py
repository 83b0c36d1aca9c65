"""Segment's filter engine, tsub, in a Node of its own; and our expressions in the form that it reads.

It is the copy that `@segment/analytics-next` carries and runs in every browser.
"""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

from heard.fql.tree import And, Call, Compare, Expression, Field, In, Listed, Literal, Not, Or

HERE = Path(__file__).parent
ENGINE = HERE.parent / "browser/node_modules/@segment/analytics-next/dist/cjs/vendor/tsub/tsub.js"


class Tsub:
    """Answers one question at a time. Close it."""

    def __init__(self, node: Path) -> None:
        command = [str(node), str(HERE / "tsub.js"), str(ENGINE)]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def holds(self, expression: Expression, event: dict[str, Any]) -> bool:
        return self.ask(event=event, ir=ir_of(expression))

    def transformed(self, event: dict[str, Any], *transformers: dict[str, Any]) -> dict[str, Any] | None:
        return self.ask(event=event, transformers=transformers)

    def ask(self, **question: Any) -> Any:
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def ir_of(expression: Expression) -> Any:
    """The intermediate representation: lists of an operator and its operands, paths as texts, values in objects."""
    match expression:
        case Field(path):
            return ".".join(path)
        case Literal(value):
            return {"value": value}
        case Not(operand):
            return ["!", ir_of(operand)]
        case And(operands):
            return ["and", *map(ir_of, operands)]
        case Or(operands):
            return ["or", *map(ir_of, operands)]
        case Compare(operator, left, right):
            return [operator, ir_of(left), ir_of(right)]
        case In(item, Literal(tuple(values))):
            return ["in", ir_of(item), [{"value": value} for value in values]]
        case In(item, Listed(items)):
            return ["in", ir_of(item), [ir_of(each) for each in items]]
        case In(item, choices):
            return ["in", ir_of(item), ir_of(choices)]
        case Call(function, arguments):
            return [function, *map(ir_of, arguments)]
