"""The log as it is written: pg_receivewal brings it into a folder, the spool, from which it is encrypted and kept.

Streaming and not archive_command: it brings what was committed a moment ago and not only full segments of 16 MB, it can
be waited for (synchronous), and when it is killed the server keeps the log for it (a replication slot, 4 GB at most).
"""

from __future__ import annotations

import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from bedside.foundation.backup.manifest import SEGMENT, lsn_value
from bedside.foundation.engines import Postgres, Process
from bedside.foundation.engines.postgres import last_words
from bedside.foundation.errors import Unavailable

SLOT = "bedside_backup"
SEGMENT_NAME = re.compile(r"[0-9A-F]{24}")
PARTIAL = ".partial"
SLOWEST = 20.0
"""Seconds in which what is committed must have come in."""


@dataclass(slots=True)
class Receiver:
    """pg_receivewal on one server. Started from the main thread alone."""

    postgres: Postgres
    spool: Path
    log: Path
    slot: str = SLOT
    synchronous: bool = False
    process: Process | None = None
    _begun: float = field(default=0.0)

    def see(self) -> bool:
        """It runs, or is started again, a second after the last start at the earliest; whether it runs now.

        Raises Unavailable with its words.
        """
        if self.process is not None and self.process.running():
            return True
        if time.monotonic() - self._begun < 1:
            return False
        self._begun = time.monotonic()
        if not self.synchronous:
            self.spool.mkdir(mode=0o700, parents=True, exist_ok=True)
        elif not self.spool.is_dir():  # an empty folder in its place would promise what is no longer so
            raise Unavailable(
                f"{self.spool}, where each commit is to be kept too, is away: nothing is acknowledged.",
                remedy="Connect that disk, or give the promise up: bedside backup init --no-synchronous.",
            )
        if self._gone():
            # What the server could keep no longer is gone: begin anew from here; the next base begins there too.
            self.forget()
        for path in self.spool.glob(f"*{PARTIAL}"):
            # Killed while it laid out a new segment, which holds nothing yet: it would refuse its own file for ever.
            if path.stat().st_size not in {0, SEGMENT}:
                path.unlink()
        tool = self.postgres.tool("pg_receivewal")
        made = subprocess.run(
            [*tool.command, "-S", self.slot, "--create-slot", "--if-not-exists"],
            env=tool.env,
            pass_fds=tool.keep,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        if made.returncode:
            raise Unavailable("The database's log cannot be followed.", remedy=made.stderr.strip())
        command: list[str | Path] = [*tool.command, "-D", self.spool, "-S", self.slot, "-s", "1", "--no-loop"]
        if self.synchronous:
            command.append("--synchronous")
        env = {**tool.env, "PGAPPNAME": self.slot}
        self.process = Process.start("pg_receivewal", command, log=self.log, env=env, keep=tool.keep)
        return True

    def _gone(self) -> bool:
        """Whether the server no longer has what would come next: it kept 4 GB, or somebody dropped the slot."""
        state = self.postgres.ask(f"select wal_status from pg_replication_slots where slot_name = '{self.slot}'")  # noqa: S608
        return state == "lost" or (not state and any(self.spool.iterdir()))

    def flushed(self) -> str:
        """Up to where the server has made its log durable: every commit it has acknowledged."""
        return self.postgres.ask("select pg_current_wal_flush_lsn()")

    def wait(self, lsn: str) -> None:
        """Until the log up to there is in the spool. Raises Unavailable: late, or it does not run."""
        until = time.monotonic() + SLOWEST
        mine = f"from pg_stat_replication where application_name = '{self.slot}'"
        sql = f"select coalesce(max(write_lsn), '0/0') {mine}"
        while True:
            if lsn_value(self.postgres.ask(sql)) >= lsn_value(lsn):
                return
            self.see()
            if time.monotonic() > until:
                raise Unavailable("The copy of the database's log is late.", remedy=last_words(self.log))
            time.sleep(0.2)

    def whole(self) -> list[Path]:
        """Segments that are complete, oldest first."""
        return sorted(path for path in self.spool.iterdir() if SEGMENT_NAME.fullmatch(path.name))

    def growing(self) -> Path | None:
        """The newest, incomplete one; none while it is being laid out. Then it holds nothing yet, and is too short: a
        database that is restored refuses a segment of another size, and all that came before it with it.
        """
        found = sorted(path for path in self.spool.glob(f"*{PARTIAL}") if SEGMENT_NAME.fullmatch(path.stem))
        return found[-1] if found and _laid_out(found[-1]) else None

    def stop(self) -> None:
        """It goes; the server keeps the log for it."""
        if self.process is not None:
            self.process.stop((signal.SIGINT, 3.0))

    def forget(self) -> None:
        """Nobody will come for the log again: the server need not keep it, and what came in is deleted."""
        self.stop()
        for path in self.spool.iterdir() if self.spool.is_dir() else ():
            path.unlink()
        until = time.monotonic() + 5
        while True:
            active = self.postgres.ask(f"select active from pg_replication_slots where slot_name = '{self.slot}'")  # noqa: S608
            if active != "t":
                break
            if time.monotonic() > until:
                return
            time.sleep(0.1)
        if active:
            self.postgres.ask(f"select pg_drop_replication_slot('{self.slot}')")


def _laid_out(path: Path) -> bool:
    """Whether it is as long as a segment; not where it was filled meanwhile, and has another name."""
    try:
        return path.stat().st_size == SEGMENT
    except FileNotFoundError:
        return False
