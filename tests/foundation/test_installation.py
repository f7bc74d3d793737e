"""One installation from start to stop: as whoever starts it, where things stand in its way, when it is killed."""

import asyncio
import http.server
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import asyncpg
import orjson
import pytest
from cryptography import x509
from tests.foundation.program import IDENTITIES, Program

from bedside.foundation import certificates
from bedside.foundation.engines import Nats, Postgres

pytestmark = pytest.mark.faults

Make = Callable[..., Program]
ROOT = os.geteuid() == 0


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Makes programs, by default all on one home, and ends them."""
    made: list[Program] = []

    def one(home: Path | None = None, **options: object) -> Program:
        made.append(Program(home or tmp_path / "home", **options))  # type: ignore[arg-type]
        return made[-1]

    yield one
    for program in made:
        program.end()


def files(home: Path) -> dict[str, tuple[int, int]]:
    """Every file with its size and time of change."""
    found = {}
    for path in home.rglob("*"):
        if path.is_file() and path.name != "lock":
            state = path.stat()
            found[str(path.relative_to(home))] = (state.st_size, state.st_mtime_ns)
    return found


@pytest.mark.parametrize("identity", IDENTITIES)
def test_it_starts_stops_and_starts_again_as_anybody(make: Make, tmp_path: Path, identity: str) -> None:
    if identity != "self" and not ROOT:
        pytest.skip("only root can become the others; they are tested where root runs the tests")
    program = make(identity=identity)
    program.start()
    assert program.get("/healthz") == (200, b"alive\n")
    program.stop()
    assert program.alive() == []
    program.start()
    assert b"bedside_duration_seconds" in program.get("/metrics")[1]
    program.stop(signal.SIGTERM)
    assert {path.name for path in tmp_path.iterdir()} == {"home", "home.out"}


def test_a_home_may_lie_deep(make: Make, tmp_path: Path) -> None:
    home = tmp_path / "/".join(["a-very-long-name-of-a-folder-of-some-clinic"] * 5) / "home"
    home.parent.mkdir(parents=True)
    program = make(home)
    program.start()
    program.stop()


def test_a_home_in_use_is_refused_and_undisturbed(make: Make) -> None:
    first, second = make(), make()
    first.start()
    said = second.refused()
    assert "is in use by a running Bedside" in said
    assert str(first.port) in said
    assert first.ready()
    first.stop()


def test_a_home_of_a_newer_version_is_refused_and_unchanged(make: Make) -> None:
    program = make()
    program.start()
    program.stop()
    mark = program.home / "bedside.json"
    kept = orjson.loads(mark.read_bytes())
    for change in ({"layout": 99}, {"version": "99.0.0"}):
        mark.write_bytes(orjson.dumps({**kept, **change}))
        before = files(program.home)
        assert "was made by a newer Bedside" in program.refused()
        assert files(program.home) == before


def test_invented_and_real_patients_are_never_mixed(make: Make, tmp_path: Path) -> None:
    program = make(verb="demo")
    program.start()
    program.stop()
    assert "holds a demo clinic" in make().refused()
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "bedside.json").write_bytes(orjson.dumps({"layout": 1, "version": "0.1.0", "demo": False}))
    assert "holds a real clinic" in make(tmp_path / "real", verb="demo").refused()


def test_a_folder_with_other_things_is_no_home(make: Make, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "thesis.txt").write_text("mine")
    assert "holds other files" in make().refused()
    assert (tmp_path / "home" / "thesis.txt").read_text() == "mine"


def test_a_taken_port_is_named_with_the_option_for_another(make: Make) -> None:
    program = make()
    doors = ((program.port, "--port"), (program.mqtt_port, "--mqtt-port"), (program.mllp_port, "--mllp-port"))
    for port, option in doors:
        with socket.create_server(("127.0.0.1", port)):
            said = program.refused()
        assert f"Port {port}" in said
        assert option in said
        assert not program.home.exists()
    program.start()
    program.stop()


def test_an_address_that_is_not_ours_is_not_called_a_taken_port(make: Make) -> None:
    for option, address in (("--host", "192.0.2.7"), ("--mqtt-host", "no-such-name.invalid")):
        program = make(options=(option, address))
        told = program.refused()
        assert f"{address} is no address of this machine." in told
        assert f": {option}." in told
        assert not program.home.exists()


def test_a_relay_that_is_not_installed_is_said_before_anything_is_made(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = make(verb="demo", options=("--turn",))
    monkeypatch.setenv("PATH", str(tmp_path))
    assert "apt-get install coturn" in program.refused()
    assert not program.home.exists()


def test_what_is_killed_comes_back_and_is_reported(make: Make) -> None:
    program = make(web_processes=2)
    program.start()
    every = ("PostgreSQL", "NATS", "web", "web-2", "worker", "ingest")
    program.await_processes(set(every))
    for name in every:
        killed = program.running()["processes"][name]
        os.kill(killed, signal.SIGKILL)
        until = time.monotonic() + 60
        while f"{name} runs again" not in program.told():
            assert time.monotonic() < until, program.told()
            time.sleep(0.02)
        program.await_ready()
        assert f"{name} was killed by SIGKILL" in program.told()
        assert program.running()["processes"][name] != killed
    assert " ended with " not in program.told()
    assert (program.home / "logs" / "supervisor.log").read_text().count('"event":"ended"') >= 6
    program.stop()


def test_nothing_outlives_a_killed_supervisor_and_a_start_at_once_succeeds(make: Make) -> None:
    program = make(verb="demo")
    program.start()
    ours = [program.running()["pid"], *program.running()["processes"].values()]
    assert set(ours) <= set(program.alive())
    program.send(signal.SIGKILL)
    again = make()
    again.port, again.mqtt_port, again.command = program.port, program.mqtt_port, program.command
    again.launch()
    until = time.monotonic() + 20
    # Only then may it be asked whether it is ready: until they are gone, the killed one's processes answer.
    while set(ours) & set(program.alive()):
        assert time.monotonic() < until, program.alive()
        time.sleep(0.01)
    again.await_ready()
    assert again.running()["pid"] not in ours
    again.send(signal.SIGKILL)
    until = time.monotonic() + 20
    while program.alive():
        assert time.monotonic() < until, program.alive()
        time.sleep(0.05)


def test_it_runs_and_sends_traces_where_somebody_collects_them(make: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: set[str] = set()

    class Collector(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.update(name for name in ("web", "worker", "ingest") if f"bedside-{name}".encode() in body)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "500")
        program = make()
        program.start()
        until = time.monotonic() + 60
        while not {"web", "worker"} <= heard:
            assert time.monotonic() < until, heard
            program.get("/sign-in")
            time.sleep(0.2)
        program.stop()
        server.shutdown()


def test_ctrl_c_stops_in_order(make: Make) -> None:
    """The terminal sends SIGINT to its whole group: the engines must not hear it before the supervisor stops them."""
    program = make()
    program.start()
    assert program.process is not None
    os.killpg(program.process.pid, signal.SIGINT)
    assert program.process.wait(30) == 0
    assert "was killed" not in program.told()
    assert program.told().endswith("Stopped.\n")
    program.start()
    log = (program.home / "postgres" / "postgres.log").read_text()
    assert "not properly shut down" not in log
    program.stop()


def test_reset_begins_anew(make: Make) -> None:
    program = make(verb="demo")
    program.start()
    program.stop()
    place = program.home / "postgres" / "secret"
    secret = place.read_text()
    program.command.append("--reset")
    program.launch()
    until, found = time.monotonic() + 120, secret
    while found in {"", secret}:
        assert time.monotonic() < until, program.told()
        time.sleep(0.05)
        with suppress(FileNotFoundError):  # it is just being removed
            found = place.read_text()
    assert program.process is not None
    program.process.kill()  # what it seeds now, nobody waits for


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mounts a disk of so many MB."""
    if not ROOT:
        pytest.skip("only root can mount a small disk")
    place = tmp_path / "disk"
    place.mkdir()

    def mount(megabytes: int) -> Path:
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", place], check=True)
        return place

    yield mount
    subprocess.run(["umount", "-l", place], check=True)


def test_a_full_disk_is_refused_before_anything_is_made(make: Make, small_disk: Callable[[int], Path]) -> None:
    place = small_disk(60)
    said = make(place / "home").refused()
    assert "The disk of" in said
    assert "is full" in said
    assert list(place.iterdir()) == []


def test_a_disk_that_fills_damages_nothing(make: Make, small_disk: Callable[[int], Path]) -> None:
    place = small_disk(300)
    program = make(place / "home")
    program.start()
    program.stop()
    filler = place / "filler"
    with filler.open("wb") as file, pytest.raises(OSError, match="space"):
        while True:
            file.write(bytes(1 << 20))
            file.flush()
    assert "is full" in program.refused()
    filler.unlink()
    program.start()
    program.stop()


def test_a_disk_that_fills_under_load_loses_nothing_acknowledged(make: Make, small_disk: Callable[[int], Path]) -> None:
    place = small_disk(300)
    program = make(place / "home")
    program.start()
    acknowledged: list[int] = []

    async def load() -> None:
        sql = await asyncpg.connect(program_dsn)
        try:
            await sql.execute("create table if not exists public.ledger (n int primary key, body bytea)")
            for n in range(10_000):
                await sql.execute("insert into public.ledger values ($1, $2)", n, os.urandom(1 << 16))
                acknowledged.append(n)
        finally:
            sql.terminate()

    program_dsn = Postgres(program.home / "postgres").dsn()
    filler = place / "filler"
    with filler.open("wb") as file:
        file.write(bytes(max(0, shutil.disk_usage(place).free - (20 << 20))))
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        asyncio.run(load())
    assert acknowledged
    filler.unlink()
    program.await_ready()

    async def count() -> int:
        sql = await asyncpg.connect(program_dsn)
        try:
            return int(await sql.fetchval("select count(*) from public.ledger where n = any($1)", acknowledged))
        finally:
            await sql.close()

    assert asyncio.run(count()) == len(acknowledged)
    program.stop()


def test_a_first_start_that_is_killed_anywhere_is_made_good_by_the_next(make: Make) -> None:
    program = make()
    for after in (0.15, 0.5, 0.9, 1.3):
        with program.out.open("ab") as out:
            program.process = subprocess.Popen(program.command, stdin=subprocess.DEVNULL, stdout=out, stderr=out)
        time.sleep(after)
        program.process.kill()
        program.process.wait()
    program.start()
    program.stop()


def test_a_file_and_the_environment_say_what_options_say(
    make: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "clinic.toml"
    file.write_text('public-url = "https://clinic.example"\nhost = "127.0.0.2"\nunheard-of = 1\n')
    program = make(tmp_path / "real", options=("--config", str(file)))
    done = subprocess.run(program.command, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "unheard_of" in done.stderr
    file.write_text(f'public-url = "https://clinic.example"\nmqtt-port = {program.mqtt_port}\n')
    at = program.command.index("--mqtt-port")
    del program.command[at : at + 2]
    monkeypatch.setenv("BEDSIDE_HOST", "127.0.0.2")
    with socket.create_server(("127.0.0.2", program.port)):
        assert f"Port {program.port} (web) is taken" in program.refused()
    with socket.create_server(("127.0.0.1", program.mqtt_port)):
        assert f"Port {program.mqtt_port} (MQTT) is taken" in program.refused()


def test_engines_of_others_are_used_and_unsafe_ones_refused(make: Make, tmp_path: Path) -> None:
    nats = Nats(tmp_path / "nats")
    for settings, safe in (({"fsync": "off"}, False), ({"synchronous_commit": "off"}, False), ({}, True)):
        postgres = Postgres(tmp_path / "postgres", settings=settings)
        postgres.start()
        postgres.create_database()
        nats.start()
        try:
            program = make(
                tmp_path / "real",
                options=("--database-url", postgres.dsn(), "--nats-url", nats.url, "--public-url", "https://c.example"),
            )
            if safe:
                program.start()
                program.await_processes({"web", "worker", "ingest"})
                assert "bedside init" in program.told()
                # Its devices come in elsewhere: the doctor misses no port of ours.
                doctor = [sys.executable, "-m", "bedside", "doctor", "--home", str(program.home)]
                done = subprocess.run([*doctor, "--database-url", postgres.dsn()], capture_output=True, check=False)
                assert b"--mqtt-port" not in done.stdout
                program.stop()
            else:
                said = program.refused()
                [name] = settings
                assert f"{name} is off: set {name} = on in postgresql.conf and reload" in said
                assert "Database brought up to date" not in said
        finally:
            nats.stop()
            postgres.stop()


@pytest.mark.parametrize(
    ("change", "remedy"),
    [
        (("/bedside?", "/elsewhere?"), "It has no database of this name"),
        (("bedside:", "bedside:not"), "It refuses this user name or password"),
        (("postgresql:", "mysql:"), "--database-url is written postgresql://"),
        (("host=", "host=/nowhere"), "Check --database-url and that PostgreSQL runs."),
    ],
)
def test_a_database_of_others_that_cannot_be_reached_is_said_in_words(
    make: Make, tmp_path: Path, change: tuple[str, str], remedy: str
) -> None:
    postgres = Postgres(tmp_path / "postgres")
    postgres.start()
    try:
        postgres.create_database()
        url = postgres.dsn().replace(*change)
        assert url != postgres.dsn()
        said = make(tmp_path / "real", options=("--database-url", url, "--nats-url", "nats://127.0.0.1:1")).refused()
        assert f"The database cannot be reached.\n  {remedy}" in said
        assert "  File " not in said
    finally:
        postgres.stop()


def test_pages_work_while_the_nats_of_others_is_away(make: Make, tmp_path: Path) -> None:
    postgres, nats = Postgres(tmp_path / "postgres"), Nats(tmp_path / "nats")
    postgres.start()
    try:
        postgres.create_database()
        nats.start()
        urls = ("--database-url", postgres.dsn(), "--nats-url", nats.url)
        program = make(tmp_path / "real", options=urls)
        program.start()
        program.await_processes({"web", "worker", "ingest"})
        nats.stop()
        os.kill(program.running()["processes"]["web"], signal.SIGKILL)
        status, body = 0, b""
        until = time.monotonic() + 60
        while b'"database":"ready"' not in body:
            assert time.monotonic() < until
            with suppress(OSError):
                status, body = program.get("/readyz")
            time.sleep(0.05)
        assert (status, orjson.loads(body)["bus"]) == (503, "away")
        nats.start()
        program.await_ready()
        program.stop()
    finally:
        nats.stop()
        postgres.stop()


def certificate(place: Path) -> certificates.Pair:
    """A certificate for localhost, signed by itself, and its key."""
    return certificates.own(place, "localhost")


def test_pages_and_devices_by_tls(make: Make, tmp_path: Path) -> None:
    cert, key = certificate(tmp_path)
    trusting = ssl.create_default_context(cafile=str(cert))
    program = make(tmp_path / "real", options=("--tls-cert", str(cert), "--tls-key", str(key)))
    program.scheme, program.trust = "https", trusting
    program.start()
    assert program.get("/healthz") == (200, b"alive\n")
    plain = socket.create_connection(("127.0.0.1", program.mqtt_port))
    with plain, trusting.wrap_socket(plain, server_hostname="localhost") as by_tls:
        assert by_tls.version() == "TLSv1.3"
    plain = socket.create_connection(("127.0.0.1", program.mllp_port))
    with plain, trusting.wrap_socket(plain, server_hostname="localhost") as by_tls:
        by_tls.sendall(b"\x0bMSH|^~\\&|X|Y|||20261121||ORU^R01|1|P|2.5\x1c\r")
        assert b"\rMSA|AR|1" in by_tls.recv(4096)
    program.stop()


def whoever() -> ssl.SSLContext:
    """Trusts any: two that sign themselves under one name cannot be told apart by it."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def shown(port: int) -> int:
    """The serial number of the certificate that a door of this machine shows."""
    with socket.create_connection(("127.0.0.1", port), timeout=5) as plain, whoever().wrap_socket(plain) as by_tls:
        der = by_tls.getpeercert(binary_form=True)
    assert der
    return x509.load_der_x509_certificate(der).serial_number


def test_a_renewed_certificate_is_taken_up_by_every_door(make: Make, tmp_path: Path) -> None:
    live, newer = certificate(tmp_path / "live"), certificate(tmp_path / "newer")
    program = make(tmp_path / "real", options=("--tls-cert", str(live[0]), "--tls-key", str(live[1])), web_processes=2)
    program.scheme, program.trust = "https", whoever()
    program.start()
    doors = (program.port, program.mqtt_port, program.mllp_port)
    bus = program.running()["processes"]["NATS"]
    old = x509.load_pem_x509_certificate(live[0].read_bytes()).serial_number
    new = x509.load_pem_x509_certificate(newer[0].read_bytes()).serial_number
    assert {shown(door) for door in doors} == {old}
    for fresh, used in zip(newer, live, strict=True):
        used.write_bytes(fresh.read_bytes())
    until, failed = time.monotonic() + 90, 0
    while {shown_or(door) for door in doors for _ in range(3)} != {new}:
        assert time.monotonic() < until
        failed += not (program.ready() or program.ready())  # a link that is just being made may be closed
        time.sleep(0.2)
    assert failed == 0, "one web process answers while the other begins anew, and the bus stays"
    assert program.running()["processes"]["NATS"] == bus, "devices stay linked while NATS takes it up"
    assert "ended" not in (program.home / "logs" / "supervisor.log").read_text().replace("backup ended", "")
    program.stop()


def shown_or(port: int) -> int:
    """0 for a door that is just being opened anew."""
    try:
        return shown(port)
    except OSError:
        return 0


def test_a_certificate_that_cannot_be_served_is_said_before_anything_is_made(make: Make, tmp_path: Path) -> None:
    one, other = certificate(tmp_path / "one"), certificate(tmp_path / "other")
    program = make(tmp_path / "real", options=("--tls-cert", str(one[0]), "--tls-key", str(other[1])))
    assert "cannot be used: key values mismatch" in program.refused()
    assert not program.home.exists()


def test_a_demo_is_shown_on_a_network_only_by_who_knows(make: Make, tmp_path: Path) -> None:
    for options, words in (
        (("--host", "127.0.0.2"), "could enter this demo as anybody"),
        (("--host", "0.0.0.0", "--i-know"), "Name one address"),  # noqa: S104 - refused
    ):
        program = make(tmp_path / "refused", verb="demo", options=options)
        assert words in " ".join(program.refused(code=2).replace("│", " ").split())
    program = make(tmp_path / "shown", verb="demo", options=("--host", "127.0.0.2", "--i-know"))
    program.launch()
    until = time.monotonic() + 120
    while f"runs at https://127.0.0.2:{program.port}" not in program.told():
        assert time.monotonic() < until, program.told()
        time.sleep(0.2)
    trusting = ssl.create_default_context(cafile=str(program.home / "keys" / "own-cert.pem"))
    request = urllib.request.Request(f"https://127.0.0.2:{program.port}/sign-in", headers={"accept": "text/html"})
    with urllib.request.urlopen(request, context=trusting, timeout=10) as answer:  # noqa: S310 - ours
        assert answer.status == 200
    with pytest.raises(OSError):
        socket.create_connection(("127.0.0.1", program.port), timeout=2)
    program.stop()
