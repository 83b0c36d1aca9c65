"""Every kind of destination by its type, and their settings as people write them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

import msgspec

from heard import destinations, durations
from heard.destinations import filled
from heard.destinations.destination import Document, Field, Kind
from heard.errors import Invalid
from heard.outgoing.url import check_url

LONGEST_TEXT = 500  # characters
MOST_NAMES = 50  # of a list or map


def _found() -> dict[str, Kind]:
    modules = (
        importlib.import_module(f"{destinations.__name__}.{each.name}")
        for each in pkgutil.iter_modules(destinations.__path__)
        if each.name != "kinds"
    )
    return {module.type: cast(Kind, module) for module in modules if hasattr(module, "fields")}


def kind_of(type: str, place: str = "type") -> Kind:  # noqa: A002
    """The kind of this type.

    Raises:
        Invalid: there is none; names those there are.
    """
    if not isinstance(type, str) or type not in KINDS:
        raise Invalid(f"{place}: write one of {', '.join(KINDS)}, not {type!r}.", field=place)
    return KINDS[type]


def read_settings(type: str, given: object, place: str = "settings", *, allow_private: bool = False) -> dict[str, Any]:  # noqa: A002
    """Settings as they are kept: checked, in one spelling, without defaults and without what is null.

    `allow_private` is the installation's HEARD_ALLOW_PRIVATE_NETWORK.

    Raises:
        Invalid: naming the place (`destinations[0].settings.url`) and the fix.
    """
    kind = kind_of(type)
    if not isinstance(given, Mapping):
        raise Invalid(f"{place}: write keys and values.", field=place)
    known = {field.name: field for field in kind.fields}
    kept: dict[str, Any] = {}
    for name, value in given.items():
        here = f"{place}.{name}"
        if name not in known:
            raise Invalid(f"{here}: there is no such key. Known: {', '.join(known)}.", field=here)
        if value is not None and (value != "" or known[name].required):
            kept[name] = _at(here, lambda: _value(known[name], value, allow_private=allow_private))  # noqa: B023
    for field in kind.fields:
        if field.required and field.name not in kept:
            here = f"{place}.{field.name}"
            raise Invalid(f"{here}: a {type} destination needs this: {field.title.lower()}.", field=here)
    if check := getattr(kind, "check", None):
        check(kept, place)
    return written(type, kept)


def written(type: str, kept: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
    """Kept settings as a file has them, in the order of the fields."""
    return {field.name: kept[field.name] for field in kind_of(type).fields if field.name in kept}


def with_defaults(type: str, kept: Mapping[str, Any]) -> dict[str, Any]:  # noqa: A002
    """Every setting by name; None where there is neither a value nor a default."""
    return {field.name: kept.get(field.name, field.default) for field in kind_of(type).fields}


def secrets_of(type: str) -> frozenset[str]:  # noqa: A002
    """The names of its settings that are shown to nobody once they are kept."""
    return frozenset(field.name for field in kind_of(type).fields if field.kind in ("secret", "map"))


def urls_of(type: str) -> frozenset[str]:  # noqa: A002
    """The names of its settings that are addresses."""
    return frozenset(field.name for field in kind_of(type).fields if field.kind == "url")


def routes_itself(type: str) -> bool:  # noqa: A002
    """Whether the receiver routes by `integrations` too: then it is always given the sender's own."""
    return getattr(kind_of(type), "routes_itself", False)


def fitting(kind: Kind, messages: Sequence[Document]) -> int:
    """How many of the first messages go into one request; at least one, of one or more."""
    count, size = 0, 0
    for message in messages[: kind.most_at_once]:
        size += len(msgspec.json.encode(message)) + 1
        if size > kind.most_bytes and count:
            break
        count += 1
    return count


def _value(field: Field, value: Any, *, allow_private: bool) -> Any:
    if field.kind == "url":
        check_url(value, allow_private=allow_private)
        return value
    read = READ[field.kind](value)
    if field.bounds:
        shortest, longest = field.bounds
        if not durations.parse(shortest) <= durations.parse(read) <= durations.parse(longest):
            raise Invalid(f"Write a length from {shortest} to {longest}, not {read}.")
    return read


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value.strip() or len(value) > LONGEST_TEXT or not value.isprintable():
        raise Invalid(f"Write one line of 1 to {LONGEST_TEXT} characters.")
    return value


def _number(value: Any) -> int:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 <= value < 1e12 or value != int(value):
        raise Invalid(f"Write a whole number from 0 on, not {value!r}.")
    return int(value)


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise Invalid("Write true or false.")
    return value


def _length(value: Any) -> str:
    """As it is written shortest. 0 needs no unit."""
    return durations.write(durations.parse("0s" if value == 0 and not isinstance(value, bool) else value))


def _list(value: Any) -> list[str]:
    if not isinstance(value, list) or len(value) > MOST_NAMES:
        raise Invalid(f"Write a list of at most {MOST_NAMES} texts.")
    return [_text(each) for each in value]


def _map(value: Any) -> dict[str, str]:
    if not isinstance(value, Mapping) or len(value) > MOST_NAMES:
        raise Invalid(f"Write at most {MOST_NAMES} names, each with a text.")
    for name, text in value.items():
        if not isinstance(name, str) or not isinstance(text, str):
            raise Invalid(f"Write a text for each name; {name!r} has another value.")
    return dict(value)


def _template(value: Any) -> str:
    if not isinstance(value, str):
        raise Invalid("Write a text.")
    filled.check(value)
    return value


READ: Mapping[str, Callable[[Any], Any]] = {
    "text": _text,
    "secret": _text,
    "number": _number,
    "switch": _switch,
    "length": _length,
    "list": _list,
    "map": _map,
    "template": _template,
    "categories": _list,
}


def _at(place: str, check: Callable[[], Any]) -> Any:
    """What `check` gives; what it has to say against it begins with the place."""
    try:
        return check()
    except Invalid as error:
        raise Invalid(f"{place}: {error}", field=place) from None


KINDS: Mapping[str, Kind] = _found()
"""Every kind of destination, by type."""
