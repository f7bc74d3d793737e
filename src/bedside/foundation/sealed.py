"""A page that is sealed with words which people keep: it opens in any browser, from a file, with no server at all.

AES-256-GCM under a key of PBKDF2-HMAC-SHA-256 (NIST SP 800-38D, 800-132), since that is what every browser's WebCrypto
has. The words are made here, so they are as strong as they are long (80 bits); the round count is OWASP's of 2023.
"""

from __future__ import annotations

import base64
import secrets
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

ROUNDS = 600_000
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Without what is misread on paper: I and 1, O and 0."""
LETTERS = 16


@dataclass(frozen=True, slots=True)
class Lock:
    """What a page is sealed with, and what it must name so that the words open it."""

    salt: bytes
    key: bytes
    rounds: int = ROUNDS


def new_words() -> str:
    """`K7QF-9M2X-PL4W-ZRT8`: for a person to write down."""
    made = "".join(secrets.choice(ALPHABET) for _ in range(LETTERS))
    return "-".join(made[n : n + 4] for n in range(0, LETTERS, 4))


def lock(words: str, salt: bytes | None = None, rounds: int = ROUNDS) -> Lock:
    """The lock that these words open, however they are written: small or large letters, with or without dashes."""
    salt = salt or secrets.token_bytes(16)
    plain = "".join(one for one in words.upper() if one.isalnum())
    return Lock(salt, PBKDF2HMAC(SHA256(), 32, salt, rounds).derive(plain.encode()), rounds)


def seal(with_: Lock, text: str, name: str) -> str:
    """Base64 of nonce and ciphertext. name: stands outside in the clear, and cannot be changed there unnoticed."""
    nonce = secrets.token_bytes(12)
    return base64.b64encode(nonce + AESGCM(with_.key).encrypt(nonce, text.encode(), name.encode())).decode()
