"""What /metrics says: for this machine alone or with the token, what stands now, and every name of the dashboard."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from tests.web.conftest import _log

from bedside.foundation import routes
from bedside.foundation.bus import Bus, no_bus
from bedside.foundation.clock import SystemClock
from bedside.foundation.database import Database
from bedside.foundation.http import Errors
from bedside.foundation.settings import Ground, Settings
from bedside.monitoring.alarms.service import life
from bedside.monitoring.ingest.service import lane
from bedside.web import kit

pytestmark = pytest.mark.engine
DASHBOARD = Path(__file__).resolve().parents[2] / "deploy" / "grafana" / "bedside.json"


def app(settings: Settings, database: Database, bus: Bus) -> Starlette:
    made = Starlette(routes=routes.ROUTES, middleware=[Middleware(Errors, page=kit.error_page, log=_log)])
    made.state.settings = settings
    made.state.ground = Ground(settings, database, bus, SystemClock())
    return made


async def asked(made: Starlette, host: str, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=made, client=(host, 40000))
    async with httpx.AsyncClient(transport=transport, base_url="http://bedside", headers=headers) as client:
        return await client.get("/metrics")


async def test_who_is_told(tmp_path: Path, database: Database, bus: Bus) -> None:
    shut = app(Settings(tmp_path, "", ""), database, bus)
    open_ = app(Settings(tmp_path, "", "", metrics_token="long and random"), database, bus)
    for made, host, headers, status in (
        (shut, "127.0.0.1", {}, 200),
        (shut, "::1", {}, 200),
        (shut, "203.0.113.9", {}, 404),
        (shut, "203.0.113.9", {"authorization": "Bearer "}, 404),
        (open_, "203.0.113.9", {"authorization": "Bearer long and random"}, 200),
        (open_, "203.0.113.9", {"authorization": "Bearer wrong"}, 404),
    ):
        assert (await asked(made, host, **headers)).status_code == status, (host, headers)


TWICE = """
from bedside.foundation import telemetry
for _ in range(2):
    told = telemetry.exposition() + telemetry.shown({"bedside_bus_connected": ("Whether NATS answers.", 1.0)})
print(told.decode())
"""


def test_where_processes_share_their_counts_each_name_is_told_once(tmp_path: Path) -> None:
    """A Gauge would leave its value in their directory, and /metrics then told it a second time."""
    env = {**os.environ, "PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    told = subprocess.run([sys.executable, "-c", TWICE], env=env, capture_output=True, text=True, check=True).stdout
    names = re.findall(r"^# HELP (\S+)", told, re.MULTILINE)
    assert "bedside_bus_connected" in names
    assert len(names) == len(set(names))


async def test_what_stands_now_and_the_names_of_the_dashboard(tmp_path: Path, database: Database, bus: Bus) -> None:
    lane.STORED.inc(0)
    lane.REFUSED.inc(0)
    life.RAISED.labels("high").inc(0)
    (tmp_path / "downtime").mkdir()
    (tmp_path / "downtime" / "state.json").write_text('{"at": "2026-11-21T12:00:00+00:00"}')
    told = (await asked(app(Settings(tmp_path, "", ""), database, bus), "127.0.0.1")).text
    for line in ("bedside_database_connected 1.0", "bedside_bus_connected 1.0", "bedside_jobs_parked 0.0"):
        assert line in told
    away = (await asked(app(Settings(tmp_path, "", ""), database, no_bus()), "127.0.0.1")).text
    assert "bedside_bus_connected 0.0" in away
    said = set(re.findall(r"^(bedside_\w+)", told, re.MULTILINE))
    asked_for = set(re.findall(r"bedside_\w+", json.dumps(json.loads(DASHBOARD.read_text())["panels"])))
    # A home has none of these until backups are set up and it serves TLS itself; the histogram shows when first used.
    later = {"bedside_backup_age_seconds", "bedside_certificate_left_seconds"}
    later |= {"bedside_duration_seconds_bucket", "bedside_duration_seconds_count"}
    assert asked_for - said - later == set()
