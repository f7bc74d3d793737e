"""Import: ids kept, references resolved, refusals named, a second run harmless; Synthea's bundles whole."""

import json
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from tests.records.resources import patient, pulse
from tests.records.test_providing import BEGIN, PROVIDER, VIEW

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.records import load
from bedside.records.service import registry

pytestmark = pytest.mark.engine

SYNTHEA = Path(__file__).parents[2].parent / "shared" / "data" / "fhir_synthea"


async def test_a_folder(ctx: Ctx, tmp_path: Path) -> None:
    urn = "urn:uuid:0c3151bd-1cbf-4d64-b04d-cd9187a4c6e0"
    reading = {**pulse("x"), "subject": {"reference": urn}}
    entries: list[dict[str, Any]] = [
        {"fullUrl": urn, "resource": patient()},
        {"resource": reading},
        {"resource": {**reading, "status": "nonsense"}},
        {"resource": {"resourceType": "Nonsense"}},
    ]
    (tmp_path / "a.json").write_text(json.dumps({"resourceType": "Bundle", "type": "collection", "entry": entries}))
    lines = [
        json.dumps(patient("ben")),
        "",
        "{nonsense",
        json.dumps({**pulse("ben"), "id": "p"}),
        json.dumps(patient("a b")),
    ]
    (tmp_path / "b.ndjson").write_text("\n".join(lines))
    (tmp_path / "c.json").write_text(json.dumps(patient("carl")))
    told: list[int] = []
    size = sum(file.stat().st_size for file in tmp_path.iterdir())  # noqa: ASYNC240
    report = await load(ctx, tmp_path, told.append)
    assert dict(report.made) == {"Patient": 3, "Observation": 2}
    assert [(r.file, r.at, r.what.partition("/")[0]) for r in report.refused] == [
        ("a.json", 4, "Nonsense"),
        ("a.json", 3, "Observation"),
        ("b.ndjson", 3, "line"),
        ("b.ndjson", 5, "Patient"),
    ]
    assert all(r.issues for r in report.refused)
    assert sum(told) == size
    again = await load(ctx, tmp_path)
    assert (again.made.total(), again.changed.total(), again.same.total()) == (0, 0, 5)
    async with access.work(ctx, "look") as inner:
        found = await records.search(inner, "Observation", {"patient": urn.removeprefix("urn:uuid:")})
        assert len(found.entries) == 1


@pytest.mark.skipif(not SYNTHEA.exists(), reason="no Synthea bundles in shared data: their import is not proved here")
async def test_every_synthea_bundle(ctx: Ctx, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for archive in SYNTHEA.glob("*.tar.xz"):
        with tarfile.open(archive) as tar:
            for member in tar:
                found = tar.extractfile(member)  # extractall's filter came after Debian 12's Python
                if found is not None:
                    (tmp_path / Path(member.name).name).write_bytes(found.read())
    begun = time.perf_counter()
    report = await load(ctx, tmp_path)
    took = time.perf_counter() - begun
    assert report.refused == []
    assert report.files == 25
    assert report.kept == 5852  # hospitals that several patients share are met again
    begun = time.perf_counter()
    again = await load(ctx, tmp_path)
    assert (again.made.total(), again.changed.total(), again.same.total()) == (0, 0, 5852)
    with capsys.disabled():
        rate, second = 5852 / took, 5852 / (time.perf_counter() - begun)
        print(f"\nSynthea: {rate:,.0f} resources/s imported, {second:,.0f} resources/s found unchanged")


async def test_readings_of_an_export(ctx: Ctx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_providers", {})
    records.provide(PROVIDER)
    async with access.work(ctx, "seed") as inner:
        await inner.sql.execute(VIEW)
        await records.create(inner, patient("ada"))
        for n in range(3):
            await inner.sql.execute("insert into elsewhere.reading values (1, 'ada', $1, $2, $3)", n, BEGIN, 60.5 + n)
    whole = records.export_wish("system", None, [], strict=True, posted=False)
    await records.save(ctx, tmp_path / "out", whole, lambda done, total: None)
    report = await load(ctx, tmp_path / "out")
    assert (dict(report.elsewhere), dict(report.same), report.refused) == ({"Observation": 3}, {"Patient": 1}, [])
    file = next((tmp_path / "out").glob("Observation*"))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    lines[0]["valueQuantity"]["value"] = 900
    lines[1]["id"] = "r.ada.77"
    file.write_text("\n".join(map(json.dumps, lines)))
    for made, same in ((1, 0), (0, 1)):  # a second import meets what the first kept
        report = await load(ctx, tmp_path / "out")
        assert (report.made["Observation"], report.same["Observation"]) == (made, same)
        assert report.elsewhere["Observation"] == 1
        assert [one.what for one in report.refused] == [f"Observation/{lines[0]['id']}"]
    async with access.work(ctx, "look") as inner:
        (found,) = (
            await records.search(inner, "Observation", {"identifier": "urn:x-bedside:reading|r.ada.77"})
        ).entries
        assert found["valueQuantity"] == lines[1]["valueQuantity"]
    async with access.work(ctx, "look") as inner:
        assert len((await records.search(inner, "Observation", {"patient": "ada"})).entries) == 4


async def test_what_a_room_governs_and_stands_here_as_it_is(ctx: Ctx, tmp_path: Path) -> None:
    basic = {"resourceType": "Basic", "id": "b", "code": {"text": "governed"}, "subject": {"reference": "Patient/ada"}}
    async with access.work(ctx, "seed") as inner:
        await records.create(inner, patient("ada"))
        await records.create(inner, basic)
    records.govern(records.Governed("Basic", "elsewhere", lambda one: True, "Ask elsewhere."))
    try:
        for content, elsewhere, refused in ((basic, 1, 0), ({**basic, "code": {"text": "other"}}, 0, 1)):
            (tmp_path / "b.json").write_text(json.dumps(content))
            report = await load(ctx, tmp_path)
            assert (report.elsewhere["Basic"], len(report.refused)) == (elsewhere, refused)
    finally:
        registry._governed.pop("Basic")
