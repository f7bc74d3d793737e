"""Hashes, tokens and the installation's own key, which stands in the home and never in the database."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import secrets
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.fernet import Fernet, InvalidToken

from bedside.foundation.errors import Unavailable
from bedside.foundation.private import kept

# OWASP's password storage advice for Argon2id: 19 MiB, 2 passes, 1 lane.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
# Hashing takes memory and a core: two at a time, so that a burst of sign-ins cannot take the machine.
_TURNS = ThreadPoolExecutor(2, thread_name_prefix="argon2")


def new_token() -> str:
    """256 random bits, for a URL, a cookie or a secret."""
    return secrets.token_urlsafe(32)


def new_code() -> str:
    """Six random digits."""
    return f"{secrets.randbelow(1_000_000):06d}"


def digest(token: str) -> bytes:
    """What is kept of a random token: SHA-256, enough for 256 bits of chance."""
    return hashlib.sha256(token.encode()).digest()


async def hashed(password: str) -> str:
    """Argon2id, off the event loop."""
    return await asyncio.get_running_loop().run_in_executor(_TURNS, _HASHER.hash, password)


@cache
def _nobodys() -> str:
    return _HASHER.hash(secrets.token_urlsafe(16))


async def matches(password: str, kept_hash: str | None) -> bool:
    """Whether it is the one. Without a hash the same work is done against nobody's, so that time tells nothing."""

    def check() -> bool:
        try:
            _HASHER.verify(kept_hash or _nobodys(), password)
        except (VerificationError, InvalidHashError):
            return False
        return kept_hash is not None

    return await asyncio.get_running_loop().run_in_executor(_TURNS, check)


@cache
def _key(home: Path) -> bytes:
    return base64.urlsafe_b64decode(kept(home / "keys" / "access.key", lambda: Fernet.generate_key().decode()))


def keyed(home: Path, *parts: str) -> bytes:
    """HMAC-SHA-256 under the installation's key: what is kept of a short code, which a bare hash would not hide."""
    return hmac.new(_key(home), "\0".join(parts).encode(), hashlib.sha256).digest()


def sealed(home: Path, text: str) -> str:
    """Encrypted under the installation's key: a TOTP secret at rest."""
    return Fernet(base64.urlsafe_b64encode(_key(home))).encrypt(text.encode()).decode()


def opened(home: Path, text: str) -> str:
    """The reverse of sealed. Raises Unavailable when the home holds another key than the one it was sealed with."""
    try:
        return Fernet(base64.urlsafe_b64encode(_key(home))).decrypt(text.encode()).decode()
    except InvalidToken:
        raise Unavailable(
            "This installation's key does not fit its database.",
            remedy="Restore keys/access.key from the backup; on a second machine, copy keys/ of the first one's home.",
        ) from None
