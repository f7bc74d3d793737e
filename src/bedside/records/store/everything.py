"""What belongs to a patient or an Encounter, and what that refers to, page by page in the order of its coming."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import NamedTuple

from bedside.fhir.definitions import compartment, resource_types
from bedside.foundation.database import Connection, Row
from bedside.records.model import rows
from bedside.records.store.statement import Statement, params

_COLUMNS = "r.type, r.id, r.rid, r.version, r.updated, r.patients, r.body, r.born"
# Of these the type's own date is a birth, and no date of care.
_BORN = ["Patient", "RelatedPerson", "Practitioner", "Person"]


class Circle(NamedTuple):
    """What is asked for. root: `Type/id`. also: further resources that stand beside it. patients: whose resources may
    be in it. types: those that the actor may read. kept: those that are asked for. since: of lastUpdated. start, end:
    of the type's own date, half open; what has no date is in it always."""

    root: str
    also: Sequence[str]
    patients: Sequence[str]
    types: Sequence[str]
    kept: Sequence[str]
    since: datetime | None = None
    start: datetime | None = None
    end: datetime | None = None


@cache
def _placing(name: str) -> list[int]:
    """The parameters that place a resource in a compartment; for a patient also those that the standard forgot."""
    found: set[int] = set()
    for type_ in resource_types():
        codes = rows.shape(type_).compartment if name == "Patient" else compartment(name).get(type_, ())
        found.update(number for code in codes for number in params(type_, code))
    return sorted(found)


@cache
def _dates() -> list[int]:
    return sorted(
        rows.param(type_, date)
        for type_ in resource_types()
        if type_ not in _BORN and (date := rows.shape(type_).date) is not None
    )


def _members(s: Statement, circle: Circle) -> str:
    name = circle.root.partition("/")[0]
    roots = s.bind([rows.key(one) for one in (circle.root, *circle.also)])
    return (
        f"members as (select unnest({roots}::bigint[]) as rid union select e.rid from records.entry e"
        f" where e.tenant = $1 and e.param = any({s.bind(_placing(name))}::int[])"
        f" and e.key = {s.bind(rows.key(circle.root))})"
    )


def _within(s: Statement, circle: Circle, alias: str) -> str:
    mine = s.bind(list(circle.patients))
    return (
        f"{alias}.tenant = $1 and {alias}.body is not null and {alias}.type = any({s.bind(list(circle.types))}::text[])"
        f" and ({alias}.patients && {mine}::text[] or {alias}.patients = '{{}}')"
    )


def _wanted(s: Statement, circle: Circle) -> str:
    parts = [f"r.type = any({s.bind(list(circle.kept))}::text[])"]
    if circle.since is not None:
        parts.append(f"r.updated >= {s.bind(circle.since)}")
    if circle.start is not None or circle.end is not None:
        dated = f"d.tenant = $1 and d.rid = r.rid and d.param = any({s.bind(_dates())}::int[])"
        during = [dated]
        if circle.end is not None:
            during.append(f"d.key < {s.bind(rows.microseconds(circle.end))}")
        if circle.start is not None:
            during.append(f"d.extra > {s.bind(rows.microseconds(circle.start))}")
        parts.append(
            f"(exists (select from records.entry d where {' and '.join(during)})"
            f" or not exists (select from records.entry d where {dated}))"
        )
    return " and ".join(parts)


async def members(sql: Connection, tenant: int, circle: Circle, after: tuple[int, int], limit: int) -> list[Row]:
    """The root first, then the rest. Rows with rank and born: by these the next page goes on."""
    s = Statement(tenant)
    with_ = _members(s, circle)
    rank = f"case when r.rid = {s.bind(rows.key(circle.root))} then 0 else 1 end"
    found: list[Row] = await sql.fetch(
        f"with {with_} select {_COLUMNS}, {rank} as rank from members m join records.resource r on r.rid = m.rid"
        f" where {_within(s, circle, 'r')} and {_wanted(s, circle)}"
        f" and ({rank}, r.born) > ({s.bind(after[0])}::int, {s.bind(after[1])}::bigint)"
        f" order by {rank}, r.born limit {s.bind(limit)}",
        *s.arguments,
    )
    return found


async def supporting(
    sql: Connection, tenant: int, circle: Circle, open_types: Sequence[str], after: int, limit: int
) -> list[Row]:
    """What the members refer to that belongs to no patient (a Practitioner, a Medication), of open_types."""
    s = Statement(tenant)
    with_ = _members(s, circle)
    found: list[Row] = await sql.fetch(
        f"with {with_}, hit as (select distinct e.key as rid from members m"
        " join records.resource t on t.rid = m.rid"
        " join records.entry e on e.tenant = $1 and e.rid = t.rid"
        f" where {_within(s, circle, 't')})"
        f" select {_COLUMNS} from hit join records.resource r on r.tenant = $1 and r.rid = hit.rid"
        f" where r.body is not null and r.patients = '{{}}' and r.type = any({s.bind(list(open_types))}::text[])"
        f" and {_wanted(s, circle)} and r.rid not in (select rid from members)"
        f" and r.born > {s.bind(after)} order by r.born limit {s.bind(limit)}",
        *s.arguments,
    )
    return found
