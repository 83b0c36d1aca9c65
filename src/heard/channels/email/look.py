"""The mail's HTML and text, from our own templates, with a mark wherever a mail differs from its neighbours.

What members write is not a template here: it arrives through `replace`, escaped, at the mark `INTRO`.
"""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from heard.accounts import logo
from heard.accounts.workspace import Brand
from heard.channels.colour import on_colour
from heard.channels.email.headers import one_line
from heard.surveys.because import in_words
from heard.surveys.locales import locale
from heard.surveys.wording import Wording

if TYPE_CHECKING:
    from jinja2 import Environment

# What stands for the parts that are filled in mail by mail. Control characters, which no line of text can hold.
INTRO, OUTRO, LINK, UNSUBSCRIBE, HIDDEN, BECAUSE, TITLE, IMAGE = (
    "\x11intro\x12",
    "\x11outro\x12",
    "\x11link\x12",
    "\x11leave\x12",
    "\x11hidden\x12",
    "\x11why\x12",
    "\x11title\x12",
    "\x11image\x12",
)


@lru_cache(maxsize=1)
def _templates() -> Environment:
    """Loaded with the first mail, not with the program: a start waits for it otherwise."""
    import jinja2

    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=jinja2.select_autoescape(("html",)),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def look(
    brand: Brand, wording: Wording, at_most: timedelta | None, logos: str = "", *, image: bool = False
) -> tuple[str, str]:
    """The HTML and the text of every mail of a campaign, marks included. `logos`: where brands' pictures are served.
    `image`: whether a picture tells that it was opened."""
    language = locale(wording.language)
    promise = language.mail.at_most.format(length=in_words(at_most, language=language.code)) if at_most else None
    picture = logo.read(brand.logo) if logos else None
    view = {
        "brand": structs.replace(brand, name=one_line(brand.name), address=one_line(brand.address)),
        "initial": initial(brand.name),
        "logo": picture,
        "beside": picture.needs(brand.name) if picture else False,
        "logos": logos,
        "on_color": on_colour(brand.color),
        "wording": structs.replace(wording, question=one_line(wording.question)),
        "say": language.mail,
        "language": language,
        "numbers": _numbers(wording),
        "at_most": promise,
        "intro": INTRO,
        "outro": OUTRO,
        "link": LINK,
        "unsubscribe": UNSUBSCRIBE,
        "hidden": HIDDEN,
        "image": IMAGE if image else None,
        "because": BECAUSE,
        "title": TITLE,
    }
    templates = _templates()
    html, text = (templates.get_template(f"invitation.{part}").render(view) for part in ("html", "txt"))
    return html, text


def block(wording: Wording, link: str, by: str, hidden: str) -> tuple[str, str]:
    """The question with its row for a mail that another tool sends, as HTML and as text. A link to a number is `link`,
    `by` and the number; `hidden` is the one that no person sees."""
    language = locale(wording.language)
    view = {
        "wording": structs.replace(wording, question=one_line(wording.question)),
        "say": language.mail,
        "language": language,
        "numbers": _numbers(wording),
        "link": link,
        "by": by,
        "hidden": hidden,
    }
    html, text = (_templates().get_template(f"block.{part}").render(view) for part in ("html", "txt"))
    return html.strip() + "\n", text


def closing(html: str) -> str:
    """What stands at `OUTRO`: `html` (escaped already) as a paragraph, or nothing where there are no words."""
    return html.join(_around_closing()) if html else ""


@lru_cache(maxsize=1)
def _around_closing() -> tuple[str, str]:
    before, _, after = _templates().get_template("outro.html").render(outro=OUTRO).partition(OUTRO)
    return before, after


def initial(name: str) -> str:
    """The letter on the brand's tile."""
    return next((character for character in name if character.isalnum()), "•").upper()[:1]


def _numbers(wording: Wording) -> list[tuple[int, str]]:
    """Each with what a screen reader says of it."""
    return [(number, _named(number, wording)) for number in range(wording.low, wording.high + 1)]


def _named(number: int, wording: Wording) -> str:
    """What a screen reader says of one link: `7 of 10`, and at the ends what they mean."""
    say = locale(wording.language).mail
    meaning = {wording.low: wording.least, wording.high: wording.most}.get(number)
    if meaning is None:
        return say.number_of.format(number=number, high=wording.high)
    return say.number_means.format(number=number, high=wording.high, meaning=meaning)
