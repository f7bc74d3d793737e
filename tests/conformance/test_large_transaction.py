"""A transaction of 5,000 entries: done whole, within bounds of memory, and harmless when it is sent again."""

import httpx
import pytest
from tests.conformance.conftest import Server
from tests.conformance.test_bad_input import memory
from tests.records.resources import pulse
from tests.records.test_transactions import bundle, entry

pytestmark = pytest.mark.conformance

MANY = 5_000
MOST = 250 << 20
"""Bytes that the web process may grow by for a body of 3 MB; about 120 MB were measured."""
URN = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e9"


def statuses(answer: httpx.Response) -> set[tuple[str, str]]:
    assert answer.status_code == 200, answer.text[:500]
    return {(one["response"]["status"], one["response"]["etag"]) for one in answer.json()["entry"]}


def test_five_thousand_entries(server: Server) -> None:
    readings = [
        entry("PUT", f"Observation/big-{n}", {**pulse("x", n), "id": f"big-{n}", "subject": {"reference": URN}})
        for n in range(MANY - 1)
    ]
    sent = bundle("transaction", *readings, entry("PUT", "Patient/big", {"resourceType": "Patient", "id": "big"}, URN))
    with server.http() as client:
        client.get("/Patient?_count=1")
        before = memory(server)
        assert statuses(client.post("", json=sent)) == {("201 Created", 'W/"1"')}
        assert statuses(client.post("", json=sent)) == {("200 OK", 'W/"1"')}
        assert memory(server) - before < MOST
        assert client.get("/Observation?patient=big&_summary=count").json()["total"] == MANY - 1
        sent["entry"][7]["resource"]["status"] = "nonsense"
        sent["entry"][8]["resource"]["status"] = "amended"
        refused = client.post("", json=sent)
        assert refused.status_code == 422
        assert refused.json()["issue"][0]["expression"] == ["Bundle.entry[7].resource.status"]
        assert client.get("/Observation/big-8").json()["status"] == "final"
