"""One page of a search, in one statement.

Where a filter names one code or one target, the walk starts in its index rows: they hold the subject and the type's
date, so that "the 20 newest of one code for one patient" reads 20 neighbours of one index and sorts nothing.
"""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

from bedside.fhir.definitions import search_parameters
from bedside.fhir.grammar import CompositeValue, DateValue, Filter, ReferenceValue, Sort, TokenValue
from bedside.fhir.query import Compartment, Condition, Group
from bedside.foundation.database import Alike, Connection, Row
from bedside.records.model import rows
from bedside.records.model.provider import ReadProvider
from bedside.records.model.refusals import refuse
from bedside.records.store.conditions import condition, in_compartment
from bedside.records.store.matching import matches
from bedside.records.store.ordering import Order, beyond, of_record
from bedside.records.store.statement import Sight, Statement, one_of, seen

_COLUMNS = "r.type, r.id, r.rid, r.version, r.updated, r.patients, r.body"
# Codes that tell resources apart first: a walk that starts there is short.
_TELLING = {"identifier": 0, "code": 1, "combo-code": 1, "vaccine-code": 1, "type": 2, "category": 3}
# So many have the same of these that a walk by date meets a page of them soon. Of other codes, and of references, there
# may be so few that the walk past everything else would be the longer one.
_COMMON = frozenset({"category", "status", "class", "intent", "clinical-status", "verification-status"})
# May hold several of the date that they are listed by: a page in its order would have them twice.
_SEVERAL_DATES = frozenset({"MedicationRequest"})
_ORDERED = ("eq", "lt", "le", "eb", "ap", "sa", "gt", "ge")
"""Prefixes of a date that a walk through time can follow: first those with an end."""


class Search(NamedTuple):
    """What is asked of the store.

    patients: the ids asked for by the filters, already authorised; None when the filters name none.
    visible: the ids whose resources may be seen; None for all. outside: whether
    also those that name no patient. after: the last page's end, one value a key. sights: what may be seen on the way
    through chains and `_has`. providers: of a type.
    """

    type: str
    filters: Sequence[Condition]
    sort: Sequence[Sort]
    limit: int
    visible: Sequence[str] | None = None
    outside: bool = True
    after: Sequence[Any] | None = None
    sights: Mapping[str, Sight] = {}
    providers: Callable[[str], Sequence[ReadProvider]] = lambda _: ()


class Plan(NamedTuple):
    """driver: the filter whose index rows the walk reads; None: the resources themselves. subjects: keys of the
    patients that the driver's rows are narrowed to, None for all. rest: filters still to check. dated: whether the
    driver is the date by which the type is listed, so that its rows lie in the order of time."""

    driver: Filter | Compartment | None
    subjects: list[int] | None
    rest: list[Condition]
    dated: bool = False


def asked_patients(type_: str, filters: Sequence[Condition]) -> tuple[list[str], Filter | None]:
    """The patients that one of the filters narrows the search to, and that filter if it is a parameter."""
    form = rows.shape(type_)
    names = {form.patient, "patient"} if form.patient else {"patient", "subject"}
    for one in filters:
        if isinstance(one, Compartment) and one.name == "Patient":
            return [one.id], None
        if not isinstance(one, Filter) or one.parameter.code not in names:
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
    filters = list(_each(search.filters))
    form = rows.shape(search.type)
    for one in filters:  # a compartment is nearly always one patient's
        if isinstance(one, Compartment) and one.name != search.type and one.codes(search.type):
            return Plan(one, None, [f for f in filters if f is not one])
    ids, patient_filter = asked_patients(search.type, filters) if form.patient else ([], None)
    subjects = [rows.subject_key(one) for one in ids] if ids else None
    candidates: list[tuple[Filter, Filter | None]] = [
        (f, f) for f in filters if isinstance(f, Filter) and f is not patient_filter and _may_drive(f)
    ]
    candidates += [(part, None) for f in filters if (part := _part_of(search.type, f)) is not None]
    candidates.sort(key=lambda c: _TELLING.get(c[0].parameter.code, 2 if c[0].parameter.type == "reference" else 4))
    driver: Filter | None = patient_filter
    answered: Filter | None = patient_filter
    if subjects is None and all(one.parameter.code in _COMMON for one, _ in candidates):
        dated = _by_date(search, filters)
        if dated is not None:
            return Plan(dated, _whose(search), [f for f in filters if f is not dated], dated=True)
    if candidates:
        driver, answered = candidates[0]
    rest = [f for f in filters if f is not answered and f is not patient_filter]
    if patient_filter is None and driver is not None:
        subjects = _whose(search)
    return Plan(driver, subjects, rest)


def _whose(search: Search) -> list[int] | None:
    """Keys of the patients in whose rows what may be seen stands; None where that does not narrow the walk."""
    if search.visible is None or not rows.shape(search.type).patient:
        return None
    return [rows.subject_key(one) for one in search.visible] + [0]


def _by_date(search: Search, filters: Sequence[Condition]) -> Filter | None:
    """The filter by the date that the type is listed by, where the page comes in its order; what ends the walk's way
    from the newest on is the better one."""
    form = rows.shape(search.type)
    if form.date is None or search.type in _SEVERAL_DATES:
        return None
    if search.sort and [key.parameter.code for key in search.sort] != [form.date]:
        return None
    found = [
        one
        for one in filters
        if isinstance(one, Filter)
        and one.parameter.code == form.date
        and one.chain is None
        and one.missing is None
        and len(one.values) == 1
        and isinstance(one.values[0], DateValue)
        and one.values[0].prefix in _ORDERED
    ]
    return min(found, key=lambda one: _ORDERED.index(cast(DateValue, one.values[0]).prefix), default=None)


def _each(filters: Iterable[Condition]) -> Iterator[Condition]:
    """The conditions that must all hold, each by itself."""
    for one in filters:
        if isinstance(one, Group) and one.how == "and":
            yield from _each(one.parts)
        else:
            yield one


def _may_drive(one: Filter) -> bool:
    if one.chain is not None or one.missing is not None or one.parameter.code == "_id":
        return False
    if one.parameter.type == "token":
        listed = one.modifier in (None, "in", "below", "above") and bool(one.values)
        return listed and all(isinstance(v, TokenValue) and v.code is not None for v in one.values)
    return one.parameter.type == "reference" and one.modifier is None


def _part_of(type_: str, one: Condition) -> Filter | None:
    """The codes that a composite asks for: whatever has it has one of them."""
    if not isinstance(one, Filter) or one.parameter.type != "composite" or one.missing is not None:
        return None
    first = one.parameter.components[0]
    known = search_parameters(type_).get(first.code)
    values = tuple(v.parts[0] for v in one.values if isinstance(v, CompositeValue))
    if known is None or not all(isinstance(v, TokenValue) and v.code is not None for v in values):
        return None
    return Filter(known, None, values)


def _walk(s: Statement, search: Search, chosen: Plan) -> tuple[str, str, str]:
    """FROM, WHERE and the alias that has rid."""
    if chosen.driver is None:
        alias, source = "r", "records.resource r"
        where = [f"r.tenant = $1 and r.type = {s.bind(search.type)} and r.body is not null"]
        if search.visible is not None:
            where.append(seen(s, "r", search.visible, outside=search.outside))
    else:
        alias, source = "e", "records.entry e"
        where = ["e.tenant = $1", _starts(s, chosen.driver, search.type)]
        if chosen.dated:
            where.append(_until(s, cast(Filter, chosen.driver)))
        if chosen.subjects is not None:
            where.append(one_of(s, "e.patient", chosen.subjects))
        if search.visible is not None:
            may = seen(s, "v", search.visible, outside=search.outside)
            where.append(f"exists (select from records.resource v where v.tenant = $1 and v.rid = e.rid and {may})")
    where += [condition(s, one, search.type, f"{alias}.rid") for one in chosen.rest]
    return source, " and ".join(where), alias


def _starts(s: Statement, driver: Filter | Compartment, type_: str) -> str:
    if isinstance(driver, Compartment):
        return in_compartment(s, driver, type_, "e")
    return matches(s, driver, type_, "e")


def _until(s: Statement, driver: Filter) -> str:
    """Where the walk from the newest begins: what starts before the sought span has ended. One row a resource."""
    value = cast(DateValue, driver.values[0])
    if value.prefix not in ("le", "eb"):
        return "e.key = e.at"
    return f"e.key = e.at and e.key < {s.bind(rows.microseconds(value.high))}"


def order(s: Statement, search: Search, chosen: Plan, alias: str) -> list[Order]:
    """The keys of the order, the last one telling every resource apart."""
    single = chosen.subjects is not None and len(chosen.subjects) == 1
    if chosen.dated:  # as the rows of one parameter lie
        down = not search.sort or search.sort[0].descending
        return [Order(f"k{n}", f"e.{name}", down) for n, name in enumerate(("key", "patient", "at", "rid"))]
    if not search.sort:
        if chosen.driver is None:
            return [Order("k0", "r.born", True)]
        newest = [Order("k0", "e.at", True), Order("k1", "e.rid", True)]
        return newest if single else [Order("kp", "e.patient", True), *newest]
    dated = chosen.driver is not None
    keys = [of_record(s, search.type, n, key, alias, dated=dated) for n, key in enumerate(search.sort)]
    return [*keys, Order("kr", f"{alias}.rid", keys[-1].descending)]


def by_time(chosen: Plan) -> bool:
    """Whether a page of this plan, without a sort, comes newest first by the type's own date."""
    return chosen.driver is not None and chosen.subjects is not None and len(chosen.subjects) == 1


class Hits(NamedTuple):
    """rows: with type, id, rid, version, updated, patients, body; ends: for each the values of its order keys."""

    rows: list[Row]
    ends: list[list[Any]]
    order: list[Order]


def asks(tenant: int, search: Search) -> tuple[Alike, list[Order]]:
    """The statement of one page and one more, if there is one; the order of its rows."""
    text, keys, arguments = compose(_begun(tenant, search), search)
    return Alike(text, arguments), keys


def hits(rows: list[Row], keys: list[Order]) -> Hits:
    """What the rows of that statement say."""
    return Hits(rows, [[row[k.name] for k in keys] for row in rows], keys)


def compose(s: Statement, search: Search) -> tuple[str, list[Order], list[Any]]:
    """The statement of a page, the order of its rows, its arguments but the last: see Alike."""
    chosen = plan(search)
    source, where, alias = _walk(s, search, chosen)
    keys = order(s, search, chosen, alias)
    if search.after is not None:
        if len(search.after) != len(keys):
            raise refuse("value", "_cursor", "This is no page of this search.", status=400)
        where += f" and {beyond(s, keys, list(search.after))}"
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
        f" select {_COLUMNS}, {', '.join(f'hit.{k.name}' for k in keys)}, ${len(s.arguments) + 1}::int as asked"
        " from hit join records.resource r on r.tenant = $1 and r.rid = hit.rid"
        f" order by {outer}"
    )
    return text, keys, s.arguments


def _begun(tenant: int, search: Search) -> Statement:
    return Statement(tenant, search.sights, search.providers)


async def count(sql: Connection, tenant: int, search: Search, most: int | None = None) -> int:
    """How many there are in all; most: no further is counted."""
    s = _begun(tenant, search)
    source, where, alias = _walk(s, search, plan(search))
    rid = f"{alias}.rid" if alias == "r" else "distinct e.rid"
    limit = "" if most is None else f" limit {most}"
    text = f"select count(*) from (select {rid} from {source} where {where}{limit}) one"
    return int(await sql.fetchval(text, *s.arguments))


async def guess(sql: Connection, tenant: int, search: Search) -> int:
    """How many there are, as PostgreSQL reckons from its statistics."""
    s = _begun(tenant, search)
    source, where, _ = _walk(s, search, plan(search))
    told = await sql.fetchval(f"explain (format json) select 1 from {source} where {where}", *s.arguments)
    return int(told[0]["Plan"]["Plan Rows"])
