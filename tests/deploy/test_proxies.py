"""The example files for nginx and Caddy, in front of the running program: only names, ports and paths are changed."""

from __future__ import annotations

import asyncio
import base64
import json
import shutil
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import websockets
from tests.foundation.program import Program
from tools.ports import free_port

from bedside.foundation import certificates
from bedside.monitoring.testing import pack

pytestmark = pytest.mark.conformance

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"


@dataclass
class Front:
    """A proxy that runs before a program. clear: the port that takes plain HTTP."""

    program: Program
    address: str
    clear: int
    trust: ssl.SSLContext


def nginx(folder: Path, upstream: int, ports: tuple[int, int], pair: certificates.Pair) -> list[str]:
    """Debian's nginx, as nobody's service: the file as it is but for names, ports and paths."""
    clear, by_tls = ports
    text = (DEPLOY / "nginx" / "bedside.conf").read_text()
    for was, now in (
        ("clinic.example;", "localhost;"),
        ("listen [::]:80;", ""),
        ("listen [::]:443 ssl http2;", ""),
        ("listen 80;", f"listen 127.0.0.1:{clear};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{by_tls} ssl"),
        ("/etc/letsencrypt/live/clinic.example/fullchain.pem", str(pair[0])),
        ("/etc/letsencrypt/live/clinic.example/privkey.pem", str(pair[1])),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
    ):
        assert was in text, was
        text = text.replace(was, now)
    (folder / "bedside.conf").write_text(text)
    places = "".join(
        f"{name}_temp_path {folder}/{name};" for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/pid; error_log stderr; worker_processes 1; user root root;\n"
        f"events {{}}\nhttp {{ {places} include {folder}/bedside.conf; }}\n"
    )
    return ["nginx", "-p", str(folder), "-e", "stderr", "-c", str(folder / "nginx.conf")]


def caddy(folder: Path, upstream: int, ports: tuple[int, int], pair: certificates.Pair) -> list[str]:
    """Debian's Caddy: the file as it is but for name, ports and a certificate of one's own."""
    clear, by_tls = ports
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    for was, now in (
        ("\nclinic.example {", f"\n{{\n\tadmin off\n\thttp_port {clear}\n\thttps_port {by_tls}\n}}\nlocalhost {{"),
        ("# A certificate of your own instead: tls /etc/ssl/clinic.pem /etc/ssl/private/clinic.key", "{TLS}"),
        ("127.0.0.1:8000", f"127.0.0.1:{upstream}"),
    ):
        assert was in text, was
        text = text.replace(was, now)
    (folder / "Caddyfile").write_text(text.replace("{TLS}", f"tls {pair[0]} {pair[1]}"))
    return ["caddy", "run", "--adapter", "caddyfile", "--config", str(folder / "Caddyfile")]


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def front(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    name = request.param.__name__
    if shutil.which(name) is None:
        pytest.skip(f"NOT TRIED: {name} is not installed here: apt-get install {name}")
    folder = tmp_path_factory.mktemp(name)
    clear, by_tls = free_port(), free_port()
    address = f"https://localhost:{by_tls}"
    pair = certificates.own(folder / "keys", "localhost")
    # With the devices' certificate, as docs/production.md says: the pages' door stays plain for the proxy.
    tls = ("--tls-cert", str(pair[0]), "--tls-key", str(pair[1]))
    program = Program(folder / "home", options=("--public-url", address, "--trusted-proxy", "127.0.0.1", *tls))
    words = request.param(folder, program.port, (clear, by_tls), pair)
    env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}
    with (folder / "proxy.log").open("wb") as out:
        proxy = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=env)
    try:
        program.launch()
        made = Front(program, address, clear, ssl.create_default_context(cafile=str(pair[0])))
        until = time.monotonic() + 90
        while not _ready(made):
            assert proxy.poll() is None, (folder / "proxy.log").read_text()
            assert time.monotonic() < until, program.told() + (folder / "proxy.log").read_text()
            time.sleep(0.2)
        yield made
    finally:
        proxy.terminate()
        proxy.wait(15)
        program.end()


def _ready(front: Front) -> bool:
    try:
        return httpx.get(f"{front.address}/readyz", verify=front.trust, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False


def test_pages_come_safely_and_counts_do_not(front: Front) -> None:
    with httpx.Client(
        base_url=front.address, verify=front.trust, headers={"accept": "text/html"}, timeout=60
    ) as client:
        page = client.get("/sign-in")
        assert page.status_code == 200
        assert page.headers["strict-transport-security"] == "max-age=31536000"
        assert "secure" in page.headers.get("set-cookie", "secure").lower()
        assert client.get("/metrics").status_code == 404
        for origin, refused in (("https://evil.example", True), (front.address, False)):
            lines = {"origin": origin, "cookie": "a=b"}
            answer = client.post("/sign-in/app-code", data={"ticket": "x", "code": "123456"}, headers=lines)
            assert ("came from another site" in answer.text) == refused, (origin, answer.status_code)
    plain = httpx.get(f"http://localhost:{front.clear}/sign-in?next=/wall", timeout=60)
    assert plain.status_code in {301, 308}
    assert plain.headers["location"].startswith("https://localhost")
    assert plain.headers["location"].endswith("/sign-in?next=/wall")


def test_what_is_large_reaches_the_door_that_judges_it(front: Front) -> None:
    with httpx.Client(base_url=front.address, verify=front.trust, timeout=60) as client:
        answer = client.post(
            "/fhir/R4/Binary", content=b"x" * (20 << 20), headers={"content-type": "application/octet-stream"}
        )
    assert answer.status_code == 401
    assert answer.json()["resourceType"] == "OperationOutcome"


def test_who_comes_by_the_proxy_is_not_this_machine_whatever_they_say(front: Front) -> None:
    """The gate of /metrics, asked directly as the proxy would: a forged line does not reach past the real one."""
    door = f"http://localhost:{front.program.port}/metrics"
    host = {"host": front.address.removeprefix("https://")}
    assert httpx.get(door, headers=host, timeout=60).status_code == 200
    for forwarded, status in (("203.0.113.9", 404), ("127.0.0.1, 203.0.113.9", 404), ("127.0.0.1", 200)):
        lines = {**host, "x-forwarded-for": forwarded, "x-forwarded-proto": "https"}
        assert httpx.get(door, headers=lines, timeout=60).status_code == status, forwarded


async def test_a_gateway_s_link_is_answered_at_once(front: Front, tmp_path: Path) -> None:
    (tmp_path / "p1.json").write_text('{"resourceType":"Patient","id":"p1","name":[{"family":"Gil"}]}')

    def bedside(*words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "bedside", *words, "--home", str(front.program.home)],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    await asyncio.to_thread(bedside, "import", str(tmp_path / "p1.json"))
    added = await asyncio.to_thread(bedside, "device", "add", "--patient", "p1", "--kind", "monitor", "--json")
    card = json.loads(added)
    secret = base64.b64encode(f"{card['username']}:{card['password']}".encode()).decode()
    async with websockets.connect(
        f"{front.address.replace('https', 'wss')}/devices/{card['device']}/ws",
        ssl=front.trust,
        additional_headers={"authorization": f"Basic {secret}"},
        subprotocols=["senml.bedside.v1"],
    ) as link:
        for seq in (1, 2):
            await link.send(pack(seq, ("heart-rate", 70, "/min", time.time())).decode())
            assert json.loads(await asyncio.wait_for(link.recv(), 30)) == {"seq": seq, "stored": 1, "refused": []}
