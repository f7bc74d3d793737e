"""A visit's note: saved as it is typed, signed once, then only added to. Its FHIR picture is a DocumentReference."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime
from typing import Any

import msgspec

IDENTIFIER = "urn:bedside:note"


class Amendment(msgspec.Struct, frozen=True):
    """What was added after signing."""

    number: int
    author_name: str
    text: str
    signed_at: datetime


class Note(msgspec.Struct, frozen=True):
    """revision: grows with each save of the writer's browser; an older one never overwrites a newer."""

    visit: str
    author: str
    author_name: str
    text: str
    revision: int
    saved_at: datetime
    signed_at: datetime | None = None
    amendments: tuple[Amendment, ...] = ()


def note_picture(note: Note, patient: str, author: str | None) -> dict[str, Any]:
    """US Core clinical note: DocumentReference, LOINC 11506-3 (progress note), the text as attachment."""
    parts = [note.text]
    parts += [f"Amendment {a.number}, {a.author_name}, {a.signed_at.isoformat()}:\n{a.text}" for a in note.amendments]
    data = "\n\n".join(parts).encode()
    signed = note.amendments[-1].signed_at if note.amendments else note.signed_at
    who: dict[str, Any] = {"display": note.author_name}
    if author:
        who["reference"] = author
    return {
        "resourceType": "DocumentReference",
        "id": f"{note.visit}-n",
        "identifier": [{"system": IDENTIFIER, "value": note.visit}],
        "status": "current",
        "docStatus": "amended" if note.amendments else "final",
        "type": {
            "coding": [{"system": "http://loinc.org", "code": "11506-3", "display": "Progress note"}],
            "text": "Visit note",
        },
        "category": [
            {
                "coding": [
                    {
                        "system": "http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category",
                        "code": "clinical-note",
                    }
                ]
            }
        ],
        "subject": {"reference": f"Patient/{patient}"},
        "date": signed.isoformat() if signed else note.saved_at.isoformat(),
        "author": [who],
        "content": [
            {
                "attachment": {
                    "contentType": "text/plain; charset=utf-8",
                    "data": base64.b64encode(data).decode(),
                    "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
                    "size": len(data),
                    "title": "Visit note",
                }
            }
        ],
        "context": {"encounter": [{"reference": f"Encounter/{note.visit}"}]},
    }
