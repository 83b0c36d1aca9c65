"""From the text of an expression to its tree.

either     = both { "or" both }
both       = comparison { "and" comparison }
comparison = operand [ ( "=" | "!=" | ">" | ">=" | "<" | "<=" ) operand | "in" choices ]
operand    = "!" operand | "(" either ")" | function "(" [ either { "," either } ] ")" | value
value      = field | string | number | "true" | "false" | "null" | list
choices    = list | field
list       = "[" [ value { "," value } ] "]"
"""

from __future__ import annotations

from difflib import get_close_matches

from heard.fql.errors import Invalid
from heard.fql.functions import FUNCTIONS
from heard.fql.glob import Malformed, to_regex
from heard.fql.lex import Token, tokens
from heard.fql.tree import And, Call, Compare, Expression, Field, In, Listed, Literal, Not, Or

DEEPEST_NESTING = 32
COMPARISONS = frozenset({"=", "!=", ">", ">=", "<", "<="})


def parse(text: str) -> Expression:
    """Read an expression.

    Raises:
        Invalid: with the position, and the fix where it is known.
    """
    reader = _Reader(tokens(text))
    if reader.here.kind == "end":
        raise Invalid("expected an expression, such as traits.plan = 'Premium'", position=1)
    expression = reader.either()
    reader.expect_end()
    return expression


class _Reader:
    """Reads tokens from left to right, one method a rule of the grammar."""

    def __init__(self, found: list[Token]) -> None:
        self.tokens = found
        self.index = 0
        self.depth = 0

    @property
    def here(self) -> Token:
        return self.tokens[self.index]

    def either(self) -> Expression:
        operands = [self.both()]
        while self.took("or"):
            operands.append(self.both())
        return Or(tuple(operands)) if len(operands) > 1 else operands[0]

    def both(self) -> Expression:
        operands = [self.comparison()]
        while self.took("and"):
            operands.append(self.comparison())
        return And(tuple(operands)) if len(operands) > 1 else operands[0]

    def comparison(self) -> Expression:
        left = self.operand()
        if self.here.kind == "symbol" and self.here.text in COMPARISONS:
            operator = self.take().text
            return Compare(operator, left, self.operand())
        if self.took("in"):
            return In(left, self.choices())
        return left

    def operand(self) -> Expression:
        token = self.here
        if self.took("!"):
            with self:
                return Not(self.operand())
        if self.took("("):
            with self:
                inner = self.either()
                self.expect(")", f"expected ) to close the ( at {token.position}")
                return inner
        if token.kind == "field" and self.tokens[self.index + 1].text == "(":
            return self.call()
        return self.value()

    def call(self) -> Expression:
        name, opening = self.take(), self.take()
        signature = FUNCTIONS.get(name.text)
        if signature is None:
            near = get_close_matches(name.text.lower(), FUNCTIONS, n=1)
            meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(FUNCTIONS)}"
            raise Invalid(f"there is no function {name.text}{meant}", position=name.position)
        with self:
            arguments: list[Expression] = []
            while self.here.text != ")" or self.here.kind != "symbol":
                arguments.append(self.either())
                if not self.took(","):
                    break
            self.expect(")", f"expected ) to close the ( at {opening.position}")
        if len(arguments) != len(signature.takes):
            takes = f"{name.text}({', '.join(signature.takes)})"
            raise Invalid(f"write {takes}; here it has {len(arguments)} arguments", position=name.position)
        return self.checked(Call(name.text, tuple(arguments)), name)

    def checked(self, call: Call, name: Token) -> Call:
        """A pattern in quotes is read now, so that its author hears of a slip; one from a field just never matches."""
        pattern = call.arguments[1] if call.function == "match" else None
        if isinstance(pattern, Literal) and isinstance(pattern.value, str):
            try:
                to_regex(pattern.value)
            except Malformed as slip:
                raise Invalid(f"in the pattern of match: {slip}", position=name.position) from None
        return call

    def choices(self) -> Literal | Listed | Field:
        token = self.here
        choices = self.value()
        if isinstance(choices, Literal) and not isinstance(choices.value, tuple):
            raise Invalid(f"after `in` expected a list, such as [{token.text}]", position=token.position)
        return choices

    def value(self) -> Literal | Listed | Field:
        token = self.take()
        if token.kind in ("string", "number"):
            return Literal(token.value)
        if token.kind == "keyword" and token.text in ("true", "false", "null"):
            return Literal({"true": True, "false": False, "null": None}[token.text])
        if token.kind == "field":
            return Field(token.path)
        if token.text == "[" and token.kind == "symbol":
            return self.listed(token)
        raise Invalid(f"expected a field or a value, found {_shown(token)}", position=token.position)

    def listed(self, opening: Token) -> Literal | Listed:
        items: list[Literal | Field] = []
        with self:
            while self.here.text != "]" or self.here.kind != "symbol":
                token = self.here
                item = self.value()
                if isinstance(item, Listed):
                    raise Invalid("a list within a list may hold values, not fields", position=token.position)
                items.append(item)
                if not self.took(","):
                    break
            self.expect("]", f"expected ] to close the [ at {opening.position}")
        values = [item for item in items if isinstance(item, Literal)]
        if len(values) == len(items):
            return Literal(tuple(item.value for item in values))
        return Listed(tuple(items))

    def take(self) -> Token:
        token = self.here
        self.index = min(self.index + 1, len(self.tokens) - 1)
        return token

    def took(self, text: str) -> bool:
        if self.here.kind in ("symbol", "keyword") and self.here.text == text:
            self.take()
            return True
        return False

    def expect(self, text: str, otherwise: str) -> None:
        if not self.took(text):
            raise Invalid(f"{otherwise}, found {_shown(self.here)}", position=self.here.position)

    def expect_end(self) -> None:
        if self.here.kind == "end":
            return
        if self.here.text in COMPARISONS:
            raise Invalid("comparisons do not chain; join them with `and`", position=self.here.position)
        raise Invalid(f"expected `and`, `or` or the end, found {_shown(self.here)}", position=self.here.position)

    def __enter__(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST_NESTING:
            raise Invalid(f"more than {DEEPEST_NESTING} levels of nesting", position=self.here.position)

    def __exit__(self, *_: object) -> None:
        self.depth -= 1


def _shown(token: Token) -> str:
    return token.text if token.kind == "end" else f"`{token.text}`"
