"""Import: ids kept, references resolved, refusals named, a second run harmless; Synthea's bundles whole."""

import json
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.records.service.importing import load

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
