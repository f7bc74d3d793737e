"""Files of messages that are not sent yet."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bedside.foundation.database import Connection
from bedside.messaging.threads.model.thread import UnsentFile


async def only(sql: Connection, tenant: int, person: str, message: str, kept: Sequence[int]) -> None:
    """Of all that this person has here, these of this message stay."""
    await sql.execute(
        """delete from messaging.unsent_file
        where tenant = $1 and person = $2 and not (message = $3 and n = any($4::smallint[]))""",
        *(tenant, person, message, list(kept)),
    )


async def put(
    sql: Connection,
    tenant: int,
    *,
    person: str,
    patient: str,
    message: str,
    file: UnsentFile,
    data: bytes,
    at: datetime,
) -> None:
    """Keep one, in place of an earlier one of that number."""
    await sql.execute(
        """insert into messaging.unsent_file (tenant, person, message, n, patient, name, data, at)
        values ($1, $2, $3, $4, $5, $6, $7, $8) on conflict (tenant, person, message, n)
        do update set patient = excluded.patient, name = excluded.name, data = excluded.data, at = excluded.at""",
        *(tenant, person, message, file.n, patient, file.name, data, at),
    )


async def listed(sql: Connection, tenant: int, person: str, message: str, patient: str) -> list[UnsentFile]:
    """What is here of a message, in its order."""
    rows = await sql.fetch(
        """select n, name, length(data) as size from messaging.unsent_file
        where tenant = $1 and person = $2 and message = $3 and patient = $4 order by n""",
        *(tenant, person, message, patient),
    )
    return [UnsentFile(**row) for row in rows]


async def taken(sql: Connection, tenant: int, person: str, message: str, patient: str) -> dict[int, tuple[str, bytes]]:
    """The files of a message, which are no longer here: name and bytes, by number."""
    rows = await sql.fetch(
        """delete from messaging.unsent_file where tenant = $1 and person = $2 and message = $3 and patient = $4
        returning n, name, data""",
        *(tenant, person, message, patient),
    )
    return {row["n"]: (row["name"], row["data"]) for row in rows}


async def drop(sql: Connection, tenant: int, person: str, message: str) -> None:
    """They are no longer here."""
    await sql.execute(
        "delete from messaging.unsent_file where tenant = $1 and person = $2 and message = $3", tenant, person, message
    )


async def expire(sql: Connection, before: datetime) -> None:
    """What was kept before then is no longer here."""
    await sql.execute("delete from messaging.unsent_file where at < $1", before)
