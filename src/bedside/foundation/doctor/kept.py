"""What a home says of itself: its backups and drills, its certificate, what had to be started again."""

from __future__ import annotations

import shutil
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson

from bedside.foundation import certificates
from bedside.foundation.doctor.finding import Finding, bad, failed, good, note
from bedside.foundation.errors import N_, BedsideError
from bedside.foundation.home import Home

CERTIFICATE_SOON = timedelta(days=14)
"""Who renews by itself does so a month before the end: with less left, that does not work."""
LATE = timedelta(minutes=2)
"""The log is kept every few seconds: a copy that is older stands still."""
FILES_OLD = timedelta(days=1)
"""They are kept every hour: keys change seldom, but the audit's signed heads stand among them."""
COPIES_OLD = timedelta(minutes=15)
"""They are written every five; an older one shows itself in red."""
DRILL = timedelta(days=90)
"""After so long nobody can be sure any more that what is kept can be restored."""


def certificate(running: dict[str, Any]) -> list[Finding]:
    """When the certificate that the program serves with ends, if it serves TLS itself."""
    file = running.get("certificate")
    if not file:
        return []
    try:
        left = certificates.ends(Path(file)) - datetime.now(UTC)
    except BedsideError as error:
        return [failed(error)]
    remedy = N_("Put a newer one at %(file)s: it is taken up within seconds, nothing has to be started again.")
    if left < timedelta():
        what = N_("The certificate expired %(since)s ago: browsers and devices refuse to connect.")
        return [bad(what, remedy, since=-left, file=file)]
    if left < CERTIFICATE_SOON:
        return [note(N_("The certificate ends in %(left)s."), remedy, left=left, file=file)]
    return [good(N_("The certificate ends in %(left)s."), left=left)]


def certificate_to_come(pair: certificates.Pair) -> list[Finding]:
    """The same of a program that does not run: whether it could start with these two files."""
    try:
        certificates.check(pair)
    except BedsideError as error:
        return [failed(error)]
    return certificate({"certificate": str(pair[0])})


def backups(home: Home, *, running: bool, own: bool = True) -> list[Finding]:
    """How old the backup is, and when it was last tried. Reads the home's own notes alone.

    own: the database is the home's; else its backup is the matter of whoever runs it, and here the files alone are.
    """
    from bedside.foundation.backup import settings

    try:
        told = settings.settings(home.path)
        if not own:
            return [_files(told, settings.state(home.path))]
        if told is None:
            demo = (home.made() or {}).get("demo")
            if demo:
                return []
            return [bad(N_("There is no backup."), N_("bedside backup init --to FOLDER (on another disk)."))]
        state, drill = settings.state(home.path), settings.drill(home.path)
    except BedsideError as error:
        return [failed(error)]
    if state.line not in {"", told.line}:
        what, remedy = N_("No backup was made yet in %(folder)s."), N_("Stop Bedside and start it again.")
        return [bad(what, remedy, folder=str(told.to))]
    now, found = datetime.now(UTC), _newest(home, told, state, running=running)
    if drill is None:
        return [*found, note(N_("No restore was ever tried."), N_("bedside backup drill --key KEY_FILE"))]
    values: dict[str, Any] = {"age": now - drill.at, "took": timedelta(seconds=drill.seconds)}
    if not drill.good:
        what = N_("The last drill was %(age)s ago and took %(took)s: it FAILED. %(words)s")
        return [*found, bad(what, N_("docs/runbooks/backup.md"), words=" ".join(drill.words), **values)]
    if now - drill.at > DRILL:
        what = N_("The last drill was %(age)s ago and took %(took)s.")
        return [*found, note(what, N_("Try again: bedside backup drill --key KEY_FILE"), **values)]
    return [*found, good(N_("The last drill was %(age)s ago and took %(took)s: everything came back."), **values)]


def _newest(home: Home, told: Any, state: Any, *, running: bool) -> list[Finding]:
    """How old the newest backup is, and what keeps the next from being made."""
    from bedside.foundation.backup import disk

    what = N_("The last backup in %(folder)s is %(age)s old; its base is of %(set)s.")
    values: dict[str, Any] = {}
    if state.until is not None:
        values = {"folder": str(told.to), "age": datetime.now(UTC) - state.until, "set": str(state.set)}
    if state.place in disk.SAID:
        said, remedy = disk.SAID[state.place]
        moved = bad(said, remedy, **disk.values(home.path, told))
        return [moved, note(what, **values)] if values else [moved]
    ails = f"{state.error} {state.remedy}".strip()
    if not values:
        return [bad(N_("No backup was made yet."), ails or N_("Start Bedside, or: bedside backup"))]
    if (running and values["age"] > LATE) or state.error:
        why = ails or N_("It does not go on.")
        return [bad(what, N_("%(why)s See logs/backup.log and docs/runbooks/backup.md."), why=why, **values)]
    return [good(what, **values)]


def _files(told: Any, state: Any) -> Finding:
    """Of a home whose database others run."""
    remedy = N_("bedside backup --database-url URL, every hour (docs/runbooks/backup.md).")
    if told is None:
        what = N_("The database is run by others, and so is its backup; the home's keys are kept nowhere else.")
        return note(what, N_("bedside backup init --to FOLDER, then bedside backup --database-url URL every hour."))
    if state.until is None:
        return bad(N_("The home's files were never kept in %(folder)s."), remedy, folder=str(told.to))
    age = datetime.now(UTC) - state.until
    what = N_("The home's files in %(folder)s are %(age)s old; the database's backup is the matter of who runs it.")
    values: dict[str, Any] = {"folder": str(told.to), "age": age}
    return note(what, remedy, **values) if age > FILES_OLD else good(what, **values)


def downtime(home: Home, *, running: bool) -> list[Finding]:
    """How old the sealed copies are that are read while nothing runs (app.downtime writes both notes)."""
    folder = home.path / "downtime"
    if (home.made() or {}).get("demo") and not (folder / "settings.json").exists():
        return []
    if not (folder / "settings.json").exists():
        what = N_("There are no downtime copies: while nothing runs, nobody knows allergies, medicines or telephones.")
        return [note(what, N_("bedside downtime init --to FOLDER (that the wards reach without this machine)."))]
    state: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        state = orjson.loads((folder / "state.json").read_bytes())
    remedy = N_("%(why)s Look at the folder that bedside downtime init was told, and at logs/worker.log.")
    why = str(state.get("error") or "")
    if state.get("at") is None:
        what = N_("No downtime copy was written yet.")
        return [bad(what, remedy, why=why) if why else bad(what, N_("Start Bedside, or: bedside downtime write"))]
    age = datetime.now(UTC) - datetime.fromisoformat(state["at"])
    if running and (age > COPIES_OLD or why):
        return [bad(N_("The downtime copies are %(age)s old."), remedy, age=age, why=why)]
    return [good(N_("The downtime copies are %(age)s old."), age=age)]


def recent_ends(home: Home) -> Finding:
    """How often something had to be started again, by the supervisor's log."""
    path = home.path / "logs" / "supervisor.log"
    ends = path.read_text(errors="replace").count('"event":"ended"') if path.exists() else 0
    if ends:
        what = N_("%(ends)s times something ended by itself and was started again.")
        return note(what, N_("Read %(path)s."), ends=ends, path=str(path))
    return good(N_("Nothing had to be started again."))


def numbers(home: Home) -> dict[str, tuple[str, float | None]]:
    """Ages and sizes for /metrics: name to (help, value); None where there is nothing of the kind."""
    from bedside.foundation.backup import settings

    now, told = datetime.now(UTC), dict[str, tuple[str, float | None]]()

    def since(at: datetime | None) -> float | None:
        return (now - at).total_seconds() if at is not None else None

    backup = copies = left = None
    with suppress(BedsideError, OSError, ValueError, KeyError):
        backup = since(settings.state(home.path).until)
    with suppress(OSError, ValueError, KeyError, TypeError):
        copies = since(datetime.fromisoformat(orjson.loads((home.path / "downtime" / "state.json").read_bytes())["at"]))
    with suppress(BedsideError):
        file = (home.running() or {}).get("certificate")
        left = (certificates.ends(Path(file)) - now).total_seconds() if file else None
    told["bedside_backup_age_seconds"] = ("Age of the last moment that can be restored.", backup)
    told["bedside_downtime_copy_age_seconds"] = ("Age of the newest downtime copies.", copies)
    told["bedside_certificate_left_seconds"] = ("Until the certificate ends.", left)
    told["bedside_disk_free_bytes"] = ("Free where the home is.", float(shutil.disk_usage(home.path).free))
    return told
