"""Search filters as SQL conditions on a resource's rid.

Each condition is a correlated EXISTS over the index, which PostgreSQL turns into the join that suits; chains and _has
nest, since a reference's key is its target's rid.
"""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from bedside.fhir.definitions import SearchParameter, search_parameters
from bedside.fhir.grammar import CompositeValue, DateValue, Filter, Has, StringValue, TokenValue, Value
from bedside.fhir.query import Compartment, Condition, Group
from bedside.records.model import composites, rows
from bedside.records.store import provided
from bedside.records.store.matching import either, matches, unsupported
from bedside.records.store.statement import Statement, may_look, moments, one_of, params

WORDS = frozenset({"_text", "_content"})
"""Parameters that are looked up in the resources themselves."""


def condition(s: Statement, filter_: Condition, type_: str, rid: str) -> str:
    """SQL that is true where the resource `rid` of `type_` satisfies the filter."""
    if isinstance(filter_, Group):
        parts = [condition(s, one, type_, rid) for one in filter_.parts]
        inner = {"and": " and ", "or": " or ", "not": " or "}[filter_.how].join(parts)
        return f"not ({inner})" if filter_.how == "not" else f"({inner})"
    if isinstance(filter_, Has):
        return _has(s, filter_, type_, rid)
    if isinstance(filter_, Compartment):
        return _compartment(s, filter_, type_, rid)
    code = filter_.parameter.code
    if code == "_id":
        return _ids(s, filter_, type_, rid)
    if code == "_lastUpdated":
        return _last_updated(s, filter_, rid)
    if code in WORDS:
        return _words(s, filter_, rid)
    if filter_.missing is not None:
        present = _present(s, filter_, type_, rid)
        return f"not {present}" if filter_.missing else present
    if filter_.chain is not None:
        return _chain(s, filter_, type_, rid)
    if filter_.parameter.type == "composite":
        return f"({either(_composite(s, filter_, value, type_, rid) for value in filter_.values)})"
    if filter_.modifier in ("not", "not-in"):
        return f"not {_exists(s, filter_, type_, rid)}"
    return _exists(s, filter_, type_, rid)


def _has(s: Statement, has: Has, type_: str, rid: str) -> str:
    x = s.alias()
    which = one_of(s, f"{x}.param", params(has.type, has.reference.code), "int")
    inner = condition(s, has.filter, has.type, f"{x}.rid") + may_look(s, has.type, f"{x}.rid")
    leads = f"{x}.key = {rid}"
    if "url" in search_parameters(type_):
        leads = f"({leads} or {_by_url(s, f'{x}.key', type_, rid)})"
    ways = [f"exists (select from records.entry {x} where {x}.tenant = $1 and {which} and {leads} and {inner})"]
    ways += [provided.has(s, one, has, type_, rid, condition) for one in s.providers(has.type)]
    return ways[0] if len(ways) == 1 else f"({' or '.join(ways)})"


def _by_url(s: Statement, key: str, type_: str, rid: str) -> str:
    """SQL that is true where a canonical reference's key is the resource's own URL."""
    u = s.alias()
    which = one_of(s, f"{u}.param", [rows.param(type_, rows.CANONICAL)], "int")
    mine = f"{u}.tenant = $1 and {u}.rid = {rid} and {which} and {u}.key = {key}"
    return f"exists (select from records.entry {u} where {mine})"


def _chain(s: Statement, filter_: Filter, type_: str, rid: str) -> str:
    chain = filter_.chain
    if chain is None:
        raise ValueError("no chain")
    x = s.alias()
    which = one_of(s, f"{x}.param", params(type_, filter_.parameter.code), "int")
    ways = []
    for target in filter_.targets or filter_.parameter.targets:
        if not _knows(target, chain):
            continue
        kind = s.bind(rows.known_key(target))
        inner = condition(s, chain, target, f"{x}.key") + may_look(s, target, f"{x}.key")
        if _of_nothing(chain):
            t = s.alias()
            inner += (
                f" and exists (select from records.resource {t} where {t}.tenant = $1 and {t}.rid = {x}.key"
                f" and {t}.body is not null)"
            )
        ways.append(f"({x}.extra = {kind} and {inner})")
        if "url" in search_parameters(target):  # a canonical reference says a URL, and no type
            ways.append(f"({x}.extra = 0 and {_canonical(s, chain, target, f'{x}.key')})")
    inner = either(ways)
    return f"exists (select from records.entry {x} where {x}.tenant = $1 and {x}.rid = {rid} and {which} and ({inner}))"


def _of_nothing(chain: Condition) -> bool:
    """Whether the condition may hold of a resource that is not there: it asks for what is missing, or for no rows."""
    if isinstance(chain, Filter):
        return chain.chain is None and (
            chain.missing is True or chain.modifier in ("not", "not-in") or chain.parameter.code == "_id"
        )
    return True  # of a Has too: what refers to it may be there, while it is not


def _knows(target: str, chain: Condition) -> bool:
    return not isinstance(chain, Filter) or chain.parameter.code in search_parameters(target)


def _canonical(s: Statement, chain: Condition, target: str, key: str) -> str:
    u = s.alias()
    which = one_of(s, f"{u}.param", [rows.param(target, rows.CANONICAL)], "int")
    inner = condition(s, chain, target, f"{u}.rid") + may_look(s, target, f"{u}.rid")
    return f"exists (select from records.entry {u} where {u}.tenant = $1 and {which} and {u}.key = {key} and {inner})"


def _compartment(s: Statement, one: Compartment, type_: str, rid: str) -> str:
    x = s.alias()
    inner = in_compartment(s, one, type_, x)
    ways = [f"exists (select from records.entry {x} where {x}.tenant = $1 and {x}.rid = {rid} and {inner})"]
    if type_ == one.name:
        ways.append(f"{rid} = {s.bind(rows.rid(type_, one.id))}")
    return f"({' or '.join(ways)})"


def in_compartment(s: Statement, one: Compartment, type_: str, x: str) -> str:
    """SQL that is true where the index row `x` places its resource in the compartment."""
    which = sorted({number for code in one.codes(type_) for number in params(type_, code)})
    return f"{one_of(s, f'{x}.param', which, 'int')} and {x}.key = {s.bind(rows.rid(one.name, one.id))}"


def _ids(s: Statement, filter_: Filter, type_: str, rid: str) -> str:
    if filter_.missing is not None:
        return "false" if filter_.missing else "true"
    wanted = [rows.rid(type_, v.code) for v in filter_.values if isinstance(v, TokenValue) and v.code]
    text = one_of(s, rid, wanted)
    return f"not ({text})" if filter_.modifier == "not" else text


def _last_updated(s: Statement, filter_: Filter, rid: str) -> str:
    if filter_.missing is not None:
        return "false" if filter_.missing else "true"
    x = s.alias()
    ways = " or ".join(moments(s, f"{x}.updated", v) for v in filter_.values if isinstance(v, DateValue))
    return f"exists (select from records.resource {x} where {x}.tenant = $1 and {x}.rid = {rid} and ({ways}))"


# The standard leaves open what a text search is: every word must occur, case and accents aside.
_PLAIN = "regexp_replace(normalize(lower({}), NFKD), U&'[\\0300-\\036f]', '', 'g')"


def _words(s: Statement, filter_: Filter, rid: str) -> str:
    """Every word of one of the values stands in the narrative (_text), or anywhere in the resource (_content)."""
    x = s.alias()
    whole = f"convert_from({x}.body, 'UTF8')::jsonb"
    if filter_.parameter.code == "_text":
        told = f"regexp_replace({whole} #>> '{{text,div}}', '<[^>]*>', ' ', 'g')"
        document = f"to_tsvector('simple', {_PLAIN.format(f'left({told}, 500000)')})"
    else:
        strings = f"select string_agg(t #>> '{{}}', ' ') from jsonb_path_query({whole}, 'strict $.**') t"
        document = f"to_tsvector('simple', {_PLAIN.format(f'left(({strings}), 500000)')})"
    ways = " or ".join(
        f"{document} @@ plainto_tsquery('simple', {s.bind(value.folded)})"
        for value in filter_.values
        if isinstance(value, StringValue)
    )
    return (
        f"exists (select from records.resource {x} where {x}.tenant = $1 and {x}.rid = {rid}"
        f" and {x}.body is not null and ({ways}))"
    )


def _table(filter_: Filter) -> str:
    return "records.word" if filter_.parameter.type in ("string", "uri") else "records.entry"


def _present(s: Statement, filter_: Filter, type_: str, rid: str) -> str:
    if filter_.parameter.type == "composite":
        return _together(s, filter_, type_, rid)
    x = s.alias()
    which = present(s, filter_, type_, x)
    return f"exists (select from {_table(filter_)} {x} where {x}.tenant = $1 and {x}.rid = {rid} and {which})"


def present(s: Statement, filter_: Filter, type_: str, x: str) -> str:
    """SQL that is true where the index row `x` is a value of the parameter."""
    code = filter_.parameter.code
    which = one_of(s, f"{x}.param", params(type_, code), "int")
    if filter_.parameter.type != "reference":
        return which
    # A logical reference is a value too.
    if code not in rows.shape(type_).stands_for:
        return f"({which} or {one_of(s, f'{x}.param', params(type_, code, ':identifier'), 'int')})"
    kinds = [rows.known_key(target) for target in filter_.parameter.targets]
    logical = one_of(s, f"{x}.param", params(type_, code, ":logical"), "int")
    ways = [f"{which} and {one_of(s, f'{x}.extra', kinds)}", f"{logical} and {one_of(s, f'{x}.key', kinds)}"]
    return f"({either(ways)})"


def _exists(s: Statement, filter_: Filter, type_: str, rid: str) -> str:
    x = s.alias()
    inner = matches(s, filter_, type_, x)
    return f"exists (select from {_table(filter_)} {x} where {x}.tenant = $1 and {x}.rid = {rid} and {inner})"


# -- composites ----------------------------------------------------------------------------------------------------


def _composite(s: Statement, filter_: Filter, value: object, type_: str, rid: str) -> str:
    """One value of a composite, answered from the rows of its parts."""
    if not isinstance(value, CompositeValue):
        raise unsupported(filter_)
    return _parts(s, filter_, type_, rid, [(one,) for one in value.parts])


def _together(s: Statement, filter_: Filter, type_: str, rid: str) -> str:
    return _parts(s, filter_, type_, rid, [()] * len(filter_.parameter.components))


def _parts(s: Statement, filter_: Filter, type_: str, rid: str, sought: list[tuple[Value, ...]]) -> str:
    """SQL that is true where the parts stand together at one of the places that the composite looks at.

    sought: the value of each part; () for any value.
    """
    ways = []
    for place in composites.places(type_, filter_.parameter.code):
        alone, together = [], []
        for part, values in zip(place.parts, sought, strict=True):
            one = Filter(part.parameter, None, values)
            x = s.alias()
            inner = f"{x}.tenant = $1 and {x}.rid = {rid} and "
            inner += matches(s, one, type_, x) if values else present(s, one, type_, x)
            if place.apart and not part.whole:
                together.append((x, inner))
                continue
            table = _table(one)
            mine = f" and {x}.place is null" if table == "records.entry" else ""
            alone.append(f"exists (select from {table} {x} where {inner}{mine})")
        if together:
            first = together[0][0]
            tables = ", ".join(f"records.entry {x}" for x, _ in together)
            same = [f"{x}.place = {first}.place" for x, _ in together[1:]] or [f"{first}.place is not null"]
            where = " and ".join([*(inner for _, inner in together), *same])
            alone.append(f"exists (select from {tables} where {where})")
        alone += [f"not {_exists_any(s, one, type_, rid)}" for one in place.without]
        ways.append(f"({' and '.join(alone)})")
    return f"({either(ways)})"


def _exists_any(s: Statement, parameter: SearchParameter, type_: str, rid: str) -> str:
    return _present(s, Filter(parameter), type_, rid)
