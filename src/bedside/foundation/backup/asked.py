"""A backup asked of the running program, and waited for: never for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bedside.foundation.backup import settings
from bedside.foundation.errors import Unavailable

MUTE = 150.0
"""Seconds after which that process, which notes how it stands at least every --window, is no longer believed to be."""
FRESH = timedelta(minutes=2)
"""A store that hangs is told every minute and a half."""
STUCK = 20.0
"""Seconds for which the process that writes backups may say that it cannot go on, before nobody waits any longer."""
MENDED = "Nothing else was touched; when that is mended, run the same command again."


def asked(home: Path, show: Callable[[int, int], None], runs: Callable[[], None] = lambda: None) -> None:
    """Until it is made. show: bytes done, of how many (0: not known). runs: raises where nobody would make it.

    Raises Unavailable: it could not be made, or nobody answers.
    """
    since = datetime.now(UTC)
    wish, begun, bad = settings.ask(home), time.monotonic(), 0.0
    while (state := settings.state(home)).answered != wish:
        runs()
        now = time.monotonic()
        noted = settings.folder(home) / "state.json"
        if now - begun > MUTE and not (noted.exists() and time.time() - noted.stat().st_mtime < MUTE):
            raise Unavailable("The process that writes the backups does not answer.", remedy="See logs/backup.log.")
        # A fault of before stands there until the next success: only one that goes on now counts.
        ails = state.error and state.tried and state.tried >= max(since, datetime.now(UTC) - FRESH)
        bad = (bad or now) if ails else 0.0
        if bad and now - bad > STUCK:
            raise Unavailable(state.error, remedy=f"{state.remedy} {MENDED}".strip())
        show(state.done, state.total)
        time.sleep(0.1)
    if state.answer:
        raise Unavailable(state.answer, remedy=f"{state.remedy} {MENDED}".strip())
