"""The order of a page: SQL for each key of a sort, never null, so that the next page can go on after any row."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

import json
from typing import NamedTuple

from bedside.fhir.definitions import SearchParameter
from bedside.fhir.grammar import Sort
from bedside.fhir.paths import First, Key, Path, Where, paths, root
from bedside.records.model import rows
from bedside.records.model.provider import ReadProvider
from bedside.records.store.statement import Statement, one_of, params

LAST_TEXT = chr(0x10FFFF)
LAST_NUMBER = (1 << 63) - 1
"""What stands for no value going up: it comes last. Going down these are "" and FIRST_NUMBER."""
FIRST_NUMBER = -(1 << 63)


class Order(NamedTuple):
    """One key of a page's order. name: of the column in `hit`. expression: SQL, never null."""

    name: str
    expression: str
    descending: bool


def from_bodies(key: Sort) -> bool:
    """Whether resources must be opened to be put in this order: their hashes in the index have none."""
    return key.parameter.type in ("token", "reference") and key.parameter.code not in ("_id", "_lastUpdated")


def of_record(s: Statement, type_: str, n: int, key: Sort, alias: str, *, dated: bool) -> Order:
    """A key for rows of the store. alias: what has rid. dated: whether it has `at` too."""
    code, kind = key.parameter.code, key.parameter.type
    if code == "_lastUpdated":
        expression = _of_resource(alias, "updated")
    elif code == "_id":
        expression = _of_resource(alias, "id")
    elif code == rows.shape(type_).date and dated:
        # Going down what is undated comes last by itself, and the index is in that order already.
        undated = f"case when {alias}.at = {rows.UNDATED} then {_last_number(key)} else {alias}.at end"
        expression = f"{alias}.at" if key.descending else undated
    elif kind in ("token", "reference"):
        expression = _said(s, type_, key, alias)
    else:
        expression = _extreme(s, type_, key, alias)
    return Order(f"k{n}", expression, key.descending)


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
    last = _last_text(key) if words else _last_number(key)
    return (
        f"coalesce((select {pick}(o.{column}) from {table} o where o.tenant = $1 and o.rid = {alias}.rid and {which})"
        f", {last})"
    )


def _last_text(key: Sort) -> str:
    return "''::text" if key.descending else f"'{LAST_TEXT}'::text"


def _last_number(key: Sort) -> str:
    return f"'{FIRST_NUMBER if key.descending else LAST_NUMBER}'::bigint"


# -- codes and references: from the resource itself ----------------------------------------------------------------


def _said(s: Statement, type_: str, key: Sort, alias: str) -> str:
    """The lowest (highest) code, or `Type/id`, as it is written."""
    found = [text for path in paths(key.parameter.tree or [], root(type_)) if (text := json_path(path, key.parameter))]
    values = " union all ".join(f"select jsonb_path_query(d.b, {s.bind(text)}::text::jsonpath)" for text in found)
    pick = "max" if key.descending else "min"
    value = "q.q #>> '{}'"
    if key.parameter.type == "reference":  # whatever the version
        value = f"regexp_replace({value}, '/_history/.*$|[|].*$', '')"
    return (
        f'coalesce((select {pick}(({value}) collate "C")'
        " from (select convert_from(o.body, 'UTF8')::jsonb as b from records.resource o"
        f' where o.tenant = $1 and o.rid = {alias}.rid) d, lateral ({values}) as q(q)), {_last_text(key)}) collate "C"'
    )


_CODED = {
    "Coding": ("code",),
    "CodeableConcept": ("coding", "code"),
    "Identifier": ("value",),
    "ContactPoint": ("value",),
    "Reference": ("reference",),
}


def json_path(path: Path, parameter: SearchParameter) -> str:
    """A path as SQL's jsonpath, lax, down to the code or reference; "" where none stands there."""
    text = "$"
    for step in path.steps:
        match step:
            case Key(name):
                text += f".{json.dumps(name)}"
            case Where(name, value):
                text += f" ? (@.{json.dumps(name)} == {json.dumps(value)})"
            case First():
                text += "[0]"
    kind = path.element.type
    if kind[:1].isupper() and kind not in _CODED:
        return ""
    text += "".join(f".{json.dumps(name)}" for name in _CODED.get(kind, ()))
    text += "[*]"  # lax opens an array only on the way to what follows it
    if parameter.type == "reference":
        ways = f'@ like_regex "(^|/)({"|".join(path.targets)})/[^/]+(/_history/.*)?$"'
        text += f" ? ({ways})" if path.targets else ' ? (!(@ starts with "#"))'
    return text


# -- views ---------------------------------------------------------------------------------------------------------


def of_view(provider: ReadProvider, n: int, key: Sort) -> Order:
    """The same key for rows `v` of a provider's view. Moments are timestamps here and numbers floats."""
    code, kind = key.parameter.code, key.parameter.type
    column = provider.columns.get(code)
    pick = "max" if key.descending else "min"
    if code == "_lastUpdated":
        expression = "v.updated"
    elif code == "_id":
        expression = 'v.id collate "C"'
    elif column is None:
        expression = _last_text(key) if kind in ("token", "reference", "string", "uri") else _last_number(key)
    elif column.kind == "date":
        expression = f"v.{column.name}"
    elif column.kind == "quantity":
        last = "'-infinity'" if key.descending else "'infinity'"
        expression = f"coalesce((select {pick}(q) from unnest(v.{column.name}) q), {last}::float8)"
    else:
        value = "q" if column.kind == "reference" else "substr(q, strpos(q, '|') + 1)"
        expression = (
            f'coalesce((select {pick}({value} collate "C") from unnest(v.{column.name}) q), {_last_text(key)})'
            ' collate "C"'
        )
    return Order(f"k{n}", expression, key.descending)


def beyond(s: Statement, keys: list[Order], after: list[object]) -> str:
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
