"""A note that belongs to no visit: a draft in the record until its writer signs it. Pure."""

from __future__ import annotations

import base64
import binascii
import hashlib
from datetime import datetime
from typing import Any

import msgspec

from bedside.fhir.dates import span

SIGNED = "urn:bedside:signed-note"
"""The system of the identifier that a signed one carries: no generic write changes it."""
OPEN = "preliminary"


class Draft(msgspec.Struct, frozen=True):
    """id: of its DocumentReference. text: None where it is no plain text, and is finished where it was written.

    open: it can still be written, signed or thrown away. signed: by whom it was. gone: it was thrown away.
    """

    id: str
    version: int
    patient: str
    author: str
    about: str
    text: str | None
    begun: datetime | None
    open: bool
    signed: str = ""
    gone: bool = False


def draft_of(resource: dict[str, Any]) -> Draft:
    """A DocumentReference as a draft."""
    authors = [str(one.get("reference") or "") for one in resource.get("author") or ()]
    gone = resource.get("status") == "entered-in-error"
    told = resource.get("date") or resource["meta"]["lastUpdated"]
    return Draft(
        id=resource["id"],
        version=int(resource["meta"]["versionId"]),
        patient=patient_of(resource),
        author=authors[0] if authors else "",
        about=str(resource.get("description") or ""),
        text=_text(resource),
        begun=span(str(told))[0],
        open=not gone and resource.get("docStatus") == OPEN,
        signed=str((resource.get("authenticator") or {}).get("display") or ""),
        gone=gone,
    )


def patient_of(resource: dict[str, Any]) -> str:
    """Whom it is about, by id."""
    return str((resource.get("subject") or {}).get("reference") or "").removeprefix("Patient/")


def written(resource: dict[str, Any], text: str) -> dict[str, Any]:
    """With another text, without the server's metadata."""
    data = text.encode()
    attachment = {
        "contentType": "text/plain; charset=utf-8",
        "data": base64.b64encode(data).decode(),
        "hash": base64.b64encode(hashlib.sha1(data, usedforsecurity=False).digest()).decode(),
        "size": len(data),
    }
    return {name: value for name, value in resource.items() if name != "meta"} | {
        "content": [{"attachment": attachment}]
    }


def signed(resource: dict[str, Any], who: dict[str, str], at: datetime) -> dict[str, Any]:
    """For good, and by whom."""
    kept = [one for one in resource.get("identifier") or () if one.get("system") != SIGNED]
    return resource | {
        "docStatus": "final",
        "date": at.isoformat(),
        "authenticator": who,
        "identifier": [*kept, {"system": SIGNED, "value": resource["id"]}],
    }


def _text(resource: dict[str, Any]) -> str | None:
    content: list[dict[str, Any]] = resource.get("content") or []
    attachment = content[0].get("attachment") or {} if len(content) == 1 else {}
    if not str(attachment.get("contentType") or "").startswith("text/plain") or "data" not in attachment:
        return None
    try:
        return base64.b64decode(str(attachment["data"]), validate=True).decode()
    except (binascii.Error, ValueError):
        return None
