"""The container files, as far as they can be looked at without an engine: what they name is there, and is read."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from tools.steps import ROOT

from bedside.foundation import routes
from bedside.foundation.settings import Settings

pytestmark = pytest.mark.unit

FOLDER = ROOT / "deploy" / "container"
IMAGE = (FOLDER / "Containerfile").read_text()
TEXT = (FOLDER / "compose.yaml").read_text()
BEFORE = TEXT.partition("\nservices:")[0]
"""What it says must be done first."""
COMPOSE: dict[str, Any] = yaml.safe_load(TEXT)
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCUMENTED = (ROOT / "docs" / "production.md").read_text()


def test_every_variable_of_bedside_is_one_that_it_reads() -> None:
    read = {
        name
        for file in (ROOT / "src" / "bedside").rglob("*.py")
        for name in re.findall(r'"(BEDSIDE_[A-Z_]+)"', file.read_text())
    }
    told = set(SERVICES["bedside"]["environment"]) | set(re.findall(r"^ENV (BEDSIDE_\w+)=", IMAGE, re.MULTILINE))
    assert told - read == set()
    assert {"BEDSIDE_DATABASE_URL", "BEDSIDE_NATS_URL", "BEDSIDE_PUBLIC_URL", "BEDSIDE_TRUSTED_PROXY"} <= told


def test_who_fills_in_what_it_says_first_lacks_nothing() -> None:
    for name in set(re.findall(r"\$\{(\w+)", TEXT)):
        assert re.search(rf"\b{name}\b", BEFORE), f"{name} must be put into .env, and nobody says so"
    for service in SERVICES.values():
        for mount in service.get("volumes", []):
            source = mount.partition(":")[0]
            if source.startswith("./"):
                assert Path(source).name in BEFORE, f"{source} must be made before, and nobody says so"
            elif source.startswith("."):
                assert (FOLDER / source).resolve().is_file(), source
            else:
                assert source in COMPOSE["volumes"], source


def test_the_parts_find_each_other() -> None:
    bedside, proxy = SERVICES["bedside"], SERVICES["proxy"]
    for service in SERVICES.values():
        assert set(service.get("networks", [])) <= set(COMPOSE["networks"])  # `default` too: podman-compose
        assert set(service.get("depends_on", {})) <= set(SERVICES)
    assert (FOLDER / bedside["build"]["context"] / bedside["build"]["dockerfile"]).resolve().is_file()
    environment = bedside["environment"]
    assert environment["BEDSIDE_TRUSTED_PROXY"] == proxy["networks"]["front"]["ipv4_address"]
    assert "@postgres/" in environment["BEDSIDE_DATABASE_URL"]
    assert "@nats:4222" in environment["BEDSIDE_NATS_URL"]
    port = Settings.__dataclass_fields__["port"].default
    assert proxy["command"][-1] == f"bedside:{port}"
    # Devices come to NATS, past the proxy, and their cards say so.
    [by_tls] = SERVICES["nats"]["ports"]
    assert environment["BEDSIDE_MQTT_PUBLIC"].endswith(":" + by_tls.partition(":")[0])
    assert by_tls.partition(":")[0] in DOCUMENTED


def test_the_image_opens_what_the_program_serves_and_asks_it_whether_it_is_ready() -> None:
    fields = Settings.__dataclass_fields__
    opened = re.search(r"^EXPOSE (.*)$", IMAGE, re.MULTILINE)
    assert opened is not None
    assert opened[1].split()[:2] == [str(fields["port"].default), str(fields["mqtt_port"].default)]
    asked = re.search(r"HEALTHCHECK.*?http://127\.0\.0\.1:(\d+)(/\w+)", IMAGE, re.DOTALL)
    assert asked is not None
    assert asked[1] == str(fields["port"].default)
    assert asked[2] in {getattr(route, "path", "") for route in routes.ROUTES}
    assert "/opt/bedside/.venv/bin:" in IMAGE, "`bedside` and `python` are found there"
