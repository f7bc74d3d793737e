"""`Observation/$lastn`: the newest few of each kind of observation of a patient, readings included."""

import msgspec

from bedside.fhir.definitions import search_parameters
from bedside.fhir.grammar import Filter, TokenValue
from bedside.fhir.query import Query, Sort
from bedside.foundation.context import Ctx
from bedside.records.model.json import decode
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored
from bedside.records.service import bundles, searching
from bedside.records.service.searching import Found

MOST = 1000
"""Of each kind, and kinds."""
_PAGE = 100
_CONTROLS = frozenset({"max", "_sort", "_count"})

Key = tuple[str, str]
"""System and code; "" and the text where there is no code."""


async def lastn(ctx: Ctx, call: Call) -> Reply:
    """A searchset: each kind's newest together, newest first. Search parameters of Observation narrow it; one of them
    names the patient. Raises Refused, Forbidden."""
    most = call.given.number("max", 1) or 1
    if most > MOST:
        raise refuse("value", "max", f"At most {MOST} of each kind.", status=400)
    pairs = [pair for pair in call.given.pairs() if pair[0] not in _CONTROLS]
    query = searching.parse("Observation", pairs, bases=(f"{call.base}/",))
    if query.includes or query.revincludes or query.cursor:
        raise refuse("not-supported", "_include", "$lastn answers Observations alone, on one page.", status=400)
    if not any(isinstance(f, Filter) and f.parameter.code in ("patient", "subject") for f in query.filters):
        raise refuse("required", "patient", "$lastn is asked of one patient: give patient or subject.", status=400)
    kinds = await newest(ctx, query, most)
    found = Found([one for kind in kinds for one in kind], [], None, None, query)
    total = sum(map(len, kinds))
    pairs = call.given.pairs()
    page = found._replace(total=total)
    return Reply(bundles.searchset(page, base=call.base, path=call.path, pairs=pairs, now=ctx.clock.now()))


async def newest(ctx: Ctx, query: Query, most: int) -> list[list[Stored]]:
    """The newest of each kind. Kinds that have enough are left out of the next look, so that a thousand pulses a day
    do not stand before the one weight."""
    parameters = search_parameters("Observation")
    kinds: dict[Key, list[Stored]] = {}
    seen: set[str] = set()
    full: list[Key] = []
    newest_first = (Sort(parameters["date"], True),)
    look = msgspec.structs.replace(query, sort=newest_first, count=max(_PAGE, most), cursor=None, total="none")
    while True:
        page = await searching.run(ctx, look)
        fresh = False
        for one in page.matches:
            if one.id in seen:
                continue
            seen.add(one.id)
            keys = keys_of(one)
            key = next((known for known in keys if known in kinds), keys[0])
            kind = kinds.setdefault(key, [])
            if len(kind) < most:
                kind.append(one)
                if len(kind) == most and key[0]:
                    full.append(key)
                    fresh = True
        if page.next is None or len(kinds) >= MOST:
            return [kinds[key] for key in sorted(kinds)]
        if fresh:
            without = Filter(parameters["code"], "not", tuple(TokenValue(*key) for key in full))
            look = msgspec.structs.replace(look, filters=(*query.filters, without), cursor=None)
        else:
            look = msgspec.structs.replace(look, cursor=page.next)


def keys_of(one: Stored) -> list[Key]:
    """The kinds that an Observation may count to: one for each coding."""
    code = decode(one.body).get("code") or {}
    found = [(str(c.get("system", "")), str(c["code"])) for c in code.get("coding") or () if c.get("code")]
    return found or [("", str(code.get("text", "")))]
