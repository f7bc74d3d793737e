"""Batches, each entry for itself, and transactions, all or nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from bedside.fhir.issues import Issue, outcome
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import outcome as outcome_of
from bedside.foundation.ids import uuid7
from bedside.records.model import bundle as model
from bedside.records.model.bundle import Entry
from bedside.records.model.json import decode
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.stored import Stored
from bedside.records.service import bundles, conditional, reading, searching
from bedside.records.service.writing import Draft, write
from bedside.records.store import writing as store

Answer = dict[str, Any]


async def transact(
    ctx: Ctx,
    bundle: Mapping[str, Any],
    *,
    base: str = "",
    whole: bool = False,
    faults: Mapping[int, Sequence[Issue]] | None = None,
) -> dict[str, Any]:
    """Carry out a batch or transaction Bundle; the answer is a Bundle with an entry for each entry, in order.

    base: what full URLs begin with. whole: answer with the resources written. faults: what a check of the raw bundle
    found, by entry; None: each resource is checked here. Raises, for a transaction, what the first failing entry does.
    """
    raw = model.entries(bundle)
    bases = (f"{base}/",) if base else ()
    if bundle["type"] == "batch":
        answers = [await _alone(ctx, n, one, base, bases, whole, faults) for n, one in enumerate(raw)]
        return {"resourceType": "Bundle", "type": "batch-response", **({"entry": answers} if answers else {})}
    if faults:
        raise Refused([issue for _, found in sorted(faults.items()) for issue in found])
    entries = [model.entry(n, one, bases) for n, one in enumerate(raw)]
    answers = await _Transaction(ctx, entries, base, whole, checked=faults is not None).run()
    return {"resourceType": "Bundle", "type": "transaction-response", **({"entry": answers} if answers else {})}


class _Transaction:
    """One transaction under way. places: full URL to `Type/id`, as entries get their ids."""

    def __init__(self, ctx: Ctx, entries: list[Entry], base: str, whole: bool, *, checked: bool) -> None:
        self.ctx, self.entries, self.base, self.whole, self.checked = ctx, entries, base, whole, checked
        self.places: dict[str, str] = {}
        self.found: dict[int, Stored] = {}

    async def run(self) -> list[Answer]:
        """Find the targets, resolve the references, write all at once, then read."""
        await self._queue()
        drafts: dict[int, Draft] = {}
        for one in sorted(self.entries, key=lambda e: model.METHODS.index(e.method)):
            if one.method in ("DELETE", "POST", "PUT"):
                made = await self._draft(one)
                if made is not None:
                    drafts[one.n] = made
        self._refuse_twice(drafts)
        await self._criteria_in_references(drafts)
        for made in drafts.values():
            if made.resource is not None:
                made.resource = model.resolved(made.resource, self.places, f"{made.where}.resource")
        stored = dict(zip(drafts, await write(self.ctx, list(drafts.values())), strict=True))
        answers = []
        for one in self.entries:
            if one.method in ("GET", "HEAD"):
                answers.append(await _look(self.ctx, one, self.base))
            else:
                answers.append(_written(one, stored.get(one.n) or self.found[one.n], self.base, self.whole))
        return answers

    async def _queue(self) -> None:
        """Wait for everyone with the same criteria, in one order, before anything is looked for."""
        keys = [
            conditional.criteria_key(self.ctx, one.type, criteria)
            for one in self.entries
            if (criteria := one.if_none_exist or (one.criteria if one.method in ("PUT", "DELETE") else None))
        ]
        if keys:
            await store.claim(self.ctx.sql, keys)

    async def _draft(self, one: Entry) -> Draft | None:
        """What an entry writes; None where a conditional create met its resource."""
        criteria = one.if_none_exist if one.method == "POST" else one.criteria
        there = None
        if criteria:
            try:
                there = await searching.only(self.ctx, one.type, criteria)
            except BedsideError as error:
                error.where = f"{one.where}.request"
                raise
        id_ = there.id if there else one.id
        if one.method == "DELETE":
            if id_ is None:
                self.found[one.n] = Stored(one.type, "", 0, self.ctx.clock.now(), False, False, b"")
                return None
            return Draft("delete", one.type, id_, None, if_match=one.if_match, where=one.where)
        if one.method == "POST":
            if there is not None:
                self.found[one.n] = there
                self._place(one, there.reference)
                return None
            id_ = uuid7()
            kind = "create"
        else:
            given = (one.resource or {}).get("id")
            kind = "put" if id_ or given else "create"
            id_ = id_ or given or uuid7()
        self._place(one, f"{one.type}/{id_}")
        return Draft(
            "create" if kind == "create" else "put",
            one.type,
            id_,
            one.resource,
            if_match=one.if_match,
            where=one.where,
            checked=self.checked,
        )

    def _place(self, one: Entry, reference: str) -> None:
        if one.full_url:
            if self.places.get(one.full_url, reference) != reference:
                raise refuse("duplicate", f"{one.where}.fullUrl", "Two entries have this full URL.", status=400)
            self.places[one.full_url] = reference

    @staticmethod
    def _refuse_twice(drafts: Mapping[int, Draft]) -> None:
        seen: set[tuple[str, str]] = set()
        for made in drafts.values():
            if (made.type, made.id) in seen:
                raise refuse("duplicate", made.where or "", "Two entries write the same resource.", status=400)
            seen.add((made.type, made.id))

    async def _criteria_in_references(self, drafts: Mapping[int, Draft]) -> None:
        for made in drafts.values():
            for text in model.conditional_references(made.resource):
                if text in self.places:
                    continue
                type_, _, criteria = text.partition("?")
                there = await searching.only(self.ctx, type_, criteria)
                if there is None:
                    raise refuse(
                        "not-found",
                        f"{made.where}.resource",
                        f"No {type_} matches a conditional reference.",
                        status=412,
                    )
                self.places[text] = there.reference


async def _alone(
    ctx: Ctx,
    n: int,
    raw: Mapping[str, Any],
    base: str,
    bases: tuple[str, ...],
    whole: bool,
    faults: Mapping[int, Sequence[Issue]] | None,
) -> Answer:
    """One entry of a batch, in a savepoint of its own."""
    try:
        if faults and n in faults:
            raise Refused(list(faults[n]))
        one = model.entry(n, raw, bases)
        if one.method in ("GET", "HEAD"):
            return await _look(ctx, one, base)
        async with ctx.sql.transaction():
            return (await _Transaction(ctx, [one], base, whole, checked=faults is not None).run())[0]
    except BedsideError as error:
        issues = outcome(error.issues) if isinstance(error, Refused) else outcome_of(error)
        return {"response": {"status": str(error.status), "outcome": issues}}


def _written(one: Entry, stored: Stored, base: str, whole: bool) -> Answer:
    if one.method == "DELETE":
        answer: Answer = {"response": {"status": "204 No Content"}}
        if stored.version:
            answer["response"]["etag"] = f'W/"{stored.version}"'
        return answer
    prefix = f"{base}/" if base else ""
    response = {
        "status": "201 Created" if stored.created else "200 OK",
        "location": f"{prefix}{stored.reference}/_history/{stored.version}",
        "etag": f'W/"{stored.version}"',
        "lastModified": bundles.instant(stored.updated),
    }
    answer = {"fullUrl": f"{prefix}{stored.reference}"} if base else {}
    if whole:
        answer["resource"] = stored.resource
    return {**answer, "response": response}


async def _look(ctx: Ctx, one: Entry, base: str) -> Answer:
    """A GET within a bundle: read, vread or search."""
    if one.id is None:
        pairs = list(searching.pairs_of(one.criteria or ""))
        found = await searching.search(ctx, one.type, pairs)
        body = bundles.searchset(found, base=base, path=f"/{one.type}", pairs=pairs, now=ctx.clock.now())
        return {"resource": decode(body), "response": {"status": "200 OK"}}
    id_, _, rest = one.id.partition("/")
    if not rest:
        stored = await reading.read(ctx, one.type, id_)
    else:
        word, _, number = rest.partition("/")
        if word != "_history" or not number.isdecimal() or len(number) > 9:
            raise Invalid("This URL is not read in a bundle.", where=f"{one.where}.request.url")
        stored = await reading.version(ctx, one.type, id_, int(number))
    return {
        "fullUrl": f"{base}/{stored.reference}" if base else stored.reference,
        "resource": stored.resource,
        "response": {
            "status": "200 OK",
            "etag": f'W/"{stored.version}"',
            "lastModified": bundles.instant(stored.updated),
        },
    }
