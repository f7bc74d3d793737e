"""The program itself with a certificate: every door for devices by TLS, none without, and one revocation for all."""

import asyncio
import base64
import json
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
import websockets
from tests.foundation.program import Program
from tests.foundation.test_installation import certificate
from tests.monitoring.cuff import Cuff

from bedside.monitoring import DeviceCredentials
from bedside.monitoring.testing import pack

pytestmark = pytest.mark.faults


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    cert, key = certificate(tmp_path)
    made = Program(tmp_path / "real", options=("--tls-cert", str(cert), "--tls-key", str(key)))
    made.scheme, made.trust = "https", ssl.create_default_context(cafile=str(cert))
    made.start()
    yield made
    made.end()


def bedside(program: Program, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bedside", *arguments, "--home", str(program.home)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def add(program: Program, *options: str) -> DeviceCredentials:
    told = json.loads(bedside(program, "device", "add", "--patient", "p1", "--kind", "monitor", "--json", *options))
    return DeviceCredentials(**told)


class Trusting(Cuff):
    """A cuff that comes by TLS."""

    def __init__(self, credentials: DeviceCredentials, program: Program) -> None:
        super().__init__(credentials, program.mqtt_port)
        assert program.trust is not None
        self.client.tls_set_context(program.trust)
        self.client.tls_insecure_set(True)  # the certificate is localhost's, the cuff says 127.0.0.1


async def test_every_door_by_tls_and_one_revocation(program: Program, tmp_path: Path) -> None:
    assert program.trust is not None
    patient = tmp_path / "p1.json"
    patient.write_text('{"resourceType":"Patient","id":"p1","name":[{"family":"Gil"}]}')
    bedside(program, "import", str(patient))
    ends = (datetime.now(UTC) + timedelta(days=1)).isoformat(timespec="seconds")
    mine, theirs = add(program, "--expires", ends), add(program)

    # Without TLS nobody is answered.
    plain = Cuff(theirs, program.mqtt_port)
    plain.client.connect_async("127.0.0.1", program.mqtt_port)
    plain.client.loop_start()
    await asyncio.to_thread(plain.left.get, timeout=30)
    assert plain.connected.empty()
    await plain.stop()

    secret = base64.b64encode(f"{mine.username}:{mine.password}".encode()).decode()
    address = f"wss://localhost:{program.port}/devices/{mine.device}/ws"
    headers = {"authorization": f"Basic {secret}"}
    door = f"https://localhost:{program.port}/devices/{mine.device}/readings"
    senml = {**headers, "content-type": "application/senml+json"}
    async with (
        Trusting(mine, program) as cuff,
        Trusting(theirs, program) as other,
        httpx.AsyncClient(verify=program.trust, timeout=60) as client,
        websockets.connect(
            address,
            ssl=program.trust,
            additional_headers=headers,
            subprotocols=["senml.bedside.v1"],
        ) as link,
    ):
        at = time.time()
        await cuff.send(pack(1, ("heart-rate", 70, "/min", at)))
        assert await cuff.answer(1) == {"seq": 1, "stored": 1, "refused": []}
        assert (await client.post(door, content=pack(2, ("spo2", 97, "%", at)), headers=senml)).status_code == 200
        await link.send(pack(3, ("respiratory-rate", 14, "/min", at)).decode())
        assert json.loads(await asyncio.wait_for(link.recv(), 30)) == {"seq": 3, "stored": 1, "refused": []}

        await asyncio.to_thread(bedside, program, "device", "revoke", mine.device)
        await asyncio.to_thread(cuff.left.get, timeout=30)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await asyncio.wait_for(link.recv(), 30)
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert (await client.post(door, content=pack(4, ("spo2", 97, "%", at)), headers=senml)).status_code == 403
        await other.send(pack(1, ("heart-rate", 71, "/min", at)))
        assert (await other.answer(1))["stored"] == 1

    # A server that stops says so.
    secret = base64.b64encode(f"{theirs.username}:{theirs.password}".encode()).decode()
    async with websockets.connect(
        f"wss://localhost:{program.port}/devices/{theirs.device}/ws",
        ssl=program.trust,
        additional_headers={"authorization": f"Basic {secret}"},
        subprotocols=["senml.bedside.v1"],
    ) as last:
        stopping = asyncio.create_task(asyncio.to_thread(program.stop))
        with pytest.raises(websockets.ConnectionClosed) as ended:
            await asyncio.wait_for(last.recv(), 30)
        assert ended.value.rcvd is not None
        assert ended.value.rcvd.code == 1012
        await stopping
