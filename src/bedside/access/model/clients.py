"""A backend client."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Client:
    """A registered backend client. secret: its SHA-256. jwks: its public keys, where it signs instead."""

    id: str
    tenant: int
    name: str
    scopes: frozenset[str]
    secret: bytes | None
    jwks: dict[str, Any] | None
