"""What a search by meaning looks up first: a site's own value sets and code systems, and trees of places."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Sequence

from bedside.foundation.database import Connection, Row
from bedside.records.model import rows


async def by_url(sql: Connection, tenant: int, type_: str, url: str) -> bytes | None:
    """The newest resource of a type with that canonical URL."""
    found: bytes | None = await sql.fetchval(
        "select r.body from records.word w join records.resource r on r.tenant = $1 and r.rid = w.rid"
        " where w.tenant = $1 and w.param = $2 and w.folded = $3 order by r.updated desc limit 1",
        tenant,
        rows.param(type_, "url"),
        url[: rows.WORD_LIMIT],
    )
    return found


async def tree(sql: Connection, tenant: int, rids: Sequence[int], part_of: Sequence[int], *, down: bool) -> list[Row]:
    """What is part of the resources (down), or what they are part of, at any depth, themselves included: type, id."""
    here, there = ("e.key", "e.rid") if down else ("e.rid", "e.key")
    found: list[Row] = await sql.fetch(
        "with recursive t(rid) as (select unnest($2::bigint[]) union"
        f" select {there} from t join records.entry e on e.tenant = $1 and e.param = any($3::int[]) and {here} = t.rid)"
        " select r.type, r.id from t join records.resource r on r.tenant = $1 and r.rid = t.rid limit 10001",
        tenant,
        list(rids),
        list(part_of),
    )
    return found
