"""A mail holds one link that no person sees, and no screen reader says."""

from __future__ import annotations

import re

from tests.spec.test_mail import HIDDEN, html, text


def test_the_hidden_link_is_seen_and_heard_by_nobody():
    (around,) = re.findall(rf'<div ([^>]*)><a href="{HIDDEN}"([^>]*)></a></div>', html())

    assert 'aria-hidden="true"' in around[0]
    assert "display:none" in around[0]
    assert "mso-hide:all" in around[0]
    assert 'tabindex="-1"' in around[1]
    assert HIDDEN not in text()
