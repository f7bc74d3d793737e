"""Draws invented patients: who they are, their FHIR history, their devices. The same seed draws the same people."""

from __future__ import annotations

import random
import unicodedata
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bedside.demo import archetypes as kinds
from bedside.demo.archetypes import ARCHETYPES, Archetype, Test
from bedside.demo.people import CLINIC, identity
from bedside.foundation.errors import N_

Resource = dict[str, Any]

STORY = "story"
"""The key of the patient whose pressure rises in the first two minutes."""
STORY_BORN = date(1955, 3, 14)
"""Whoever plays her is asked for it on the way into the visit: the terminal, the outbox and the README tell it."""


@dataclass(slots=True)
class Device:
    """A simulated device: kind as in `bedside device add`, baselines by metric."""

    id: str
    kind: str
    vitals: dict[str, float]


@dataclass(slots=True)
class Patient:
    """One drawn patient: the record's resources (Patient first) and what monitoring needs to know."""

    id: str
    key: str
    name: str
    birth_date: date
    kind: Archetype
    resources: list[Resource] = field(default_factory=list)
    devices: list[Device] = field(default_factory=list)
    phone: str = ""
    email: str = ""
    language: str = "en"


def draw(seed: int, count: int, today: date) -> list[Patient]:
    """count patients (at least 4): the story's, a child, a pregnant woman, one who retains CO2, and others."""
    rng = random.Random(seed)  # noqa: S311 - invented people, no secret
    order: list[Archetype] = [ARCHETYPES[0], kinds.CHILD, kinds.PREGNANT, ARCHETYPES[4]]
    # Three in ten lie on the virtual ward, the rest are at home.
    ward = [a for a in ARCHETYPES if a.place == kinds.WARD and a.key != "hypercapnic"]
    home = [a for a in ARCHETYPES if a.place == kinds.HOME]
    while len(order) < count:
        order.append(ward[0] if len(order) % 10 < 3 else home[len(order) % len(home)])
    return [_patient(seed, n, kind, rng, today) for n, kind in enumerate(order[:count])]


UNREACHED = 1
"""Which patient's e-mail comes back."""


def plain(name: str) -> str:
    """A name as an address of electronic mail can hold it: "álvarez" is "alvarez", "yılmaz" is "yilmaz"."""
    apart = unicodedata.normalize("NFD", name.lower().replace("ı", "i"))
    return apart.encode("ascii", "ignore").decode()


def _patient(seed: int, n: int, kind: Archetype, rng: random.Random, today: date) -> Patient:
    story = n == 0
    gender = kind.gender or ("female" if story or rng.random() < 0.52 else "male")
    given = "Rosa" if story else rng.choice(kinds.GIVEN_FEMALE if gender == "female" else kinds.GIVEN_MALE)
    family = "Álvarez" if story else kinds.FAMILY[(n * 7 + seed) % len(kinds.FAMILY)]
    age = 71 if story else rng.randint(*kind.ages)
    born = today.replace(day=1) - timedelta(days=age * 365 + age // 4 + rng.randint(1, 360))
    if story:
        born = STORY_BORN
    who = Patient(
        id=identity(seed, "patient", n),
        key=STORY if story else f"{kind.key}-{n}",
        name=f"{given} {family}",
        birth_date=born,
        kind=kind,
        phone=f"+1 212 555 {1000 + n:04d}",
        # One address leads nowhere (RFC 6761), so that somebody is not reached.
        email=f"{plain(given)}.{plain(family)}{n}@{'mail.invalid' if n == UNREACHED else 'example.org'}",
        language="es" if story else "en",
    )
    vitals = {metric: round(rng.uniform(low, high), 1) for metric, (low, high) in kind.vitals.items()}
    if story:
        vitals |= {"systolic": 138, "diastolic": 84, "heart-rate": 78}
    who.devices = [Device(identity(seed, "device", n, device), device, vitals) for device in kind.devices]
    who.resources = [_person(who, gender, given, family, n, rng), *_history(seed, who, n, rng, today)]
    return who


def _person(who: Patient, gender: str, given: str, family: str, n: int, rng: random.Random) -> Resource:
    state = "NJ" if n % 9 == 5 else "NY"
    return {
        "resourceType": "Patient",
        "id": who.id,
        "identifier": [
            {
                "type": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0203", "code": "MR"}]},
                "system": "urn:bedside:demo:number",
                "value": f"R{100200 + n * 37}",
            }
        ],
        "active": True,
        "name": [{"use": "official", "family": family, "given": [given]}],
        "telecom": [
            {"system": "phone", "value": who.phone, "use": "mobile"},
            {"system": "email", "value": who.email},
        ],
        "gender": gender,
        "birthDate": who.birth_date.isoformat(),
        "address": [
            {
                "use": "home",
                "line": [f"{rng.randint(2, 240)} {rng.choice(kinds.STREETS)}"],
                "city": "Newark" if state == "NJ" else "New York",
                "state": state,
                "country": CLINIC["country"],
            }
        ],
        "contact": [
            {
                "relationship": [
                    {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0131", "code": "C"}]}
                ],
                "name": {"family": family, "given": ["Luis" if n == 0 else rng.choice(kinds.GIVEN_MALE)]},
                "telecom": [{"system": "phone", "value": f"+1 212 555 {3000 + n:04d}"}],
            }
        ],
        "communication": [
            {
                "language": {"coding": [{"system": "urn:ietf:bcp:47", "code": who.language}]},
                "preferred": True,
            }
        ],
    }


def _coded(code: str, display: str) -> Resource:
    return {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": display}], "text": display}


def _status(system: str, code: str) -> Resource:
    return {"coding": [{"system": f"http://terminology.hl7.org/CodeSystem/{system}", "code": code}]}


def _history(seed: int, who: Patient, n: int, rng: random.Random, today: date) -> list[Resource]:
    subject = {"reference": f"Patient/{who.id}"}
    made: list[Resource] = []

    def add(kind: str, key: object, body: Resource) -> Resource:
        resource = {"resourceType": kind, "id": identity(seed, "patient", n, kind, key), **body}
        made.append(resource)
        return resource

    def instant(days: int) -> str:
        # Whole hours of a working day in UTC, so that no visit falls in the clinic's night.
        day = datetime(today.year, today.month, today.day, 14, tzinfo=UTC) - timedelta(days=days)
        return (day + timedelta(minutes=15 * rng.randint(0, 20))).isoformat().replace("+00:00", "Z")

    onsets: list[date] = []
    for k, problem in enumerate(who.kind.problems):
        # A child's asthma is not older than its third year.
        earliest = who.birth_date + timedelta(days=2 * 365)
        onset = max(earliest, today - timedelta(days=rng.randint(*kinds.ONSETS.get(problem, kinds.CHRONIC))))
        onsets.append(onset)
        add(
            "Condition",
            k,
            {
                "clinicalStatus": _status("condition-clinical", "active"),
                "verificationStatus": _status("condition-ver-status", "confirmed"),
                "category": [_status("condition-category", "problem-list-item")],
                "code": _coded(*problem),
                "subject": subject,
                "onsetDateTime": onset.isoformat(),
            },
        )
    for k, medicine in enumerate(who.kind.medicines):
        concept: Resource = {"text": medicine.name}
        if medicine.rxnorm:
            concept["coding"] = [
                {
                    "system": "http://www.nlm.nih.gov/research/umls/rxnorm",
                    "code": medicine.rxnorm,
                    "display": medicine.name,
                }
            ]
        add(
            "MedicationStatement",
            k,
            {
                "status": "active",
                "medicationCodeableConcept": concept,
                "subject": subject,
                # Nobody takes a medicine before there is what it is for.
                "effectivePeriod": {"start": max(onsets[-1], today - timedelta(days=rng.randint(60, 900))).isoformat()},
                "dosage": [{"text": medicine.instruction}],
            },
        )
    allergy = kinds.ALLERGIES[0] if n == 0 else rng.choice(kinds.ALLERGIES) if rng.random() < 0.45 else None
    none_known = allergy is None and rng.random() < 0.5
    if allergy or none_known:
        substance = allergy or ("716186003", N_("No known allergy"))
        add(
            "AllergyIntolerance",
            0,
            {
                "clinicalStatus": _status("allergyintolerance-clinical", "active"),
                "verificationStatus": _status("allergyintolerance-verification", "confirmed"),
                "code": _coded(*substance),
                "patient": subject,
                **(
                    {
                        "reaction": [
                            {"manifestation": [_coded("271807003", N_("Eruption of skin"))], "severity": "moderate"}
                        ]
                    }
                    if n == 0
                    else {}
                ),
            },
        )
    levels = [(test, rng.uniform(low, high)) for test, low, high in kinds.LABS.get(who.kind.key, ())]
    for k in range(3):
        admitted = k == 0 and who.kind.place == kinds.WARD
        days = rng.randint(1, 5) if admitted else rng.randint(20 + 90 * k, 80 + 90 * k)
        start = instant(days)
        encounter = add(
            "Encounter",
            k,
            {
                "status": "finished",
                "class": {
                    "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode",
                    "code": "AMB" if k or admitted else "VR",
                    "display": "ambulatory" if k or admitted else "virtual",
                },
                "type": [{"text": who.kind.reason if admitted or who.kind.place != kinds.WARD else N_("Follow-up")}],
                "subject": subject,
                "participant": [{"individual": {"reference": f"Practitioner/{identity(seed, 'staff', 'clinician')}"}}],
                "period": {"start": start, "end": start},
            },
        )
        if k and who.kind.key == "pneumonia":
            continue  # what is measured in an acute illness was not measured before it
        for test, level in levels:
            result = _result(test, level * rng.uniform(0.94, 1.06))
            taken = {"subject": subject, "encounter": {"reference": f"Encounter/{encounter['id']}"}}
            add("Observation", f"{k}-{test.loinc}", {**result, **taken, "effectiveDateTime": start})
    return made


def _result(test: Test, level: float) -> Resource:
    """A laboratory result with its range, and a flag where it lies outside."""
    value = round(level, test.digits) if test.digits else round(level)
    flag = "H" if value > test.high else "L" if test.low is not None and value < test.low else None
    measured = {"unit": test.unit, "system": "http://unitsofmeasure.org", "code": test.ucum}
    ends = {"low": test.low, "high": test.high}
    return {
        "meta": {"tag": [{"system": "urn:bedside:arrival", "code": "history"}]},
        "status": "final",
        "category": [_status("observation-category", "laboratory")],
        "code": {
            "coding": [{"system": "http://loinc.org", "code": test.loinc, "display": test.name}],
            "text": test.name,
        },
        "valueQuantity": {"value": value, **measured},
        "referenceRange": [{end: {"value": at, **measured} for end, at in ends.items() if at is not None}],
        **({"interpretation": [_status("v3-ObservationInterpretation", flag)]} if flag else {}),
    }
