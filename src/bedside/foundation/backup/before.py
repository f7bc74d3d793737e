"""The backup before something that cannot be undone: made now, then each object that a restore reads looked at."""

from __future__ import annotations

import time
from collections.abc import Callable

from bedside.foundation.backup import check, settings
from bedside.foundation.backup.archiver import once
from bedside.foundation.backup.asked import asked
from bedside.foundation.backup.manifest import Set
from bedside.foundation.backup.sealed import look
from bedside.foundation.errors import BedsideError, Conflict
from bedside.foundation.home import Home


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
    begun, tenth = time.monotonic(), 0

    def show(done: int, total: int) -> None:
        nonlocal tenth
        if total and done * 10 // total > tenth and time.monotonic() - begun > 10:
            tenth = done * 10 // total
            say(f"  backup: {tenth * 10} %")

    asked(home.path, show)
