"""The running program, as a client that others wrote meets it: over HTTP, with a token of its own.

A further client is one file here.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest
from tests.foundation.program import Program
from tools.steps import ROOT


class Server(NamedTuple):
    """base: `http://localhost:N/fhir/R4`. token: of a backend client that may do everything. program: what runs."""

    base: str
    token: str
    program: Program

    @property
    def authorization(self) -> str:
        """The header."""
        return f"Bearer {self.token}"

    def http(self) -> httpx.Client:
        """A plain client."""
        headers = {"authorization": self.authorization, "content-type": "application/fhir+json"}
        return httpx.Client(base_url=self.base, headers=headers, timeout=60)


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """One installation for all clients, started as an operator would, with a backend client."""
    folder = Path(tempfile.mkdtemp(prefix="bedside-clients-"))
    program = Program(folder / "home")
    try:
        program.start()
        words = ["client", "add", "conformance", "--scope", "system/*.cruds", "--json", "--home", str(program.home)]
        done = subprocess.run(
            [sys.executable, "-m", "bedside", *words],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
        )
        client = json.loads(done.stdout)
        base = f"http://localhost:{program.port}/fhir/R4"
        smart = httpx.get(f"{base}/.well-known/smart-configuration", timeout=60).json()
        told = httpx.post(
            smart["token_endpoint"],
            data={"grant_type": "client_credentials", "scope": "system/*.cruds"},
            auth=(client["client_id"], client["client_secret"]),
            timeout=60,
        )
        yield Server(base, told.raise_for_status().json()["access_token"], program)
    finally:
        program.end()
        shutil.rmtree(folder, ignore_errors=True)


def run_in_node(script: str, server: Server) -> list[str]:
    """Run a script beside this file with the locked node and packages; the lines that it printed.

    Raises AssertionError with what it wrote where it failed.
    """
    node = ROOT / ".venv" / "bin" / "node"
    path = Path(__file__).with_name(script)
    done = subprocess.run(
        [node, path, server.base, server.token], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
        cwd=ROOT, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.splitlines()
