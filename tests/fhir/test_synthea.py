"""Synthea's people, where the shared data stands beside the checkout: all of it is accepted and found."""

import tarfile
from pathlib import Path
from typing import Any

import pytest

from bedside.fhir import structure
from bedside.fhir.index import extract

pytestmark = pytest.mark.unit

ARCHIVE = "shared/data/fhir_synthea/synthea_r4_25_patients.tar.xz"


def archive() -> Path | None:
    return next((above / ARCHIVE for above in Path(__file__).resolve().parents if (above / ARCHIVE).is_file()), None)


@pytest.fixture(scope="module")
def bundles() -> list[bytes]:
    found = archive()
    if found is None:
        pytest.skip("the Synthea bundles are not beside this checkout")
    with tarfile.open(found) as files:
        read = [files.extractfile(member) for member in files if member.isfile()]
        return [one.read() for one in read if one is not None]


def test_everything_is_accepted(bundles: list[bytes]) -> None:
    assert len(bundles) == 25
    for raw in bundles:
        resource, issues = structure.accept(raw)
        assert issues == []
        assert structure.read(structure.write(resource)) == resource


def test_everything_is_found(bundles: list[bytes]) -> None:
    resources: list[dict[str, Any]] = [entry["resource"] for raw in bundles for entry in structure.read(raw)["entry"]]
    assert len(resources) > 5000
    for resource in resources:
        index = extract(resource)
        found = {one.param for kind in index.__struct_fields__ for one in getattr(index, kind)}
        if resource["resourceType"] == "Observation":
            assert {"code", "category", "status", "date", "subject", "encounter"} <= found
            assert ("value-quantity" in found) is ("valueQuantity" in resource)
        if resource["resourceType"] == "Patient":
            assert {"name", "family", "given", "birthdate", "gender", "identifier", "address"} <= found
