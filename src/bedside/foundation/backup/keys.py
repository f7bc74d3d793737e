"""The recovery key: one line that opens every object and vouches for every manifest. It is never kept in a home.

It is an age identity (age-encryption.org), so a stranger opens an object with `age -d -i FILE`. The Ed25519 key that
signs manifests is derived from it: the home keeps that half and the public recipient, so it can write and sign, and
whoever steals the home reads no backup; whoever has the one line can tell whether a manifest is the home's.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

import pyrage
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from bedside.foundation.errors import Invalid

LINE = re.compile(r"AGE-SECRET-KEY-1[0-9A-Z]+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class RecoveryKey:
    """See the module. line: AGE-SECRET-KEY-1…"""

    line: str

    @classmethod
    def make(cls) -> RecoveryKey:
        """A new one."""
        return cls(str(pyrage.x25519.Identity.generate()))

    @classmethod
    def read(cls, text: str) -> RecoveryKey:
        """Out of a key file or the bare line, blanks and small letters forgiven. Raises Invalid."""
        lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
        found = LINE.search(re.sub(r"[ \t]", "", "\n".join(lines)))
        try:
            if found is None:
                raise ValueError("no key")
            key = cls(found[0].upper())
            key.identity()
        except (ValueError, pyrage.IdentityError) as error:
            raise Invalid(
                "This is no recovery key, or a letter of it is wrong.",
                remedy="It is one line that begins with AGE-SECRET-KEY-1; lines that begin with # are left out.",
            ) from error
        return key

    def identity(self) -> pyrage.x25519.Identity:
        """What opens objects."""
        return pyrage.x25519.Identity.from_str(self.line)

    @property
    def recipient(self) -> str:
        """What objects are encrypted to: age1…"""
        return str(self.identity().to_public())

    def signer(self) -> Signer:
        """What signs manifests; the home keeps it."""
        seed = HKDF(SHA256(), 32, None, b"bedside backup manifests, version 1").derive(self.line.encode())
        return Signer(Ed25519PrivateKey.from_private_bytes(seed))

    def file(self, place: str, at: datetime) -> str:
        """What is printed and kept in a safe: an age key file."""
        return (
            f"# Recovery key of the Bedside backups in {place}\n# made {at:%Y-%m-%d %H:%M} UTC, "
            f"public half {self.recipient}\n# Without this line no backup can be read, by nobody.\n{self.line}\n"
        )


@dataclass(frozen=True, slots=True)
class Signer:
    """The home's half: signs, and checks its own."""

    key: Ed25519PrivateKey

    @classmethod
    def of_pem(cls, pem: str) -> Signer:
        """Raises TypeError for another kind of key."""
        key = serialization.load_pem_private_key(pem.encode(), None)
        if not isinstance(key, Ed25519PrivateKey):
            raise TypeError("keys/backup.pem is no Ed25519 key")
        return cls(key)

    def pem(self) -> str:
        """For its file."""
        form = serialization.PrivateFormat.PKCS8
        return self.key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()

    @property
    def public(self) -> Ed25519PublicKey:
        """What checks."""
        return self.key.public_key()

    def sign(self, said: bytes) -> bytes:
        """64 bytes."""
        return self.key.sign(said)


def vouched(public: Ed25519PublicKey, said: bytes, signature: bytes) -> bool:
    """Whether the signature is of these words."""
    try:
        public.verify(signature, said)
    except InvalidSignature:
        return False
    return True
