"""An alarm in the record: a valid DetectedIssue that follows its life, found by searches, written by nobody."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from bedside import access, records
from bedside.fhir.structure import validate
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden
from bedside.monitoring.alarms.service import answers, reports
from bedside.monitoring.alarms.service.picture import DETECTED_ISSUES, GOVERNED_ALARM, owns
from bedside.monitoring.alarms.testing import pressure, reading
from bedside.records.service import registry

from .conftest import PATIENT, Ward

pytestmark = pytest.mark.engine


@pytest.fixture(autouse=True)
def _composition(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_providers", {})
    monkeypatch.setattr(registry, "_governed", {})
    records.provide(DETECTED_ISSUES)
    records.govern(GOVERNED_ALARM)


async def search(ctx: Ctx, query: str) -> list[dict[str, Any]]:
    async with access.work(ctx, "searched", readonly=True) as inner:
        return (await records.search(inner, "DetectedIssue", query)).entries


async def test_it_follows_the_alarm_from_raised_to_resolved(ward: Ward) -> None:
    await ward.measure(*pressure(200, 130, ward.clock.now()))
    (found,) = await search(ward.nurse, f"patient={PATIENT}")
    assert validate(msgspec.json.encode(found)) == []
    alarm = await ward.only()
    assert (found["id"], found["status"], found["severity"]) == (f"a.{alarm.id}", "preliminary", "high")
    assert found["meta"]["tag"] == [{"system": "urn:bedside:alarm-state", "code": "raised"}]
    assert found["identifiedDateTime"] == "2026-11-21T12:00:00Z"
    inputs = {f"Observation/{one['id']}" for one in alarm.finding["inputs"]}
    assert {one["reference"] for one in found["implicated"]} == inputs
    await ward.by(ward.nurse, lambda ctx: answers.act(ctx, alarm.id, "called", "takes her tablet now"))
    await ward.turn(minutes=5)
    await ward.measure(*pressure(130, 80, ward.clock.now()))
    (found,) = await search(ward.nurse, f"patient={PATIENT}")
    assert validate(msgspec.json.encode(found)) == []
    assert (found["status"], found["meta"]["tag"][0]["code"]) == ("final", "resolved")
    assert found["mitigation"] == [
        {
            "action": {"text": "Acted: called (takes her tablet now)"},
            "date": "2026-11-21T12:00:00Z",
            "author": {"display": "Nurse"},
        }
    ]
    async with access.work(ward.nurse, "read", readonly=True) as ctx:
        history = await records.history(ctx, "DetectedIssue", found["id"])
        assert await records.read(ctx, "DetectedIssue", found["id"]) == history[0] == found
    assert [int(one["meta"]["versionId"]) for one in history] == list(range(len(history), 0, -1))
    assert (history[-1]["status"], history[-1].get("mitigation")) == ("preliminary", None)


async def test_it_is_found_by_what_the_capability_statement_names(ward: Ward) -> None:
    await ward.sweep()
    now = ward.clock.now()
    await ward.measure(*pressure(200, 130, now), reading("heart-rate", 70, now))
    await ward.live(minutes=5)
    issues = {one["code"]["coding"][0]["code"]: one for one in await search(ward.nurse, f"patient={PATIENT}")}
    assert set(issues) == {"blood-pressure-high", "silence"}
    assert issues["silence"]["implicated"] == [{"reference": "Device/device-1"}]
    observed = issues["blood-pressure-high"]["implicated"][0]["reference"]
    for query, expected in {
        "code=urn:bedside:alarm-cause|silence": ["silence"],
        "code=blood-pressure-high": ["blood-pressure-high"],
        f"implicated={observed}": ["blood-pressure-high"],
        "implicated=Device/device-1": ["silence"],
        f"identifier=urn:bedside:alarm|{issues['silence']['identifier'][0]['value']}": ["silence"],
        "identified=2026-11-21&_sort=identified": ["blood-pressure-high", "silence"],
        "identified=2026-11-21&_sort=-identified": ["silence", "blood-pressure-high"],
        "identified=gt2026-11-21": [],
        "patient=somebody": [],
    }.items():
        if query == "patient=somebody":
            with pytest.raises(Forbidden):
                await search(ward.nurse, query)
            continue
        found = [one["code"]["coding"][0]["code"] for one in await search(ward.nurse, query)]
        assert (found if "_sort" in query else sorted(found)) == expected, query
    assert await search(ward.admin, "") == [], "an administrator has no clinical data"
    assert len(await search(ward.patient, "")) == 2


async def test_what_withdraws_or_dismisses_it_shows(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    alarm = await ward.only()
    await ward.by(ward.nurse, lambda ctx: answers.dismiss(ctx, alarm.id, "cuff on the table"))
    assert [one["status"] for one in await search(ward.nurse, "")] == ["cancelled"]
    await ward.by(ward.patient, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["vision"]))
    await ward.by(ward.patient, lambda ctx: reports.report_symptoms(ctx, PATIENT, ["vision", "chest-pain"]))
    (found,) = await search(ward.nurse, "code=symptoms")
    assert "vision, chest-pain" in found["detail"]
    async with access.work(ward.nurse, "read", readonly=True) as ctx:
        first = (await records.history(ctx, "DetectedIssue", found["id"]))[-1]
    assert "vision;" in first["detail"], "an earlier version did not know what was ticked later"


async def test_nobody_writes_an_alarm_by_fhir(ward: Ward) -> None:
    await ward.measure(*pressure(178, 112, ward.clock.now()))
    (found,) = await search(ward.nurse, "")
    forged = {k: v for k, v in found.items() if k not in ("id", "meta")}
    for deed in (
        lambda ctx: records.update(ctx, {**found, "status": "final"}),
        lambda ctx: records.delete(ctx, "DetectedIssue", found["id"]),
        lambda ctx: records.create(ctx, forged),
    ):
        with pytest.raises(Conflict) as refused:
            async with access.work(ward.ctx, "wrote") as ctx:
                await deed(ctx)
        assert "acknowledge" in str(refused.value.remedy)
    async with access.work(ward.ctx, "wrote") as ctx:
        other = {k: v for k, v in forged.items() if k not in ("identifier", "implicated", "mitigation")}
        await records.create(ctx, other)
    assert len(await search(ward.nurse, f"patient={PATIENT}")) == 2, (
        "a DetectedIssue of somebody else's stands beside it"
    )


@pytest.mark.parametrize("id_", ["a.", "a.x", "01890a5d-ac96-774b-bcce-b302099a8057", "r.1.2.3", "a." + "0" * 36])
def test_only_its_own_ids_are_its_own(id_: str) -> None:
    assert not owns(id_)


async def test_what_waits_is_registered_and_a_pause_is_a_mitigation(ward: Ward) -> None:
    await ward.measure(reading("spo2", 92, ward.clock.now()))
    (found,) = await search(ward.patient, "")
    assert validate(msgspec.json.encode(found)) == []
    assert (found["status"], found["meta"]["tag"][0]["code"]) == ("registered", "pending")
    await ward.turn(seconds=15)
    (alarm,) = await ward.alarms()
    await ward.by(ward.nurse, lambda ctx: answers.pause(ctx, alarm.id, 2, "suction"))
    (found,) = await search(ward.nurse, "")
    assert validate(msgspec.json.encode(found)) == []
    assert (found["status"], found["meta"]["tag"][0]["code"]) == ("preliminary", "paused")
    assert [one["action"]["text"] for one in found["mitigation"]] == ["Paused (suction)"]
    assert found["identifiedDateTime"] == "2026-11-21T12:00:15Z"
    async with access.work(ward.nurse, "read", readonly=True) as ctx:
        history = await records.history(ctx, "DetectedIssue", found["id"])
    assert [one["meta"]["tag"][0]["code"] for one in history] == ["paused", "raised", "raised", "pending"]


async def test_what_passed_is_cancelled(ward: Ward) -> None:
    await ward.measure(reading("spo2", 92, ward.clock.now()))
    await ward.turn(seconds=5)
    await ward.measure(reading("spo2", 97, ward.clock.now()))
    (found,) = await search(ward.patient, "")
    assert (found["status"], found["meta"]["tag"][0]["code"]) == ("cancelled", "passed")
