"""Anything at all, sent to the FHIR door of the running program for 20 minutes (or BEDSIDE_FUZZ_SECONDS).

Whatever comes: no answer of 5xx but 501, a refusal is an OperationOutcome that is itself valid FHIR, no answer takes
long, and what was in the record before is in it afterwards, untouched.
"""

import gzip
import json
import os
import time
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from tests.conformance.conftest import Server

from bedside.fhir import structure
from bedside.fhir.definitions import resource_types, search_parameters

pytestmark = pytest.mark.soak

LONG = float(os.environ.get("BEDSIDE_FUZZ_SECONDS", "1200"))
SLOW = 20.0
"""Seconds for one answer, on a machine that does other things."""

OBSERVATION: dict[str, Any] = {
    "resourceType": "Observation",
    "id": "f",
    "status": "final",
    "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]},
    "subject": {"reference": "Patient/f"},
    "effectiveDateTime": "2026-01-02T08:00:00Z",
    "valueQuantity": {"value": 72.5, "system": "http://unitsofmeasure.org", "code": "/min"},
}
PATIENT: dict[str, Any] = {
    "resourceType": "Patient",
    "id": "f",
    "identifier": [{"system": "urn:f", "value": "1"}],
    "name": [{"family": "Quist", "given": ["Ada"], "_given": [{"extension": [{"url": "urn:e", "valueCode": "x"}]}]}],
    "birthDate": "1950-01-02",
    "contained": [{"resourceType": "Organization", "id": "o", "name": "x"}],
    "managingOrganization": {"reference": "#o"},
    "text": {"status": "generated", "div": '<div xmlns="http://www.w3.org/1999/xhtml"><p>x</p></div>'},
}
PATCH: dict[str, Any] = {
    "resourceType": "Parameters",
    "parameter": [
        {
            "name": "operation",
            "part": [
                {"name": "type", "valueCode": "replace"},
                {"name": "path", "valueString": "Patient.name.where(family = 'Quist').family"},
                {"name": "value", "valueString": "x"},
            ],
        }
    ],
}
STEPS: list[Any] = [
    {"op": "test", "path": "/resourceType", "value": "Patient"},
    {"op": "add", "path": "/name/0/given/-", "value": "x"},
    {"op": "copy", "from": "/name/0", "path": "/name/-"},
    {"op": "move", "from": "/identifier/0", "path": "/identifier/0"},
]
BUNDLE: dict[str, Any] = {
    "resourceType": "Bundle",
    "type": "transaction",
    "entry": [
        {
            "fullUrl": "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0",
            "resource": PATIENT,
            "request": {"method": "POST", "url": "Patient", "ifNoneExist": "identifier=urn:f|1"},
        },
        {"resource": OBSERVATION, "request": {"method": "PUT", "url": "Observation/f", "ifMatch": 'W/"1"'}},
        {"resource": PATCH, "request": {"method": "PATCH", "url": "Patient/f"}},
        {"request": {"method": "GET", "url": "Patient?name=x"}},
        {"request": {"method": "DELETE", "url": "Observation?code=x"}},
    ],
}  # fmt: skip
CONSENT: dict[str, Any] = {
    "resourceType": "Consent",
    "id": "f",
    "status": "active",
    "scope": {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/consentscope", "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
    "patient": {"reference": "Patient/f"},
    "policyRule": {"text": "x"},
    "provision": {"type": "permit", "period": {"start": "2026"}},
}
SEEDS: list[Any] = [OBSERVATION, PATIENT, PATCH, STEPS, BUNDLE, BUNDLE | {"type": "batch"}, CONSENT]
KEYS = [
    "resourceType",
    "id",
    "meta",
    "extension",
    "value",
    "reference",
    "code",
    "system",
    "_id",
    "valueString",
    "request",
]

text = st.one_of(
    st.text(max_size=20),
    st.sampled_from(
        ["", " ", "\0", "Patient", "Patient/f", "#o", "urn:uuid:1", "a" * 5000, "2026-02-30", 'W/"1"', "Patient?name=x"]
    ),
)
leaf = st.one_of(
    st.none(), st.booleans(), st.integers(), st.integers(-(10**40), 10**40),
    st.floats(allow_nan=False, allow_infinity=False), text,
)  # fmt: skip
value = st.recursive(
    leaf,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(KEYS) | text, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def bent(draw: st.DrawFn, seed: Any) -> Any:
    """A seed with some of its nodes replaced, taken out, doubled or wrapped."""
    made = json.loads(json.dumps(seed))
    for _ in range(draw(st.integers(0, 3))):
        holders: list[tuple[Any, Any]] = []
        waiting = [made]
        while waiting:
            node = waiting.pop()
            keys = list(node) if isinstance(node, dict) else range(len(node))
            for key in keys:
                holders.append((node, key))
                if isinstance(node[key], dict | list):
                    waiting.append(node[key])
        if not holders:
            break
        node, key = draw(st.sampled_from(holders))
        match draw(st.sampled_from(["replace", "remove", "double", "wrap", "name"])):
            case "replace":
                node[key] = draw(value)
            case "remove":
                del node[key]
            case "double" if isinstance(node, list):
                node.insert(key, node[key])
            case "wrap":
                node[key] = [node[key]] if draw(st.booleans()) else {draw(st.sampled_from(KEYS)): node[key]}
            case "name" if isinstance(node, dict):
                node[draw(st.sampled_from(KEYS) | text)] = draw(value)
    return made


@st.composite
def body(draw: st.DrawFn) -> bytes:
    """Bytes: mostly JSON, sometimes cut, stirred or packed."""
    made = json.dumps(draw(st.sampled_from(SEEDS).flatmap(bent) | value)).encode()
    match draw(st.sampled_from(["whole"] * 6 + ["cut", "stirred", "packed", "raw"])):
        case "cut":
            return made[: draw(st.integers(0, len(made)))]
        case "stirred":
            place = draw(st.integers(0, len(made)))
            return made[:place] + draw(st.binary(max_size=4)) + made[place + 1 :]
        case "packed":
            return gzip.compress(made)
        case "raw":
            return draw(st.binary(max_size=200))
    return made


types = st.sampled_from(sorted(resource_types()))
usual = st.sampled_from(
    ["Patient", "Observation", "Consent", "Bundle", "Encounter", "AuditEvent", "Binary", "Parameters"]
)
word = st.one_of(
    usual, types, st.just("f"), st.just("_history"), st.just("_search"), st.just("metadata"), st.just("$everything"),
    st.just("1"), text,
)  # fmt: skip
values = st.one_of(
    text,
    st.sampled_from(
        ["f", "Patient/f", "ge2026", "2026-01-01T00:00:00Z", "http://loinc.org|8867-4", "|x", "x|", "x,y", "72||/min",
         "gt1e400", "Observation:subject", "*", "-date", "true", "count", "a\\,b", "$", "identifier|x", "-1", "0"]
    ),
)  # fmt: skip
OTHERS = [
    "_id", "_lastUpdated", "_tag", "_profile", "_security", "_text", "_content", "_list",
    "_has:Observation:subject:code",
    "_include", "_revinclude", "_include:iterate", "_sort", "_count", "_total", "_summary", "_elements", "_contained",
    "_type", "_cursor", "_format", "_pretty", "_since", "_at", "_filter", "_query", "name:exact", "code:not", "code:in",
    "subject:Patient.name", "date:missing", "identifier:of-type", "url:below", "subject:identifier",
]  # fmt: skip
names = st.one_of(
    st.sampled_from(OTHERS),
    st.sampled_from(sorted({*search_parameters("Observation"), *search_parameters("Patient")})),
    text,
)
HEADERS = {
    "content-type": ["application/fhir+json", "application/json", "application/json-patch+json", "text/plain", "x", "",
                     "application/merge-patch+json", "application/x-www-form-urlencoded"],
    "content-encoding": ["gzip", "br", "identity"],
    "if-match": ['W/"1"', "*", "x", '"2"'],
    "if-none-match": ['W/"1"', "*", "x"],
    "if-modified-since": ["Wed, 25 Nov 2026 00:00:00 GMT", "x", "Mon, 99 Abc 99999 00:00:00 GMT"],
    "if-none-exist": ["identifier=urn:f|1", "x=y", "?name=a", "", "%ff", "_count=1"],
    "prefer": ["return=minimal", "return=OperationOutcome", "handling=lenient", "return=representation", ";"],
    "accept": ["application/fhir+xml", "*/*", "application/fhir+json;fhirVersion=4.0", "x"],
    "accept-encoding": ["gzip", "identity", "gzip;q=0"],
}  # fmt: skip
headers = st.fixed_dictionaries({}, optional={name: st.sampled_from(found) for name, found in HEADERS.items()})
wild = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "GET", "HEAD", "POST", "POST", "PUT", "PUT", "PATCH", "PATCH", "DELETE"]),
        "path": st.one_of(st.lists(word, max_size=4), usual.map(lambda type_: [type_]), st.just([])),
        "query": st.lists(st.tuples(names, values), max_size=3) | st.just([]),
        "headers": headers,
        "content": body(),
    }
)


@st.composite
def meant(draw: st.DrawFn) -> dict[str, Any]:
    """What a client would send, a little bent."""
    seed = draw(st.sampled_from(SEEDS))
    sent = json.dumps(draw(bent(seed))).encode()
    kind, query = "application/fhir+json", []
    if seed is STEPS:
        method, path, kind = "PATCH", ["Patient", "f"], "application/json-patch+json"
    elif seed is PATCH:
        method, path = "PATCH", ["Patient", "f"]
    elif seed["resourceType"] == "Bundle":
        method, path = "POST", []
    else:
        method = draw(st.sampled_from(["PUT", "PUT", "POST", "GET", "DELETE"]))
        path = [seed["resourceType"]] if method == "POST" else [seed["resourceType"], "f"]
        if method == "GET":
            path, query = path[:1], draw(st.lists(st.tuples(names, values), min_size=1, max_size=3))
    return {"method": method, "path": path, "query": query, "headers": {"content-type": kind}, "content": sent}


request = st.one_of(meant(), meant(), wild)


def test_anything(server: Server) -> None:
    with server.http() as client:
        kept = client.put("/Basic/kept", json={"resourceType": "Basic", "id": "kept", "code": {"text": "stays"}})
        assert kept.status_code == 201
        until, seen = time.monotonic() + LONG, dict.fromkeys(range(100, 600), 0)

        @settings(
            max_examples=400, deadline=None, database=None, phases=[Phase.generate, Phase.shrink],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(request)
        def one(wish: dict[str, Any]) -> None:
            if "kept" in wish["path"]:
                return
            begun = time.monotonic()
            answer = send(client, wish)
            assert time.monotonic() - begun < SLOW
            seen[answer.status_code] += 1
            judge(answer, wish)

        while time.monotonic() < until:
            one()
            assert client.get("/Basic/kept").content == kept.content
            assert len(client.get("/Basic/kept/_history").json()["entry"]) == 1
        print({status: many for status, many in seen.items() if many}, sum(seen.values()), "requests")


def send(client: httpx.Client, wish: dict[str, Any]) -> httpx.Response:
    """One request, as bent as HTTP itself lets it be."""
    path = "/".join(quote(part.encode("utf-8", "replace"), safe="$") for part in wish["path"])
    content = wish["content"] if wish["method"] not in ("GET", "HEAD") else None
    params = httpx.QueryParams(wish["query"])
    return client.request(
        wish["method"], f"/{path}" + (f"?{params}" if wish["query"] else ""), content=content, headers=wish["headers"]
    )


def judge(answer: httpx.Response, wish: dict[str, Any]) -> None:
    """Raise AssertionError for what may never be answered."""
    assert answer.status_code < 500 or answer.status_code == 501, (answer.status_code, answer.text[:500], wish)
    if wish["method"] == "HEAD" or not answer.content or "json" not in answer.headers.get("content-type", ""):
        assert (
            answer.status_code in (200, 201, 204, 304, 307, 400, 401, 403, 404, 405, 410, 412, 501)
            or not answer.content
        )
        return
    if answer.status_code >= 400:
        assert answer.json()["resourceType"] == "OperationOutcome", answer.text[:500]
        assert structure.validate(answer.content) == [], answer.text[:500]
    elif "smart-configuration" not in str(answer.url):
        assert "resourceType" in answer.json()
