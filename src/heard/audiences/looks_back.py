"""How far audiences and computed traits look back, beside how long messages are kept.

A live one has counted what it needs. One that is new, or that was changed, counts anew from the messages: where they
are kept for less than its window it would be wrong without saying so, so that is refused from both sides.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from heard import durations
from heard.audiences.audience import Audience, ComputedTrait
from heard.audiences.conditions import performed
from heard.errors import Invalid
from heard.retention import BY_KIND, Keep, Kind


def window(each: Audience | ComputedTrait) -> timedelta | None:
    """The longest window of one of them; None when it asks for no event, or for ever."""
    asked = performed(each.condition) if isinstance(each, Audience) else [each.aggregate]
    return max((one.within for one in asked if one.within is not None), default=None)


def must_be_kept(computed: Iterable[Audience | ComputedTrait], keep: Keep) -> None:
    """Raises Invalid when messages are kept for less than one of them looks back."""
    kept = keep.of(Kind.MESSAGES)
    for each in computed:
        length = window(each)
        if kept is not None and length is not None and length > kept:
            what = "audience" if isinstance(each, Audience) else "computed trait"
            setting = BY_KIND[Kind.MESSAGES].setting
            raise Invalid(
                f"The {what} {each.name} looks back {durations.in_words(length)}, and messages are kept"
                f" {durations.in_words(kept)}. Shorten its window, or set {setting} to {durations.write(length)} or"
                " more.",
                field=f"{'audiences' if isinstance(each, Audience) else 'computed_traits'}[{each.name}]",
            )
