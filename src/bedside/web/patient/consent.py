"""Letting somebody in, as a patient's page and the desk's have it: what is typed, and the Consents that it becomes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any
from uuid import UUID, uuid5
from zoneinfo import ZoneInfo

from bedside import access, records
from bedside.fhir import consents
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid
from bedside.foundation.ids import uuid7
from bedside.web.kit.places import N_

FIELDS = ("name", "email", "may", "until", "key")
MAY = {
    "look": N_("See the record, and nothing more"),
    "act": N_("See it, and write messages, send readings and ask for medicines"),
}
SHOWN = {**MAY, "write": N_("See it, and write messages")}
"""What stands beside whom a patient lets in; some of it another program said."""
ACTS = (
    *("Observation", "QuestionnaireResponse", "Communication", "Appointment", "Binary"),
    *("reading", "visit", "message", "refill", "symptom"),
)
"""What who acts for a patient enters: what patients themselves do, but for documents and consents."""


@dataclass(frozen=True, slots=True)
class Said:
    """Whom to let in. may: of MAY. until: the last day; None: until it is taken back. key: of the form, so that sending
    it twice is once."""

    key: str
    name: str
    email: str
    may: str
    until: date | None


def blank() -> dict[str, str]:
    """An empty form."""
    return dict.fromkeys(FIELDS, "") | {"may": "look", "key": uuid7()}


def read(form: Mapping[str, Any]) -> dict[str, str]:
    """As it was typed."""
    return {name: " ".join(str(form.get(name) or "").split())[:200] for name in FIELDS}


def checked(typed: Mapping[str, str], today: date) -> Said:
    """Raises Invalid (where: of FIELDS)."""
    try:
        key = str(UUID(typed["key"]))
    except ValueError:
        raise Invalid("This form is damaged.", remedy="Open the page again.") from None
    name = access.staff_list.check_name(typed["name"])
    email = access.staff_list.check_email(typed["email"])
    if typed["may"] not in MAY:
        raise Invalid(N_("Choose one."), where="may")
    try:
        until = date.fromisoformat(typed["until"]) if typed["until"] else None
    except ValueError:
        raise Invalid(N_("There is no such day. Write the day, the month and the year."), where="until") from None
    if until is not None and until < today:
        raise Invalid(N_("This day is over."), where="until")
    return Said(key, name, email, typed["may"], until)


async def let_in(
    ctx: Ctx, patient: str, said: Said, zone: ZoneInfo, *, how: str, language: str | None, by_mail: bool
) -> access.caregivers.LetIn:
    """The account, and the Consents that grant it. zone: by whose clock the last day ends.

    Raises Forbidden, Conflict (where: email).
    """
    made = await access.caregivers.account(
        ctx, patient, name=said.name, email=said.email, language=language, by_mail=by_mail
    )
    ends = access.instant(said.until, time(23, 59, 59), zone).astimezone(zone) if said.until else None
    common: dict[str, Any] = {"until": ends, "at": ctx.clock.now(), "how": how}
    await records.relating.introduce(ctx, patient, made.person.id, said.name)
    about = (patient, made.person.id, said.name)
    await _keep(ctx, consents.permit(said.key, *about, actions=["access"], **common))
    if said.may == "act":
        second = str(uuid5(UUID(said.key), "act"))
        await _keep(ctx, consents.permit(second, *about, actions=["collect", "correct"], kinds=ACTS, **common))
    return made


async def _keep(ctx: Ctx, resource: dict[str, Any]) -> None:
    """Once: a form that comes a second time says the same a moment later."""
    found = await records.search(ctx, "Consent", [("_id", resource["id"])])
    if not found.entries:
        await records.create(ctx, resource)


async def take_back(ctx: Ctx, patient: str, person: str) -> None:
    """Out, at once. Raises Forbidden, NotFound."""
    for id_ in await access.caregivers.take_back(ctx, patient, person):
        known = {name: value for name, value in (await records.read(ctx, "Consent", id_)).items() if name != "meta"}
        ids = await records.relating.named(ctx, known, patient, person)
        await records.update(ctx, consents.without(known, ids))
    await records.relating.settle(ctx, patient, person)


async def shown(ctx: Ctx, patient: str) -> list[tuple[access.Caregiver, bool]]:
    """Whom the patient lets in, called as the patient calls them, and whether they read alarms."""
    called: dict[str, str] = {}
    page = await records.every(ctx, "Consent", {"patient": patient})
    for one in page.entries:
        called |= consents.names(one)
    found = await access.caregivers.of_patient(ctx, patient)
    return [
        (
            # A grant ends with the first moment at which it holds no longer: people are told the last day.
            replace(
                one,
                name=called.get(consents.related_id(patient, one.person)) or called.get(one.person) or one.name,
                until=one.until - timedelta(seconds=1) if one.until else None,
            ),
            access.caregivers.reads_alarms(one),
        )
        for one in found
    ]
