"""What resources refer to, and what refers to them, by the rows of the index."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Sequence

from bedside.foundation.database import Connection, Row
from bedside.records.store.statement import Statement

_COLUMNS = "r.type, r.id, r.rid, r.version, r.updated, r.patients, r.body"


async def referred(
    sql: Connection, tenant: int, sources: Sequence[int], which: Sequence[int], target: str | None
) -> list[Row]:
    """What the sources refer to by the parameters: for _include."""
    s = Statement(tenant)
    narrow = f" and e.param = any({s.bind(list(which))}::int[])"
    narrow += "" if target is None else f" and r.type = {s.bind(target)}"
    found: list[Row] = await sql.fetch(
        f"select distinct on (r.rid) {_COLUMNS} from records.entry e"
        " join records.resource r on r.tenant = e.tenant and r.rid = e.key"
        f" where e.tenant = $1 and e.rid = any({s.bind(list(sources))}::bigint[]) and r.body is not null{narrow}",
        *s.arguments,
    )
    return found


async def referring(
    sql: Connection, tenant: int, targets: Sequence[int], which: Sequence[int], limit: int
) -> list[Row]:
    """What refers to the targets by the parameters: for _revinclude."""
    found: list[Row] = await sql.fetch(
        f"select {_COLUMNS} from (select distinct e.rid from records.entry e"
        " where e.tenant = $1 and e.param = any($2::int[]) and e.key = any($3::bigint[]) limit $4) hit"
        " join records.resource r on r.tenant = $1 and r.rid = hit.rid",
        tenant,
        list(which),
        list(targets),
        limit,
    )
    return found


async def by_rids(sql: Connection, tenant: int, rids: Sequence[int]) -> list[Row]:
    """Those that stand there."""
    found: list[Row] = await sql.fetch(
        f"select {_COLUMNS} from records.resource r"
        " where r.tenant = $1 and r.rid = any($2::bigint[]) and r.body is not null",
        tenant,
        list(rids),
    )
    return found


async def referred_by_url(
    sql: Connection, tenant: int, sources: Sequence[int], which: Sequence[int], urls: Sequence[int]
) -> list[Row]:
    """What the sources refer to by its URL. urls: the parameters under which the targets' own URLs stand."""
    if not urls:
        return []
    s = Statement(tenant)
    narrow = f" and e.param = any({s.bind(list(which))}::int[])"
    found: list[Row] = await sql.fetch(
        f"select distinct on (r.rid) {_COLUMNS} from records.entry e"
        f" join records.entry u on u.tenant = e.tenant and u.param = any({s.bind(list(urls))}::int[]) and u.key = e.key"
        " join records.resource r on r.tenant = e.tenant and r.rid = u.rid"
        f" where e.tenant = $1 and e.rid = any({s.bind(list(sources))}::bigint[]) and e.extra = 0{narrow}",
        *s.arguments,
    )
    return found


async def referring_by_url(
    sql: Connection, tenant: int, targets: Sequence[int], urls: Sequence[int], which: Sequence[int], limit: int
) -> list[Row]:
    """What refers to the targets by their URLs."""
    found: list[Row] = await sql.fetch(
        f"select {_COLUMNS} from (select distinct e.rid from records.entry u"
        " join records.entry e on e.tenant = u.tenant and e.param = any($2::int[]) and e.key = u.key"
        " where u.tenant = $1 and u.rid = any($3::bigint[]) and u.param = any($4::int[]) limit $5) hit"
        " join records.resource r on r.tenant = $1 and r.rid = hit.rid",
        tenant,
        list(which),
        list(targets),
        list(urls),
        limit,
    )
    return found
