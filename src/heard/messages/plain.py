"""Would every database take this JSON as it is? The fast decoders leave most of it unread, so its bytes have to say."""

from __future__ import annotations

import re

from heard.messages.depth import may_be_deep

NUL = rb"\u0000"
SHAPE = bytes(48 if chr(c) in "0123456789" else 101 if chr(c) in "eE" else c if c == 43 else 32 for c in range(256))
"""A body seen through this is its digits as 0, its e and E as e, its plus signs, and blanks."""
LONG_NUMBER = b"0" * 19
LONG_EXPONENT = re.compile(rb"0e\+?000")
IN_A_NUMBER = re.compile(rb"[:,\[\s]-?[0-9][0-9.]*\Z")
LOOK_BACK = 40


def is_plain(body: bytes) -> bool:
    """No NUL, no number beyond 64 bits, no deep nesting. Errs towards False; `body` is valid JSON.

    Decoding all of it would say so too, and take three times as long. A UUID may look like `1e234`; what stands before
    the digits tells it from a number.
    """
    shape = body.translate(SHAPE)
    if NUL in body or LONG_NUMBER in shape or may_be_deep(body):
        return False
    for found in LONG_EXPONENT.finditer(shape):
        place = found.start() + 1
        if IN_A_NUMBER.search(body, max(0, place - LOOK_BACK), place):
            return False
    return True
