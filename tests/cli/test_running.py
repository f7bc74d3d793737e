"""What `serve` asks of the installation where nobody says it."""

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bedside import __version__
from bedside.cli import cli, running
from bedside.foundation import steps

pytestmark = pytest.mark.unit


def asked(monkeypatch: pytest.MonkeyPatch, *options: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    monkeypatch.setattr(running, "_run", lambda _ctx, _demo, _home, **choices: found.update(choices))
    result = CliRunner().invoke(cli, ["serve", *options])
    return found or {"code": result.exit_code}


def test_it_says_its_version_and_the_databases_newest_step() -> None:
    result = CliRunner().invoke(cli, ["--version"])
    assert (result.exit_code, result.output) == (0, f"Bedside {__version__}, database {steps.revisions()[-1]}\n")


def test_devices_come_by_8883_where_there_is_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    cert.touch()
    key.touch()
    tls = ("--tls-cert", str(cert), "--tls-key", str(key))
    assert asked(monkeypatch)["mqtt_port"] == 1883
    assert asked(monkeypatch, *tls)["mqtt_port"] == 8883
    assert asked(monkeypatch, *tls, "--mqtt-port", "1999")["mqtt_port"] == 1999
    assert asked(monkeypatch, *tls[:2]) == {"code": 2}


@pytest.mark.parametrize("wrong", ["clinic.example", "https://clinic.example/bedside", "http://clinic.example"])
def test_an_address_that_browsers_cannot_use_is_refused(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    """Every page would lead to nowhere, and nobody would know why."""
    assert asked(monkeypatch, "--public-url", wrong) == {"code": 2}
    assert asked(monkeypatch, "--public-url", "https://clinic.example/")["public_url"] == "https://clinic.example"


def test_a_proxy_is_named_by_its_address_and_ports_are_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in (("--trusted-proxy", "nginx"), ("--port", "80000"), ("--mqtt-port", "0")):
        assert asked(monkeypatch, *wrong) == {"code": 2}
    assert asked(monkeypatch, "--trusted-proxy", "127.0.0.1, 10.0.0.0/8")["trusted_proxy"] == "127.0.0.1, 10.0.0.0/8"
