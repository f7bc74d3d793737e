"""`bedside doctor` as it is typed: of a home that is none, and by the settings that `serve` of that home reads."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from tools.ports import free_port

from bedside.cli import served
from bedside.foundation import certificates
from bedside.foundation.home import Home

pytestmark = pytest.mark.engine


def bedside(*words: str, **env: str) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("BEDSIDE_")}
    line = [sys.executable, "-m", "bedside", *words]
    return subprocess.run(line, capture_output=True, text=True, check=False, env={**clean, "NO_COLOR": "1", **env})


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A clinic's home, whose program does not run."""
    made = tmp_path / "clinic" / "home"
    line = "import sys; from pathlib import Path; from bedside.foundation.home import Home; "
    line += "Home(Path(sys.argv[1])).take(demo=False)"
    subprocess.run([sys.executable, "-c", line, str(made)], check=True)
    return made


@pytest.fixture
def door() -> Iterator[int]:
    """The port of another program, at an address that only a file names."""
    with closing(socket.create_server(("127.0.0.7", 0))) as other:
        yield other.getsockname()[1]


def test_a_mistyped_home_is_said_with_what_to_type(home: Path) -> None:
    done = bedside("doctor", "--home", str(home.with_name("hmoe")))
    assert done.returncode == 1
    assert f"There is no home of Bedside in {home.with_name('hmoe')}." in done.stdout
    assert f"bedside doctor --home {home}" in done.stdout
    assert not home.with_name("hmoe").exists()
    away = bedside("doctor", "--home", str(home.parent / "a" / "b" / "c"), BEDSIDE_DATABASE_URL="postgresql://x@/x")
    assert away.returncode == 1
    assert "There is no home of Bedside" in away.stdout


def test_what_serve_reads_is_judged(home: Path, door: int, tmp_path: Path) -> None:
    """The file of the start that was refused, not the ports of a start that nobody wants."""
    file = tmp_path / "serve.toml"
    file.write_text(f'host = "127.0.0.7"\nport = {door}\nmqtt-host = "192.0.2.9"\nmllp-port = {free_port()}\n')
    refused = bedside("serve", "--home", str(home), "--config", str(file))
    assert f"Port {door} (web) is taken" in refused.stderr, refused.stdout + refused.stderr
    done = bedside("doctor", "--home", str(home))
    assert done.returncode == 1
    assert f"typed with this at its end: --home {home}" in done.stdout
    assert f"as in {file}." in done.stdout
    assert f"Port {door} (--port) is taken by another program." in done.stdout
    assert "192.0.2.9 (--mqtt-host) is no address of this machine." in done.stdout
    assert "(--mllp-port) is free." in done.stdout
    assert "Port 8000" not in done.stdout
    # The file's newest words, and what is typed now before them.
    file.write_text(f'port = {door}\nhost = "127.0.0.8"\ntls-cert = "/nowhere/cert.pem"\n')
    assert "'/nowhere/cert.pem' does not exist" in bedside("doctor", "--home", str(home)).stdout
    file.write_text(f'port = {door}\nhost = "127.0.0.8"\n')
    assert f"Port {door} (--port) is free." in bedside("doctor", "--home", str(home)).stdout
    other = str(free_port())
    assert f"Port {other} (--port) is free." in bedside("doctor", "--home", str(home), "--port", other).stdout


def test_a_certificate_is_judged_before_the_start(home: Path, tmp_path: Path) -> None:
    cert, key = certificates.own(tmp_path, "clinic.example")
    file = tmp_path / "serve.toml"
    file.write_text(f'tls-cert = "{cert}"\ntls-key = "{key}"\nport = {free_port()}\n')
    told = served.served(demo=False, remembered=[], config=file, typed={})
    assert told.tls == (cert, key)
    assert told.doors["--mqtt-port"][1] == 8883


def test_a_home_remembers_options_but_no_secret(home: Path, door: int) -> None:
    words = ("--host", "127.0.0.7", "--database-url", "postgresql://x:hidden@127.0.0.1:1/x")
    refused = bedside("serve", "--home", str(home), *words, BEDSIDE_PORT=str(door))
    assert "taken" in refused.stderr
    assert Home(home).remembered() == ["--host", "127.0.0.7", "--port", str(door)]
    assert not [path for path in home.rglob("*") if path.is_file() and b"hidden" in path.read_bytes()]


def test_the_environment_of_now_goes_before_the_one_of_then(monkeypatch: pytest.MonkeyPatch) -> None:
    then = ["--port", "8100", "--web-only", "--mllp-port", "2575", "--mqtt-port", "1999"]
    told = served.served(demo=False, remembered=then, config=None, typed={"--mqtt-port": 2000})
    assert told.doors == {"--port": ("127.0.0.1", 8100), "--mqtt-port": ("127.0.0.1", 2000)}
    monkeypatch.setenv("BEDSIDE_PORT", "8200")
    assert served.served(demo=False, remembered=then, config=None, typed={}).doors["--port"][1] == 8200


def test_a_clinic_that_never_started_is_judged_by_the_handbooks_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "serve.toml"
    file.write_text("port = 8111\n")
    monkeypatch.setattr(served, "USUAL", file)
    for demo, source in ((False, file), (True, None)):
        assert served.served(demo=demo, remembered=[], config=None, typed={}).source == source
    started = served.served(demo=False, remembered=["--port", "8100"], config=None, typed={})
    assert started.doors["--port"][1] == 8100
