"""One page of a search, in one statement.

Where a filter names one code or one target, the walk starts in its index rows: they hold the subject and the type's
date, so that "the 20 newest of one code for one patient" reads 20 neighbours of one index and sorts nothing.
"""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Sequence
from typing import Any, NamedTuple

from bedside.fhir.grammar import Filter, Has, ReferenceValue, Sort, TokenValue
from bedside.foundation.database import Connection, Row
from bedside.records.model import rows
from bedside.records.model.refusals import refuse
from bedside.records.store.conditions import Statement, condition, matches, one_of, params, seen

_COLUMNS = "r.type, r.id, r.rid, r.version, r.updated, r.patients, r.body"
# Codes that tell resources apart first: a walk that starts there is short.
_TELLING = {"identifier": 0, "code": 1, "combo-code": 1, "vaccine-code": 1, "type": 2, "category": 3}


class Order(NamedTuple):
    """One key of a page's order. name: of the column in `hit`. expression: SQL, never null."""

    name: str
    expression: str
    descending: bool


class Search(NamedTuple):
    """What is asked of the store.

    patients: the ids asked for by the filters, already authorised; None when the filters name none.
    visible: the ids whose resources may be seen; None for all. outside: whether
    also those that name no patient. after: the last page's end, one value a key.
    """

    type: str
    filters: Sequence[Filter | Has]
    sort: Sequence[Sort]
    limit: int
    visible: Sequence[str] | None = None
    outside: bool = True
    after: Sequence[Any] | None = None


class Plan(NamedTuple):
    """driver: the filter whose index rows the walk reads; None: the resources themselves. subjects: keys of the
    patients that the driver's rows are narrowed to, None for all. rest: filters still to check."""

    driver: Filter | None
    subjects: list[int] | None
    rest: list[Filter | Has]


def asked_patients(type_: str, filters: Sequence[Filter | Has]) -> tuple[list[str], Filter | None]:
    """The patients that one of the filters narrows the search to, and that filter."""
    form = rows.shape(type_)
    names = {form.patient, "patient"} if form.patient else {"patient", "subject"}
    for one in filters:
        if isinstance(one, Has) or one.parameter.code not in names:
            continue
        if one.chain is not None or one.missing is not None or one.modifier not in (None, "Patient"):
            continue
        ids = []
        for value in one.values:
            only = value.type if isinstance(value, ReferenceValue) else None
            if not isinstance(value, ReferenceValue) or value.id is None or value.url is not None:
                break
            if only is None and one.parameter.code == "subject" and one.modifier is None:
                break  # a bare id of a subject may be a Group's
            if only not in (None, "Patient"):
                break
            ids.append(value.id)
        else:
            if ids:
                return ids, one
    return [], None


def plan(search: Search) -> Plan:
    """Where the walk starts."""
    filters = list(search.filters)
    form = rows.shape(search.type)
    ids, patient_filter = asked_patients(search.type, filters) if form.patient else ([], None)
    subjects = [rows.subject_key(one) for one in ids] if ids else None
    candidates = [f for f in filters if isinstance(f, Filter) and f is not patient_filter and _may_drive(f)]
    candidates.sort(key=lambda f: _TELLING.get(f.parameter.code, 2 if f.parameter.type == "reference" else 4))
    if patient_filter is not None:
        driver = candidates[0] if candidates else patient_filter
        return Plan(driver, subjects, [f for f in filters if f is not driver and f is not patient_filter])
    if not candidates:
        return Plan(None, None, filters)
    driver = candidates[0]
    if form.patient and search.visible is not None:
        subjects = [rows.subject_key(one) for one in search.visible] + [0]
    return Plan(driver, subjects, [f for f in filters if f is not driver])


def _may_drive(one: Filter) -> bool:
    if one.chain is not None or one.missing is not None or one.modifier is not None or one.parameter.code == "_id":
        return False
    if one.parameter.type == "token":
        return all(isinstance(v, TokenValue) and v.code is not None for v in one.values)
    return one.parameter.type == "reference"


def _walk(s: Statement, search: Search, chosen: Plan) -> tuple[str, str, str]:
    """FROM, WHERE and the alias that has rid."""
    if chosen.driver is None:
        alias, source = "r", "records.resource r"
        where = [f"r.tenant = $1 and r.type = {s.bind(search.type)} and r.body is not null"]
        if search.visible is not None:
            where.append(seen(s, "r", search.visible, outside=search.outside))
    else:
        alias, source = "e", "records.entry e"
        where = ["e.tenant = $1", matches(s, chosen.driver, search.type, "e")]
        if chosen.subjects is not None:
            where.append(one_of(s, "e.patient", chosen.subjects))
        if search.visible is not None:
            may = seen(s, "v", search.visible, outside=search.outside)
            where.append(f"exists (select from records.resource v where v.tenant = $1 and v.rid = e.rid and {may})")
    where += [condition(s, one, search.type, f"{alias}.rid") for one in chosen.rest]
    return source, " and ".join(where), alias


def order(s: Statement, search: Search, chosen: Plan, alias: str) -> list[Order]:
    """The keys of the order, the last one telling every resource apart."""
    form = rows.shape(search.type)
    single = chosen.subjects is not None and len(chosen.subjects) == 1
    if not search.sort:
        if chosen.driver is None:
            return [Order("k0", "r.born", True)]
        newest = [Order("k0", "e.at", True), Order("k1", "e.rid", True)]
        return newest if single else [Order("kp", "e.patient", True), *newest]
    keys: list[Order] = []
    for n, key in enumerate(search.sort):
        code, kind = key.parameter.code, key.parameter.type
        if code == "_lastUpdated":
            expression = _of_resource(alias, "updated")
        elif code == "_id":
            expression = _of_resource(alias, "id")
        elif code == form.date and chosen.driver is not None:
            expression = "e.at"
        elif kind in ("date", "number", "quantity", "string", "uri"):
            expression = _extreme(s, search.type, key, alias)
        else:
            raise refuse("not-supported", f"_sort={code}", "Results cannot be sorted by this.", status=400)
        keys.append(Order(f"k{n}", expression, key.descending))
    return [*keys, Order("kr", f"{alias}.rid", keys[-1].descending)]


def _of_resource(alias: str, column: str) -> str:
    if alias == "r":
        return f"r.{column}"
    return f"(select o.{column} from records.resource o where o.tenant = $1 and o.rid = {alias}.rid)"


def _extreme(s: Statement, type_: str, key: Sort, alias: str) -> str:
    """The value a resource is sorted by: its lowest going up, its highest going down; what has none comes last."""
    words = key.parameter.type in ("string", "uri")
    table, column = ("records.word", "folded") if words else ("records.entry", "key")
    which = one_of(s, "o.param", params(type_, key.parameter.code), "int")
    pick = "max" if key.descending else "min"
    if words:
        last = "''" if key.descending else f"'{chr(0x10FFFF)}'"
    else:
        last = f"'{-(1 << 63) if key.descending else (1 << 63) - 1}'::bigint"
    return (
        f"coalesce((select {pick}(o.{column}) from {table} o where o.tenant = $1 and o.rid = {alias}.rid and {which})"
        f", {last})"
    )


def _beyond(s: Statement, keys: Sequence[Order], after: Sequence[Any]) -> str:
    """Rows that come after a position."""
    marks = [s.bind(value) for value in after]
    if len({key.descending for key in keys}) == 1:
        sign = "<" if keys[0].descending else ">"
        return f"({', '.join(k.expression for k in keys)}) {sign} ({', '.join(marks)})"
    ways = []
    for n, key in enumerate(keys):
        same = [f"{k.expression} = {m}" for k, m in zip(keys[:n], marks[:n], strict=True)]
        ways.append(" and ".join([*same, f"{key.expression} {'<' if key.descending else '>'} {marks[n]}"]))
    return f"({' or '.join(f'({way})' for way in ways)})"


class Hits(NamedTuple):
    """rows: with type, id, rid, version, updated, patients, body; ends: for each the values of its order keys."""

    rows: list[Row]
    ends: list[list[Any]]
    order: list[Order]


async def page(sql: Connection, tenant: int, search: Search) -> Hits:
    """The rows of one page and one more, if there is one."""
    text, keys, arguments = compose(Statement(tenant), search)
    found: list[Row] = await sql.fetch(text, *arguments)
    return Hits(found, [[row[k.name] for k in keys] for row in found], keys)


def compose(s: Statement, search: Search) -> tuple[str, list[Order], list[Any]]:
    """The statement of a page, the order of its rows, its arguments."""
    chosen = plan(search)
    source, where, alias = _walk(s, search, chosen)
    keys = order(s, search, chosen, alias)
    if search.after is not None:
        if len(search.after) != len(keys):
            raise refuse("value", "_cursor", "This is no page of this search.", status=400)
        where += f" and {_beyond(s, keys, search.after)}"
    columns = ", ".join(f"{k.expression} as {k.name}" for k in keys)
    names = ", ".join(k.name for k in keys)
    directions = [("desc" if k.descending else "asc") for k in keys]
    inner = ", ".join(f"{k.name} {d}" for k, d in zip(keys, directions, strict=True))
    outer = ", ".join(f"hit.{k.name} {d}" for k, d in zip(keys, directions, strict=True))
    # A code stated in two systems has two rows: one of them is enough.
    distinct = f"distinct on ({names})" if alias == "e" else ""
    text = (
        f"with hit as (select {distinct} {alias}.rid, {columns} from {source} where {where}"
        f" order by {inner} limit {search.limit})"
        f" select {_COLUMNS}, {', '.join(f'hit.{k.name}' for k in keys)}"
        " from hit join records.resource r on r.tenant = $1 and r.rid = hit.rid"
        f" order by {outer}"
    )
    return text, keys, s.arguments


async def count(sql: Connection, tenant: int, search: Search) -> int:
    """How many there are in all."""
    s = Statement(tenant)
    source, where, alias = _walk(s, search, plan(search))
    what = "count(*)" if alias == "r" else "count(distinct e.rid)"
    return int(await sql.fetchval(f"select {what} from {source} where {where}", *s.arguments))


async def referred(
    sql: Connection, tenant: int, sources: Sequence[int], which: Sequence[int] | None, target: str | None
) -> list[Row]:
    """What the sources refer to by the parameters (None: by any): for _include."""
    s = Statement(tenant)
    narrow = "" if which is None else f" and e.param = any({s.bind(list(which))}::int[])"
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
