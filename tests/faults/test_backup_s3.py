"""The clinic's backups in a store elsewhere that has a bad day: the clinic goes on, it is told, and everything comes
back from there after the machine is gone."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

import pytest
from tests.faults.entering import entered
from tests.faults.test_backup import Again, gone, until
from tests.faults.test_kills import Fhir, patient
from tests.faults.worst_day import pids
from tests.foundation.backup.s3_server import BUCKET, Server, client, server
from tests.journeys.pages import ADMINISTRATOR
from tools.clinic import Clinic

from bedside.foundation.backup import settings

pytestmark = [pytest.mark.faults, pytest.mark.timeout(900)]

WINDOW = 2
ANSWERS = 10.0


def doctor(clinic: Clinic) -> str:
    words, env = ("doctor", "--home", str(clinic.home)), {**os.environ, "NO_COLOR": "1"}
    command = (sys.executable, "-m", "bedside", *words)
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env).stdout


def uploads(there: Server) -> int:
    direct = client("s3", there.direct, there.key)
    return len(direct.list_multipart_uploads(Bucket=BUCKET).get("Uploads", []))


def put(fhir: Fhir, family: str) -> str:
    who, begun = str(uuid.uuid4()), time.monotonic()
    assert fhir.put(patient(who, family))
    assert time.monotonic() - begun < ANSWERS, "the clinic waited for its backup"
    return who


def status_page(clinic: Clinic) -> str:
    """What the administrator reads there."""
    with entered(clinic, ADMINISTRATOR) as browser:
        return browser.get("/admin/status").raise_for_status().text


def test_a_store_elsewhere_on_its_bad_day(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    home, key, keys = tmp_path / "home", tmp_path / "safe" / "key", tmp_path / "store-keys"
    clinic = Clinic(home, patients=2)
    clinic.start()
    request.addfinalizer(clinic.stop)
    with server(tmp_path / "moto.log") as there, Fhir(clinic) as fhir:
        place = (f"s3://{BUCKET}/clinic", "--endpoint", there.endpoint, "--store-keys", str(there.keys_file(keys)))
        clinic.command("backup", "init", "--to", *place, "--window", str(WINDOW), "--key-file", str(key))
        until(lambda: settings.state(home).until is not None, 120)
        assert there.key[1] not in "".join(path.read_text(errors="replace") for path in home.rglob("*.json"))
        people = [put(fhir, "Before")]

        # It answers nothing but 503: told, with what to do; the clinic does not wait.
        with there.proxy.bad(lambda *_: "503"):
            until(lambda: settings.state(home).error != "", 120)
            people.append(put(fhir, "Meanwhile"))
            told = doctor(clinic)
        assert "does not serve us now (SlowDown)" in told
        assert "it goes on by itself" in told
        until(lambda: settings.state(home).error == "", 120)

        # Killed while it sends: what was sent is swept, and nothing of it is taken for a backup.
        before = settings.state(home).until
        hung = list[str]()

        def hang(method: str, path: str) -> str:
            if method != "PUT":
                return ""
            hung.append(path)
            return "hang"

        with there.proxy.bad(hang):
            until(lambda: bool(hung), 60)
            os.kill(pids(clinic)["backup"], signal.SIGKILL)
            people.append(put(fhir, "Killed"))
        until(lambda: (now := settings.state(home).until) is not None and before is not None and now > before, 120)
        assert uploads(there) == 0

        # Its key is ended, and is valid again.
        with there.proxy.bad(lambda *_: "403"):
            until(lambda: "refuses the access key" in settings.state(home).error, 120)
        until(lambda: settings.state(home).error == "", 120)

        assert "is whole" in clinic.command("backup")
        told = clinic.command("backup", "drill", "--key", str(key))
        assert "every page and every hash is right" in told
        assert "good, " in told
        shown = status_page(clinic)
        assert re.search(r"The last drill was .+ ago and took .+: everything came back\.", shown), shown[-3000:]
        people.append(put(fhir, "Last"))
        last = time.time()
        until(lambda: (now := settings.state(home).until) is not None and now.timestamp() > last, 60)
        os.kill(clinic.pid, signal.SIGKILL)
        clinic.wait_killed()
        until(lambda: gone(home))
        shutil.rmtree(home)

        again = Clinic(tmp_path / "home2", patients=2)
        out = again.command("restore", "--from", *place, "--key", str(key))
        assert "every page and every hash is right" in out
        again.start()
        try:
            with Again(again, fhir) as back:
                for who in people:
                    assert back.http.get(f"{back.base}/Patient/{who}", headers=back.headers).status_code == 200
            again.command("audit", "verify")
            assert settings.needed(again.home).endpoint == there.endpoint
        finally:
            again.stop()
    print(out)
