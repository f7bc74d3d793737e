"""$meta, $meta-add, $meta-delete."""

from typing import Any

import httpx
import pytest
from tests.records.conftest import Door
from tests.records.resources import patient

from bedside import records
from bedside.access.testing import client
from bedside.foundation.context import Ctx
from bedside.records.service import registry

pytestmark = pytest.mark.engine

TAG = {"system": "http://x.org", "code": "vip"}


def labelled(**meta: Any) -> dict[str, Any]:
    return {"resourceType": "Parameters", "parameter": [{"name": "meta", "valueMeta": meta}]}


def meta_of(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 200, answer.text
    (one,) = answer.json()["parameter"]
    found: dict[str, Any] = one["valueMeta"]
    return found


async def test_labels_come_and_go_as_versions(http: httpx.AsyncClient) -> None:
    await http.put("/Patient/p", json=patient("p"))
    added = meta_of(await http.post("/Patient/p/$meta-add", json=labelled(tag=[TAG], profile=["http://x.org/p"])))
    assert (added["tag"], added["profile"], added["versionId"]) == ([TAG], ["http://x.org/p"], "2")
    again = meta_of(await http.post("/Patient/p/$meta-add", json=labelled(tag=[{**TAG, "display": "x"}])))
    assert again["versionId"] == "2"
    assert meta_of(await http.get("/Patient/p/$meta"))["tag"] == [TAG]
    assert "tag" not in meta_of(await http.get("/Patient/p/_history/1/$meta"))
    assert (await http.get("/Patient?_tag=http://x.org|vip&_summary=count")).json()["total"] == 1
    gone = meta_of(await http.post("/Patient/p/$meta-delete", json=labelled(tag=[TAG])))
    assert ("tag" in gone, gone["profile"], gone["versionId"]) == (False, ["http://x.org/p"], "3")
    assert (await http.get("/Patient?_tag=http://x.org|vip&_summary=count")).json()["total"] == 0


async def test_refusals(http: httpx.AsyncClient, ctx: Ctx, door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    await http.put("/Patient/p", json=patient("p"))
    assert (await http.get("/Patient/p/$meta-add")).status_code == 405
    assert (await http.put("/Patient/p/$meta", json=labelled())).status_code == 405
    assert (await http.post("/Patient/p/$meta-add", json=labelled(tag=[{"system": 1}]))).status_code in (400, 422)
    assert (await http.post("/Patient/p/$meta-add")).status_code == 400
    assert (await http.post("/Patient/none/$meta-add", json=labelled(tag=[TAG]))).status_code == 404
    assert (await http.get("/Patient/none/$meta")).status_code == 404
    async with door(client(ctx, "system/Patient.r")) as reader:
        assert (await reader.get("/Patient/p/$meta")).status_code == 200
        assert (await reader.post("/Patient/p/$meta-add", json=labelled(tag=[TAG]))).status_code == 403
    monkeypatch.setattr(registry, "_governed", {})
    records.govern(records.Governed("Patient", "visits", lambda _: True, "Ask the desk."))
    refused = await http.post("/Patient/p/$meta-add", json=labelled(tag=[TAG]))
    assert refused.status_code == 409
    assert "Ask the desk." in refused.json()["issue"][0]["diagnostics"]
    assert meta_of(await http.get("/Patient/p/$meta"))["versionId"] == "1"
