"""Audiences and computed traits as their author writes them, in the workspace file. Every refusal names its place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from typing import Any, cast

from heard import durations, fql
from heard.audiences import aggregates
from heard.audiences.aggregates import Aggregate
from heard.audiences.audience import Form
from heard.audiences.conditions import Condition, Either, Every, MemberOf, Opposite, Performed, Traits, leaves
from heard.audiences.counting import MOST_IN_A_WINDOW
from heard.errors import Invalid
from heard.messages.events import canonical

KEYS_OF_AUDIENCE = ("name", "where", "to", "as")
KEYS_OF_TRAIT = ("name", *aggregates.KINDS, "to", "as")
DEEPEST, MOST_LEAVES = 8, 50
LONGEST = 500  # characters of a name or an expression
COMBINED = {"all": Every, "any": Either}


def condition(value: object, place: str, *, depth: int = 1) -> Condition:
    """A `where`, read whole.

    Raises:
        Invalid: naming the place (`audiences[0].where.all[1].event`) and the fix.
    """
    written = _mapping(value, place)
    if depth > DEEPEST:
        raise Invalid(f"{place}: conditions stand at most {DEEPEST} deep in each other.", field=place)
    meant = [key for key in ("event", "traits", "audience", "all", "any", "not") if key in written]
    if len(meant) != 1:
        raise Invalid(f"{place}: write one of event, traits, audience, all, any and not.", field=place)
    read_as = _READERS[meant[0]](written, place, depth)
    if depth == 1 and sum(1 for _ in leaves(read_as)) > MOST_LEAVES:
        raise Invalid(f"{place}: an audience has at most {MOST_LEAVES} conditions.", field=place)
    return read_as


def aggregate(line: Mapping[str, Any], place: str) -> Aggregate:
    """What a computed trait's line computes; exactly one kind."""
    kinds = [key for key in aggregates.KINDS if line.get(key) is not None]
    if len(kinds) != 1:
        raise Invalid(f"{place}: write one of {', '.join(aggregates.KINDS)}.", field=place)
    kind, place = kinds[0], f"{place}.{kinds[0]}"
    written = _mapping(line[kind], place)
    known = ("event", "where", "within") if kind == "count" else ("event", "property", "where", "within")
    _only(written, known, place)
    length = _length(written.get("within"), f"{place}.within")
    if length is not None and length > aggregates.LONGEST_WINDOW:
        raise Invalid(f"{place}.within: at most {aggregates.LONGEST_WINDOW.days}d.", field=f"{place}.within")
    path = None
    if kind != "count":
        said = _text(written.get("property"), f"{place}.property").removeprefix("properties.")
        path = tuple(said.split("."))
    return Aggregate(
        kind=kind,
        event=canonical(_text(written.get("event"), f"{place}.event")),
        property=path,
        where=_expression(written.get("where"), f"{place}.where"),
        within=length,
    )


def to(value: object, place: str) -> list[str] | None:
    """Names of destinations; None = the surveys destination alone."""
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(name, str) for name in cast("list[object]", value)):
        raise Invalid(f"{place}: write a list of destinations, like [Heard].", field=place)
    return list(dict.fromkeys(cast("list[str]", value)))


def form(value: object, place: str) -> Form:
    if value is None:
        return Form.TRAITS
    try:
        return Form(str(value))
    except ValueError:
        raise Invalid(f"{place}: write traits or events.", field=place) from None


# ── conditions ──


def _performed(written: Mapping[str, Any], place: str, _depth: int) -> Performed:
    _only(written, ("event", "at_least", "at_most", "exactly", "within", "where"), place)
    least = _count(written.get("at_least"), f"{place}.at_least")
    most = _count(written.get("at_most"), f"{place}.at_most")
    exactly = _count(written.get("exactly"), f"{place}.exactly")
    if exactly is not None:
        if least is not None or most is not None:
            raise Invalid(f"{place}.exactly: leave at_least and at_most out beside it.", field=f"{place}.exactly")
        least = most = exactly
    if least is None:
        least = 1 if most is None else 0
    if most is not None and least > most:
        raise Invalid(f"{place}.at_most: it is less than at_least.", field=f"{place}.at_most")
    within = _length(written.get("within"), f"{place}.within")
    if within is not None and max(least, most or 0) > MOST_IN_A_WINDOW:
        raise Invalid(f"{place}: within a window count up to {MOST_IN_A_WINDOW} times at most.", field=place)
    return Performed(
        event=canonical(_text(written.get("event"), f"{place}.event")),
        at_least=least,
        at_most=most,
        within=within,
        where=_expression(written.get("where"), f"{place}.where"),
    )


def _traits(written: Mapping[str, Any], place: str, _depth: int) -> Traits:
    _only(written, ("traits",), place)
    text = _text(written["traits"], f"{place}.traits")
    _expression(text, f"{place}.traits")
    return Traits(where=text)


def _member(written: Mapping[str, Any], place: str, _depth: int) -> MemberOf:
    _only(written, ("audience",), place)
    return MemberOf(audience=_text(written["audience"], f"{place}.audience"))


def _combined(written: Mapping[str, Any], place: str, depth: int) -> Condition:
    (key,) = _only(written, ("all", "any"), place)
    parts = written[key]
    if not isinstance(parts, list) or not parts:
        raise Invalid(f"{place}.{key}: write a list of conditions.", field=f"{place}.{key}")
    listed = cast("list[object]", parts)
    read_as = tuple(condition(part, f"{place}.{key}[{number}]", depth=depth + 1) for number, part in enumerate(listed))
    return COMBINED[key](of=read_as)


def _opposite(written: Mapping[str, Any], place: str, depth: int) -> Opposite:
    _only(written, ("not",), place)
    return Opposite(of=condition(written["not"], f"{place}.not", depth=depth + 1))


_READERS: Mapping[str, Callable[[Mapping[str, Any], str, int], Condition]] = {
    "event": _performed,
    "traits": _traits,
    "audience": _member,
    "all": _combined,
    "any": _combined,
    "not": _opposite,
}

# ── values ──


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Invalid(f"{place}: write keys and values.", field=place)
    return cast("Mapping[str, Any]", value)


def _only(written: Mapping[str, Any], known: Collection[str], place: str) -> Collection[str]:
    for key in written:
        if key not in known:
            raise Invalid(f"{place}.{key}: there is no such key. Known: {', '.join(known)}.", field=f"{place}.{key}")
    return written.keys()


def _text(value: object, place: str) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST or not value.isprintable():
        raise Invalid(f"{place}: write a text of 1 to {LONGEST} characters on one line.", field=place)
    return value


def _expression(value: object, place: str) -> str | None:
    if value is None:
        return None
    text = _text(value, place)
    try:
        fql.predicate(text)
    except Invalid as error:
        raise Invalid(f"{place}: {error}", field=place) from None
    return text


def _count(value: object, place: str) -> int | None:
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 1_000_000:
        raise Invalid(f"{place}: write a whole number from 0 to 1000000.", field=place)
    return value


def _length(value: object, place: str) -> timedelta | None:
    if value is None:
        return None
    try:
        length = durations.parse(value)
    except Invalid as error:
        raise Invalid(f"{place}: {error}", field=place) from None
    if length < timedelta(minutes=1):
        raise Invalid(f"{place}: a window is a minute long at least.", field=place)
    return length
