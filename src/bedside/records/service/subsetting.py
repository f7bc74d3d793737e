"""_summary and _elements: part of a resource, marked as such."""

from collections.abc import Sequence
from typing import Any

from bedside.fhir.definitions import table
from bedside.fhir.query import Query
from bedside.records.model.json import decode, encode
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service import searching

_MARK = {
    "system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue",
    "code": "SUBSETTED",
    "display": "subsetted",
}
_ALWAYS = frozenset({"resourceType", "id", "meta"})


def subset(one: Stored, query: Query) -> Stored:
    """The resource as `_summary` and `_elements` ask for it."""
    if not query.elements and query.summary in (None, "false", "count"):
        return one
    resource = decode(one.body)
    keep = _kept(one.type, query.summary, query.elements)
    part = {name: value for name, value in resource.items() if name.lstrip("_") in keep}
    meta = dict(part.get("meta", {}))
    meta["tag"] = [*(tag for tag in meta.get("tag", ()) if tag.get("code") != "SUBSETTED"), _MARK]
    part["meta"] = meta
    return one._replace(body=encode(part))


def of_a_read(type_: str, pairs: Sequence[tuple[str, str]]) -> Query | None:
    """What a read asks to be left out; None for nothing. Raises Refused for all else, lenient or not: a read has no
    place to report what was left out."""
    if not pairs:
        return None
    query = searching.parse(type_, pairs)
    if query.filters or query.includes or query.revincludes or query.sort:
        raise refuse("not-supported", "query", "A read takes _summary, _elements and _format only.", status=400)
    return query


def _kept(type_: str, summary: str | None, elements: Sequence[str]) -> frozenset[str]:
    known = table(type_)
    names: dict[str, Any] = dict(known.elements) if known else {}
    needed = {name for name, element in names.items() if element.min > 0}
    if elements:
        asked = {name.removeprefix(f"{type_}.").partition(".")[0] for name in elements}
        chosen = {name for name, element in names.items() if name in asked or element.choice in asked}
        return _ALWAYS | needed | chosen
    match summary:
        case "text":
            return _ALWAYS | needed | {"text"}
        case "data":
            return frozenset(names) - {"text"} | _ALWAYS
        case _:
            return _ALWAYS | needed | {name for name, element in names.items() if element.summary}
