"""The patient of a PID: found by its numbers, never by name; a name or birth date that says otherwise forbids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from bedside import records
from bedside.exchange.model.identity import contradicts
from bedside.exchange.model.interface import Interface
from bedside.exchange.model.report import Person, Problem
from bedside.fhir import joined
from bedside.foundation.context import Ctx


@dataclass(slots=True, frozen=True)
class Found:
    """who: the identifiers that lead to somebody, as one text. patient: the one; None: nobody yet, and why.

    problem: of severity E: nothing of this patient may be charted.
    """

    who: str = ""
    patient: str | None = None
    problem: Problem | None = None
    contradiction: bool = False


async def find(ctx: Ctx, interface: Interface, person: Person) -> Found:
    """Whose results these are. Nobody, two, or one who was merged into another: they wait for a person (see docs)."""
    where = f"PID^{person.place}^3"
    if not person.identifiers:
        return Found(problem=Problem("no patient identifier in PID-3", where, "101"))
    systems = interface.authorities
    known = sorted({(systems[one], value) for one, value in person.identifiers if one in systems})[:10]
    if not known:
        return Found(problem=Problem("no identifier of an assigning authority that is known here", where, "204"))
    who = "\n".join(f"{system}|{value}" for system, value in known)
    patients: dict[str, dict[str, Any]] = {}
    for system, value in known:
        token = f"{_literal(system)}|{_literal(value)}"
        page = await records.search(ctx, "Patient", [("identifier", token), ("_count", "3")])
        patients |= {str(one["id"]): one for one in page.entries}
    if not patients:
        return Found(who, problem=Problem("no patient has this identifier: the readings wait", where, "204", "W"))
    if len(patients) > 1:
        text = "the identifiers lead to more than one patient: the readings wait"
        return Found(who, problem=Problem(text, where, "204", "W"))
    ((id_, patient),) = patients.items()
    if joined.goes_on(patient):
        text = "this patient's record was merged into another: the readings wait"
        return Found(who, problem=Problem(text, where, "204", "W"))
    if (wrong := contradicts(person, patient)) is not None:
        text = f"{wrong} contradicts the patient who has this identifier: nothing was charted"
        place = f"PID^{person.place}^{wrong[-1]}"
        return Found(who, id_, Problem(text, place, "204"), contradiction=True)
    return Found(who, id_)


def _literal(text: str) -> str:
    """As a token of a FHIR search (hl7.org/fhir/R4/search.html#escaping)."""
    return re.sub(r"([\\,$|])", r"\\\1", text)
