"""Search in the views that read providers hand in, by the columns that they name."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bedside.fhir.grammar import DateValue, Filter, Has, NumberValue, QuantityValue, ReferenceValue, TokenValue
from bedside.foundation.database import Connection, Row
from bedside.records.model.provider import Column, ReadProvider
from bedside.records.store.conditions import Statement, moments


class ProviderSearch(NamedTuple):
    """patients: whose rows; None for everyone's. by: the column that orders, `at` or `updated`. after: the last
    page's end. limit: rows wanted. since, before: of `updated`, for a history."""

    provider: ReadProvider
    filters: Sequence[Filter | Has]
    patients: Sequence[str] | None
    by: str = "at"
    descending: bool = True
    after: Sequence[Any] | None = None
    limit: int = 21
    since: datetime | None = None
    before: datetime | None = None


_NEVER = "false"


def _where(s: Statement, search: ProviderSearch) -> str:
    parts = ["v.tenant = $1"]
    if search.patients is not None:
        parts.append(f"v.patient = any({s.bind(list(search.patients))}::text[])")
    if search.since is not None:
        parts.append(f"v.updated >= {s.bind(search.since)}")
    if search.before is not None:
        parts.append(f"v.updated < {s.bind(search.before)}")
    parts += [_condition(s, search.provider, one) for one in search.filters]
    return " and ".join(parts)


def _condition(s: Statement, provider: ReadProvider, filter_: Filter | Has) -> str:
    if isinstance(filter_, Has):
        return _NEVER  # nothing refers to what is computed
    code, modifier = filter_.parameter.code, filter_.modifier
    if code == "_id":
        ids = [v.code for v in filter_.values if isinstance(v, TokenValue)]
        return f"v.id = any({s.bind(ids)}::text[])"
    if code == "_lastUpdated":
        return _either([moments(s, "v.updated", v) for v in filter_.values if isinstance(v, DateValue)])
    column = provider.columns.get(code)
    absent = filter_.missing is True or modifier == "not"
    if column is None or filter_.chain is not None or modifier not in (None, "not", *filter_.parameter.targets):
        return "true" if absent and filter_.chain is None else _NEVER
    if filter_.missing is not None:
        there = f"v.{column.name} is not null" if column.kind == "date" else f"cardinality(v.{column.name}) > 0"
        return f"not ({there})" if filter_.missing else there
    text = _MATCH[column.kind](s, column, filter_)
    return f"not ({text})" if modifier == "not" else text


def _either(parts: Sequence[str]) -> str:
    return f"({' or '.join(parts)})" if parts else _NEVER


def _token(s: Statement, column: Column, filter_: Filter) -> str:
    parts = []
    whole = []
    for v in filter_.values:
        if not isinstance(v, TokenValue):
            continue
        if v.system is not None and v.code is not None:
            whole.append(f"{v.system}|{v.code}")
        elif v.code is not None:
            mark = s.bind("|" + v.code)
            parts.append(f"exists (select from unnest(v.{column.name}) t where right(t, length({mark})) = {mark})")
        else:
            mark = s.bind(f"{v.system}|")
            parts.append(f"exists (select from unnest(v.{column.name}) t where left(t, length({mark})) = {mark})")
    if whole:
        parts.append(f"v.{column.name} && {s.bind(whole)}::text[]")
    return _either(parts)


def _reference(s: Statement, column: Column, filter_: Filter) -> str:
    found = []
    for v in filter_.values:
        if isinstance(v, ReferenceValue) and v.id is not None:
            targets = (v.type,) if v.type else filter_.targets or filter_.parameter.targets
            found += [f"{target}/{v.id}" for target in targets]
    return f"v.{column.name} && {s.bind(found)}::text[]" if found else _NEVER


def _date(s: Statement, column: Column, filter_: Filter) -> str:
    low, high = f"v.{column.name}", f"v.{column.other or column.name}"
    parts = []
    for v in filter_.values:
        if not isinstance(v, DateValue):
            continue
        a, b = s.bind(v.low), s.bind(v.high)
        within = f"({low} >= {a}::timestamptz and {low} < {b}::timestamptz and {high} <= {b})"
        parts.append(
            {
                "eq": within,
                "ne": f"not {within}",
                "gt": f"({high} > {b}::timestamptz and {a}::timestamptz is not null)",
                "lt": f"({low} < {a}::timestamptz and {b}::timestamptz is not null)",
                "ge": f"({high} > {b}::timestamptz or {within})",
                "le": f"({low} < {a}::timestamptz or {within})",
                "sa": f"({low} >= {b}::timestamptz and {a}::timestamptz is not null)",
                "eb": f"({high} <= {a}::timestamptz and {b}::timestamptz is not null)",
                "ap": f"({low} < {b}::timestamptz and {high} > {a}::timestamptz)",
            }[v.prefix]
        )
    return _either(parts)


def _quantity(s: Statement, column: Column, filter_: Filter) -> str:
    parts = []
    for v in filter_.values:
        if not isinstance(v, NumberValue | QuantityValue):
            continue
        value, low, high = (f"{s.bind(float(n))}::float8" for n in (v.value, v.low, v.high))
        within = f"(q.value >= {low} and q.value < {high} and {value} is not null)"
        known = f"{value} + {low} + {high} is not null"  # each placeholder needs its type told
        way = {
            "eq": within,
            "ne": f"not {within}",
            "gt": f"(q.value > {value} and {known})",
            "ge": f"(q.value >= {value} and {known})",
            "lt": f"(q.value < {value} and {known})",
            "le": f"(q.value <= {value} and {known})",
            "sa": f"(q.value >= {high} and {known})",
            "eb": f"(q.value < {low} and {known})",
            "ap": f"(abs(q.value - {value}) <= abs({value}) * 0.1 and {known})",
        }[v.prefix]
        if isinstance(v, QuantityValue) and v.code:
            ucum = v.system in (None, "", "http://unitsofmeasure.org")
            way += f" and q.unit = {s.bind(v.code)}" if ucum else " and false"
        other = f"v.{column.other}" if column.other else "array[]::text[]"
        parts.append(f"exists (select from unnest(v.{column.name}, {other}) as q(value, unit) where {way})")
    return _either(parts)


_MATCH = {"token": _token, "reference": _reference, "date": _date, "quantity": _quantity}


async def page(sql: Connection, tenant: int, search: ProviderSearch) -> list[Row]:
    """Rows id, patient, at, updated, version of one page."""
    s = Statement(tenant)
    where = _where(s, search)
    by, way = f"v.{search.by}", "desc" if search.descending else "asc"
    if search.after is not None:
        moment, id_ = search.after
        where += f" and ({by}, v.id) {'<' if search.descending else '>'} ({s.bind(moment)}, {s.bind(id_)})"
    rows: list[Row] = await sql.fetch(
        f"select v.id, v.patient, v.at, v.updated, v.version from {search.provider.view} v"
        f" where {where} order by {by} {way}, v.id {way} limit {search.limit}",
        *s.arguments,
    )
    return rows


async def count(sql: Connection, tenant: int, search: ProviderSearch) -> int:
    """How many there are in all."""
    s = Statement(tenant)
    where = _where(s, search)
    return int(await sql.fetchval(f"select count(*) from {search.provider.view} v where {where}", *s.arguments))
