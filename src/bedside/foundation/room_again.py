"""After a full disk: the embedded NATS refuses for good what it once could not write, until it begins anew."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from bedside.foundation.engines import Nats
from bedside.foundation.home import ROOM_AGAIN
from bedside.foundation.supervisor import Supervisor


def begin_anew(nats: Nats | None, home: Path, supervisor: Supervisor, say: Callable[[str], None]) -> bool:
    """Whether NATS was begun anew now: it had said that the disk is full, and there is room again."""
    if nats is None or not nats.wants_room() or shutil.disk_usage(home).free <= ROOM_AGAIN:
        return False
    say("There is room on the disk again: NATS begins anew")
    supervisor.refresh("NATS")
    return True
