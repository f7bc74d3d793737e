"""One installation on this machine: its home, its engines, its processes, from start to stop."""

from __future__ import annotations

import errno
import os
import signal
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from bedside.foundation import certificates, garbage, telemetry
from bedside.foundation.child import Child
from bedside.foundation.engines import Nats, Postgres, Turn
from bedside.foundation.engines.nats import STOPS as NATS_STOPS
from bedside.foundation.engines.nats import free_port
from bedside.foundation.engines.process import turn_logs
from bedside.foundation.errors import BedsideError, Conflict, Unavailable
from bedside.foundation.home import Home
from bedside.foundation.reaching import callout_seed, lay, reach
from bedside.foundation.renewing import Renewing
from bedside.foundation.room_again import begin_anew
from bedside.foundation.serving import listen
from bedside.foundation.settings import Settings
from bedside.foundation.supervisor import Service, Stopped, Supervisor

SLOT = "bedside_backup"
"""As foundation.backup calls itself before PostgreSQL. It is loaded only where backups are set up."""
POSTGRES_STOPS = ((signal.SIGINT, 8.0), (signal.SIGQUIT, 3.0))


class Program(Protocol):
    """What app provides: the bodies of the processes, each given the settings and run in a process of its own."""

    def prepare(self, settings: Settings, say: Callable[[str], None]) -> None:
        """Migrate, check, seed. Raises BedsideError."""
        ...

    def web(self, settings: Settings, door: socket.socket, ready: Callable[[], None]) -> None:
        """Serve HTTP until SIGTERM."""
        ...

    def worker(self, settings: Settings) -> None:
        """Run jobs until SIGTERM."""
        ...

    def ingest(self, settings: Settings, mllp: socket.socket | None) -> None:
        """Take readings until SIGTERM. mllp: the listening socket of HL7 v2, where that door is open."""
        ...

    def devices(self, settings: Settings) -> None:
        """The demo's simulated devices, until SIGTERM."""
        ...

    def welcome(self, settings: Settings) -> str:
        """What to tell the person at the terminal once it runs."""
        ...


@dataclass(frozen=True, slots=True)
class Wish:
    """What the person at the command line asked for. None: embedded, or worked out."""

    home: Path
    demo: bool
    host: str = "127.0.0.1"
    port: int = 8000
    mqtt_host: str = "127.0.0.1"
    mqtt_port: int = 1883
    mllp_host: str = "127.0.0.1"
    mllp_port: int | None = None
    public_url: str | None = None
    database_url: str | None = None
    nats_url: str | None = None
    patients: int = 40
    seed: int = 1
    reset: bool = False
    turn: bool = False
    web_only: bool = False
    web_processes: int = 1
    tls_cert: Path | None = None
    tls_key: Path | None = None
    trusted_proxy: str | None = None
    migrate: bool = False
    """Take missing steps even where no backup can be made before."""
    own_certificate: bool = False
    """One that signs itself, for a demo that is shown on a network."""
    said: tuple[str, ...] = ()
    """In words of the command line, without what is secret: the home remembers them for `bedside doctor`."""


def door_at(host: str, port: int, what: str, option: str, *, again: float = 0.0) -> socket.socket:
    """Open a listening socket. again: seconds to keep trying, after a predecessor that may still be going.

    Raises Unavailable naming the port, or the address, and the option that chooses another.
    """
    until = time.monotonic() + again
    while True:
        try:
            return listen(host, port)
        except OSError as error:
            if isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL:
                option = option.replace("port", "host")
                raise Unavailable(
                    f"{host} is no address of this machine.",
                    remedy=f"Name one that it has (`ip -brief address` lists them): {option}.",
                ) from error
            if time.monotonic() < until:
                time.sleep(0.05)
                continue
            if isinstance(error, PermissionError):
                raise Unavailable(f"Port {port} is for administrators.", remedy=f"Choose another: {option}.") from error
            raise Unavailable(
                f"Port {port} ({what}) is taken by another program.",
                remedy=f"Stop that program, or choose another port: {option}.",
            ) from error


def web_name(n: int) -> str:
    """Of the n-th process that serves HTTP, from 0."""
    return "web" if n == 0 else f"web-{n + 1}"


class Installation:
    """Start, tend, stop. Everything that may refuse does so before anything is changed."""

    def __init__(self, wish: Wish, program: Callable[[], Program], say: Callable[[str], None]) -> None:
        def heard(line: str) -> None:
            with suppress(OSError):  # the terminal may have gone: the clinic goes on
                say(line)

        self.wish, self._load, self.say = wish, program, heard
        self.home = Home(wish.home.absolute())
        self.supervisor = Supervisor(heard, self._announce)
        self.postgres: Postgres | None = None
        self.nats: Nats | None = None
        self.mllp: socket.socket | None = None
        """HL7 v2's listening socket: it outlives the process that serves it."""
        self._backs_up = False
        self._renewing: Renewing | None = None
        self._ready_in, self._ready_out = os.pipe()
        os.set_blocking(self._ready_in, False)

    def run(self) -> None:
        """Until SIGINT, SIGTERM or SIGHUP. Raises BedsideError when it cannot start; then nothing runs."""
        wish, home = self.wish, self.home
        crashed = home.made() is not None and home.running() is None and (home.path / "running.json").exists()
        grace = 3.0 if crashed else 0.0
        if wish.turn:
            Turn.program()
        if wish.tls_cert and wish.tls_key:
            certificates.check((wish.tls_cert, wish.tls_key))
        home.check(demo=wish.demo)
        home.free()
        home.remember(wish.said)  # before what may refuse: doctor then judges what was refused
        door = door_at(wish.host, wish.port, "web", "--port", again=grace)
        if wish.nats_url is None:
            door_at(wish.mqtt_host, wish.mqtt_port, "MQTT", "--mqtt-port", again=grace).close()
        if wish.mllp_port and not wish.web_only:
            self.mllp = door_at(wish.mllp_host, wish.mllp_port, "HL7 v2", "--mllp-port", again=grace)
        home.take(demo=wish.demo)
        if wish.reset:
            home.forget()
        home.remember(wish.said)
        if wish.own_certificate:
            cert, key = certificates.own(home.path / "keys", wish.host)
            self.wish = wish = replace(wish, tls_cert=cert, tls_key=key)
        elif wish.tls_cert and wish.tls_key:
            self._renewing = Renewing((wish.tls_cert, wish.tls_key), self.supervisor, self.say)
            self._renewing.say_if_over()
        self._log()
        self.supervisor.listen()
        try:
            settings = self._engines()
            program = self._load()
            self._await_engines()
            self._back_up(door)
            self._prepare(program, settings)
            self._processes(program, settings, door)
            self.say(program.welcome(settings))
            self.supervisor.run(hourly=partial(turn_logs, home.path), often=partial(self._often, door))
            self.say("Stopping …")
        except Stopped:
            self.say("Stopping …")
        finally:
            door.close()
            if self.mllp is not None:
                self.mllp.close()
            self.supervisor.stop()
            (home.path / "running.json").unlink(missing_ok=True)
        self.say("Stopped.")

    def _log(self) -> None:
        logs = self.home.path / "logs"
        logs.mkdir(mode=0o700, exist_ok=True)
        file = os.fdopen(os.open(logs / "supervisor.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "ab", 0)
        telemetry.configure("supervisor", file=file, sends=False)

    def _engines(self) -> Settings:
        wish = self.wish
        if wish.database_url is None:
            self.postgres = postgres = self.home.postgres
            if not postgres.made:
                self.say("Making the database …")
                postgres.make()
            postgres.await_predecessor()
            if backups_told(self.home.path):
                from bedside.foundation.backup import settings as told

                if told.needed(self.home.path).synchronous:
                    postgres.settings["synchronous_standby_names"] = SLOT
            self.supervisor.add(
                Service("PostgreSQL", postgres.launch, stage=0, stops=POSTGRES_STOPS, last_words=postgres.last_words)
            )
        if wish.nats_url is None:
            self.nats = nats = self.home.nats(mqtt_port=wish.mqtt_port, mqtt_host=wish.mqtt_host)
            if wish.tls_cert and wish.tls_key and not wish.demo:
                nats.mqtt_tls = (wish.tls_cert.absolute(), wish.tls_key.absolute())
            self.supervisor.add(
                Service(
                    "NATS",
                    nats.launch,
                    stage=1,
                    stops=NATS_STOPS,
                    last_words=nats.last_words,
                    reloads=signal.SIGHUP,  # its certificate anew; devices and processes stay linked
                )
            )
        turn = Turn(self.home.path / "turn", port=free_port()) if wish.turn else None
        if turn is not None:
            self.supervisor.add(Service("TURN", turn.launch, stage=0))
        scheme = "https" if wish.tls_cert else "http"
        name = f"[{wish.host}]" if ":" in wish.host else wish.host
        if wish.host in {"127.0.0.1", "::1", "0.0.0.0", "::"}:  # noqa: S104
            name = "localhost"
        return Settings(
            home=self.home.path,
            database_url=wish.database_url or self.home.postgres.dsn(),
            nats_url=wish.nats_url or (self.nats.url if self.nats else ""),
            nats_system_url=self.nats.system_url if self.nats else os.environ.get("BEDSIDE_NATS_SYSTEM_URL", ""),
            public_url=(wish.public_url or f"{scheme}://{name}:{wish.port}").rstrip("/"),
            host=wish.host,
            port=wish.port,
            mqtt_host=wish.mqtt_host,
            mqtt_port=wish.mqtt_port,
            mllp_host=wish.mllp_host,
            mllp_port=wish.mllp_port or None,
            turn_urls=turn.urls if turn else tuple(os.environ.get("BEDSIDE_TURN_URLS", "").split()),
            turn_secret=turn.secret if turn else os.environ.get("BEDSIDE_TURN_SECRET", ""),
            demo=wish.demo,
            own_database=wish.database_url is None,
            migrate=wish.migrate,
            patients=wish.patients,
            seed=wish.seed,
            tls_cert=wish.tls_cert,
            tls_key=wish.tls_key,
            trusted_proxy=wish.trusted_proxy,
            metrics_token=os.environ.get("BEDSIDE_METRICS_TOKEN", ""),
            callout_seed=self.nats.login().seed if self.nats else callout_seed(self.home.path),
        )

    def _await_engines(self) -> None:
        for engine in (self.postgres, self.nats):
            if engine is None:
                continue
            running = engine.process
            self.supervisor.wait_for(lambda e=engine, r=running: e.ready or r is None or not r.running(), 60)  # type: ignore[misc]
            if not engine.ready:
                name = "PostgreSQL" if engine is self.postgres else "NATS"
                raise Unavailable(f"{name} did not start.", remedy=engine.last_words())
        if self.postgres is not None:
            self.postgres.create_database()

    def _prepare(self, program: Program, settings: Settings) -> None:
        """Migrations and the like run in a child, whose memory goes with it."""

        def work() -> int:
            try:
                program.prepare(settings, self.say)
            except BedsideError as error:
                self.say(told(error))
                return 3
            return 0

        garbage.settle()
        child = Child.fork("prepare", work)
        try:
            self.supervisor.wait_for(lambda: not child.running(), 24 * 3600)
        except Stopped:
            child.send(signal.SIGKILL)
            raise
        if child.code != 0:
            raise Unavailable("Bedside could not be prepared.", remedy="The reason stands above; nothing else runs.")
        self.home.settled()

    def _processes(self, program: Program, settings: Settings, door: socket.socket) -> None:
        logs = self.home.path / "logs"

        def ready() -> None:
            os.write(self._ready_out, b"1")

        mllp = self.mllp

        def web() -> int:
            if mllp is not None:
                mllp.close()
            program.web(settings, door, ready)
            return 0

        def without_door(body: Callable[[Settings], None]) -> Callable[[], int]:
            def work() -> int:
                door.close()
                if mllp is not None:
                    mllp.close()
                body(settings)
                return 0

            return work

        def ingest() -> int:
            door.close()
            program.ingest(settings, mllp)
            return 0

        bodies = {web_name(n): web for n in range(self.wish.web_processes)}
        if not self.wish.web_only:
            bodies |= {"worker": without_door(program.worker), "ingest": ingest}
        if settings.demo:
            bodies["devices"] = without_door(program.devices)
        for name, body in bodies.items():
            self.supervisor.add(Service(name, partial(Child.fork, name, body, log=logs / f"{name}.log")))
        if not self.supervisor.wait_for(self._web_answers, 30):
            raise Unavailable("The web process did not start.", remedy=f"See {logs / 'web.log'}.")

    def _back_up(self, door: socket.socket) -> None:
        """The process that writes the backups, as soon as `bedside backup init` has said where to. Before whatever
        writes is started, and stopped after it: what was acknowledged is in the backup of an orderly end."""
        if self.postgres is None or self._backs_up or not backups_told(self.home.path):
            return
        self._backs_up = True

        def work() -> int:
            from bedside.foundation.backup.archiver import Archiver

            door.close()
            if self.mllp is not None:
                self.mllp.close()
            telemetry.configure("backup")
            return Archiver(self.home).run()

        start = partial(Child.fork, "backup", work, log=self.home.path / "logs" / "backup.log")
        self.supervisor.add(Service("backup", start, stage=0.5, stops=((signal.SIGTERM, 8.0),)))

    def _often(self, door: socket.socket) -> None:
        self._back_up(door)
        if begin_anew(self.nats, self.home.path, self.supervisor, self.say):
            return
        if self._renewing is not None:
            self._renewing.look()

    def _announce(self) -> None:
        pids = {service.name: service.child.pid for service in self.supervisor.services if service.child is not None}
        nats_port = self.nats.port if self.nats else None
        certificate = str(self.wish.tls_cert.absolute()) if self.wish.tls_cert else None
        self.home.announce(
            host=self.wish.host,
            port=self.wish.port,
            mqtt_host=self.wish.mqtt_host,
            mqtt_port=self.wish.mqtt_port,
            mllp_host=self.wish.mllp_host,
            mllp_port=self.wish.mllp_port if self.mllp is not None else None,
            nats_port=nats_port,
            certificate=certificate,
            processes=pids,
        )

    def _web_answers(self) -> bool:
        self.supervisor.tend()
        try:
            return bool(os.read(self._ready_in, 1))
        except BlockingIOError:
            return False


def backups_told(home: Path) -> bool:
    """Whether this home was told where its backups go. What another user wrote there ends no clinic: doctor tells."""
    try:
        return (home / "backup" / "settings.json").exists()
    except PermissionError:
        return False


def told(error: BedsideError) -> str:
    """An error for a terminal."""
    return f"Error: {error.message}" + (f"\n  {error.remedy}" if error.remedy else "")


__all__ = ["Conflict", "Installation", "Program", "Wish", "lay", "reach", "told"]
