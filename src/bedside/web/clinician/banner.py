"""What the patient banner says: on every chart, visit and signing page."""

from __future__ import annotations

from typing import Any

from bedside import records
from bedside.foundation.context import Ctx

NO_ALLERGY = frozenset({"716186003", "409137002"})
"""SNOMED CT: no known allergy; no known drug allergy."""


def name_of(patient: dict[str, Any]) -> str:
    """The official name as one line, given names first."""
    names = patient.get("name") or [{}]
    name = next((n for n in names if n.get("use") == "official"), names[0])
    return str(name.get("text") or " ".join([*name.get("given", []), name.get("family", "")]).strip() or "?")


def number_of(patient: dict[str, Any]) -> str | None:
    """The medical record number (type MR), else the first identifier."""
    identifiers = patient.get("identifier") or []
    records_number = [i for i in identifiers if any(c.get("code") == "MR" for c in i.get("type", {}).get("coding", []))]
    return next((str(i["value"]) for i in [*records_number, *identifiers] if "value" in i), None)


async def banner_of(ctx: Ctx, key: str) -> dict[str, Any]:
    """For the kit's banner: id, name, birth_date, number, gender, allergies (None: never recorded; []: none known)."""
    patient = await records.read(ctx, "Patient", key)
    page = await records.search(ctx, "AllergyIntolerance", {"patient": key, "_count": "100"})
    names: list[str] = []
    asked = False
    for allergy in page.entries:
        status = allergy.get("verificationStatus", {}).get("coding", [{}])[0].get("code")
        clinical = allergy.get("clinicalStatus", {}).get("coding", [{}])[0].get("code")
        if status in {"entered-in-error", "refuted"}:
            continue
        codings = allergy.get("code", {}).get("coding", [])
        if any(c.get("code") in NO_ALLERGY for c in codings):
            asked = True
        elif clinical != "resolved":
            names.append(
                allergy.get("code", {}).get("text") or next((c["display"] for c in codings if "display" in c), "?")
            )
    return {
        "id": key,
        "name": name_of(patient),
        "birth_date": patient.get("birthDate"),
        "number": number_of(patient),
        "gender": patient.get("gender"),
        "allergies": names or ([] if asked else None),
    }
