"""A definition as a sentence would have it."""

from __future__ import annotations

from heard import durations
from heard.audiences.aggregates import Aggregate
from heard.audiences.conditions import Condition, Either, Every, MemberOf, Opposite, Performed, Traits

WORDS = {
    "count": "How often",
    "sum": "The sum of",
    "average": "The average of",
    "min": "The least",
    "max": "The most",
    "most_frequent": "The most frequent",
    "first": "The first",
    "last": "The last",
    "unique_list": "All different values of",
    "unique_count": "How many different values of",
}


def condition(asked: Condition) -> str:
    """`performed Order Completed at least once within 30 days`"""
    match asked:
        case Performed():
            return _performed(asked)
        case Traits(where=where):
            return f"has {where}"
        case MemberOf(audience=name):
            return f"is in {name}"
        case Opposite(of=inner):
            return f"not ({condition(inner)})"
        case Every(of=parts):
            return " and ".join(_inside(part) for part in parts)
        case Either(of=parts):
            return " or ".join(_inside(part) for part in parts)


def aggregate(asked: Aggregate) -> str:
    """`The sum of total over Order Completed within 30 days`"""
    of = ".".join(asked.property or ())
    what = f"{WORDS[asked.kind]} {of} over {asked.event}" if of else f"{WORDS[asked.kind]} {asked.event} was performed"
    return what + _narrowed(asked)


def _inside(part: Condition) -> str:
    return f"({condition(part)})" if isinstance(part, Every | Either) else condition(part)


def _performed(asked: Performed) -> str:
    least, most = asked.at_least, asked.at_most
    if most is None:
        often = f"at least {_times(least)}"
    elif least == most:
        often = f"exactly {_times(most)}" if most else "never"
    elif least:
        often = f"{least} to {most} times"
    else:
        often = f"at most {_times(most)}"
    return f"performed {asked.event} {often}{_narrowed(asked)}"


def _narrowed(asked: Performed | Aggregate) -> str:
    window = f" within {durations.in_words(asked.within)}" if asked.within else ""
    return f"{window} where {asked.where}" if asked.where else window


def _times(n: int) -> str:
    return "once" if n == 1 else f"{n} times"
