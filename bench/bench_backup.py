"""Backup and restore of a database, beside a plain copy of its files and a bare pg_basebackup in the same run."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bedside.foundation import private
from bedside.foundation.backup import archiver, restore, settings
from bedside.foundation.backup.archive import explain
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.engines.postgres import USER
from bedside.foundation.home import Home
from bench.figure import Figure

SCALE = 30
"""pgbench's: 100,000 rows of about 130 bytes each, with their index: some 15 MB."""


def timed(work: Callable[[], object]) -> float:
    """Seconds."""
    begun = time.monotonic()
    work()
    return time.monotonic() - begun


def size(folder: Path) -> float:
    """MB (10^6 bytes) below it."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def measure() -> Iterator[Figure]:
    """MB/s of the cluster's files, before compression."""
    key = RecoveryKey.make()
    with tempfile.TemporaryDirectory(prefix="bedside-bench-") as name:
        folder = Path(name)
        home = Home(folder / "home")
        home.take(demo=True)
        postgres = home.postgres
        postgres.start()
        try:
            postgres.create_database()
            tool = postgres.tool("pgbench")
            subprocess.run(
                [*tool.command, "-i", "-q", "-s", str(SCALE), USER],
                env=tool.env,
                pass_fds=tool.keep,
                check=True,
                capture_output=True,
            )
            postgres.ask("checkpoint")
            private.write(home.path / "keys" / "backup.pem", key.signer().pem())
            told = settings.Settings(to=str(folder / "store"), recipient=key.recipient, line="L")
            explain(told.store)
            settings.put(home.path, told)
            base, plain = postgres.tool("pg_basebackup"), folder / "plain"
            command = [*base.command, "-D", str(plain), "-X", "none", "-c", "fast"]
            bare = timed(lambda: subprocess.run(command, env=base.env, pass_fds=base.keep, check=True))
            many = size(plain)
            copy = timed(lambda: subprocess.run(["cp", "-a", str(plain), str(folder / "copy")], check=True))
            shutil.rmtree(folder / "copy")
            whole = timed(lambda: archiver.once(home, told, other=False, tell=lambda _: None))
            kept = size(folder / "store")
            again = timed(lambda: archiver.once(home, told, other=False, tell=lambda _: None))
        finally:
            postgres.stop()
        plan = restore.plan(restore.Wish(told.store, key))
        there = Home(folder / "again")

        def put_back() -> None:
            with restore.taken(there, plan):
                restore.lay_down(there, plan, lambda *_: None)
                with restore.played_back(there, plan, lambda *_: None):
                    pass
                restore.complete(there)

        back = timed(put_back)
    yield Figure("cluster", many, "MB")
    yield Figure("kept of it, encrypted", kept, "MB")
    yield Figure("cp -a", many / copy, "MB/s")
    yield Figure("pg_basebackup, plain", many / bare, "MB/s")
    yield Figure("backup, full", many / whole, "MB/s")
    yield Figure("backup, full, to pg_basebackup", bare / whole, "")
    yield Figure("backup, increment of nothing", again, "s")
    yield Figure("restore of both, played back and open", many / back, "MB/s")
    yield Figure("restore to cp -a", copy / back, "")
