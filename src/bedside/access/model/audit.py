"""Audit entries: their values, the leaf that the hash chain takes of each, and how a patient reads them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson

GENESIS = hashlib.sha256(b"bedside audit chain 1").digest()

COLUMNS = (
    "seq",
    "tenant",
    "at",
    "request",
    "action",
    "outcome",
    "actor_kind",
    "actor",
    "actor_name",
    "actor_reference",
    "roles",
    "purpose",
    "reason",
    "origin",
    "patients",
    "entities",
    "refused",
    "wrote",
)
"""Every column of the table: each is in the leaf, so that no byte can change unseen."""


@dataclass(frozen=True, slots=True)
class AuditLine:
    """One entry as a patient or a privacy officer reads it, and all that a FHIR AuditEvent needs.

    actions: letters of CRUDE on this patient. outcome: allowed, refused or failed. purpose: HL7 v3 PurposeOfUse.
    """

    id: str
    at: datetime
    action: str
    outcome: str
    actor_kind: str
    actor: str
    actor_name: str
    actor_reference: str | None
    roles: tuple[str, ...]
    purpose: str
    reason: str | None
    origin: str
    actions: str
    patients: tuple[str, ...]
    entities: tuple[str, ...]
    wrote: bool


def leaf(row: dict[str, Any]) -> bytes:
    """SHA-256 of one entry, over every column, in a form that does not depend on the database's output settings."""
    values = [row[name] for name in COLUMNS]
    return hashlib.sha256(
        orjson.dumps(
            [v.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(v, datetime) else v for v in values],
            option=orjson.OPT_SORT_KEYS,
        )
    ).digest()


def seal(n: int, at: datetime, seqs: list[int], leaves: list[bytes], previous: bytes) -> bytes:
    """SHA-256 of one link: its number, time, entries and the link before."""
    digest = hashlib.sha256(previous)
    digest.update(orjson.dumps([n, at.astimezone(UTC).isoformat(timespec="microseconds"), seqs]))
    for one in leaves:
        digest.update(one)
    return digest.digest()
