"""Before anything runs: the home's key is the one that the database's secrets were sealed with."""

from __future__ import annotations

from pathlib import Path

from bedside.access.service import keys
from bedside.access.store import credentials
from bedside.foundation.database import Database


async def key_fits(database: Database, home: Path) -> None:
    """Raises Unavailable where it is another: on a second machine with a key of its own nobody's second factor would
    open, at every other request."""
    async with database.connection() as sql:
        one = await credentials.sealed_one(sql)
    if one is not None:
        keys.opened(home, one)
