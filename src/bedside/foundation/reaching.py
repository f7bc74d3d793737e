"""How a command reaches an installation: the one that runs on a home, one whose engines run as long as the command, or
engines that others run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from bedside.foundation.errors import NotFound
from bedside.foundation.home import Home
from bedside.foundation.settings import Settings


def callout_seed(home: Path) -> bytes:
    """For a NATS that others run: the seed of the account key it was configured with, put there by the operator."""
    path = home / "keys" / "callout.nk"
    return path.read_bytes().strip() if path.exists() else b""


@contextmanager
def reach(home_path: Path, database_url: str | None = None, nats_url: str | None = None) -> Iterator[Settings]:
    """The settings by which a command reaches an installation: the one that runs on this home, or engines others run.

    Where nothing runs, the home's engines run for as long as the command. Raises BedsideError: not a home, in use.
    """
    home = Home(home_path.absolute())
    if database_url is not None:
        yield Settings(home.path, database_url, nats_url or "", callout_seed=callout_seed(home.path))
        return
    made = home.made()
    if made is None:
        raise NotFound(f"There is no Bedside in {home.path}.", remedy="Run `bedside demo`, or name a home with --home.")
    postgres = home.postgres
    if not postgres.made:  # an empty one would be made in its place, and asked
        raise NotFound(
            f"{home.path} holds no database: this clinic's is run by others.",
            remedy="Say which, as `bedside serve` is told: --database-url URL, or BEDSIDE_DATABASE_URL.",
        )
    bare = Settings(home.path, postgres.dsn(), nats_url or "", demo=bool(made.get("demo")), own_database=True)
    if running := home.running():
        port, mqtt_port = running["port"], running["mqtt_port"]
        nats = home.nats(port=running["nats_port"] or 1, mqtt_port=mqtt_port)
        yield replace(
            bare,
            nats_url=nats_url or nats.url,
            nats_system_url=nats.system_url,
            port=port,
            mqtt_port=mqtt_port,
            public_url=f"http://localhost:{port}",
            callout_seed=nats.login().seed,
        )
        return
    home.take(demo=bare.demo)
    nats = home.nats()
    try:
        postgres.start()
        nats.start()
        yield replace(bare, nats_url=nats_url or nats.url, callout_seed=nats.login().seed)
    finally:
        nats.stop()
        postgres.stop()


@contextmanager
def lay(home_path: Path, database_url: str | None = None) -> Iterator[Settings]:
    """The same of an installation that may not be there yet: makes a real clinic's home and its embedded database.

    Raises BedsideError: a demo's home, other files there, in use.
    """
    home = Home(home_path.absolute())
    home.check(demo=False)
    if home.running() is None and (home.made() is None or database_url is None):
        home.take(demo=False)
    if database_url is not None or home.running() is not None:
        with reach(home.path, database_url) as settings:
            yield settings
        return
    postgres = home.postgres
    try:
        postgres.start()
        postgres.create_database()
        yield Settings(home.path, postgres.dsn(), "", own_database=True)
    finally:
        postgres.stop()
