"""The backup before something that cannot be undone: made now, then each object that a restore reads looked at."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from bedside.foundation.backup import check, settings
from bedside.foundation.backup.archiver import once
from bedside.foundation.backup.manifest import Set
from bedside.foundation.backup.sealed import look
from bedside.foundation.errors import BedsideError, Conflict, Unavailable
from bedside.foundation.home import Home

MUTE = 150.0
"""Seconds after which that process, which notes how it stands at least every --window, is no longer believed to be."""
FRESH = timedelta(seconds=10)
STUCK = 20.0
"""Seconds for which the process that writes backups may say that it cannot go on, before nobody waits any longer."""


def backed_up(home: Home, say: Callable[[str], None], *, runs: bool) -> Set:
    """The newest set, made after this was called, whole. runs: the running program makes it, else this process.

    From the main thread, PostgreSQL running. Raises BedsideError saying why there is none.
    """
    told = settings.needed(home.path)
    try:
        if runs:
            _asked(home, say)
        else:
            once(home, told, other=False, tell=lambda _: None)
        found = check.listing(told.store, settings.signer(home.path).public)
        made = check.pick(found.sets, None, told.line)
        for each in check.needs(found.sets, made):
            look(told.store, each)
    except BedsideError as error:
        raise Conflict(
            f"The backup could not be made: {error.message}",
            remedy=f"{error.remedy or 'See to the backup first.'}\n  Nothing was changed: the version that ran before "
            f'starts as it did. Without a backup: bedside migrate --home {home.path} --without-backup "WHY"',
        ) from error
    return made


def _asked(home: Home, say: Callable[[str], None]) -> None:
    since = datetime.now(UTC)
    wish, begun, bad, tenth = settings.ask(home.path), time.monotonic(), 0.0, 0
    while (state := settings.state(home.path)).answered != wish:
        now = time.monotonic()
        noted = settings.folder(home.path) / "state.json"
        if now - begun > MUTE and not (noted.exists() and time.time() - noted.stat().st_mtime < MUTE):
            raise Unavailable("The process that writes the backups does not answer.", remedy="See logs/backup.log.")
        # A fault of before stands there until the next success: only one that goes on now counts.
        ails = state.error and state.tried and state.tried >= max(since, datetime.now(UTC) - FRESH)
        bad = (bad or now) if ails else 0.0
        if bad and now - bad > STUCK:
            raise Unavailable(state.error)
        if state.total and state.done * 10 // state.total > tenth and now - begun > 10:
            tenth = state.done * 10 // state.total
            say(f"  backup: {tenth * 10} %")
        time.sleep(0.1)
    if state.answer:
        raise Unavailable(state.answer)
