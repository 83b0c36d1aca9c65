"""Keys and passwords, drawn from the system's randomness, and the slow hash that keeps passwords."""

from __future__ import annotations

import secrets

from heard.accounts.keys import SECRET_KEY, WRITE_KEY


def write_key() -> str:
    """Public, so it need only be unique."""
    return WRITE_KEY + secrets.token_urlsafe(16)


def secret_key() -> str:
    """256 bits."""
    return SECRET_KEY + secrets.token_urlsafe(32)


def shared_secret() -> str:
    """256 bits: what somebody else signs with."""
    return secrets.token_urlsafe(32)


def password() -> str:
    """120 bits: it is copied, not typed."""
    return secrets.token_urlsafe(15)


def hashed(password: str) -> str:
    """Argon2id, 19 MiB, two passes: what OWASP asks for."""
    from argon2 import PasswordHasher

    return PasswordHasher(memory_cost=19 * 1024, time_cost=2, parallelism=1).hash(password)
