"""Who may see what: relations, scopes, tenants; what other rooms govern; history that stays."""

import re
from datetime import date
from typing import Any

import asyncpg
import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.access.testing import acting, client, someone
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from bedside.records.service import registry

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def _composition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_governed", {})


STAMP = re.compile(r"20\d\d-[^\"]+|[0-9a-f]{8}-[0-9a-f-]{27}")
"""What differs from one answer to the next: its moment and its id."""


async def seed(ctx: Ctx) -> None:
    async with access.work(ctx, "seed") as inner:
        for one in ("ada", "ben"):
            await records.create(inner, patient(one))
            await records.create(inner, {**pulse(one), "id": f"pulse-{one}"})
        await records.create(inner, {"resourceType": "Organization", "id": "org", "name": "Clinic"})


async def test_a_clinician_sees_those_in_their_care(ctx: Ctx, door: Door) -> None:
    await seed(ctx)
    doctor = await someone(ctx, "clinician")
    async with access.work(ctx, "relate") as inner:
        await access.relate(inner, person=doctor.id, patient="ada", kind="care", source="test")
    async with door(acting(ctx, doctor)) as http:
        assert (await http.get("/Patient/ada")).status_code == 200
        assert (await http.get("/Observation/pulse-ada")).status_code == 200
        assert (await http.get("/Organization/org")).status_code == 200
        for path in (
            "/Patient/ben",
            "/Observation/pulse-ben",
            "/Observation/pulse-ben/_history",
            "/Observation/pulse-ben/_history/1",
            "/Observation?patient=ben",
            "/Patient?_id=ben",
        ):
            answer = await http.get(path)
            assert answer.status_code == 403, path
            assert answer.json()["issue"][0]["code"] == "forbidden"
        for path in (
            "/Patient",
            "/Patient?name=quist",
            "/Observation",
            "/Observation?code=8867-4",
            "/Observation?_sort=date",
        ):
            found = (await http.get(path)).json()
            assert {e["resource"]["id"].removeprefix("pulse-") for e in found["entry"]} == {"ada"}, path
        assert (await http.get("/Observation?_summary=count")).json()["total"] == 1
        history = (await http.get("/_history")).json()
        assert {e["resource"]["id"] for e in history["entry"]} == {"ada", "pulse-ada", "org"}
        included = (await http.get("/Organization?_id=org&_revinclude=Patient:organization")).json()
        assert len(included["entry"]) == 1
        assert (await http.post("/Observation", json=pulse("ben"))).status_code == 403
        assert (await http.put("/Observation/pulse-ada", json={**pulse("ben"), "id": "pulse-ada"})).status_code == 403
        assert (await http.delete("/Observation/pulse-ben")).status_code == 403


async def test_no_answer_tells_which_ids_there_are(ctx: Ctx, door: Door) -> None:
    """What stands in somebody else's record and what stands nowhere are answered alike, to everybody, every way."""
    records.govern(records.Governed("Observation", "elsewhere", lambda one: "note" in one, "Ask elsewhere."))
    await seed(ctx)
    async with access.work(ctx, "seed") as inner:
        await records.write_governed(
            inner, {**pulse("ben"), "id": "kept-ben", "note": [{"text": "ours"}]}, room="elsewhere"
        )
        await records.update(inner, {**pulse("ben"), "id": "gone-ben"})
        await records.delete(inner, "Observation", "gone-ben")
    people = [await someone(ctx, role) for role in ("nurse", "clinician", "pharmacist", "administrator")]
    people.append(await someone(ctx, "patient", patient="ada"))
    ways: list[tuple[str, str, dict[str, Any] | None]] = [
        ("GET", "/Observation/{}", None),
        ("HEAD", "/Observation/{}", None),
        ("GET", "/Observation/{}/_history", None),
        ("GET", "/Observation/{}/_history/1", None),
        ("GET", "/Observation/{}/_history/7", None),
        ("GET", "/Observation?_id={}", None),
        ("DELETE", "/Observation/{}", None),
    ]
    for person in people:
        async with door(acting(ctx, person)) as http:
            for method, path, body in ways:
                told = set()
                for id_ in ("pulse-ben", "kept-ben", "gone-ben", "none-such"):
                    answer = await http.request(method, path.format(id_), json=body)
                    told.add((answer.status_code, STAMP.sub("", answer.text.replace(id_, "?"))))
                assert len(told) == 1, (person.roles, method, path, told)
            for path in ("/Patient/{}", "/Patient/{}/_history", "/Patient?_id={}", "/Observation?patient={}"):
                told = set()
                for id_ in ("ben", "none-such"):
                    answer = await http.get(path.format(id_))
                    told.add((answer.status_code, STAMP.sub("", answer.text.replace(id_, "?"))))
                assert len(told) == 1, (person.roles, path, told)
            assert (await http.put("/Observation/kept-ben", json={**pulse("ben"), "id": "kept-ben"})).status_code == 403
    async with access.work(ctx, "look") as inner:
        looked = await access.who_looked(inner, "ben", limit=200)
    assert {line.outcome for line in looked if line.actor in {person.id for person in people}} == {"refused"}


async def test_a_client_keeps_to_its_scopes(ctx: Ctx, door: Door) -> None:
    await seed(ctx)
    async with door(client(ctx, "system/Observation.rs")) as http:
        assert (await http.get("/Observation?patient=ada")).json()["total"] == 1
        assert (await http.get("/Observation")).json()["total"] == 2
        assert (await http.get("/Patient/ada")).status_code == 403
        assert (await http.get("/Patient")).status_code == 403
        assert (await http.get("/Patient/nobody")).status_code == 403
        assert (await http.post("/Observation", json=pulse("ada"))).status_code == 403
        included = (await http.get("/Observation?_include=Observation:patient")).json()
        assert {e["resource"]["resourceType"] for e in included["entry"]} == {"Observation"}
    async with door(client(ctx, "system/*.cruds")) as http:
        assert (await http.post("/Observation", json=pulse("ada"))).status_code == 201
        assert (await http.get("/_history")).status_code == 200


async def test_what_is_read_is_audited(ctx: Ctx, door: Door) -> None:
    await seed(ctx)
    async with door(client(ctx, "system/*.cruds")) as http:
        await http.get("/Observation?code=8867-4")
        await http.get("/Patient/ben")
    async with access.work(ctx, "look") as inner:
        lines = await access.who_looked(inner, "ben")
        assert [line.action for line in lines[:2]] == ["read Patient", "searched Observation"]
        page = await records.search(inner, "AuditEvent", {"patient": "ben", "_count": "2"})
    assert [e["subtype"][0]["display"] for e in page.entries] == ["read Patient", "searched Observation"]
    assert page.next is not None


async def test_tenants_never_meet(ctx: Ctx, door: Door) -> None:
    await seed(ctx)
    other = ctx.with_(tenant=2)
    async with door(other) as http:
        for path in ("/Patient/ada", "/Observation/pulse-ada/_history", "/Patient/ada/_history/1"):
            assert (await http.get(path)).status_code == 404, path
        for path in (
            "/Patient",
            "/Observation?patient=ada",
            "/Observation?code=8867-4",
            "/Patient?name=quist",
            "/_history",
        ):
            assert (await http.get(path)).json().get("entry", []) == [], path
        mine = await http.put("/Patient/ada", json=patient("ada", gender="male"))
        assert mine.status_code == 201
        assert (await http.get("/Patient?_id=ada&_revinclude=Observation:patient")).json()["total"] == 1
        assert len((await http.get("/Patient?_id=ada&_revinclude=Observation:patient")).json()["entry"]) == 1
        assert (await http.get("/Patient?_has:Observation:patient:code=8867-4")).json()["total"] == 0
        assert (await http.get("/_history?_count=10")).json()["entry"][0]["resource"]["gender"] == "male"
    async with access.work(ctx, "look") as inner:
        assert "gender" not in await records.read(inner, "Patient", "ada")
        assert [row.id for row in await records.find_patients(inner, "quist")] == ["ada", "ben"]


def signed(resource: dict[str, Any]) -> bool:
    return bool(resource.get("docStatus") == "final")


async def test_what_a_room_governs(ctx: Ctx, http: httpx.AsyncClient) -> None:
    await seed(ctx)
    records.govern(records.Governed("DocumentReference", "visits", signed, "Amend the note in the visit."))
    note: dict[str, Any] = {
        "resourceType": "DocumentReference",
        "id": "note",
        "status": "current",
        "docStatus": "final",
        "subject": {"reference": "Patient/ada"},
        "content": [{"attachment": {"contentType": "text/plain", "data": "aGk="}}],
    }
    assert (await http.post("/DocumentReference", json=note)).status_code == 409
    async with access.work(ctx, "sign") as inner:
        with pytest.raises(Conflict):
            await records.create(inner, note)
        await records.write_governed(inner, note, room="visits")
    draft = {**note, "docStatus": "preliminary"}
    in_bundle = {"request": {"method": "PUT", "url": "DocumentReference/note"}, "resource": draft}
    for answer in (
        await http.put("/DocumentReference/note", json=draft),
        await http.delete("/DocumentReference/note"),
        await http.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": [in_bundle]}),
    ):
        assert answer.status_code == 409
        assert "Amend the note in the visit." in answer.json()["issue"][0]["diagnostics"]
    assert (await http.get("/DocumentReference/note")).json()["docStatus"] == "final"
    assert (await http.post("/DocumentReference", json={**draft, "id": "x"})).status_code == 201
    assert (await http.put("/AuditEvent/1", json={"resourceType": "AuditEvent", "id": "1"})).status_code in (409, 422)


async def test_history_cannot_be_rewritten(ctx: Ctx) -> None:
    await seed(ctx)
    async with access.work(ctx, "change") as inner:
        await records.update(inner, patient("ada", gender="female"))
    for statement in ("delete from records.history", "update records.history set version = 9"):
        with pytest.raises(asyncpg.RestrictViolationError):
            async with ctx.database.transaction() as sql:
                await sql.execute(statement)


async def test_a_consent_is_a_grant(ctx: Ctx) -> None:
    await seed(ctx)
    son = await someone(ctx, "caregiver")
    consent: dict[str, Any] = {
        "resourceType": "Consent",
        "id": "c",
        "status": "active",
        "scope": {
            "coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]
        },
        "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
        "patient": {"reference": "Patient/ada"},
        "policyRule": {"text": "Family may look."},
        "provision": {
            "type": "permit",
            "actor": [
                {
                    "role": {
                        "coding": [
                            {"system": "http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "code": "PRCP"}
                        ]
                    },
                    "reference": {"reference": f"RelatedPerson/{son.id}"},
                }
            ],
            "action": [
                {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentaction", "code": "access"}]}
            ],
        },
    }
    as_son = acting(ctx, son)
    with pytest.raises(Forbidden):
        async with access.work(as_son, "look") as inner:
            await records.read(inner, "Patient", "ada")
    async with access.work(ctx, "consent") as inner:
        await records.create(inner, consent)
    async with access.work(as_son, "look") as inner:
        assert (await records.read(inner, "Patient", "ada"))["id"] == "ada"
        assert [row.id for row in await records.find_patients(inner, "quist")] == ["ada"]
    async with access.work(ctx, "revoke") as inner:
        await records.update(inner, {**consent, "status": "inactive"})
    with pytest.raises(Forbidden):
        async with access.work(as_son, "look") as inner:
            await records.read(inner, "Patient", "ada")


async def test_find_patients(ctx: Ctx) -> None:
    people = [
        ("a", "Núñez García", ["José", "María"], "1974-12-05", "MRN-100"),
        ("b", "O'Brien", ["Siobhán"], "1980-02-29", "MRN-200"),
        ("c", "Nunez", ["Ana"], "1974-12-05", "300"),
    ]
    async with access.work(ctx, "seed") as inner:
        for id_, family, given, born, number in people:
            names = [{"family": family, "given": given}]
            identifiers = [{"system": "urn:mrn", "value": number}]
            await records.create(inner, patient(id_, name=names, birthDate=born, identifier=identifiers))
        for text, expected in {
            "nunez": ["c", "a"],
            "JOSE nuñez": ["a"],
            "garcia": ["a"],
            "siob": ["b"],
            "obrien": ["b"],
            "5.12.1974": ["c", "a"],
            "1974-12-05 jose": ["a"],
            "12/05/1974": ["c", "a"],
            "19800229": ["b"],
            "MRN-200": ["b"],
            "300": ["c"],
            "zz": [],
            "  ": [],
            "31.02.1974": [],
        }.items():
            assert [row.id for row in await records.find_patients(inner, text)] == expected, text
        [row] = await records.find_patients(inner, "siobhan")
        assert (row.name, str(row.birth_date), row.number) == ("Siobhán O'Brien", "1980-02-29", "MRN-200")
    with pytest.raises(NotFound):
        async with access.work(ctx, "read") as inner:
            await records.read(inner, "Nonsense", "1")


WRITTEN = (
    (
        "a",
        "Müller",
        "Jörg",
        ("Müller", "MÜLL", "Mu\u0308ller", "Mueller", "Muel", "Muller", "joerg mueller", "Jorg Muller"),
    ),
    ("b", "MUELLER", "Eva", ("Müller", "Mueller", "muller", "eva mu\u0308ller")),
    ("c", "Weiß", "Søren", ("Weiß", "weiss", "WEISS", "Søren", "Soeren", "soren")),
    ("d", "Oester", "Åse", ("Øster", "Oester", "øster aase", "Åse", "aase", "ase", "Åse Oester")),
    ("e", "Joe-Strasse", "Michael", ("joe", "Straße", "strasse", "michael")),
)
"""Who is registered how, and what they must be found by."""


async def test_a_name_is_found_however_its_letters_are_written(ctx: Ctx) -> None:
    async with access.work(ctx, "seed") as inner:
        for id_, family, given, _ in WRITTEN:
            await records.create(inner, patient(id_, name=[{"family": family, "given": [given]}]))
        await records.create(inner, patient("f", name=[{"family": "Murphy", "given": ["John"]}]))
        for id_, _, _, texts in WRITTEN:
            for text in texts:
                found = {row.id for row in await records.find_patients(inner, text)}
                assert id_ in found, text
                assert "f" not in found, text
        # The beginning of Jörg spelt out, and not of John.
        assert [row.id for row in await records.find_patients(inner, "Joe")] == ["e", "a"]
        # A search of FHIR is blind to case and accents, and to nothing else.
        by = {
            text: {one["id"] for one in (await records.search(inner, "Patient", {"family": text})).entries}
            for text in ("MULLER", "müller", "mueller")
        }
        assert by == {"MULLER": {"a"}, "müller": {"a"}, "mueller": {"b"}}


async def test_what_names_no_patient(ctx: Ctx, door: Door) -> None:
    """A Device in use is its patient's; a document without its subject is for those who care, not for everybody."""
    await seed(ctx)
    loose: dict[str, Any] = {"resourceType": "Binary", "id": "scan", "contentType": "text/plain", "data": "aGk="}
    device = {"resourceType": "Device", "id": "cuff", "patient": {"reference": "Patient/ben"}}
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, loose)
        await records.create(inner, device)
    ada = await someone(ctx, "patient", patient="ada")
    manager, nurse = await someone(ctx, "administrator"), await someone(ctx, "nurse")
    for person, status in ((ada, 403), (manager, 403), (nurse, 200)):
        async with door(acting(ctx, person)) as http:
            assert (await http.get("/Binary/scan")).status_code == status, person.roles
            found = (await http.get("/Binary")).json()
            assert len(found.get("entry", ())) == (status == 200)
            history = (await http.get("/_history")).json()
            seen = {e["resource"]["id"] for e in history["entry"]}
            assert ("scan" in seen) == (status == 200)
            assert not seen & {"cuff", "ben", "pulse-ben"}
            assert (await http.get("/Device/cuff")).status_code == 403
            assert (await http.get("/Organization/org")).status_code == 200


async def test_in_the_whole_clinic_nobody_is_found_by_one_letter(ctx: Ctx) -> None:
    async with access.work(ctx, "seed") as inner:
        for id_, family in (("a", "Olsen"), ("b", "Öberg")):
            await records.create(inner, patient(id_, name=[{"family": family}], birthDate="1960-05-06"))
    async with access.work(acting(ctx, await someone(ctx, "nurse")), "looked") as inner:
        for name, ids in (("ö", ["b"]), ("oe", ["b"]), ("öb", ["b"]), ("ol", ["a"])):
            assert [one.id for one in await records.look_up(inner, name=name, born=date(1960, 5, 6))] == ids, name
        with pytest.raises(Invalid):
            await records.look_up(inner, name="o", born=date(1960, 5, 6))
