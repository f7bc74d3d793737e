"""What a home says of itself: its backups and drills, its certificate, what had to be started again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bedside.foundation import certificates
from bedside.foundation.doctor.finding import Finding, bad, failed, good, note
from bedside.foundation.errors import N_, BedsideError
from bedside.foundation.home import Home

CERTIFICATE_SOON = timedelta(days=14)
"""Who renews by itself does so a month before the end: with less left, that does not work."""
LATE = timedelta(minutes=2)
"""The log is kept every few seconds: a copy that is older stands still."""
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


def backups(home: Home, *, running: bool) -> list[Finding]:
    """How old the backup is, and when it was last tried. Reads the home's own notes alone."""
    from bedside.foundation.backup import settings

    try:
        told = settings.settings(home.path)
        if told is None:
            demo = (home.made() or {}).get("demo")
            if demo:
                return []
            return [bad(N_("There is no backup."), N_("bedside backup init --to FOLDER (on another disk)."))]
        state, drill = settings.state(home.path), settings.drill(home.path)
    except BedsideError as error:
        return [failed(error)]
    now = datetime.now(UTC)
    if state.until is None:
        found = [bad(N_("No backup was made yet."), state.error or N_("Start Bedside, or: bedside backup"))]
    else:
        age = now - state.until
        what = N_("The last backup in %(folder)s is %(age)s old; its base is of %(set)s.")
        values: dict[str, Any] = {"folder": str(told.to), "age": age, "set": str(state.set)}
        if (running and age > LATE) or state.error:
            why = state.error or N_("It does not go on.")
            found = [bad(what, N_("%(why)s See logs/backup.log and docs/runbooks/backup.md."), why=why, **values)]
        else:
            found = [good(what, **values)]
    if drill is None:
        return [*found, note(N_("No restore was ever tried."), N_("bedside backup drill --key KEY_FILE"))]
    values = {"age": now - drill.at, "took": timedelta(seconds=drill.seconds)}
    if not drill.good:
        what = N_("The last drill was %(age)s ago and took %(took)s: it FAILED. %(words)s")
        return [*found, bad(what, N_("docs/runbooks/backup.md"), words=" ".join(drill.words), **values)]
    if now - drill.at > DRILL:
        what = N_("The last drill was %(age)s ago and took %(took)s.")
        return [*found, note(what, N_("Try again: bedside backup drill --key KEY_FILE"), **values)]
    return [*found, good(N_("The last drill was %(age)s ago and took %(took)s: everything came back."), **values)]


def recent_ends(home: Home) -> Finding:
    """How often something had to be started again, by the supervisor's log."""
    path = home.path / "logs" / "supervisor.log"
    ends = path.read_text(errors="replace").count('"event":"ended"') if path.exists() else 0
    if ends:
        what = N_("%(ends)s times something ended by itself and was started again.")
        return note(what, N_("Read %(path)s."), ends=ends, path=str(path))
    return good(N_("Nothing had to be started again."))
