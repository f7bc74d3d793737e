"""Patients registered twice: who sees the pair, the comparison, joining with a reason, and back."""

import re

import pytest
from tests.web.conftest import Ward

from bedside import access, records
from bedside.access.testing import acting, someone
from bedside.web.clinician.duplicates import values

pytestmark = pytest.mark.engine

HERE = "/patients/duplicates"
WHY = {"url": "urn:why", "valueCode": "masked"}


async def twice(ward: Ward, *, related: bool = True) -> str:
    """Rosa, taken in again with another number; her second id."""
    async with access.work(ward.ctx, "registered again") as inner:
        again = await records.create(
            inner,
            {
                "resourceType": "Patient",
                "name": [{"given": [None, "Rosa"], "_given": [{"extension": [WHY]}, None], "family": "NUNEZ"}],
                "birthDate": "1951-03-02",
                "gender": "female",
                "identifier": [{"system": "urn:clinic", "value": "B-9000"}],
                "telecom": [{"system": "phone", "value": "+1 212 555 0100"}],
                "address": [{"line": ["12 <Long> Street"], "city": "Ghent"}],
            },
        )
        if related:
            await access.relate(inner, person=ward.nurse.id, patient=again.id, kind="care", source="test")
    return again.id


async def test_joined_with_a_reason_and_taken_apart(ward: Ward) -> None:
    again = await twice(ward)
    async with ward.as_(ward.nurse) as client:
        listed = await client.get(HERE)
        assert listed.status_code == 200
        found = re.search(rf'href="({HERE}/[^"]+)"', listed.text)
        assert found is not None
        assert set(found[1].split("/")[-2:]) == {ward.rosa_id, again}
        assert "B-9000" in listed.text
        assert "B-1042" in listed.text
        compared = await client.get(found[1])
        assert "12 &lt;Long&gt; Street" in compared.text
        assert "not recorded" in compared.text
        # The record with more in it is offered as the one that goes on.
        assert re.search(rf'<option value="{ward.rosa_id}"[^>]*selected', compared.text)
        for form, field in (({"target": ward.rosa_id}, "Say how you know"), ({"reason": "card"}, "Choose the record")):
            wrong = await client.post(found[1], data=form)
            assert wrong.status_code == 400
            assert field in wrong.text
        done = await client.post(found[1], data={"target": ward.rosa_id, "reason": "Showed both cards"})
        assert (done.status_code, done.headers["location"]) == (303, f"{HERE}?joined")
        after = (await client.get(done.headers["location"])).text
        assert "The two records are joined" in after
        assert "Showed both cards" in after
        assert "No pair to compare" in after
        assert "is joined with another already" in (await client.get(found[1])).text
        assert (await client.post(found[1], data={"target": again, "reason": "x"})).status_code == 409
        # Nobody reads one chart for the whole person.
        left, kept = [(await client.get(f"/patients/{id_}")).text for id_ in (again, ward.rosa_id)]
        assert f'<a href="/patients/{ward.rosa_id}">Go to the record that goes on</a>' in left
        assert "its allergies and medicines are not shown here" in kept
        assert f'<a href="/patients/{again}">Open the other record</a>' in kept
    async with access.work(acting(ward.ctx, ward.nurse), "look", readonly=True) as inner:
        gone = await records.read(inner, "Patient", again)
        assert gone["active"] is False
    async with ward.ctx.database.connection() as sql:
        told = await sql.fetchval("select reason from access.audit where action = 'merged two patients'")
    assert told == "Showed both cards"
    async with ward.as_(ward.nurse) as client:
        undone = await client.post(f"{HERE}/{again}/apart")
        assert undone.headers["location"] == f"{HERE}?apart"
        assert "Showed both cards" not in (await client.get(undone.headers["location"])).text
        assert (await client.post(f"{HERE}/{again}/apart")).status_code == 404
        assert "another record" not in (await client.get(f"/patients/{ward.rosa_id}")).text


async def test_only_who_may_see_both(ward: Ward) -> None:
    again = await twice(ward, related=False)
    pair = f"{HERE}/{ward.rosa_id}/{again}"
    others = [await someone(ward.ctx, role) for role in ("administrator", "pharmacist")]
    async with ward.as_(ward.nurse) as client:
        assert "No pair to compare" in (await client.get(HERE)).text
        assert (await client.get(pair)).status_code in (403, 404)
        refused = await client.post(pair, data={"target": ward.rosa_id, "reason": "x"})
        assert refused.status_code in (403, 404)
    async with access.work(ward.ctx, "joined") as inner:
        await records.merge(inner, again, ward.rosa_id, reason="secret reason")
    async with ward.as_(ward.nurse) as client:
        assert "secret reason" not in (await client.get(HERE)).text
        assert (await client.post(f"{HERE}/{again}/apart")).status_code == 404
    for person in (*others, ward.rosa):
        async with ward.as_(person) as client:
            assert (await client.get(HERE)).status_code == 403
            assert (await client.post(pair, data={"target": again, "reason": "x"})).status_code == 403


def test_values_of_a_detail() -> None:
    patient = {
        "name": [{"family": "A", "given": ["B", None, "C"]}, {"family": "A"}],
        "telecom": [{"system": "phone"}, {"value": "1"}],
        "address": [{"text": "Here"}, {"line": [None, "1 Elm"], "city": "Ghent"}],
    }
    found = {key: values(patient, key) for key in ("family", "given", "birth", "telecom", "address")}
    assert found == {
        "family": ["A"],
        "given": ["B C"],
        "birth": [],
        "telecom": ["1"],
        "address": ["Here", "1 Elm, Ghent"],
    }
