"""Search beyond single parameters: compartments, lists, includes, texts, orders over all sources, and who sees what."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.access.testing import acting, client, someone
from bedside.fhir import grammar
from bedside.fhir.grammar import Filter
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.records.store import searching as store

pytestmark = pytest.mark.engine

LOINC = "http://loinc.org"
Get = Callable[[str], Awaitable[set[str]]]


def pressure(of: str, systolic: int, diastolic: int) -> dict[str, Any]:
    def part(code: str, value: int) -> dict[str, Any]:
        quantity = {"value": value, "unit": "mmHg", "system": "http://unitsofmeasure.org", "code": "mm[Hg]"}
        return {"code": {"coding": [{"system": LOINC, "code": code}]}, "valueQuantity": quantity}

    made = {**pulse(of, code="85354-9"), "component": [part("8480-6", systolic), part("8462-4", diastolic)]}
    del made["valueQuantity"]
    return made


def seed() -> list[dict[str, Any]]:
    """Of ada, whom the doctor knows, and of ben, whom she does not."""
    made: list[dict[str, Any]] = [
        {"resourceType": "Organization", "id": "house", "name": "House"},
        {"resourceType": "Organization", "id": "ward", "name": "Ward", "partOf": {"reference": "Organization/house"}},
        {"resourceType": "Practitioner", "id": "doc", "name": [{"family": "Doc"}]},
        {
            "resourceType": "Questionnaire",
            "id": "form",
            "status": "active",
            "url": "http://x.org/form",
            "title": "Form",
        },
    ]
    for one, name, ward in (("ada", "Able", "ward"), ("ben", "Baker", "house")):
        subject = {"reference": f"Patient/{one}"}
        made += [
            patient(
                one,
                name=[{"family": name}],
                managingOrganization={"reference": f"Organization/{ward}"},
                generalPractitioner=[{"reference": "Practitioner/doc"}],
            ),
            {**pulse(one), "id": f"pulse-{one}", "performer": [{"reference": "Practitioner/doc"}]},
            {**pressure(one, 150, 90), "id": f"high-{one}"},
            {**pressure(one, 120, 150), "id": f"odd-{one}"},
            {
                "resourceType": "Condition",
                "id": f"ill-{one}",
                "subject": subject,
                "code": {"coding": [{"system": "urn:x", "code": "z", "display": "Häm"}], "text": "Heart failure"},
                "text": {
                    "status": "generated",
                    "div": '<div xmlns="http://www.w3.org/1999/xhtml">Tired <b>since</b> the Résumé</div>',
                },
            },
            {
                "resourceType": "QuestionnaireResponse",
                "id": f"said-{one}",
                "status": "completed",
                "questionnaire": "http://x.org/form|2",
                "subject": subject,
            },
            {"resourceType": "Encounter", "id": f"visit-{one}", "status": "finished", "subject": subject, "class": {
                "system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}},
            {
                "resourceType": "Procedure",
                "id": f"done-{one}",
                "status": "completed",
                "subject": subject,
                "encounter": {"reference": f"Encounter/visit-{one}"},
            },
        ]  # fmt: skip
    both = [{"item": {"reference": f"{type_}"}} for type_ in ("Patient/ada", "Patient/ben", "Condition/ill-ada")]
    gone = [{"item": {"reference": "Condition/ill-ben"}, "deleted": True}]
    items = {"status": "current", "mode": "changes", "entry": [*both, *gone]}
    made.append({"resourceType": "List", "id": "mine", "subject": {"reference": "Patient/ada"}, **items})
    return made


@pytest.fixture
async def seeded(ctx: Ctx) -> None:
    async with access.work(ctx, "seed") as inner:
        entries = [
            {"resource": one, "request": {"method": "PUT", "url": f"{one['resourceType']}/{one['id']}"}}
            for one in seed()
        ]
        await records.transact(inner, {"resourceType": "Bundle", "type": "transaction", "entry": entries})


async def found(http: httpx.AsyncClient, url: str) -> set[str]:
    """The ids of every page, a `+` before what was included."""
    ids: set[str] = set()
    while url:
        answer = await http.get(url)
        assert answer.status_code == 200, (url, answer.text)
        page = answer.json()
        for entry in page.get("entry", ()):
            ids.add(("+" if entry["search"]["mode"] == "include" else "") + entry["resource"]["id"])
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    return ids


FINDS: list[tuple[str, set[str]]] = [
    # composites: what stands in one part, not anywhere in the resource
    ("/Observation?component-code-value-quantity=8480-6$gt140", {"high-ada", "high-ben"}),
    (f"/Observation?patient=ada&component-code-value-quantity={LOINC}|8462-4$gt140", {"odd-ada"}),
    ("/Observation?combo-code-value-quantity=8462-4$gt140,8867-4$72", {"odd-ada", "odd-ben", "pulse-ada", "pulse-ben"}),
    ("/Observation?code-value-quantity=8867-4$lt73||/min&patient=ben", {"pulse-ben"}),
    ("/Observation?code-value-quantity=8867-4$gt73", set()),
    ("/Patient?_has:Observation:patient:component-code-value-quantity=8480-6$150", {"ada", "ben"}),
    ("/Observation?component-code-value-quantity:missing=false", {"high-ada", "high-ben", "odd-ada", "odd-ben"}),
    # texts beside codes, and in the whole
    ("/Condition?code:text=heart", {"ill-ada", "ill-ben"}),
    ("/Condition?code:text=ham,zz&subject=Patient/ada", {"ill-ada"}),
    ("/Condition?code:text=failure", set()),
    ("/Condition?_text=resume tired", {"ill-ada", "ill-ben"}),
    ("/Condition?_text=failure", set()),
    ("/Condition?_content=failure&subject=Patient/ben", {"ill-ben"}),
    # by meaning
    (
        "/Encounter?class:below=http://terminology.hl7.org/CodeSystem/v3-ActCode|_ActEncounterCode&patient=ada",
        {"visit-ada"},
    ),
    ("/Encounter?class:in=http://terminology.hl7.org/ValueSet/v3-ActEncounterCode&patient=ada", {"visit-ada"}),
    ("/Encounter?status:not-in=http://hl7.org/fhir/ValueSet/encounter-status", set()),
    ("/Patient?organization:below=house", {"ada", "ben"}),
    ("/Patient?organization:below=Organization/ward", {"ada"}),
    ("/Patient?organization:above=ward", {"ada", "ben"}),
    # chains, both ways, through canonical URLs too
    ("/Procedure?encounter.subject:Patient.organization.name=ward", {"done-ada"}),
    ("/Organization?_has:Patient:organization:_has:Procedure:patient:status=completed", {"house", "ward"}),
    ("/QuestionnaireResponse?questionnaire.title=form&patient=ada", {"said-ada"}),
    ("/Questionnaire?_has:QuestionnaireResponse:questionnaire:patient=ada", {"form"}),
    # compartments
    ("/Patient/ada/Observation", {"pulse-ada", "high-ada", "odd-ada"}),
    ("/Patient/ada/Observation?code=8867-4&_sort=-date", {"pulse-ada"}),
    ("/Patient/ada/*?_type=Condition,Procedure", {"ill-ada", "done-ada"}),
    ("/Encounter/visit-ben/Procedure", {"done-ben"}),
    ("/Practitioner/doc/Observation", {"pulse-ada", "pulse-ben"}),
    ("/Patient/ada/Patient", {"ada"}),
    ("/Device/none/Observation", set()),
    # lists: what was taken off them is not on them
    ("/Patient?_list=mine", {"ada", "ben"}),
    ("/Condition?_list=mine", {"ill-ada"}),
    # across types
    ("/?_type=Condition,Encounter&patient=ada", {"ill-ada", "visit-ada"}),
    ("/?_id=doc", {"doc"}),
    # by a filter
    ('/Patient?_filter=family eq "Able"', {"ada"}),
    ('/Patient?_filter=family sw "ab" or (family co "ake" and not (organization.name eq "Ward"))', {"ada", "ben"}),
    ("/Observation?_filter=code eq http://loinc.org|8867-4 and patient re Patient/ada", {"pulse-ada"}),
    ("/Observation?_filter=value-quantity gt 71.5 and value-quantity lt 73&_sort=-code", {"pulse-ada", "pulse-ben"}),
    (
        "/Observation?_filter=date po 2026-01 and code ne 8867-4 and component-code pr true and patient.family eq Able",
        {"high-ada", "odd-ada"},
    ),
    ("/Patient?_filter=family pr false", set()),
    # includes
    (
        "/Condition?_id=ill-ada&_include=Condition:subject&_include:iterate=Patient:organization",
        {"ill-ada", "+ada", "+ward"},
    ),
    ("/Procedure?_id=done-ada&_include=*", {"done-ada", "+ada", "+visit-ada"}),
    ("/Procedure?_id=done-ada&_include=Procedure:*:Encounter", {"done-ada", "+visit-ada"}),
    (
        "/Organization?_id=house&_revinclude:iterate=Organization:partof&_revinclude:iterate=Patient:organization",
        {"house", "+ward", "+ada", "+ben"},
    ),
    ("/Encounter?_id=visit-ada&_revinclude=*", {"visit-ada", "+done-ada"}),
    ("/QuestionnaireResponse?_id=said-ada&_include=QuestionnaireResponse:questionnaire", {"said-ada", "+form"}),
    ("/Questionnaire?_id=form&_revinclude=QuestionnaireResponse:questionnaire", {"form", "+said-ada", "+said-ben"}),
]


@pytest.mark.usefixtures("seeded")
async def test_finds(http: httpx.AsyncClient) -> None:
    for url, expected in FINDS:
        assert await found(http, url) == expected, url
        if "_include" not in url and "_revinclude" not in url:
            count = (await http.get(f"{url}{'&' if '?' in url else '?'}_summary=count")).json()["total"]
            assert count == len(expected), url


CANNOT: list[tuple[str, str]] = [
    ("/Observation?code:in=http://x.org/nowhere", "code:in"),
    ("/Observation?code:below=8867-4", "code:below"),
    ("/Observation?subject:below=Patient/ada", "subject:below"),
    ("/Patient?_list=nowhere", "_list"),
    ("/Patient/ada/Organization", "Organization"),
    ("/Patient/ada/*?_type=Organization", "_type"),
    ("/Location?near=1|2", "near"),
    ("/Observation?_sort=code-value-quantity", "_sort"),
]


@pytest.mark.usefixtures("seeded")
async def test_names_what_it_cannot(http: httpx.AsyncClient) -> None:
    for url, where in CANNOT:
        answer = await http.get(url)
        assert answer.status_code == 400, url
        assert answer.json()["issue"][0]["expression"] == [where], url


@pytest.mark.usefixtures("seeded")
async def test_an_own_value_set(http: httpx.AsyncClient) -> None:
    other = {"resourceType": "ValueSet", "id": "inner", "status": "active", "url": "http://x.org/inner"}
    concepts = [{"code": "z"}]
    await http.put(
        "/ValueSet/inner", json={**other, "compose": {"include": [{"system": "urn:x", "concept": concepts}]}}
    )
    outer = {"resourceType": "ValueSet", "id": "outer", "status": "active", "url": "http://x.org/outer"}
    await http.put("/ValueSet/outer", json={**outer, "compose": {"include": [{"valueSet": ["http://x.org/inner"]}]}})
    for url in ("http://x.org/outer", "http://x.org/outer|3", "ValueSet/inner"):
        assert await found(http, f"/Condition?code:in={url}&subject=Patient/ada") == {"ill-ada"}
    assert await found(http, "/Condition?code:not-in=http://x.org/outer") == set()


@pytest.mark.usefixtures("seeded")
async def test_one_order_over_types(http: httpx.AsyncClient, clock: TurnableClock) -> None:
    clock.turn(timedelta(seconds=1))
    await http.put("/Condition/ill-ada", json={**next(o for o in seed() if o["id"] == "ill-ada"), "language": "en"})
    listed: list[str] = []
    url = "/?_type=Patient,Condition,Encounter&_sort=-_lastUpdated,_id&_count=2"
    while url:
        page = (await http.get(url)).json()
        listed += [entry["resource"]["id"] for entry in page["entry"]]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    assert listed == ["ill-ada", "ada", "ben", "ill-ben", "visit-ada", "visit-ben"]
    page = (await http.get("/?_type=Patient,Condition&_sort=_id&_total=estimate&_count=1")).json()
    assert page["total"] == 4
    assert "total" not in (await http.get("/Patient?_total=none")).json()


@pytest.mark.usefixtures("seeded")
async def test_form_in_a_compartment(http: httpx.AsyncClient) -> None:
    form = {"content-type": "application/x-www-form-urlencoded"}
    answer = await http.post("/Patient/ada/Observation/_search", content="code=8867-4", headers=form)
    assert [entry["resource"]["id"] for entry in answer.json()["entry"]] == ["pulse-ada"]
    assert (await http.post("/Patient/ada/Observation", json={})).status_code == 405


@pytest.mark.usefixtures("seeded")
async def test_pages_stay_while_data_changes(http: httpx.AsyncClient) -> None:
    first = (await http.get("/Observation?_sort=status,code&_count=3")).json()
    seen = [entry["resource"]["id"] for entry in first["entry"]]
    await http.put("/Observation/pulse-new", json={**pulse("ada"), "id": "pulse-new", "status": "amended"})
    await http.delete(f"/Observation/{seen[0]}")
    rest = (await http.get(first["link"][-1]["url"])).json()
    seen += [entry["resource"]["id"] for entry in rest["entry"]]
    assert sorted(seen) == sorted(one["id"] for one in seed() if one["resourceType"] == "Observation")


DAYS = {
    "day-1": {"effectiveDateTime": "2025-03-01"},
    "day-2": {"effectiveDateTime": "2025-03-02T09:00:00Z"},
    "week": {"effectivePeriod": {"start": "2025-03-01", "end": "2025-03-07"}},
    "open": {"effectivePeriod": {"start": "2025-03-04"}},
    "day-5": {"effectiveInstant": "2025-03-05T10:00:00Z"},
    "course": {
        "effectiveTiming": {
            "event": ["2025-03-06", "2025-03-08"],
            "repeat": {"boundsPeriod": {"start": "2025-03-05", "end": "2025-03-09"}},
        }
    },
    "undated": {},
}


@pytest.mark.parametrize(
    ("query", "driver"),
    [
        ("date=ge2025-03-02", "date"),
        ("date=ge2025-03-02&date=le2025-03-05", "date"),
        ("date=ge2025-03-02&category=vital-signs&status=final", "date"),
        ("date=ge2025-03-02&encounter=Encounter/1", "encounter"),  # so few have the same: no walk past all others
        ("date=ge2025-03-02&device=Device/1&status=final", "device"),
        ("date=ge2025-03-02&code=8867-4", "code"),
        ("date=ge2025-03-02&patient=Patient/ada", "patient"),
        ("status=final", "status"),
    ],
)
def test_where_the_walk_starts(query: str, driver: str) -> None:
    parsed = grammar.parse("Observation", query)
    chosen = store.plan(store.Search("Observation", parsed.filters, parsed.sort, 21)).driver
    assert isinstance(chosen, Filter)
    assert chosen.parameter.code == driver


@pytest.mark.parametrize(
    ("query", "newest_first"),
    [
        ("date=ge2025-03-02", ["course", "day-5", "open", "day-2", "week"]),
        ("date=gt2025-03-02", ["course", "day-5", "open", "week"]),
        ("date=le2025-03-04", ["day-2", "week", "day-1"]),
        ("date=lt2025-03-04", ["day-2", "week", "day-1"]),
        ("date=eb2025-03-08", ["day-5", "day-2", "week", "day-1"]),
        ("date=sa2025-03-04", ["course", "day-5"]),
        ("date=2025-03-02", ["day-2"]),
        ("date=ap2025-03-08", ["course", "open"]),
        ("date=ge2025-03-02&date=le2025-03-05", ["day-5", "open", "day-2", "week"]),
        ("date=ge2025-03-02&status=final", ["course", "day-5", "open", "day-2", "week"]),
        ("date=ge2025-03-02&status=amended", []),
    ],
)
@pytest.mark.parametrize("sort", ["", "&_sort=-date", "&_sort=date"])
async def test_by_date_over_everybody(http: httpx.AsyncClient, query: str, newest_first: list[str], sort: str) -> None:
    for n, (id_, when) in enumerate(DAYS.items()):
        made = {**pulse(("ada", "ben")[n % 2]), **when, "id": id_}
        if "effectiveDateTime" not in when:
            del made["effectiveDateTime"]
        assert (await http.put(f"/Observation/{id_}", json=made)).status_code == 201
    listed: list[str] = []
    url = f"/Observation?{query}{sort}&_count=2"
    while url:
        page = (await http.get(url)).json()
        listed += [entry["resource"]["id"] for entry in page.get("entry", ())]
        url = next((link["url"] for link in page["link"] if link["relation"] == "next"), "")
    if sort == "&_sort=date":
        listed.reverse()
    # Of one moment, which comes first is nobody's promise.
    same = {"week": "day-1", "course": "day-5"}
    assert sorted(listed) == sorted(newest_first)
    order = [one for one in newest_first if one not in same]
    assert [one for one in listed if one not in same] == order


@pytest.mark.usefixtures("seeded")
async def test_nobody_else_is_seen(ctx: Ctx, door: Door) -> None:
    """The doctor of ada: no way of a search tells her anything of ben."""
    doctor = await someone(ctx, "clinician")
    async with access.work(ctx, "relate") as inner:
        await access.relate(inner, person=doctor.id, patient="ada", kind="care", source="test")
    async with door(acting(ctx, doctor)) as http:
        for url, expected in {
            "/Organization?_has:Patient:organization:name=baker": set(),
            "/Organization?_has:Patient:organization:name=able": {"ward"},
            "/Organization?_has:Patient:organization:name:missing=false": {"ward"},
            "/Practitioner?_has:Observation:performer:patient=ben": set(),
            "/Practitioner?_has:Patient:general-practitioner:_id=ben": set(),
            "/Questionnaire?_has:QuestionnaireResponse:questionnaire:subject:Patient.name=baker": set(),
            "/Questionnaire?_id=form&_revinclude=QuestionnaireResponse:questionnaire": {"form", "+said-ada"},
            "/Organization?_revinclude=Patient:organization": {"house", "ward", "+ada"},
            "/Organization?_revinclude=*": {"house", "ward", "+ada"},
            "/Practitioner?_revinclude:iterate=Patient:general-practitioner&_revinclude:iterate=Condition:subject": {
                "doc", "+ada", "+ill-ada",
            },
            "/Practitioner/doc/Observation": {"pulse-ada"},
            "/Practitioner/doc/*?_type=Observation,Patient": {"pulse-ada", "ada"},
            "/Patient?_list=mine": {"ada"},
            "/Patient?_filter=_id eq ben or family eq Able": {"ada"},
            "/Observation?_filter=patient eq Patient/ben and code eq 8867-4": set(),
            "/Organization?_filter=partof pr true and not (_id eq house)": {"ward"},
            "/?_type=Condition,Encounter": {"ill-ada", "visit-ada"},
            "/?_type=Condition,Encounter&_sort=-_lastUpdated": {"ill-ada", "visit-ada"},
            "/Condition?code:text=heart": {"ill-ada"},
            "/Condition?_content=failure": {"ill-ada"},
            "/Observation?combo-code-value-quantity=8480-6$gt1&_sort=code": {"high-ada", "odd-ada"},
            "/?_lastUpdated=gt2000": {
                *(o["id"] for o in seed() if not o["id"].endswith("ben") and o["resourceType"] != "List"), "mine",
            },
        }.items():  # fmt: skip
            assert await found(http, url) == expected, url
        for url in (
            *("/Patient/ben/Observation", "/Patient/ben/*", "/Observation?patient=ben&code:text=x"),
            "/Patient/ben/Condition/_search",
        ):
            answer = await (http.post(url) if "_search" in url else http.get(url))
            assert answer.status_code == 403, url


@pytest.mark.usefixtures("seeded")
async def test_a_client_keeps_to_its_scopes(ctx: Ctx, door: Door) -> None:
    async with door(client(ctx, "system/Organization.rs", "system/Observation.rs")) as http:
        # The way leads through Patients, of whom it may read nothing: said, not answered with nothing.
        for url in (
            "/Organization?_has:Patient:organization:name=able",
            "/Observation?subject:Patient.name=able",
            "/Observation?patient.organization.name=ward",
            "/Patient/ada/Condition",
            "/Organization?_list=mine",
            "/?_type=Observation,Condition",
        ):
            assert (await http.get(url)).status_code == 403, url
        assert await found(http, "/Organization?_id=ward&_revinclude=Patient:organization") == {"ward"}
        assert await found(http, "/Observation?_id=pulse-ada&_include=*") == {"pulse-ada"}
        # Where no type was named, those that it may read are searched.
        assert await found(http, "/?_id=pulse-ada,ward,ada") == {"pulse-ada", "ward"}
        assert await found(http, "/Patient/ada/*") == {"pulse-ada", "high-ada", "odd-ada"}


async def test_what_cannot_be_listed_is_left_out_under_lenient_handling(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    await http.put("/Observation/o", json={**pulse("ada"), "id": "o"})
    lenient = {"prefer": "handling=lenient"}
    for asked in ("code:in=http://nowhere.org/set", "code:below=http://nowhere.org/system|x", "_list=nowhere"):
        assert (await http.get(f"/Observation?patient=ada&{asked}")).status_code == 400, asked
        page = (await http.get(f"/Observation?patient=ada&{asked}", headers=lenient)).json()
        told = [one["resource"] for one in page["entry"] if one["search"]["mode"] == "outcome"]
        assert [one["resource"]["id"] for one in page["entry"] if one["search"]["mode"] == "match"] == ["o"]
        assert [issue["severity"] for issue in told[0]["issue"]] == ["warning"]
        name = asked.partition("=")[0]
        assert told[0]["issue"][0]["expression"] == [name]
        both = (await http.get(f"/Observation?code=8310-5&{asked}", headers=lenient)).json()
        assert both["total"] == 0, "the rest of the search still narrows"
    good = "code:in=http://hl7.org/fhir/ValueSet/observation-vitalsignresult"
    page = (await http.get(f"/Observation?patient=ada&{good}", headers=lenient)).json()
    assert [one["search"]["mode"] for one in page["entry"]] == ["match"]
