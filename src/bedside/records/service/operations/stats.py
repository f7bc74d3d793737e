"""`Observation/$stats`: figures of one patient's values over a time, readings included.

Source: hl7.org/fhir/R4/observation-operation-stats.html. One Observation is answered for each code; where values of a
code stand in units that do not convert into one another, one for each of the units, so that no figure mixes them.
"""

from datetime import datetime, timedelta
from typing import Any, NamedTuple

import msgspec

from bedside.fhir import dates, terminology
from bedside.fhir.query import Query
from bedside.foundation.context import Ctx
from bedside.records.model import statistics
from bedside.records.model.json import decode, encode
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import refuse
from bedside.records.model.statistics import Kind, Series
from bedside.records.service import searching
from bedside.records.service.bundles import instant

MOST = 50_000
"""Observations of one code."""
MOST_SOURCES = 1000
"""Observations that `include` brings along."""
_WRONG = frozenset({"entered-in-error", "cancelled"})
_TAKES = ("subject", "code", "system", "coding", "duration", "period", "statistic", "include", "limit")


class _Code(NamedTuple):
    """A code that is asked about. system: "" for any."""

    system: str
    code: str

    def of(self, concept: Any) -> dict[str, Any] | None:
        """Its coding in a concept."""
        for one in (concept or {}).get("coding") or ():
            if one.get("code") == self.code and self.system in ("", one.get("system")):
                found: dict[str, Any] = one
                return found
        return None


class _Met(msgspec.Struct):
    """What was found of one code. coding: as an observation words it. sources: bodies, for `include`."""

    kind: Kind
    coding: dict[str, Any]
    sources: list[bytes] = []
    first: datetime | None = None
    last: datetime | None = None


async def stats(ctx: Ctx, call: Call) -> Reply:
    """A Parameters of `statistics`, and of `source` where `include` asks for it. Raises Refused, Forbidden."""
    given = call.given
    given.only(*_TAKES)
    subject, asked = given.needed("subject"), given.texts("statistic")
    if unknown := [one for one in asked if one not in statistics.KNOWN]:
        what = f"{unknown[0][:40]} is not worked out here: {', '.join(statistics.KNOWN)} are."
        raise refuse("not-supported", "statistic", what, status=400)
    if not asked:
        raise refuse("required", "statistic", "Say which statistics are wanted.", status=400)
    times = _times(ctx, call)
    limit = min(given.number("limit", 1) or MOST_SOURCES, MOST_SOURCES)
    limit = limit if given.flag("include") else 0
    parts: list[dict[str, Any]] = []
    sources: dict[bytes, None] = {}
    for code in _codes(call):
        met = await _met(ctx, call, subject, code, times, limit)
        for series in met.kind.series or [Series(None, None)]:
            made = _observation(ctx, subject, met, series, asked, times)
            parts.append({"name": "statistics", "resource": made})
        sources |= dict.fromkeys(met.sources)
    parts += [{"name": "source", "resource": decode(body)} for body in list(sources)[:limit]]
    return Reply(encode({"resourceType": "Parameters", "parameter": parts}))


def _codes(call: Call) -> list[_Code]:
    system = call.given.text("system") or ""
    found = [_Code(system, one) for one in call.given.texts("code")]
    for one in call.given.objects("coding"):
        if not isinstance(one.get("code"), str):
            raise refuse("required", "coding.code", "A coding has a code here.", status=400)
        found.append(_Code(str(one.get("system", "")), one["code"]))
    if not found:
        raise refuse("required", "code", "Say of which codes: code with system, or coding.", status=400)
    return list(dict.fromkeys(found))


class _Times(NamedTuple):
    """The time that is asked about, as written; None without an end."""

    start: str | None = None
    end: str | None = None


def _times(ctx: Ctx, call: Call) -> _Times:
    hours, period = call.given.text("duration"), call.given.object("period") or {}
    if hours is not None:
        try:
            length = timedelta(hours=float(hours))
            if not timedelta(0) < length < timedelta(days=36_525):
                raise ValueError
        except (ValueError, OverflowError):
            raise refuse("value", "duration", "This is a number of hours above 0.", status=400) from None
        now = ctx.clock.now()
        return _Times(instant(now - length), instant(now))
    for name in ("start", "end"):
        text = period.get(name)
        if text is not None and not (isinstance(text, str) and dates.is_datetime(text)):
            raise refuse("value", f"period.{name}", "This is no date of FHIR.", status=400)
    return _Times(period.get("start"), period.get("end"))


def _query(call: Call, subject: str, code: _Code, times: _Times) -> Query:
    token = (
        f"{searching.literal(code.system)}|{searching.literal(code.code)}"
        if code.system
        else searching.literal(code.code)
    )
    pairs = [("subject", subject), ("combo-code", token), ("_count", str(searching.MOST))]
    pairs += [("date", f"ge{times.start}")] if times.start else []
    pairs += [("date", f"le{times.end}")] if times.end else []
    return searching.parse("Observation", pairs, bases=(f"{call.base}/",))


async def _met(ctx: Ctx, call: Call, subject: str, code: _Code, times: _Times, limit: int) -> _Met:
    query = _query(call, subject, code, times)
    met = _Met(Kind(), {"code": code.code} | ({"system": code.system} if code.system else {}))
    display = _display(code)
    if display:
        met.coding["display"] = display
    while True:
        page = await searching.run(ctx, query)
        for one in page.matches:
            _take(met, code, decode(one.body), one.body, limit)
        if met.kind.total > MOST:
            what = f"There are more than {MOST} of {code.code[:40]}: ask about a shorter time."
            raise refuse("too-costly", "period", what, status=422)
        if page.next is None:
            return met
        query = msgspec.structs.replace(query, cursor=page.next)


def _display(code: _Code) -> str:
    system = terminology.code_system(code.system) if code.system else None
    concept = system.by_code.get(code.code) if system is not None else None
    return concept.display if concept is not None else ""


def _take(met: _Met, code: _Code, observation: dict[str, Any], body: bytes, limit: int) -> None:
    """An observation says the code of itself, or of some of its parts."""
    if observation.get("status") in _WRONG:
        return
    places = [one for one in (observation, *(observation.get("component") or ())) if code.of(one.get("code"))]
    for one in places:
        met.kind.take(one.get("valueQuantity"))
        met.coding |= {k: v for k, v in (code.of(one["code"]) or {}).items() if k in ("system", "display") and v}
    if not places:
        return
    if len(met.sources) < limit:
        met.sources.append(body)
    when = observation.get("effectiveDateTime") or observation.get("effectiveInstant")
    when = when or (observation.get("effectivePeriod") or {}).get("start")
    if when:
        at = dates.span(when).low
        met.first, met.last = min(met.first or at, at), max(met.last or at, at)


def _observation(ctx: Ctx, subject: str, met: _Met, series: Series, asked: list[str], times: _Times) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"coding": [met.coding]},
        "subject": {"reference": subject},
    }
    start = times.start or (instant(met.first) if met.first else None)
    end = times.end or (instant(met.last) if met.last else None)
    period = {name: at for name, at in (("start", start), ("end", end)) if at}
    if period:
        made["effectivePeriod"] = period
    made["issued"] = instant(ctx.clock.now())
    made["component"] = [statistics.component(one, series, met.kind.total) for one in dict.fromkeys(asked)]
    if len(met.kind.series) > 1:
        made["note"] = [{"text": "Values of this code stand in units that do not convert into one another."}]
    return made
