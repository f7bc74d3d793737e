"""With many rows of others the list still finds the reader's own by an index: no table is read through."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
import pytest
from starlette.requests import Request

from bedside import access
from bedside.access.testing import acting, someone
from bedside.web.kit import page_of, translator
from bedside.web.work.item import Asked
from bedside.web.work.kinds import KINDS

if TYPE_CHECKING:
    from tests.web.conftest import Ward

pytestmark = pytest.mark.engine

MANY = 20_000
FILL = (
    """insert into orders.result (tenant, ref, patient, version, critical, digest, arrived_at)
       select 1, 'Observation/' || n, 'p' || n % 5000, 1, false, '', now() from generate_series(1, $1::int) n""",
    """insert into messaging.thread (id, tenant, patient, kind, state, urgent, opened, person, name, promised, last)
       select 't' || n, 1, 'p' || n % 5000, 'other', 'open', false, now(), 'p', 'P',
           case when n % 10 = 0 then now() end, now() from generate_series(1, $1::int) n""",
    """insert into monitoring.late_finding
           (id, tenant, patient, cause, priority, finding, count, first_at, last_at, received_at)
       select 'l' || n, 1, 'p' || n, 'spo2-low', 'low', '{}', 1, now(), now(), now()
       from generate_series(1, $1::int) n""",
    """insert into visits.visit
           (tenant, id, status, patient, person, reason, asked_by, asked_by_name, clinician, asked_at, started_at)
       select 1, 'v' || n, 'finished', 'p' || n % 5000, 'p', 'r', 'a', 'A', 'c' || n % 200, now(), now()
       from generate_series(1, $1::int) n""",
    """insert into prescribing.prescription
           (tenant, id, status, patient, pharmacy, prescriber, prescriber_name, name, draft, checks, written_at,
            signed_at)
       select 1, 'x' || n, 'dispensed', 'p' || n % 5000, 'corner', 'c' || n % 200, 'C', 'M',
           '{"medicine": "m", "days": 30}', '[]', now(), now() - interval '20 days'
       from generate_series(1, $1::int) n""",
    """insert into access.granted (id, tenant, person, patient, actions, what, source, since, until)
       select 'g' || n, 1, $2, 'p' || n % 5000, 'R', '{*}', 's', now(), now() + interval '2 years'
       from generate_series(1, $1::int) n""",
)
BIG = {"result", "thread", "late_finding", "visit", "prescription", "granted"}


def read_through(plan: dict[str, Any]) -> set[str]:
    """The tables of a plan that are read from end to end."""
    mine = {plan["Relation Name"]} if plan["Node Type"] == "Seq Scan" else set()
    return mine.union(*(read_through(part) for part in plan.get("Plans", ())))


@pytest.mark.parametrize("role", ["clinician", "nurse"])
async def test_no_table_is_read_through(ward: Ward, role: str) -> None:
    reader = await someone(ward.ctx, role, name="Elena Ruiz")
    async with access.work(ward.ctx, "filled a test") as inner:
        await access.relate(inner, person=reader.id, patient=ward.rosa_id, kind="care", source="test")
        await inner.sql.execute("insert into prescribing.pharmacy values (1, 'corner', 'Corner', '1', 'Main St')")
        for statement in FILL:
            await inner.sql.execute(statement, MANY, *([ward.rosa.id] if "$2" in statement else []))
    async with ward.ctx.database.connection() as sql:
        for table in ("orders.result", "messaging.thread", "monitoring.late_finding", "visits.visit"):
            await sql.execute(f"analyze {table}")
        await sql.execute("analyze prescribing.prescription")
        await sql.execute("analyze access.granted")
    scope: dict[str, Any] = {"type": "http", "method": "GET", "path": "/work", "headers": [], "query_string": b""}
    request = Request({**scope, "app": ward.app_of(reader), "state": {"ctx": acting(ward.ctx, reader)}})
    asked: list[tuple[str, tuple[Any, ...]]] = []
    async with access.work(acting(ward.ctx, reader), "looked at the plans") as inner:
        inner.sql.add_query_logger(lambda record: asked.append((record.query, record.args)))
        page = page_of(request)
        for kind in KINDS:
            if kind.roles & inner.actor.roles:
                await kind.find(Asked(inner, page, translator(page.language)))
        found = {}
        for query, arguments in asked[:]:
            if query.lstrip().lower().startswith(("select", "with")):
                said = await inner.sql.fetchval(f"explain (format json) {query}", *arguments)
                plan = orjson.loads(said) if isinstance(said, str) else said
                if bad := read_through(plan[0]["Plan"]) & BIG:
                    found[query] = bad
    assert not found, found
