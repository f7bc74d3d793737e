"""Fills a new demo home through the rooms' own faces, in one transaction: all of it is there, or nothing."""

from __future__ import annotations

from datetime import date, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec

from bedside import access, messaging, monitoring, prescribing, records
from bedside.demo import histories
from bedside.demo.blood_test import blood_test
from bedside.demo.devices import Card
from bedside.demo.histories import STORY, STORY_BORN, UNREACHED, Device, Patient
from bedside.demo.people import CLINIC, PHARMACY, PLACES, STAFF, identity
from bedside.foundation.context import Actor, Ctx

PASSWORD = "quiet harbor lantern"  # noqa: S105 - of invented people, printed at every start of the demo
PIN = "246813"
CARDS = "demo/devices.json"


async def seed(outer: Ctx, home: Path, *, patients: int, seed: int) -> bool:
    """Seed the clinic unless it is there already (False). The devices' cards are written under the home."""
    actor = Actor("job", "demo", "demo seeding")
    async with access.work(
        outer.with_(actor=actor, purpose="HOPERAT", origin="bedside demo"), "seeded the demo"
    ) as ctx:
        if await access.clinics.clinic(ctx) is None:
            said = msgspec.structs.replace(access.clinics.read(CLINIC), self_registration=True)
            await access.clinics.set_clinic(ctx, said)
            await access.clinics.put_away_start(ctx)
        if await access.places(ctx):
            return False
        for place, name, kind in PLACES:
            await access.add_place(ctx, place, name, kind, CLINIC["zone"])
        await access.add_place(ctx, PHARMACY, "Harbor Street Pharmacy", "pharmacy")
        await _staff(ctx, seed)
        drawn = histories.draw(seed, patients, ctx.clock.now().date())
        await records.transact(ctx, _bundle([*_clinic(seed), *(r for p in drawn for r in p.resources)]))
        cards: list[Card] = []
        for n, patient in enumerate(drawn):
            cards += await _patient(ctx, seed, n, patient)
        await _caregiver(ctx, seed, drawn[0])
        await records.transact(ctx, _bundle(blood_test(seed, drawn[0].id, ctx.clock.now())))
        if len(drawn) > 1:
            await _registered_twice(ctx, seed, drawn[1])
        path = home / CARDS
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        path.write_bytes(msgspec.json.encode(cards))
    return True


def sign_ins(url: str) -> str:
    """What the terminal says at the start: who there is, and the one password of them all."""
    born = f"{STORY_BORN.day} {STORY_BORN:%B %Y}"
    lines = [
        "",
        f"  Sign in at {url}/sign-in: one button for each person, or with these (invented people, demo only):",
        *(f"    {person.name:<14} {person.title:<36} {person.key}@riverside.example" for person in STAFF),
        f"    Rosa Álvarez   Patient, born {born}; 178/112 in a minute or two; her links and codes: {url}/demo/outbox",
        f"  Password of the staff: {PASSWORD}    PIN at the wall: {PIN}",
        "",
        f"  Begin as Amina Haddad, the nurse, at {url}/wall. The cuff of Rosa Álvarez speaks within two minutes.",
    ]
    return "\n".join(lines)


def _bundle(resources: list[dict[str, Any]]) -> dict[str, Any]:
    entries = [
        {"resource": r, "request": {"method": "PUT", "url": f"{r['resourceType']}/{r['id']}"}} for r in resources
    ]
    return {"resourceType": "Bundle", "type": "transaction", "entry": entries}


def _clinic(seed: int) -> list[dict[str, Any]]:
    made: list[dict[str, Any]] = [
        {
            "resourceType": "Organization",
            "id": identity(seed, "clinic"),
            "active": True,
            "name": CLINIC["name"],
            "telecom": [{"system": "phone", "value": CLINIC["telephone"]}],
        }
    ]
    for person in STAFF:
        given, family = person.name.rsplit(" ", 1)
        made.append(
            {
                "resourceType": "Practitioner",
                "id": identity(seed, "staff", person.key),
                "active": True,
                "name": [{"family": family, "given": [given], "text": person.name}],
                "qualification": [{"code": {"text": person.title}}],
            }
        )
    return made


async def _staff(ctx: Ctx, seed: int) -> None:
    today = ctx.clock.now().date()
    for person in STAFF:
        id = identity(seed, "staff", person.key)
        await access.add_person(
            ctx,
            access.NewPerson(
                name=person.name,
                roles=frozenset(person.roles),
                id=id,
                reference=f"Practitioner/{id}",
                language=person.language,
                phone=f"+1 212 555 02{STAFF.index(person):02d}",
                email=f"{person.key}@riverside.example",
                zone=CLINIC["zone"],
                password=PASSWORD,
                pin=PIN,
            ),
        )
        for place, step in person.duties:
            await access.set_duty(ctx, person=id, place=place, role=person.roles[0], step=step)
        for place, step in person.nights:
            hours = access.Weekly(frozenset(range(1, 8)), time(20), time(8), CLINIC["zone"])
            await access.set_duty(ctx, person=id, place=place, role=person.roles[0], step=step, weekly=hours)
        if "pharmacist" in person.roles:
            await access.set_duty(ctx, person=id, place=PHARMACY, role="pharmacist")
        for jurisdiction in person.licences:
            licence = access.Licence(
                id,
                jurisdiction,
                f"DEMO-{person.key}-{jurisdiction}",
                "full",
                date(today.year - 6, 1, 1),
                date(today.year + 1, 6, 30),
                today - timedelta(days=30),
                "invented for the demo",
            )
            await access.add_licence(ctx, licence)
    # The wall is a person whose only role is to display.
    wall = await access.add_person(
        ctx,
        access.NewPerson(
            name="Ward wall", roles=frozenset({"display"}), id=identity(seed, "wall"), zone=CLINIC["zone"]
        ),
    )
    for place, _, _ in PLACES:
        await access.set_duty(ctx, person=wall.id, place=place, role="display")
    administrator = identity(seed, "staff", "administrator")
    actor = Actor("person", administrator, "Pat Morgan", frozenset({"administrator"}))
    pharmacy = prescribing.Pharmacy(PHARMACY, "Harbor Street Pharmacy", "+1 212 555 0140", "12 Harbor Street, New York")
    await prescribing.put_pharmacy(ctx.with_(actor=actor), pharmacy)
    # Dr Ruiz is away for three days; Dr Okafor answers in her place.
    zone = ZoneInfo(CLINIC["zone"])
    away = access.instant(ctx.clock.now().astimezone(zone).date() + timedelta(days=2), time(8), zone)
    await access.rota.set_substitute(
        ctx.with_(actor=actor),
        person=identity(seed, "staff", "clinician"),
        by=identity(seed, "staff", "clinician-2"),
        since=away,
        until=away + timedelta(days=3),
    )


def device_name(device: Device) -> str:
    """The seed names it: what a simulated device measures follows from its name."""
    return f"{device.kind[:2]}-{device.id[-10:]}"


async def _patient(ctx: Ctx, seed: int, n: int, patient: Patient) -> list[Card]:
    await access.add_person(
        ctx,
        access.NewPerson(
            name=patient.name,
            roles=frozenset({"patient"}),
            id=identity(seed, "person", n),
            patient=patient.id,
            language=patient.language,
            phone=patient.phone,
            email=patient.email,
            units="us",
            zone=CLINIC["zone"],
        ),
    )
    if n == UNREACHED:
        await messaging.send(ctx, messaging.Notice(identity(seed, "person", n), "monitoring.check-device"))
    place = patient.kind.place
    bed = f"{'V' if place == 'virtual-ward' else 'H'}{n + 1}"
    await access.place_patient(ctx, patient.id, place, bed=bed)
    doctor = identity(seed, "staff", "clinician" if n % 3 else "clinician-2")
    for clinician in {doctor, identity(seed, "staff", "clinician")} if n == 0 else {doctor}:
        await access.relate(ctx, person=clinician, patient=patient.id, kind="care", source="registration")
    await monitoring.set_profile(
        ctx,
        patient.id,
        birth_date=patient.birth_date,
        pregnant=patient.kind.pregnant,
        news2_scale=patient.kind.news2_scale,
    )
    if place == "virtual-ward":
        await _observed(ctx, seed, patient)
    cards = []
    for device in patient.devices:
        new = monitoring.NewDevice(kind=device.kind, patient=patient.id, name=device_name(device))
        made = await monitoring.add_device(ctx, new)
        cards.append(
            Card(
                device=made.device,
                username=made.username,
                password=made.password,
                topic=made.topic,
                ack_topic=made.ack_topic,
                kind=device.kind,
                vitals=device.vitals,
                story=patient.key == STORY,
            )
        )
    return cards


async def _registered_twice(ctx: Ctx, seed: int, patient: Patient) -> None:
    """The same person, taken in anew at the desk one day without a look whether they were known: another number, no
    street. For the list of patients who may be one."""
    (known,) = (one for one in patient.resources if one["resourceType"] == "Patient")
    id = identity(seed, "patient", "twice")
    name, number = known["name"][0], {**known["identifier"][0], "value": "R990017"}
    again = {
        "resourceType": "Patient",
        "id": id,
        "identifier": [number],
        "active": True,
        "name": [{"family": name["family"].upper(), "given": name["given"]}],
        "telecom": [known["telecom"][0]],
        "gender": known["gender"],
        "birthDate": known["birthDate"],
    }
    await records.update(ctx, again)
    clinician = identity(seed, "staff", "clinician")
    await access.relate(ctx, person=clinician, patient=id, kind="care", source="registration")


async def _observed(ctx: Ctx, seed: int, patient: Patient) -> None:
    """The nurse's round: awake, breathing air. With the monitor's values NEWS2 is complete for some hours."""
    nurse = Actor("person", identity(seed, "staff", "nurse"), "Amina Haddad", frozenset({"nurse"}))
    awake = monitoring.NewReading(
        patient=patient.id, metric="consciousness", value="A", also=(monitoring.Typed("oxygen", 0),)
    )
    await monitoring.enter_readings(ctx.with_(actor=nurse, purpose="TREAT"), awake)


async def _caregiver(ctx: Ctx, seed: int, patient: Patient) -> None:
    """Rosa's son, who may read her record and write messages: by a Consent, as anybody's grant."""
    id = identity(seed, "caregiver")
    await access.add_person(
        ctx,
        access.NewPerson(
            name="Luis Álvarez",
            roles=frozenset({"caregiver"}),
            id=id,
            language="es",
            phone="+1 212 555 3000",
            email="luis.alvarez@example.org",
            zone=CLINIC["zone"],
        ),
    )
    await access.grant(
        ctx,
        access.GrantRequest(
            person=id,
            patient=patient.id,
            actions="R",
            what=frozenset({"*"}),
            source=f"RelatedPerson/{id}",
            id=identity(seed, "grant"),
            until=ctx.clock.now() + timedelta(days=365),
        ),
    )
    await access.grant(
        ctx,
        access.GrantRequest(
            person=id,
            patient=patient.id,
            actions="C",
            what=frozenset({"Communication", "Binary"}),
            source=f"RelatedPerson/{id}/messages",
            id=identity(seed, "grant-messages"),
            until=ctx.clock.now() + timedelta(days=365),
        ),
    )
    # Rosa wants him told of alarms, and both sleep from ten to seven.
    own = await access.person_of_patient(ctx, patient.id)
    if own is not None:
        rosa = Actor("person", own.id, own.name, own.roles, own.reference)
        await access.caregivers.set_alerts(ctx.with_(actor=rosa), patient.id, id, on=True)
        for sleeper in (rosa, Actor("person", id, "Luis Álvarez", frozenset({"caregiver"}))):
            await messaging.set_quiet_hours(ctx.with_(actor=sleeper), (time(22), time(7)))
