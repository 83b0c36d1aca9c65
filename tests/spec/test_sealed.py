"""What is sealed opens under its own secret, for its own purpose, and for nobody else."""

from __future__ import annotations

import pytest

from heard.sealed import Unreadable, seal, unseal

SECRET = b"one secret of one installation!!"
PURPOSE = "mail-server/1"


def test_what_was_sealed_is_read_back_and_looks_like_nothing():
    kept = seal(SECRET, "pässword", purpose=PURPOSE)

    assert unseal(SECRET, kept, purpose=PURPOSE) == "pässword"
    assert "ssword" not in kept
    assert kept != seal(SECRET, "pässword", purpose=PURPOSE)  # two that are equal do not look so


@pytest.mark.parametrize(
    ("secret", "purpose", "damage"),
    [
        (b"another secret, made later on!!!", PURPOSE, str),
        (SECRET, "mail-server/2", str),
        (SECRET, PURPOSE, lambda kept: kept[:-6] + "AAAAAA"),
        (SECRET, PURPOSE, lambda kept: kept[:9]),
        (SECRET, PURPOSE, lambda _: ""),
        (SECRET, PURPOSE, lambda _: "1.ä"),
    ],
)
def test_under_another_secret_for_another_workspace_or_damaged_it_cannot_be_read(secret, purpose, damage):
    kept = damage(seal(SECRET, "swordfish", purpose=PURPOSE))
    with pytest.raises(Unreadable, match="HEARD_SECRET"):
        unseal(secret, kept, purpose=purpose)
