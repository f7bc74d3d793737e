"""What stands beside the picture: the part of the chart that a visit needs, by the chart's own reading."""

from __future__ import annotations

from dataclasses import dataclass

from bedside import prescribing, records
from bedside.foundation.context import Ctx
from bedside.web.clinician import summary
from bedside.web.clinician.dosage import dosages


@dataclass(frozen=True, slots=True)
class Beside:
    """Each as the chart lists it; refills: the patient's requests that wait for an answer."""

    problems: summary.Listing
    allergies: summary.Listing
    medicines: summary.Listing
    orders: tuple[summary.Order, ...]
    refills: tuple[prescribing.Refill, ...]


async def beside(ctx: Ctx, patient: str, language: str) -> Beside:
    """The patient's problems, allergies, medicines and orders. language: the reader's."""

    async def of(type_: str, **more: str) -> records.Page:
        return await records.every(ctx, type_, {"patient": patient, **more})

    orders = await of("ServiceRequest", _include="ServiceRequest:requester")
    ours = await prescribing.of_patient(ctx, patient)
    return Beside(
        problems=summary.problems((await of("Condition")).entries),
        allergies=summary.allergies((await of("AllergyIntolerance")).entries),
        medicines=summary.medicines(
            (await of("MedicationRequest")).entries,
            (await of("MedicationStatement")).entries,
            {p.id for p in ours if p.taken(ctx.clock.now())},
            dosages(ours, language),
        ),
        orders=summary.orders(orders.entries, orders.included),
        refills=tuple(r for r in await prescribing.refills(ctx, patient) if r.open),
    )
