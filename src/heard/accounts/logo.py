"""The picture a brand shows instead of its letter: a small PNG or JPEG, kept with the brand as a `data:` address.

It is kept by us and served by us, so no mail and no page loads anything from somebody else's host; and it is served
under a name that is made of its octets, so it is the same for everybody and says nothing about who looked. SVG is not
taken: mail programs do not show it, and it can hold scripts.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from functools import lru_cache

import msgspec

from heard.errors import Invalid

LARGEST = 100 * 1024  # octets
LONGEST_SIDE = 4000  # pixels
TALLEST, WIDEST = 36, 180  # how large it is shown, in CSS pixels
BROKEN, LETTER = 20, 11  # how wide the sign of a missing picture is, and a letter of the text in its place
_START = {"png": b"\x89PNG\r\n\x1a\n", "jpeg": b"\xff\xd8\xff"}


class Logo(msgspec.Struct, frozen=True, kw_only=True):
    kind: str  # png or jpeg
    content: bytes
    width: int  # pixels
    height: int
    name: str  # `0f3a....png`: the same octets have the same name

    @property
    def media_type(self) -> str:
        return f"image/{self.kind}"

    @property
    def shown(self) -> tuple[int, int]:
        """Width and height in CSS pixels: at most 180 by 36, never larger than it is."""
        share = min(TALLEST / self.height, WIDEST / self.width, 1)
        return max(1, round(self.width * share)), max(1, round(self.height * share))

    @property
    def is_mark(self) -> bool:
        """About as wide as it is tall: the name of the brand stands beside it. A wider one is the name."""
        return self.width <= self.height * 1.5

    def needs(self, name: str) -> bool:
        """Whether the name is written beside it in a mail: of a mark, and of a picture in whose place a mail program
        that shows no pictures cannot write the longest word of it."""
        return self.is_mark or self.shown[0] < BROKEN + LETTER * max(map(len, name.split()), default=0)


def logo(content: bytes) -> Logo:
    """What an uploaded file holds.

    Raises:
        Invalid: it is no PNG or JPEG, or too large.
    """
    if len(content) > LARGEST:
        raise Invalid(f"Choose a picture of at most {LARGEST // 1024} KB; this one has {-(-len(content) // 1024)} KB.")
    kind = next((kind for kind, start in _START.items() if content.startswith(start)), None)
    if kind is None:
        raise Invalid("Choose a PNG or a JPEG; mail programs show no others.")
    size = _png(content) if kind == "png" else _jpeg(content)
    if size is None:
        raise Invalid(f"Choose another picture; this {kind.upper()} is damaged.")
    if max(size) > LONGEST_SIDE or min(size) < 1:
        raise Invalid(f"Choose a picture of at most {LONGEST_SIDE} pixels a side; this one is {size[0]} by {size[1]}.")
    name = f"{hashlib.sha256(content).hexdigest()[:32]}.{kind}"
    return Logo(kind=kind, content=content, width=size[0], height=size[1], name=name)


@lru_cache(64)
def read(address: str) -> Logo | None:
    """The logo of a brand, from the `data:` address it is kept as; None where there is none.

    Raises:
        Invalid: no `data:image/png;base64,` or `data:image/jpeg;base64,`, or not a logo.
    """
    if not address:
        return None
    head, _, octets = address.partition(",")
    if head.removeprefix("data:") not in ("image/png;base64", "image/jpeg;base64") or not head.startswith("data:"):
        raise Invalid("Write it as data:image/png;base64, and the picture, or upload it under Settings, Brand.")
    if len(octets) > LARGEST * 4 // 3 + 4:
        raise Invalid(f"Choose a picture of at most {LARGEST // 1024} KB.")
    try:
        content = base64.b64decode(octets, validate=True)
    except (binascii.Error, ValueError):
        raise Invalid("What follows the comma is not base64.") from None
    return logo(content)


def written(kept: Logo) -> str:
    """As the brand keeps it, and the workspace file writes it."""
    return f"data:{kept.media_type};base64,{base64.b64encode(kept.content).decode()}"


def _png(content: bytes) -> tuple[int, int] | None:
    if len(content) < 33 or content[12:16] != b"IHDR" or b"IEND" not in content[-12:]:
        return None
    return int.from_bytes(content[16:20], "big"), int.from_bytes(content[20:24], "big")


def _jpeg(content: bytes) -> tuple[int, int] | None:
    """From its frame header, which stands behind segments of other kinds."""
    at = 2
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker, length = content[at + 1], int.from_bytes(content[at + 2 : at + 4], "big")
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            return int.from_bytes(content[at + 7 : at + 9], "big"), int.from_bytes(content[at + 5 : at + 7], "big")
        at += 2 + length
    return None
