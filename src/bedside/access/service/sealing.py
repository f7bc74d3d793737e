"""The audit's hash chain: entries are sealed within a second by one sealer, its head signed outside the database.

Writers never wait for it. The head file stands in the home: a line a seal, `n hash at signature`, Ed25519 over the
three before it. Whoever can change the database cannot make a line of it; whoever can change both and has the key is
beyond what a chain can show, so a copy of the head file belongs elsewhere (docs/runbooks).
"""

from __future__ import annotations

import asyncio
import base64
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from bedside.access.model.audit import GENESIS, leaf, seal
from bedside.access.store import audit as store
from bedside.foundation import private, telemetry
from bedside.foundation.clock import Clock
from bedside.foundation.database import Connection, Database

log = telemetry.logger("access")

EVERY = 0.4
"""Seconds between looks: an entry is sealed within a second of its commit."""
BATCH = 5000
LATE = timedelta(seconds=60)
"""An entry unsealed for so long means that no worker seals."""
WRITING = timedelta(seconds=5)
"""The line of a new seal stands in the head file within this."""


def _key(home: Path) -> Ed25519PrivateKey:
    def make() -> str:
        return (
            Ed25519PrivateKey.generate()
            .private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
            .decode()
        )

    key = serialization.load_pem_private_key(private.kept(home / "keys" / "audit.pem", make).encode(), None)
    if not isinstance(key, Ed25519PrivateKey):
        raise TypeError("keys/audit.pem is no Ed25519 key")
    return key


def head_file(home: Path) -> Path:
    """Where the heads stand."""
    return home / "audit" / "heads"


@dataclass(frozen=True, slots=True)
class Head:
    """One signed head. good: whether its signature holds."""

    n: int
    hash: bytes
    good: bool


def _line(key: Ed25519PrivateKey, n: int, hash: bytes, at: datetime) -> str:
    said = f"{n} {hash.hex()} {at.astimezone(UTC).isoformat(timespec='microseconds')}"
    return f"{said} {base64.b64encode(key.sign(said.encode())).decode()}\n"


def read_heads(home: Path) -> list[Head]:
    """Every line of the head file. A torn last line (the machine went down while writing) is no head yet."""
    path = head_file(home)
    if not path.exists():
        return []
    public = _key(home).public_key()
    found: list[Head] = []
    text = path.read_text(errors="replace")
    for line in text.splitlines()[: None if text.endswith("\n") else -1]:
        said, _, signature = line.rpartition(" ")
        parts = said.split(" ")
        try:
            public.verify(base64.b64decode(signature, validate=True), said.encode())
            found.append(Head(int(parts[0]), bytes.fromhex(parts[1]), True))
        except (InvalidSignature, ValueError, IndexError):
            found.append(Head(int(parts[0]) if parts[0].isdecimal() else -1, b"", False))
    return found


class Sealer:
    """Seals what waits, again and again. One runs in the worker; more do no harm: a lock lets one at a time."""

    def __init__(self, database: Database, home: Path, clock: Clock) -> None:
        self._database, self._home, self._clock = database, home, clock
        self._written = max((head.n for head in read_heads(home) if head.good), default=0)

    async def once(self) -> int:
        """Seal what is committed and waits. Returns how many entries; 0 when another sealer is at work."""
        async with self._database.transaction() as sql:
            if not await store.try_lock(sql):
                return 0
            head = await store.last_seal(sql)
            if head is not None and head["n"] > self._written:
                # A crash came between the commit of a seal and its line, or another's home wrote it.
                await self._write(head["n"], head["hash"], head["at"])
            rows = await store.take_pending(sql, BATCH)
            if not rows:
                return 0
            n = (head["n"] if head else 0) + 1
            at = self._clock.now()
            seqs, leaves = [row["seq"] for row in rows], [leaf(row) for row in rows]
            previous = head["hash"] if head else GENESIS
            link = seal(n, at, seqs, leaves, previous)
            await store.insert_seal(sql, n, at, seqs, leaves, previous, link)
        await self._write(n, link, at)
        return len(rows)

    async def _write(self, n: int, hash: bytes, at: datetime) -> None:
        await asyncio.to_thread(self._append, _line(_key(self._home), n, hash, at))
        self._written = n

    def _append(self, line: str) -> None:
        path = head_file(self._home)
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o600), "r+b") as file:
            # A line that a crash tore was never a head: what stands after the last newline is written over.
            size = file.seek(0, os.SEEK_END)
            begin = file.seek(max(0, size - 1024))
            file.seek(begin + file.read().rfind(b"\n") + 1)
            file.truncate()
            file.write(line.encode())
            file.flush()
            os.fsync(file.fileno())

    async def run(self) -> None:
        """Until cancelled. A database that is away is waited for."""
        while True:
            try:
                while await self.once() == BATCH:
                    pass
            except Exception as error:
                log.warning("the audit could not be sealed; trying again", kind=type(error).__name__)
            await asyncio.sleep(EVERY)


async def seal_audit(database: Database, home: Path, clock: Clock) -> None:
    """Seal what waits, where no worker runs."""
    sealer = Sealer(database, home, clock)
    while await sealer.once() == BATCH:
        pass


async def trim_heads(database: Database, home: Path, clock: Clock) -> int:
    """After a restore: heads of seals that the database does not know yet are put aside, beside the file; how many.

    They are signed and of another course of things, which from the restored moment on did not happen here.
    """
    async with database.connection() as sql:
        head = await store.last_seal(sql)
    last = head["n"] if head else 0
    return await asyncio.to_thread(_put_aside, home, last, clock.now())


def _put_aside(home: Path, last: int, at: datetime) -> int:
    path = head_file(home)
    if not path.exists():
        return 0
    lines = path.read_text(errors="replace").splitlines(keepends=True)
    stays, goes = list[str](), list[str]()
    for line in lines:
        n = line.partition(" ")[0]
        (goes if n.isdecimal() and int(n) > last else stays).append(line)
    if goes:
        private.write(path.with_name(f"heads.after-restore-{at:%Y%m%dT%H%M%SZ}"), "".join(goes))
        private.write(path, "".join(stays))
    return len(goes)


@dataclass(slots=True)
class AuditReport:
    """What verify found. problems: one sentence each; none: no byte was changed and nothing was cut."""

    entries: int = 0
    seals: int = 0
    unsealed: int = 0
    heads: int = 0
    problems: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    """Entries that nothing protects yet, since no worker seals."""


async def verify_audit(
    database: Database, home: Path, clock: Clock, progress: Callable[[int], None] = lambda _: None
) -> AuditReport:
    """Check every entry against its seal, every seal against the one before, and the chain against the head file.

    progress: told how many entries are done. Safe while the program runs.
    """
    # The heads first: a seal is committed before its head is written, so each of these must be found.
    heads = await asyncio.to_thread(read_heads, home)
    report = AuditReport(heads=len(heads))
    links: dict[int, tuple[bytes, datetime]] = {}
    now = clock.now()
    async with database.transaction(isolation="repeatable_read", readonly=True) as sql:
        await _chain(sql, report, links, progress)
        for seq in await store.strays(sql):
            report.problems.append(f"entry {seq} was put in past the audit: no seal knows it")
        for row in await store.pending(sql):
            report.unsealed += 1
            if row["at"] is None:
                report.problems.append(f"entry {row['seq']} was removed before it was sealed")
            elif now - row["at"] > LATE:
                report.warnings.append(f"entry {row['seq']} waits for its seal for too long: is a worker running?")
    _heads(report, heads, links, now)
    return report


async def _chain(
    sql: Connection, report: AuditReport, links: dict[int, tuple[bytes, datetime]], progress: Callable[[int], None]
) -> None:
    previous, expected, seen = GENESIS, 1, set[int]()
    async for link in store.seals(sql):
        n, seqs, leaves = link["n"], list(link["seqs"]), list(link["leaves"])
        if n != expected:
            report.problems.append(f"seals {expected} to {n - 1} are missing")
        if link["previous"] != previous:
            report.problems.append(f"seal {n} does not follow the one before it")
        if len(seqs) != len(leaves) or seal(n, link["at"], seqs, leaves, link["previous"]) != link["hash"]:
            report.problems.append(f"seal {n} was changed")
        rows = await store.entries(sql, seqs)
        for seq, kept_leaf in zip(seqs, leaves, strict=False):
            if seq in seen:
                report.problems.append(f"entry {seq} is sealed twice")
            seen.add(seq)
            if seq not in rows:
                report.problems.append(f"entry {seq} of seal {n} is missing")
            elif leaf(rows[seq]) != kept_leaf:
                report.problems.append(f"entry {seq} of seal {n} was changed")
        report.seals += 1
        report.entries += len(seqs)
        previous, expected = link["hash"], n + 1
        links[n] = (link["hash"], link["at"])
        progress(report.entries)


def _heads(report: AuditReport, heads: list[Head], links: dict[int, tuple[bytes, datetime]], now: datetime) -> None:
    last = max(links, default=0)
    signed = max((head.n for head in heads if head.good), default=0)
    for number, head in enumerate(heads, 1):
        if not head.good:
            report.problems.append(f"line {number} of the head file was changed")
        elif head.n > last:
            report.problems.append(f"seal {head.n} was cut from the end: its signed head is here")
        elif head.n not in links or links[head.n][0] != head.hash:
            report.problems.append(f"seal {head.n} is not the one whose head was signed")
    # The newest seal may be so new that its line is being written.
    if last - signed > 1 or (last > signed and now - links[last][1] > WRITING):
        report.problems.append(f"the head file ends at seal {signed}, the chain at {last}: lines were cut from it")
