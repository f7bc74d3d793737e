"""Contents of Binaries: their pieces, and the versions that show them."""

from collections.abc import Sequence
from datetime import datetime

from bedside.foundation.database import Connection
from bedside.records.model.contents import Content


async def begin(sql: Connection, tenant: int, now: datetime) -> int:
    """A content whose pieces are to come; its number."""
    return int(
        await sql.fetchval("insert into records.content (tenant, begun) values ($1, $2) returning id", tenant, now)
    )


async def add(sql: Connection, content: int, n: int, part: bytes) -> None:
    """The next piece."""
    await sql.execute("insert into records.content_piece (content, n, bytes) values ($1, $2, $3)", content, n, part)


async def finish(sql: Connection, tenant: int, content: Content) -> Content:
    """It is whole. The same bytes kept before are shown instead, and these go."""
    await sql.execute("select pg_advisory_xact_lock(hashtextextended(encode($1, 'hex'), $2))", content.sha256, tenant)
    same = await sql.fetchval(
        "select id from records.content where tenant = $1 and sha256 = $2 and whole", tenant, content.sha256
    )
    if same is not None:
        await drop(sql, content.id)
        return content._replace(id=same)
    await sql.execute(
        "update records.content set whole = true, size = $2, sha256 = $3, sha1 = $4 where id = $1 and not whole",
        *content,
    )
    return content


async def drop(sql: Connection, content: int) -> None:
    """What is not whole goes."""
    await sql.execute("delete from records.content where id = $1 and not whole", content)


async def sweep(sql: Connection, before: datetime) -> None:
    """What was begun before then and never became whole goes."""
    await sql.execute("delete from records.content where not whole and begun < $1", before)


async def show(sql: Connection, tenant: int, rid: int, version: int, content: int) -> None:
    """This version shows this content."""
    await sql.execute(
        "insert into records.content_of (tenant, rid, version, content) values ($1, $2, $3, $4)",
        tenant,
        rid,
        version,
        content,
    )


async def shown(sql: Connection, tenant: int, rid: int, version: int, sha256: bytes) -> Content | None:
    """The content of a version that states this hash: its own, or that of an earlier version of the same resource."""
    row = await sql.fetchrow(
        "select c.id, c.size, c.sha256, c.sha1 from records.content_of o join records.content c on c.id = o.content"
        " where o.tenant = $1 and o.rid = $2 and o.version <= $3 and c.sha256 = $4 and c.whole"
        " order by o.version desc limit 1",
        tenant,
        rid,
        version,
        sha256,
    )
    return Content(*row) if row else None


async def piece(sql: Connection, content: int, n: int) -> bytes | None:
    """A piece."""
    found: bytes | None = await sql.fetchval(
        "select bytes from records.content_piece where content = $1 and n = $2", content, n
    )
    return found


async def patients_of(sql: Connection, tenant: int, rids: Sequence[int]) -> dict[int, list[str]]:
    """Whose these resources are, by number; what is not there or deleted is left out."""
    rows = await sql.fetch(
        "select rid, patients from records.resource where tenant = $1 and rid = any($2::bigint[]) and body is not null",
        tenant,
        list(rids),
    )
    return {row["rid"]: list(row["patients"]) for row in rows}
