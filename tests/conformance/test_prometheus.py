"""A real Prometheus scrapes the running program by the example file; every panel of the dashboard asks it."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.foundation.program import Program
from tests.foundation.test_installation import certificate
from tools.steps import ROOT

from bedside.foundation.engines.nats import free_port
from bedside.monitoring.testing import pack

pytestmark = [pytest.mark.conformance, pytest.mark.timeout(240)]

EXAMPLE = ROOT / "deploy" / "prometheus" / "bedside.yml"
PANELS = json.loads((ROOT / "deploy" / "grafana" / "bedside.json").read_text())["panels"]
ASKED = {f"{panel['title']} {target['refId']}": target["expr"] for panel in PANELS for target in panel["targets"]}
EMPTY = {"Jobs that failed once, an hour A"}
"""What a program that nothing ailed has no series of."""
TOKEN = "a token that is long and random"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Program]:
    """With a certificate, a backup and copies for a downtime, so that every panel has something to show."""
    if shutil.which("prometheus") is None or shutil.which("promtool") is None:
        pytest.skip("NOT TRIED: prometheus is not installed here: apt-get install prometheus")
    monkeypatch.setenv("BEDSIDE_METRICS_TOKEN", TOKEN)
    pair = certificate(tmp_path / "pair")
    made = Program(tmp_path / "home", options=("--tls-cert", str(pair[0]), "--tls-key", str(pair[1])))
    made.scheme, made.trust = "https", ssl.create_default_context(cafile=str(pair[0]))
    try:
        made.start()
        yield made
    finally:
        made.end()


def bedside(program: Program, *words: str) -> str:
    command = [sys.executable, "-m", "bedside", *words, "--home", str(program.home)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def patient(program: Program, who: str) -> None:
    """Put by FHIR, as another system would."""
    made = json.loads(bedside(program, "client", "add", "another", "--scope", "system/*.cruds", "--json"))
    secret = (made["client_id"], made["client_secret"])
    with httpx.Client(base_url=f"https://localhost:{program.port}/fhir/R4", verify=program.trust or False) as client:
        where = client.get("/.well-known/smart-configuration").raise_for_status().json()["token_endpoint"]
        asked = {"grant_type": "client_credentials", "scope": "system/*.cruds"}
        token = client.post(where, auth=secret, data=asked).raise_for_status().json()["access_token"]
        sent = client.put(
            f"/Patient/{who}",
            json={"resourceType": "Patient", "id": who, "birthDate": "1950-01-02"},
            headers={"authorization": f"Bearer {token}"},
        )
        sent.raise_for_status()


@contextmanager
def prometheus(folder: Path, program: Program) -> Iterator[httpx.Client]:
    """Debian's, by the example file: only address, names of files and the interval are changed."""
    folder.mkdir()
    (folder / "token").write_text(TOKEN)
    text = EXAMPLE.read_text()
    for was, now in (
        ("scrape_interval: 15s", "scrape_interval: 1s"),
        ("localhost:8000", f"localhost:{program.port}"),
        ("    # scheme: https", f"    scheme: https\n    tls_config: {{ca_file: {folder.parent}/pair/own-cert.pem}}"),
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
        running = subprocess.Popen(["prometheus", *words], stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        with httpx.Client(base_url=f"http://{address}/api/v1", timeout=10) as client:
            yield client
    finally:
        running.terminate()
        running.wait(15)


def series(client: httpx.Client, expression: str) -> list[dict[str, Any]]:
    """What an instant query finds. Raises AssertionError when Prometheus does not understand it."""
    try:
        answer = client.get("/query", params={"query": expression})
    except httpx.ConnectError:
        return []
    if answer.status_code == 503:
        return []  # it is just starting
    assert answer.status_code == 200, f"{expression}: {answer.text}"
    return [one for one in answer.json()["data"]["result"] if one["value"][1] != "NaN"]


def test_prometheus_scrapes_and_every_panel_of_the_dashboard_shows_something(program: Program, tmp_path: Path) -> None:
    bedside(program, "backup", "init", "--to", str(tmp_path / "store"), "--key-file", str(tmp_path / "key"))
    bedside(program, "downtime", "init", "--to", str(tmp_path / "share"))
    patient(program, "p1")
    card = json.loads(bedside(program, "device", "add", "--kind", "blood-pressure", "--patient", "p1", "--json"))
    door = f"https://localhost:{program.port}/devices/{card['device']}/readings"
    with (
        prometheus(tmp_path / "prometheus", program) as client,
        httpx.Client(verify=program.trust or False, auth=(card["username"], card["password"])) as device,
    ):
        until, n, missing = time.monotonic() + 60, 0, set(ASKED)
        while missing - EMPTY:
            assert time.monotonic() < until, (missing, (tmp_path / "prometheus" / "log").read_text()[-1500:])
            n += 1
            measured = pack(n, ("systolic", 210, "mm[Hg]", time.time()), ("systolic", 900000, "mm[Hg]", time.time()))
            assert device.post(door, content=measured, headers={"content-type": "application/senml+json"}).is_success
            time.sleep(0.5)
            missing -= {name for name in missing if series(client, ASKED[name])}
        assert missing == EMPTY
        [up] = series(client, "up")
        assert up["value"][1] == "1"
    told = program.get("/metrics")[1]
    linted = subprocess.run(["promtool", "check", "metrics"], input=told, capture_output=True, check=False)
    assert (linted.returncode, linted.stdout + linted.stderr) == (0, b"")
