"""What one chunk of computing audiences came to."""

from __future__ import annotations

import msgspec

PEOPLE = 500  # contacts that are looked at in one go


class Computed(msgspec.Struct, kw_only=True):
    worked: bool = False
    moved_on: bool = False  # somebody is in another phase, or told of more: the directory is old
    told: bool = False  # something goes to destinations outside
