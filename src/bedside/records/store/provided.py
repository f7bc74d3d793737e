"""Search filters as SQL conditions on the rows of a view that a read provider handed in, by the columns it names.

Chains lead from a view's row into the record, and `_has` from the record into the view.
"""

from collections.abc import Callable, Sequence

from bedside.fhir import quantities
from bedside.fhir.grammar import (
    CompositeValue,
    DateValue,
    Filter,
    Has,
    NumberValue,
    QuantityValue,
    ReferenceValue,
    StringValue,
    TokenValue,
    Value,
)
from bedside.fhir.quantities import UCUM
from bedside.fhir.query import Compartment, Condition, Group
from bedside.fhir.texts import fold
from bedside.records.model import composites
from bedside.records.model.provider import Column, ReadProvider
from bedside.records.store.statement import Statement, may_look, moments

NEVER = "false"

Inner = Callable[[Statement, Condition, str, str], str]
"""conditions.condition: what a chain asks of the record."""


def where(s: Statement, provider: ReadProvider, filter_: Condition, v: str, inner: Inner) -> str:
    """SQL that is true where the view's row `v` satisfies the filter."""
    if isinstance(filter_, Group):
        parts = [where(s, provider, one, v, inner) for one in filter_.parts]
        if filter_.how == "and":
            return f"({' and '.join(parts)})"
        return f"not ({' or '.join(parts)})" if filter_.how == "not" else f"({' or '.join(parts)})"
    if isinstance(filter_, Has):
        return NEVER  # nothing is kept that refers to what is computed
    if isinstance(filter_, Compartment):
        columns = [provider.columns[code] for code in filter_.codes(provider.type) if code in provider.columns]
        target = [f"{filter_.name}/{filter_.id}"]
        return either([f"{v}.{one.name} && {s.bind(target)}::text[]" for one in columns])
    code, modifier = filter_.parameter.code, filter_.modifier
    if code == "_id" and filter_.missing is None:
        ids = [one.code for one in filter_.values if isinstance(one, TokenValue)]
        text = f"{v}.id = any({s.bind(ids)}::text[])"
        return f"not ({text})" if modifier == "not" else text
    if code == "_lastUpdated" and filter_.missing is None:
        return either([moments(s, f"{v}.updated", one) for one in filter_.values if isinstance(one, DateValue)])
    if code in ("_id", "_lastUpdated"):
        return NEVER if filter_.missing else "true"
    if filter_.parameter.type == "composite":
        return _composite(s, provider, filter_, v)
    column = provider.columns.get(code)
    if filter_.chain is not None:
        return NEVER if column is None else _chain(s, filter_, column, v, inner)
    if column is None or modifier in ("identifier", "of-type"):
        return "true" if filter_.missing is True or modifier in ("not", "not-in") else NEVER
    if filter_.missing is not None:
        there = _there(column, v)
        return f"not ({there})" if filter_.missing else there
    if modifier == "text":
        return _text(s, column, filter_, v)
    text = _MATCH[column.kind](s, column, filter_, v)
    return f"not ({text})" if modifier in ("not", "not-in") else text


def either(parts: Sequence[str]) -> str:
    """Any of the conditions; false where there is none."""
    return f"({' or '.join(parts)})" if parts else NEVER


def has(s: Statement, provider: ReadProvider, one: Has, type_: str, rid: str, inner: Inner) -> str:
    """SQL that is true where a row of the view refers to the resource `rid` and satisfies the filter of `_has`."""
    column = provider.columns.get(one.reference.code)
    if column is None:
        return NEVER
    v, t = s.alias(), s.alias()
    leads = f"{v}.patient = {t}.id" if type_ == "Patient" else f"{v}.{column.name} && array['{type_}/' || {t}.id]"
    sight = s.sights[one.type]
    may = "" if sight.patients is None else f" and {v}.patient = any({s.bind(list(sight.patients))}::text[])"
    return (
        f"exists (select from records.resource {t} join {provider.view} {v} on {leads}"
        f" where {t}.tenant = $1 and {t}.rid = {rid} and {v}.tenant = $1{may}"
        f" and {where(s, provider, one.filter, v, inner)})"
    )


def _chain(s: Statement, filter_: Filter, column: Column, v: str, inner: Inner) -> str:
    """What the row refers to is found first, once: a view cannot be walked from its far end."""
    if filter_.chain is None:
        raise ValueError("no chain")
    ways = []
    for target in filter_.targets or filter_.parameter.targets:
        t = s.alias()
        asked = inner(s, filter_.chain, target, f"{t}.rid") + may_look(s, target, f"{t}.rid")
        of = f"from records.resource {t} where {t}.tenant = $1 and {t}.type = {s.bind(target)} and {t}.body is not null"
        if target == "Patient" and filter_.parameter.code in ("patient", "subject"):
            ways.append(f"{v}.patient = any(array(select {t}.id {of} and {asked}))")
        else:
            ways.append(f"{v}.{column.name} && array(select '{target}/' || {t}.id {of} and {asked})")
    return either(ways)


def _there(column: Column, v: str) -> str:
    name = f"{v}.{column.name}"
    return f"{name} is not null" if column.kind == "date" else f"cardinality({name}) > 0"


def _composite(s: Statement, provider: ReadProvider, filter_: Filter, v: str) -> str:
    sought: list[tuple[Value, ...]] = [one.parts for one in filter_.values if isinstance(one, CompositeValue)]
    ways = []
    for place in composites.places(provider.type, filter_.parameter.code):
        columns = [(part.parameter, provider.columns.get(part.parameter.code)) for part in place.parts]
        if any(column is None for _, column in columns):
            continue
        known = [(parameter, column) for parameter, column in columns if column is not None]
        if filter_.missing is not None:
            ways.append(f"({' and '.join(_there(column, v) for _, column in known)})")
            continue
        for values in sought:
            asked = [
                (Filter(parameter, None, (value,)), column)
                for (parameter, column), value in zip(known, values, strict=True)
            ]
            ways.append(_together(s, asked, v) if place.apart else _all(s, asked, v))
    found = either(ways)
    return f"not {found}" if filter_.missing else found


def _all(s: Statement, asked: list[tuple[Filter, Column]], v: str) -> str:
    return f"({' and '.join(_MATCH[column.kind](s, column, one, v) for one, column in asked)})"


def _together(s: Statement, asked: list[tuple[Filter, Column]], v: str) -> str:
    """The columns of an array's parts are parallel: item by item, each has one code and one quantity."""
    q = s.alias()
    names = [name for _, column in asked for name in (column.name, column.other) if name]
    ways = []
    for one, column in asked:
        # Each item as an array of one, so that it is matched as a whole column is.
        alone = column._replace(
            name=f"array[{q}.{column.name}]", other=f"array[{q}.{column.other}]" if column.other else None
        )
        ways.append(_MATCH[column.kind](s, alone, one, ""))
    of = ", ".join(f"{v}.{name}" for name in names)
    return f"exists (select from unnest({of}) as {q}({', '.join(names)}) where {' and '.join(ways)})"


def _in(v: str, name: str) -> str:
    return f"{v}.{name}" if v else name


def _token(s: Statement, column: Column, filter_: Filter, v: str) -> str:
    parts = []
    whole = []
    name = _in(v, column.name)
    for one in filter_.values:
        if not isinstance(one, TokenValue):
            continue
        if one.system is not None and one.code is not None:
            whole.append(f"{one.system}|{one.code}")
        elif one.code is not None:
            mark = s.bind("|" + one.code)
            parts.append(f"exists (select from unnest({name}) t where right(t, length({mark})) = {mark})")
        else:
            mark = s.bind(f"{one.system}|")
            parts.append(f"exists (select from unnest({name}) t where left(t, length({mark})) = {mark})")
    if whole:
        parts.append(f"{name} && {s.bind(whole)}::text[]")
    return either(parts)


def _text(s: Statement, column: Column, filter_: Filter, v: str) -> str:
    sought = [one.folded for one in filter_.values if isinstance(one, StringValue)]
    named = [
        token
        for token, texts in column.texts.items()
        if any(fold(text).startswith(one) for text in texts for one in sought)
    ]
    return f"{v}.{column.name} && {s.bind(named)}::text[]" if named else NEVER


def _reference(s: Statement, column: Column, filter_: Filter, v: str) -> str:
    found = []
    for one in filter_.values:
        if isinstance(one, ReferenceValue) and one.id is not None:
            targets = (one.type,) if one.type else filter_.targets or filter_.parameter.targets
            found += [f"{target}/{one.id}" for target in targets]
    return f"{_in(v, column.name)} && {s.bind(found)}::text[]" if found else NEVER


def _date(s: Statement, column: Column, filter_: Filter, v: str) -> str:
    low, high = f"{v}.{column.name}", f"{v}.{column.other or column.name}"
    parts = []
    for one in filter_.values:
        if not isinstance(one, DateValue):
            continue
        a, b = s.bind(one.low), s.bind(one.high)
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
            }[one.prefix]
        )
    return either(parts)


def _quantity(s: Statement, column: Column, filter_: Filter, v: str) -> str:
    parts = []
    for one in filter_.values:
        if not isinstance(one, NumberValue | QuantityValue):
            continue
        other = _in(v, column.other) if column.other else "array[]::text[]"
        pairs = f"unnest({_in(v, column.name)}, {other}) as q(value, unit)"
        way = _range(s, one.prefix, float(one.value), float(one.low), float(one.high))
        if isinstance(one, QuantityValue) and one.code:
            ucum = one.system in (None, "", UCUM)
            way = f"({way} and {f'q.unit = {s.bind(one.code)}' if ucum else NEVER})"  # all that is bound is named
            if one.system == UCUM:
                way = either([way, *_converted(s, one, column.units)])
        parts.append(f"exists (select from {pairs} where {way})")
    return either(parts)


def _converted(s: Statement, sought: QuantityValue, units: Sequence[str]) -> list[str]:
    """The same range in each other unit of its kind that the column may hold."""
    ways = []
    for unit in units:
        low = quantities.convert(sought.low, sought.code or "", unit)
        high = quantities.convert(sought.high, sought.code or "", unit)
        if unit == sought.code or low is None or high is None:
            continue
        way = _range(s, sought.prefix, float((low + high) / 2), float(low), float(high))
        ways.append(f"({way} and q.unit = {s.bind(unit)})")
    return ways


def _range(s: Statement, prefix: str, number: float, least: float, most: float) -> str:
    value, low, high = (f"{s.bind(n)}::float8" for n in (number, least, most))
    within = f"(q.value >= {low} and q.value < {high} and {value} is not null)"
    known = f"{value} + {low} + {high} is not null"  # each placeholder needs its type told
    return {
        "eq": within,
        "ne": f"not {within}",
        "gt": f"(q.value > {value} and {known})",
        "ge": f"(q.value >= {value} and {known})",
        "lt": f"(q.value < {value} and {known})",
        "le": f"(q.value <= {value} and {known})",
        "sa": f"(q.value >= {high} and {known})",
        "eb": f"(q.value < {low} and {known})",
        "ap": f"(abs(q.value - {value}) <= abs({value}) * 0.1 and {known})",
    }[prefix]


_MATCH = {"token": _token, "reference": _reference, "date": _date, "quantity": _quantity}
