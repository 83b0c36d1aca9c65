"""Which form of a word goes with a number: CLDR's plural categories, for whole numbers.

English has two (one day, 2 days); Polish has three, Slovenian four, Arabic six. A sentence that counts something is
written once for each category that its language has. A test holds every rule equal to CLDR's.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

Rule = Callable[[int], str]


def category(language: str, count: int) -> str:
    """`("pl", 3)` -> `few`, `("en", 3)` -> `other`; `language` is the code of a locale, `pt-br` included."""
    return _RULES.get(language, _one)(count)


def counted(phrases: Mapping[str, str], count: int, *, language: str) -> str:
    """`({"one": "one day", "other": "{count} days"}, 3)` -> `3 days`."""
    return phrases[category(language, count)].format(count=count)


def _one(n: int) -> str:
    return "one" if n == 1 else "other"


def _never(_: int) -> str:
    return "other"


def _up_to_one(n: int) -> str:
    return "one" if n <= 1 else "other"


def _czech(n: int) -> str:
    return "one" if n == 1 else "few" if 2 <= n <= 4 else "other"


def _polish(n: int) -> str:
    if n == 1:
        return "one"
    return "few" if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else "many"


def _russian(n: int) -> str:
    if n % 10 == 1 and n % 100 != 11:
        return "one"
    return "few" if 2 <= n % 10 <= 4 and not 12 <= n % 100 <= 14 else "many"


def _croatian(n: int) -> str:
    return {"many": "other"}.get(_russian(n), _russian(n))


def _icelandic(n: int) -> str:
    return "one" if n % 10 == 1 and n % 100 != 11 else "other"


def _lithuanian(n: int) -> str:
    if 11 <= n % 100 <= 19 or n % 10 == 0:
        return "other"
    return "one" if n % 10 == 1 else "few"


def _latvian(n: int) -> str:
    if 11 <= n % 100 <= 19 or n % 10 == 0:
        return "zero"
    return "one" if n % 10 == 1 else "other"


def _slovenian(n: int) -> str:
    return {1: "one", 2: "two", 3: "few", 4: "few"}.get(n % 100, "other")


def _arabic(n: int) -> str:
    if n <= 2:
        return ("zero", "one", "two")[n]
    if 3 <= n % 100 <= 10:
        return "few"
    return "many" if n % 100 >= 11 else "other"


_RULES: Mapping[str, Rule] = {
    "ar": _arabic,
    "cs": _czech,
    "fa": _up_to_one,
    "fr": _up_to_one,
    "hr": _croatian,
    "id": _never,
    "is": _icelandic,
    "ja": _never,
    "lt": _lithuanian,
    "lv": _latvian,
    "pl": _polish,
    "pt-br": _up_to_one,
    "ru": _russian,
    "sk": _czech,
    "sl": _slovenian,
    "uk": _russian,
    "zh": _never,
    "zh-tw": _never,
}
