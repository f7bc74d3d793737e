"""A small ward behind real pages: two patients in the record, staff in whose care they are, and an app that is them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from bedside import access, records
from bedside.access import Person
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx
from bedside.foundation.http import Errors, Guard
from bedside.web import clinician, kit, messages, patient, readings, work

SNOMED = "http://snomed.info/sct"
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFIED = "http://terminology.hl7.org/CodeSystem/condition-ver-status"


class As:
    """Puts a person's ctx on every request, as the session middleware does."""

    def __init__(self, app: ASGIApp, ctx: Ctx, person: Person) -> None:
        self.app, self.ctx, self.person = app, ctx, person

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {}).update(
            ctx=acting(self.ctx, self.person),
            person=self.person,
            session=None,
            language=self.person.language,
            zone=self.person.zone,
            units=self.person.units,
        )
        await self.app(scope, receive, send)


@dataclass
class Ward:
    """rosa has a record; ben has none but his name, and is in nobody's care. as_ gives a client that is a person."""

    ctx: Ctx
    nurse: Person
    rosa: Person
    rosa_id: str
    ben_id: str
    app_of: Callable[[Person], Starlette]

    def as_(self, person: Person) -> httpx.AsyncClient:
        """Every request is this person's."""
        transport = httpx.ASGITransport(app=self.app_of(person))
        return httpx.AsyncClient(transport=transport, base_url="http://bedside", headers={"accept": "text/html"})


def concept(text: str, code: str, system: str = SNOMED) -> dict[str, Any]:
    named = {"text": text} if text else {}
    return {**named, "coding": [{"system": system, "code": code}]}


def condition(text: str, code: str, patient: str, verified: str = "confirmed") -> dict[str, Any]:
    return {
        "resourceType": "Condition",
        "code": concept(text, code),
        "subject": {"reference": f"Patient/{patient}"},
        "clinicalStatus": concept("", "active", CLINICAL) if verified == "confirmed" else None,
        "verificationStatus": concept(verified, verified, VERIFIED),
        "onsetDateTime": "2019-05-01",
    }


def potassium(patient: str) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [concept("", "laboratory", "http://terminology.hl7.org/CodeSystem/observation-category")],
        "code": concept("Potassium", "6298-4", "http://loinc.org"),
        "subject": {"reference": f"Patient/{patient}"},
        "effectiveDateTime": "2026-11-01T08:00:00Z",
        "valueQuantity": {"value": Decimal("4.10"), "unit": "mmol/L", "system": "http://unitsofmeasure.org"},
    }


def _log(_: str, **known: Any) -> None:
    """What a page of these tests did not expect is the test's failure, with its own traceback."""
    raise known["exc_info"]


def routes() -> list[BaseRoute]:
    return [*kit.ROUTES, *readings.ROUTES, *messages.ROUTES, *clinician.ROUTES, *patient.ROUTES, *work.ROUTES]


@pytest.fixture
async def ward(ctx: Ctx) -> AsyncIterator[Ward]:
    nurse = await someone(ctx, "nurse", name="Amina Haddad")
    async with access.work(ctx, "laid a ward for a test") as inner:
        rosa_record = await records.create(
            inner,
            {
                "resourceType": "Patient",
                "name": [{"use": "official", "given": ["Rosa"], "family": "Núñez"}],
                "birthDate": "1951-03-02",
                "gender": "female",
                "identifier": [{"system": "urn:clinic", "value": "B-1042"}],
            },
        )
        ben = await records.create(inner, {"resourceType": "Patient", "name": [{"family": "Nunez", "given": ["Ben"]}]})
        id_ = rosa_record.id
        for resource in (
            condition("Hypertension", "38341003", id_),
            condition("Cancer", "363346000", id_, "entered-in-error"),
            potassium(id_),
        ):
            await records.create(inner, {k: v for k, v in resource.items() if v is not None})
        await access.relate(inner, person=nurse.id, patient=id_, kind="care", source="test")
    rosa = await someone(ctx, "patient", name="Rosa Núñez", patient=id_)

    def app_of(person: Person) -> Starlette:
        app = Starlette(
            routes=routes(),
            middleware=[
                Middleware(Errors, page=kit.error_page, log=_log),
                Middleware(Guard),
                Middleware(As, ctx=ctx, person=person),
            ],
        )
        app.state.clinic = kit.Clinic("Riverside Clinic", "+1 212 555 0100", "911", "America/New_York")
        return app

    yield Ward(ctx, nurse, rosa, id_, ben.id, app_of)
