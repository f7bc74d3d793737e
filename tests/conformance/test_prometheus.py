"""A real Prometheus scrapes the running program by the example file; every panel of the dashboard asks it."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.faults.cuffs import Cuff
from tests.faults.ledger import Ledger
from tests.faults.test_kills import Fhir, patient
from tools.clinic import Clinic, running
from tools.ports import free_port
from tools.steps import ROOT

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(240)]

EXAMPLE = ROOT / "deploy" / "prometheus" / "bedside.yml"
PANELS = json.loads((ROOT / "deploy" / "grafana" / "bedside.json").read_text())["panels"]
ASKED = {f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]}
EMPTY = {"Jobs that failed once, an hour A", "The certificate ends in A"}
"""What a program that nothing ails, and that a proxy gives its TLS, has no series of."""
TOKEN = "a token that is long and random"


@pytest.fixture
def clinic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Clinic]:
    """With a backup and copies for a downtime, so that their panels have something to show."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip("NOT TRIED: prometheus is not installed here: apt-get install prometheus")
    monkeypatch.setenv("BEDSIDE_METRICS_TOKEN", TOKEN)
    with running(tmp_path / "home", patients=1) as clinic:
        clinic.command("backup", "init", "--to", str(tmp_path / "store"), "--key-file", str(tmp_path / "key"))
        clinic.command("downtime", "init", "--to", str(tmp_path / "share"))
        yield clinic


@contextmanager
def prometheus(folder: Path, port: int) -> Iterator[httpx.Client]:
    """Debian's, by the example file: only port, name of the file and the interval are changed. Its API."""
    folder.mkdir()
    (folder / "token").write_text(TOKEN)
    text = EXAMPLE.read_text()
    for was, now in (
        ("scrape_interval: 15s", "scrape_interval: 1s"),
        ("localhost:8000", f"localhost:{port}"),
        ("    # authorization:", "    authorization:"),
        ("    #   credentials_file: /etc/prometheus/bedside-token", f"      credentials_file: {folder}/token"),
    ):
        assert was in text, was
        text = text.replace(was, now)
    file = folder / "prometheus.yml"
    file.write_text(text)
    told = subprocess.run(["promtool", "check", "config", file], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr
    address = f"127.0.0.1:{free_port()}"
    words = [f"--config.file={file}", f"--storage.tsdb.path={folder}/data", f"--web.listen-address={address}"]
    with (folder / "log").open("wb") as log:
        served = subprocess.Popen(["prometheus", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}/api/v1", timeout=30) as client:
            yield client
    finally:
        served.terminate()
        served.wait(15)


def series(client: httpx.Client, expression: str) -> list[dict[str, Any]]:
    """What an instant query finds; not a number is nothing. Raises AssertionError where it is not understood."""
    try:
        answer = client.get("/query", params={"query": expression})
    except httpx.TransportError:
        return []  # it is just starting, or busy
    if answer.status_code == 503:
        return []
    assert answer.status_code == 200, f"{expression}: {answer.text}"
    return [one for one in answer.json()["data"]["result"] if one["value"][1] != "NaN"]


def test_prometheus_scrapes_and_every_panel_of_the_dashboard_shows_something(clinic: Clinic, tmp_path: Path) -> None:
    who, missing = str(uuid.uuid4()), set(ASKED)
    with prometheus(tmp_path / "prometheus", clinic.port) as client, Fhir(clinic) as fhir:
        assert fhir.put(patient(who, "Cuff"))
        add = ("device", "add", "--kind", "blood-pressure", "--json", "--patient", who)
        ledger = Ledger(tmp_path / "packs.ledger")
        cuff = Cuff(json.loads(clinic.command(*add)), who, clinic.mqtt_port, ledger, every=0.2)
        cuff.systolic = 210  # an alarm
        try:
            until = time.monotonic() + 90
            while missing - EMPTY:
                assert time.monotonic() < until, (missing, (tmp_path / "prometheus" / "log").read_text()[-1500:])
                time.sleep(0.5)
                missing -= {name for name in missing if series(client, ASKED[name])}
        finally:
            assert cuff.drain(30)
        assert missing == EMPTY
        [up] = series(client, "up")
        assert up["value"][1] == "1"
    told = httpx.get(f"{clinic.address}/metrics", timeout=60).raise_for_status().content
    linted = subprocess.run(["promtool", "check", "metrics"], input=told, capture_output=True, check=False)
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, b"")
