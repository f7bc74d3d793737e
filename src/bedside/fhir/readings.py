"""How one element becomes index values: a reader for each pair of parameter type and FHIR datatype."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from bedside.fhir import dates, quantities, references
from bedside.fhir.definitions import Element, SearchParameter, code_set
from bedside.fhir.texts import fold
from bedside.fhir.values import Date, Index, Number, Quantity, ReferenceTo, String, Token, Uri

Reader = Callable[[Any, Index], None]

_TEXTS = frozenset({"string", "markdown", "code", "id"})
_URIS = frozenset({"uri", "url", "canonical", "oid", "uuid"})
_DATES = frozenset({"date", "dateTime", "instant"})
_NUMBERS = frozenset({"integer", "decimal", "positiveInt", "unsignedInt"})
_QUANTITIES = frozenset({"Quantity", "Age", "Duration", "Distance", "Count", "SimpleQuantity", "MoneyQuantity"})
_NAME_PARTS = ("family", "given", "prefix", "suffix", "text")
_ADDRESS_PARTS = ("text", "line", "city", "district", "state", "postalCode", "country")


def reader(parameter: SearchParameter, element: Element, targets: tuple[str, ...] = ()) -> Reader | None:
    """The reader of an element for a parameter; None where the standard gives the pair no meaning.

    targets: only references to these types count (an expression's `where(resolve() is Patient)`).
    """
    made = _READERS[parameter.type](parameter.code, element)
    if made is None or parameter.type != "reference" or not targets:
        return made
    return _only(made, targets)


def _only(read: Reader, targets: tuple[str, ...]) -> Reader:
    def narrowed(value: Any, index: Index) -> None:
        if isinstance(value, dict) and references.target_type(value) in targets:
            read(value, index)

    return narrowed


# -- tokens ------------------------------------------------------------------------------------------------------


def _token(code: str, element: Element) -> Reader | None:
    make = _TOKENS.get(element.type)
    if make is not None:
        return make(code)
    if element.type in _TEXTS | _URIS:
        return _plain_token(code, _implied_system(element))
    return None


def _implied_system(element: Element) -> str | None:
    """A plain code means its binding's system (`gender=http://hl7.org/fhir/administrative-gender|male`)."""
    if element.binding is None:
        return None
    systems = list(code_set(element.binding).systems)
    return systems[0] if len(systems) == 1 else None


def _plain_token(code: str, system: str | None) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, str):
            index.tokens.append(Token(code, system, value))

    return read


def _boolean(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, bool):
            index.tokens.append(Token(code, None, "true" if value else "false"))

    return read


def _coding(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, dict) and ("code" in value or "system" in value or "display" in value):
            index.tokens.append(Token(code, value.get("system"), value.get("code"), value.get("display")))

    return read


def _concept(code: str) -> Reader:
    coding = _coding(code)

    def read(value: Any, index: Index) -> None:
        if not isinstance(value, dict):
            return
        for one in value.get("coding", ()):
            coding(one, index)
        text = value.get("text")
        if text is not None:
            index.tokens.append(Token(code, None, None, text))

    return read


def _identifier(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if not isinstance(value, dict) or "value" not in value:
            return
        concept = value.get("type")
        codings = concept.get("coding", ()) if isinstance(concept, dict) else ()
        text = concept.get("text") if isinstance(concept, dict) else None
        system, stated = value.get("system"), value["value"]
        if not codings:
            index.tokens.append(Token(code, system, stated, text))
        for one in codings:
            kind = f"{one.get('system') or ''}|{one.get('code') or ''}"
            index.tokens.append(Token(code, system, stated, text or one.get("display"), kind))

    return read


def _contact(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, dict) and "value" in value:
            index.tokens.append(Token(code, value.get("system"), value["value"]))

    return read


_TOKENS: dict[str, Callable[[str], Reader]] = {
    "boolean": _boolean,
    "Coding": _coding,
    "CodeableConcept": _concept,
    "Identifier": _identifier,
    "ContactPoint": _contact,
}

# -- texts -------------------------------------------------------------------------------------------------------


def _string(code: str, element: Element) -> Reader | None:
    if element.type in _TEXTS | _URIS:
        return _text(code)
    parts = {"HumanName": _NAME_PARTS, "Address": _ADDRESS_PARTS, "CodeableConcept": ("text",)}.get(element.type)
    return None if parts is None else _texts(code, parts)


def _text(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, str) and (folded := fold(value)):
            index.strings.append(String(code, folded, value))

    return read


def _texts(code: str, parts: tuple[str, ...]) -> Reader:
    text = _text(code)

    def read(value: Any, index: Index) -> None:
        if not isinstance(value, dict):
            return
        for part in parts:
            found = value.get(part)
            for one in found if isinstance(found, list) else (found,):
                text(one, index)

    return read


# -- dates -------------------------------------------------------------------------------------------------------


def _date(code: str, element: Element) -> Reader | None:
    if element.type in _DATES:
        return _moment(code)
    return {"Period": _period, "Timing": _timing}.get(element.type, _no_reader)(code)


def _no_reader(code: str) -> Reader | None:
    return None


def _span(text: Any) -> dates.Span | None:
    if not isinstance(text, str):
        return None
    try:
        return dates.span(text)
    except ValueError:
        return None


def _moment(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if (span := _span(value)) is not None:
            index.dates.append(Date(code, span.low, span.high))

    return read


def _period(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, dict):
            start, end = _span(value.get("start")), _span(value.get("end"))
            if start or end:
                index.dates.append(
                    Date(code, start.low if start else dates.EARLIEST, end.high if end else dates.LATEST)
                )

    return read


def _timing(code: str) -> Reader:
    """A Timing is found by the whole of its course (search.html#date): its events and its bounds are one span."""

    def read(value: Any, index: Index) -> None:
        if not isinstance(value, dict):
            return
        whole = Index()
        period((value.get("repeat") or {}).get("boundsPeriod"), whole)
        for text in value.get("event", ()):
            moment(text, whole)
        if whole.dates:
            low, high = min(one.low for one in whole.dates), max(one.high for one in whole.dates)
            index.dates.append(Date(code, low, high))

    period, moment = _period(code), _moment(code)
    return read


# -- numbers and quantities --------------------------------------------------------------------------------------


def _number(code: str, element: Element) -> Reader | None:
    if element.type == "Range":
        return None

    def read(value: Any, index: Index) -> None:
        if (number := quantities.decimal(value)) is not None:
            index.numbers.append(Number(code, number))

    return read if element.type in _NUMBERS else None


def _quantity(code: str, element: Element) -> Reader | None:
    if element.type in _QUANTITIES:
        return _one_quantity(code)
    return {"Range": _range, "Money": _money, "SampledData": _sampled}.get(element.type, _no_reader)(code)


def _one_quantity(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if not isinstance(value, dict) or (number := quantities.decimal(value.get("value"))) is None:
            return
        comparator = value.get("comparator", "")
        low = None if comparator[:1] == "<" else number
        high = None if comparator[:1] == ">" else number
        index.quantities.append(_made(code, low, high, value))

    return read


def _made(code: str, low: Decimal | None, high: Decimal | None, unit: dict[str, Any]) -> Quantity:
    system, ucum, shown = unit.get("system"), unit.get("code"), unit.get("unit")
    if system != quantities.UCUM or ucum is None:
        return Quantity(code, low, high, system, ucum, shown)
    at_low = None if low is None else quantities.canonical(low, ucum)
    at_high = at_low if high is low else None if high is None else quantities.canonical(high, ucum)
    known = at_low or at_high
    return Quantity(
        code,
        low,
        high,
        system,
        ucum,
        shown,
        at_low.value if at_low else None,
        at_high.value if at_high else None,
        known.unit if known else None,
    )


def _range(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if not isinstance(value, dict):
            return
        low, high = value.get("low") or {}, value.get("high") or {}
        at_low, at_high = quantities.decimal(low.get("value")), quantities.decimal(high.get("value"))
        if at_low is not None or at_high is not None:
            index.quantities.append(_made(code, at_low, at_high, low or high))

    return read


def _money(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, dict) and (number := quantities.decimal(value.get("value"))) is not None:
            currency = value.get("currency")
            index.quantities.append(Quantity(code, number, number, "urn:iso:std:iso:4217", currency, currency))

    return read


def _sampled(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, dict) and isinstance(value.get("origin"), dict):
            origin(value["origin"], index)

    origin = _one_quantity(code)
    return read


# -- references and URIs -----------------------------------------------------------------------------------------


def _reference(code: str, element: Element) -> Reader | None:
    if element.type == "Reference":
        return _link(code)
    if element.type in _URIS:
        return _canonical_link(code)
    return _inline(code) if element.type == "Resource" else None


def _link(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if not isinstance(value, dict):
            return
        identifier = value.get("identifier")
        system, stated = (identifier.get("system"), identifier.get("value")) if identifier else (None, None)
        url = value.get("reference")
        if isinstance(url, str) and not url.startswith("#"):
            found = references.parse(url)
            if found.local:
                index.references.append(ReferenceTo(code, found.type, found.id, None, system, stated))
            else:
                plain = url.partition("/_history/")[0]
                index.references.append(ReferenceTo(code, found.type, None, plain, system, stated))
        elif stated is not None:
            index.references.append(ReferenceTo(code, references.target_type(value), None, None, system, stated))

    return read


def _canonical_link(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, str):
            index.references.append(ReferenceTo(code, None, None, references.canonical(value)[0]))

    return read


def _inline(code: str) -> Reader:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, dict) and "id" in value:
            index.references.append(ReferenceTo(code, value.get("resourceType"), value["id"]))

    return read


def _uri(code: str, element: Element) -> Reader | None:
    def read(value: Any, index: Index) -> None:
        if isinstance(value, str):
            url, version = references.canonical(value) if element.type == "canonical" else (value, None)
            index.uris.append(Uri(code, url, version))

    return read if element.type in _URIS else None


def _unread(code: str, element: Element) -> Reader | None:
    return None


_READERS: dict[str, Callable[[str, Element], Reader | None]] = {
    "token": _token,
    "string": _string,
    "date": _date,
    "number": _number,
    "quantity": _quantity,
    "reference": _reference,
    "uri": _uri,
    "composite": _unread,
    "special": _unread,
}
