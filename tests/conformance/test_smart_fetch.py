"""smart-fetch, the SMART group's exporter for bulk data and its crawl, at its everyday work."""

import base64
import json
import subprocess
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import RSAKey
from tests.conformance.conftest import Server
from tools.steps import ROOT

pytestmark = pytest.mark.conformance

TYPES = "Patient,Observation,Condition,DocumentReference,MedicationRequest"
NOTE = "Seen today; the pressure is better."


class Backend:
    """A backend client that proves who it is by a key, and smart-fetch run as it."""

    def __init__(self, server: Server, folder: Path) -> None:
        self.server, self.keys = server, folder / "private.jwks"
        options = {"use": "sig", "alg": "RS384", "kid": "smart-fetch"}
        key = RSAKey.generate_key(2048, options, private=True)
        self.keys.write_text(json.dumps({"keys": [{**key.as_dict(private=True), "key_ops": ["sign"]}]}))
        public = folder / "public.jwks"
        public.write_text(json.dumps({"keys": [key.as_dict(private=False)]}))
        words = ["client", "add", f"smart-fetch {uuid.uuid4()}", "--scope", "system/*.rs", "--jwks", str(public)]
        added = run([sys.executable, "-m", "bedside", *words, "--json", "--home", str(server.program.home)])
        self.id = json.loads(added)["client_id"]

    def fetch(self, how: str, out: Path, *more: str) -> str:
        """Run it as a SMART backend service; what it printed."""
        return self._run(how, out, "--smart-client-id", self.id, "--smart-key", str(self.keys), *more)

    def fetch_with_token(self, how: str, out: Path, *more: str) -> str:
        """Run it with a token of every scope: by itself it asks for none of Group, which it reads all the same."""
        token = self.keys.with_name("token")
        token.write_text(self.server.token)
        return self._run(how, out, "--bearer-token", str(token), *more)

    def _run(self, how: str, out: Path, *more: str) -> str:
        as_me = ["--fhir-url", self.server.base]
        program = ROOT / ".venv" / "bin" / "smart-fetch"
        return run([str(program), how, *as_me, "--no-compression", "--type", TYPES, *more, str(out)])


def run(command: list[str]) -> str:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=180)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture
def backend(server: Server, tmp_path: Path) -> Backend:
    """One for each test: an export at a time is a client's."""
    return Backend(server, tmp_path)


@pytest.fixture
def ward(server: Server) -> Iterator[list[str]]:
    """A group of three patients, each with pressures, a problem and a note; another is in no group. Their ids."""
    mark = uuid.uuid4().hex[:8]
    ids = [f"sf-{mark}-{n}" for n in range(4)]
    with server.http() as http:
        for id_ in ids:
            for one in _resources(id_):
                http.put(f"{one['resourceType']}/{one['id']}", json=one).raise_for_status()
        members = [{"entity": {"reference": f"Patient/{id_}"}} for id_ in ids[:3]]
        group = {"resourceType": "Group", "id": f"sf-{mark}", "type": "person", "actual": True, "member": members}
        http.put(f"Group/sf-{mark}", json=group).raise_for_status()
    yield ids


def _resources(id_: str) -> list[dict[str, Any]]:
    subject = {"reference": f"Patient/{id_}"}
    category = "http://terminology.hl7.org/CodeSystem/observation-category"
    pressures = [
        {
            "resourceType": "Observation",
            "id": f"{id_}-{n}",
            "status": "final",
            "category": [{"coding": [{"system": category, "code": "vital-signs"}]}],
            "code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]},
            "subject": subject,
            "effectiveDateTime": f"2026-11-{n + 1:02}T08:00:00Z",
            "valueQuantity": {"value": 140 + n, "system": "http://unitsofmeasure.org", "code": "mm[Hg]"},
        }
        for n in range(5)
    ]
    condition = {"resourceType": "Condition", "id": id_, "subject": subject, "code": {"text": "Hypertension"}}
    binary = {
        "resourceType": "Binary",
        "id": id_,
        "contentType": "text/plain",
        "data": base64.b64encode(NOTE.encode()).decode(),
        "securityContext": subject,
    }
    note = {
        "resourceType": "DocumentReference",
        "id": id_,
        "status": "current",
        "subject": subject,
        "content": [{"attachment": {"contentType": "text/plain", "url": f"Binary/{id_}"}}],
    }
    patient = {
        "resourceType": "Patient",
        "id": id_,
        "name": [{"family": "Fetch", "given": [id_]}],
        "identifier": [{"system": "urn:smart-fetch", "value": id_}],
    }
    return [patient, *pressures, condition, binary, note]


def found(folder: Path, type_: str) -> dict[str, dict[str, Any]]:
    """The resources of a type that it wrote, by id."""
    lines = [line for file in folder.rglob(f"{type_}.*ndjson") for line in file.read_text().splitlines()]
    return {one["id"]: one for one in map(json.loads, lines)}


def test_bulk_export_of_a_group(backend: Backend, ward: list[str], tmp_path: Path) -> None:
    backend.fetch_with_token("bulk", tmp_path / "out", "--group", ward[0].rpartition("-")[0])
    out = tmp_path / "out"
    assert set(found(out, "Patient")) == set(ward[:3])
    assert set(found(out, "Observation")) == {f"{id_}-{n}" for id_ in ward[:3] for n in range(5)}
    assert set(found(out, "DocumentReference")) == set(found(out, "Condition")) == set(ward[:3])
    assert found(out, "Observation")[f"{ward[0]}-2"]["valueQuantity"]["value"] == 142
    log = [json.loads(line) for line in (out / "log.ndjson").read_text().splitlines()]
    assert log[-1]["eventId"] == "export_complete"
    assert not [one for one in log if "error" in one["eventId"]]


def test_bulk_export_of_everything_with_filters(backend: Backend, ward: list[str], tmp_path: Path) -> None:
    wish = ["--type-filter", "Observation?code=http://loinc.org|8480-6", "--since", "2026-01-01T00:00:00Z"]
    backend.fetch("bulk", tmp_path / "out", *wish)
    assert set(found(tmp_path / "out", "Patient")) >= set(ward)
    codes = {one["code"]["coding"][0]["code"] for one in found(tmp_path / "out", "Observation").values()}
    assert codes == {"8480-6"}


def test_crawl_by_numbers(backend: Backend, ward: list[str], tmp_path: Path) -> None:
    wish = ["--id-list", ",".join(ward[:2]), "--id-system", "urn:smart-fetch"]
    backend.fetch("crawl", tmp_path / "out", *wish)
    out = tmp_path / "out"
    assert set(found(out, "Patient")) == set(found(out, "Condition")) == set(ward[:2])
    assert set(found(out, "Observation")) == {f"{id_}-{n}" for id_ in ward[:2] for n in range(5)}
    assert not list(out.rglob("error/*"))


def test_managed_export_brings_the_notes_themselves(backend: Backend, ward: list[str], tmp_path: Path) -> None:
    wish = ["--export-mode", "bulk", "--group", ward[0].rpartition("-")[0], "--nickname", "ours"]
    backend.fetch_with_token("export", tmp_path / "out", *wish)
    notes = found(tmp_path / "out", "DocumentReference")
    assert set(notes) == set(ward[:3])
    attached = notes[ward[0]]["content"][0]["attachment"]
    assert base64.b64decode(attached["data"]).decode() == NOTE
