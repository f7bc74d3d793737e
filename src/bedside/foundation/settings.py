"""What one installation is told from outside: where its engines, its doors and its files are."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bedside.foundation import private
from bedside.foundation.bus import Bus
from bedside.foundation.clock import Clock, SystemClock
from bedside.foundation.context import Actor, Ctx, Purpose
from bedside.foundation.database import Database
from bedside.foundation.errors import Unavailable

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True, slots=True)
class Settings:
    """Handed to every process. URLs hold passwords: never logged."""

    home: Path
    database_url: str
    nats_url: str
    nats_system_url: str = ""
    """NATS's own account, which tells why it cut a device off; empty where that is not to be had."""
    public_url: str = "http://localhost:8000"
    """How browsers reach this installation: scheme, name and port, no path."""
    host: str = "127.0.0.1"
    port: int = 8000
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 1883
    mllp_host: str = "127.0.0.1"
    mllp_port: int | None = None
    """Of HL7 v2 (MLLP); None: that door is shut."""
    turn_urls: tuple[str, ...] = ()
    """Of a TURN relay, as RTCIceServer.urls; none: video takes direct paths only."""
    turn_secret: str = ""
    """Shared with it (coturn's static-auth-secret)."""
    demo: bool = False
    patients: int = 40
    """Of the demo's clinic, when it is first seeded."""
    seed: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxy: str | None = None
    """The address of the reverse proxy whose X-Forwarded-For and -Proto are believed."""
    metrics_token: str = ""
    """With which /metrics is read from another machine; empty: from this one alone."""
    own_database: bool = False
    """The home's own PostgreSQL, so that backups are this program's matter."""
    migrate: bool = False
    """Somebody said that missing steps may be taken without a backup before."""
    callout_seed: bytes = b""
    """nkey account seed with which the auth callout answers NATS for devices; empty where NATS asks elsewhere."""

    @property
    def public_host(self) -> str:
        """Name and port as browsers send them in Host."""
        return urlsplit(self.public_url).netloc

    @property
    def secure(self) -> bool:
        """Whether browsers come by https, so that cookies are Secure."""
        return self.public_url.startswith("https://")

    @property
    def web_tls(self) -> tuple[Path, Path] | None:
        """What the pages' door speaks TLS by. None: in plain, also where a trusted proxy on this very machine speaks it
        and the certificate is given for devices and HL7 v2, which come past the proxy."""
        if self.tls_cert is None or self.tls_key is None:
            return None
        behind = self.trusted_proxy is not None and self.host in LOOPBACK
        return None if behind else (self.tls_cert, self.tls_key)

    def key_file(self, name: str) -> Path:
        """Where a room keeps a key outside the database (foundation.private writes it with mode 0600)."""
        return self.home / "keys" / name

    def secret(self, name: str, make: Callable[[], str]) -> str:
        """A secret of a room, kept in the home and made by `make()` on first use."""
        return private.kept(self.key_file(name), make)


@dataclass(frozen=True, slots=True)
class Ground:
    """What a running process stands on."""

    settings: Settings
    database: Database
    bus: Bus
    clock: Clock

    @classmethod
    async def open(
        cls,
        settings: Settings,
        process: str,
        *,
        connections: int = 4,
        patient: bool = False,
        idle: float | None = None,
        patience: float | None = None,
    ) -> Ground:
        """Connect to both engines. Raises Unavailable.

        patient: for processes that run for long. A database that is away (restarting, recovering) is waited for, a
        minute at most; NATS is waited for beside the work. idle, patience: as
        Database.connect says.
        """
        name = f"bedside {process}"
        until = time.monotonic() + (60 if patient else 0)
        while True:
            try:
                database = await Database.connect(
                    settings.database_url, size=connections, name=name, idle=idle, patience=patience
                )
                break
            except Unavailable:
                if time.monotonic() >= until:
                    raise
            await asyncio.sleep(0.25)
        try:
            bus = await Bus.connect(settings.nats_url, name=name, patient=patient)
        except BaseException:
            await database.close()
            raise
        return cls(settings, database, bus, SystemClock())

    async def close(self) -> None:
        """Leave both."""
        await self.bus.close()
        await self.database.close()

    def ctx(self, actor: Actor, purpose: Purpose = "HOPERAT", *, tenant: int = 1, origin: str = "") -> Ctx:
        """A ctx for work that begins in this process."""
        return Ctx(actor, purpose, tenant, self.clock, self.database, self.bus, origin=origin)
