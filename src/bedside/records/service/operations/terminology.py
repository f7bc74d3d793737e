"""`$expand`, `$lookup`, `$validate-code`, `$subsumes`: over R4's code systems and value sets, and those of the record.

A system of which only some codes are here says so: "not in the part that is here" is never told as "wrong".
"""

import asyncio
from typing import Any, NamedTuple

from bedside.fhir import quantities, terminology
from bedside.fhir.terminology import Codes, CodeSystem, Concept, Known, Missing
from bedside.fhir.texts import fold
from bedside.fhir.vocabulary import UCUM
from bedside.foundation.context import Ctx
from bedside.foundation.errors import NotFound
from bedside.records.model.json import decode, encode
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import refuse
from bedside.records.service import reading, terms
from bedside.records.service.bundles import instant
from bedside.records.store import terms as store

MOST = 1000
"""Codes of one expansion as it is answered; more are asked for in pages."""


class Sought(NamedTuple):
    """A code as it was asked about. system: "" where none was said."""

    system: str
    code: str
    display: str | None


# -- what is known -------------------------------------------------------------------------------------------------


async def code_system(ctx: Ctx, url: str, where: str) -> CodeSystem:
    """One of the record's code systems, else of R4's. Raises NotLoaded."""
    plain = url.partition("|")[0]
    body = await store.by_url(ctx.sql, ctx.tenant, "CodeSystem", plain)
    if body is not None:
        return terminology.code_system_of(decode(body))
    try:
        return await asyncio.to_thread(Known({}, {}).code_system, plain)  # the first look at a large one takes a while
    except Missing:
        raise NotLoaded(f"The code system {plain[:200]} is not loaded here.", where=where) from None


class NotLoaded(NotFound):
    """A code system or value set that is not here: nothing can be said of its codes."""


async def _value_set(ctx: Ctx, call: Call) -> dict[str, Any]:
    """The value set that a call means, as a resource. Raises NotLoaded, Refused."""
    given = call.given.object("valueSet")
    if given is not None:
        return given
    if call.id is not None:
        return decode((await reading.read(ctx, "ValueSet", call.id)).body)
    url = call.given.needed("url").partition("|")[0]
    body = await store.by_url(ctx.sql, ctx.tenant, "ValueSet", url)
    if body is not None:
        return decode(body)
    found = terminology.value_set(url)
    if found is None:
        raise NotLoaded(f"The value set {url[:200]} is not loaded here.", where="url")
    return {"resourceType": "ValueSet", "url": url, "version": found.version, "name": found.name, "status": "active"}


async def _codes(ctx: Ctx, resource: dict[str, Any]) -> Codes:
    """The codes of a value set given as a resource, or by its URL alone. Raises Refused where they cannot be listed."""
    if "compose" in resource or "expansion" in resource:
        return await terms.spelled_out(ctx, terminology.value_set_of(resource), "valueSet")
    return await terms.expansion(ctx, str(resource.get("url")), "url")


async def _display(ctx: Ctx, systems: dict[str, CodeSystem | None], system: str, code: str) -> str:
    concept = (await _concepts(ctx, systems, system)).get(code)
    return concept.display if concept is not None else ""


async def _concepts(ctx: Ctx, systems: dict[str, CodeSystem | None], system: str) -> dict[str, Concept]:
    if system not in systems:
        try:
            systems[system] = await code_system(ctx, system, "system")
        except NotLoaded:
            systems[system] = None
    found = systems[system]
    return found.by_code if found is not None else {}


# -- $expand -------------------------------------------------------------------------------------------------------


async def expand(ctx: Ctx, call: Call) -> Reply:
    """A ValueSet with its expansion, sorted by system and code. Raises NotLoaded, Refused."""
    call.given.only(
        "url", "valueSet", "filter", "offset", "count", "activeOnly", "includeDesignations", "excludeNested"
    )
    resource = await _value_set(ctx, call)
    codes = await _codes(ctx, resource)
    systems: dict[str, CodeSystem | None] = {}
    known = {system: await _concepts(ctx, systems, system) for system in sorted(codes)}
    wanted = fold(call.given.text("filter") or "").split()
    listed = await asyncio.to_thread(_listed, codes, known, wanted)  # of ICD-10-CM there are a hundred thousand
    offset, count = call.given.number("offset") or 0, call.given.number("count")
    if count is None and len(listed) - offset > MOST:
        what = f"This has more than {MOST} codes. Ask with filter, or in pages with count and offset."
        raise refuse("too-costly", "count", what, status=422)
    page = listed[offset : offset + (MOST if count is None else min(count, MOST))]
    now = ctx.clock.now()
    expansion: dict[str, Any] = {"timestamp": instant(now), "total": len(listed), "offset": offset}
    if page:
        expansion["contains"] = [
            {"system": system, "code": code} | ({"display": display} if display else {})
            for system, code, display in page
        ]
    kept = {name: value for name, value in resource.items() if name not in ("compose", "expansion", "text") and value}
    return Reply(encode({**kept, "expansion": expansion}))


def _listed(codes: Codes, known: dict[str, dict[str, Concept]], wanted: list[str]) -> list[tuple[str, str, str]]:
    """System, code and display of each whose words hold every wanted one, sorted."""
    found = []
    for system, concepts in known.items():
        for code in sorted(codes[system]):
            display = concepts[code].display if code in concepts else ""
            if not wanted or _holds(fold(f"{code} {display}"), wanted):
                found.append((system, code, display))
    return found


def _holds(text: str, wanted: list[str]) -> bool:
    return all(word in text for word in wanted)


# -- $lookup -------------------------------------------------------------------------------------------------------


async def lookup(ctx: Ctx, call: Call) -> Reply:
    """What a code means, and the codes above and below it. Raises NotLoaded, NotFound, Refused."""
    call.given.only("code", "system", "version", "coding", "date", "displayLanguage", "property")
    sought = _sought(call)
    if not sought.system:
        raise refuse("required", "system", "A code is looked up in a system.", status=400)
    system = await code_system(ctx, sought.system, "system")
    concept = system.by_code.get(sought.code)
    if concept is None:
        raise refuse("not-found", "code", _unknown(system), status=404)
    found = [{"name": "name", "valueString": system.name or system.url}]
    if system.version:
        found.append({"name": "version", "valueString": system.version})
    found.append({"name": "display", "valueString": concept.display or concept.code})
    parts: list[dict[str, Any]] = [*found]
    for name, codes in (("parent", concept.parents), ("child", tuple(system.children.get(concept.code, ())))):
        parts += [
            {"name": "property", "part": [{"name": "code", "valueCode": name}, {"name": "value", "valueCode": code}]}
            for code in codes
        ]
    return Reply(encode({"resourceType": "Parameters", "parameter": parts}))


def _unknown(system: CodeSystem) -> str:
    if system.complete:
        return "The code system has no such code."
    return "Only a part of this code system is loaded here, and this code is not in it."


def _sought(call: Call, code: str = "code", coding: str = "coding") -> Sought:
    given = call.given.object(coding)
    if given is not None:
        if not isinstance(given.get("code"), str):
            raise refuse("required", f"{coding}.code", "A coding has a code here.", status=400)
        return Sought(str(given.get("system", "")), given["code"], given.get("display"))
    return Sought(call.given.text("system") or "", call.given.needed(code), call.given.text("display"))


# -- $validate-code ------------------------------------------------------------------------------------------------

_JUDGED = ("code", "system", "display", "coding", "codeableConcept", "date", "abstract", "displayLanguage")


def _all_sought(call: Call) -> list[Sought]:
    concept = call.given.object("codeableConcept")
    if concept is None:
        return [_sought(call)]
    codings = concept.get("coding")
    found = [
        Sought(str(one.get("system", "")), str(one["code"]), one.get("display"))
        for one in (codings if isinstance(codings, list) else ())
        if isinstance(one, dict) and "code" in one
    ]
    if not found:
        raise refuse("required", "codeableConcept.coding", "A coding is needed here.", status=400)
    return found


async def validate_in_set(ctx: Ctx, call: Call) -> Reply:
    """Whether a code, or one of a concept's, is in a value set. Raises NotLoaded, Refused."""
    call.given.only("url", "valueSet", "valueSetVersion", "systemVersion", *_JUDGED)
    codes = await _codes(ctx, await _value_set(ctx, call))
    systems: dict[str, CodeSystem | None] = {}
    for one in _all_sought(call):
        held = [s for s in ([one.system] if one.system else sorted(codes)) if one.code in codes.get(s, ())]
        if held:
            return _verdict(one, await _display(ctx, systems, held[0], one.code))
    return _no("The value set has no such code.")


async def validate_in_system(ctx: Ctx, call: Call) -> Reply:
    """Whether a code system has a code. Raises NotLoaded, Refused."""
    call.given.only("url", "codeSystem", "version", *_JUDGED)
    own = None
    if call.id is not None:
        own = decode((await reading.read(ctx, "CodeSystem", call.id)).body)
    own = call.given.object("codeSystem") or own
    reasons = []
    for one in _all_sought(call):
        url = call.given.text("url") or one.system
        if own is None and not url:
            raise refuse("required", "url", "The code system is needed.", status=400)
        if own is None and url == UCUM:  # its codes are made by a grammar, not listed
            if quantities.is_unit(one.code):
                return _verdict(one, "")
            reasons.append("This is no unit that is known here.")
            continue
        system = terminology.code_system_of(own) if own is not None else await code_system(ctx, url, "url")
        concept = system.by_code.get(one.code)
        if concept is not None:
            return _verdict(one, concept.display)
        reasons.append(_unknown(system))
    return _no(reasons[0])


def _verdict(one: Sought, display: str) -> Reply:
    if one.display and display and fold(one.display) != fold(display):
        return _no("The code is known, by another display.", display)
    return _yes(display)


def _yes(display: str) -> Reply:
    found: list[dict[str, Any]] = [{"name": "result", "valueBoolean": True}]
    if display:
        found.append({"name": "display", "valueString": display})
    return Reply(encode({"resourceType": "Parameters", "parameter": found}))


def _no(why: str, display: str = "") -> Reply:
    found: list[dict[str, Any]] = [{"name": "result", "valueBoolean": False}, {"name": "message", "valueString": why}]
    if display:
        found.append({"name": "display", "valueString": display})
    return Reply(encode({"resourceType": "Parameters", "parameter": found}))


# -- $subsumes -----------------------------------------------------------------------------------------------------


async def subsumes(ctx: Ctx, call: Call) -> Reply:
    """How two codes of one system stand to each other: equivalent, subsumes, subsumed-by, not-subsumed."""
    call.given.only("codeA", "codeB", "codingA", "codingB", "system", "version")
    one, other = _sought(call, "codeA", "codingA"), _sought(call, "codeB", "codingB")
    if call.id is not None:
        system = terminology.code_system_of(decode((await reading.read(ctx, "CodeSystem", call.id)).body))
    else:
        if not one.system or one.system != other.system:
            raise refuse("value", "system", "Both codes are of one system, which is named.", status=400)
        system = await code_system(ctx, one.system, "system")
    for name, sought in (("codeA", one), ("codeB", other)):
        if sought.code not in system.by_code:
            raise refuse("not-found", name, _unknown(system), status=404)
    if one.code == other.code:
        found = "equivalent"
    elif other.code in system.below(one.code):
        found = "subsumes"
    elif other.code in system.above(one.code):
        found = "subsumed-by"
    elif system.complete:
        found = "not-subsumed"
    else:
        what = "Only a part of this code system is loaded here, without its order: this cannot be told."
        raise refuse("not-supported", "system", what, status=422)
    return Reply(encode({"resourceType": "Parameters", "parameter": [{"name": "outcome", "valueCode": found}]}))
