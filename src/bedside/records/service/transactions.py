"""Batches, each entry for itself, and transactions, all or nothing."""

from collections.abc import Mapping, Sequence
from typing import Any

from bedside.fhir.issues import Issue, outcome
from bedside.foundation.aside import breath
from bedside.foundation.context import Ctx
from bedside.foundation.database import Row
from bedside.foundation.errors import BedsideError, NotFound
from bedside.foundation.http import outcome as outcome_of
from bedside.foundation.ids import uuid7
from bedside.records.model import bundle as model
from bedside.records.model.bundle import Entry
from bedside.records.model.refusals import Refused, refuse
from bedside.records.model.stored import Stored
from bedside.records.service import bundles, conditional, looking, patching, searching
from bedside.records.service.operations.places import place_of
from bedside.records.service.writing import Draft, write
from bedside.records.store import writing as store

Answer = dict[str, Any]


async def transact(
    ctx: Ctx,
    bundle: Mapping[str, Any],
    *,
    base: str = "",
    returns: str | None = None,
    faults: Mapping[int, Sequence[Issue]] | None = None,
    strict: bool = True,
) -> dict[str, Any]:
    """Carry out a batch or transaction Bundle; the answer is a Bundle with an entry for each entry, in order.

    base: what full URLs begin with. returns: representation, to answer with the resources written, or
    OperationOutcome, with an outcome for each. faults: what a check of the raw bundle
    found, by entry; None: each resource is checked here. strict: how searches are handled. Raises, for a transaction,
    what the first failing entry does.
    """
    raw = model.entries(bundle)
    bases = (f"{base}/",) if base else ()
    if bundle["type"] == "batch":
        answers = [await _alone(ctx, n, one, base, bases, returns, faults, strict=strict) for n, one in enumerate(raw)]
        return {"resourceType": "Bundle", "type": "batch-response", **({"entry": answers} if answers else {})}
    if faults:
        raise Refused([issue for _, found in sorted(faults.items()) for issue in found])
    entries = []
    for n, one in enumerate(raw):
        await breath(n)
        entries.append(model.entry(n, one, bases))
    answers = await _Transaction(ctx, entries, base, returns, checked=faults is not None, strict=strict).run()
    return {"resourceType": "Bundle", "type": "transaction-response", **({"entry": answers} if answers else {})}


class _Transaction:
    """One transaction under way. places: full URL to `Type/id`, as entries get their ids."""

    def __init__(
        self, ctx: Ctx, entries: list[Entry], base: str, returns: str | None, *, checked: bool, strict: bool = True
    ) -> None:
        self.ctx, self.entries, self.base, self.checked, self.strict = ctx, entries, base, checked, strict
        self.whole, self.told = returns == "representation", returns == "OperationOutcome"
        self.places: dict[str, str] = {}
        self.found: dict[int, Stored] = {}
        self.deleted: set[str] = set()
        self.held: dict[int, Row] = {}
        self.more: list[Draft] = []
        """What a conditional delete meets besides its first."""

    async def run(self) -> list[Answer]:
        """Find the targets, resolve the references, write all at once, then read."""
        for one in self.entries:
            if one.calls and not one.looks:
                what = "A transaction calls operations by GET only: send this one in a batch, or by itself."
                raise refuse("not-supported", f"{one.where}.request.url", what, status=400)
        await self._queue()
        drafts: dict[int, Draft] = {}
        for one in sorted(self.entries, key=lambda e: model.METHODS.index(e.method)):
            if not one.looks:
                made = await self._draft(one)
                if made is not None:
                    drafts[one.n] = made
        self._refuse_twice([*drafts.values(), *self.more])
        await self._criteria_in_references(drafts)
        for n, made in enumerate(drafts.values()):
            await breath(n)
            if made.resource is not None:
                made.resource = model.resolved(made.resource, self.places, f"{made.where}.resource")
        stored = dict(zip(drafts, await write(self.ctx, [*drafts.values(), *self.more]), strict=False))
        answers = []
        for n, one in enumerate(self.entries):
            await breath(n)
            if one.looks:
                answers.append(await looking.look(self.ctx, one, self.base, strict=self.strict))
            else:
                answers.append(
                    _written(one, stored.get(one.n) or self.found[one.n], self.base, whole=self.whole, told=self.told)
                )
        return answers

    async def _queue(self) -> None:
        """Wait for everyone with the same criteria, in one order, before anything is looked for."""
        keys = [
            conditional.criteria_key(self.ctx, one.type, criteria)
            for one in self.entries
            if (criteria := one.if_none_exist or (None if one.looks else one.criteria))
        ]
        if keys:
            await store.claim(self.ctx.sql, keys)
        if any(one.method == "PATCH" for one in self.entries):
            changing = ("PUT", "PATCH", "DELETE")
            self.held = await patching.hold(
                self.ctx, [(one.type, one.id) for one in self.entries if one.id and one.method in changing]
            )

    async def _draft(self, one: Entry) -> Draft | None:
        """What an entry writes; None where a conditional create met its resource."""
        criteria = one.if_none_exist if one.method == "POST" else one.criteria
        there = None
        if one.method == "DELETE" and criteria:
            return await self._deletion(one, criteria)
        if criteria:
            try:
                there = await searching.only(self.ctx, one.type, criteria)
            except BedsideError as error:
                error.where = f"{one.where}.request"
                raise
        if there is not None and there.reference in self.deleted and one.method == "POST":
            there = None  # deletions come first
        id_ = there.id if there else one.id
        if one.method == "DELETE":
            self.deleted.add(f"{one.type}/{one.id}")
            return Draft("delete", one.type, str(one.id), None, if_match=one.if_match, where=one.where)
        if one.method == "PATCH":
            return await self._patch(one, id_)
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

    async def _deletion(self, one: Entry, criteria: str) -> Draft | None:
        try:
            met = await conditional.targets(self.ctx, one.type, criteria)
        except BedsideError as error:
            error.where = f"{one.where}.request"
            raise
        if not met:
            self.found[one.n] = Stored(one.type, "", 0, self.ctx.clock.now(), False, False, b"")
            return None
        self.deleted |= {there.reference for there in met}
        first, *rest = [
            Draft("delete", one.type, there.id, None, if_match=one.if_match, where=one.where) for there in met
        ]
        self.more += rest
        return first

    async def _patch(self, one: Entry, id_: str | None) -> Draft:
        if id_ is None or one.resource is None:
            raise NotFound(f"No {one.type} matches the criteria.", where=f"{one.where}.request")
        self._place(one, f"{one.type}/{id_}")
        try:
            change = patching.by_entry(one.resource, one.where)
            held = self.held if one.id else None
            return await patching.draft(
                self.ctx, one.type, id_, change, if_match=one.if_match, where=one.where, held=held
            )
        except BedsideError as error:
            error.where = error.where or one.where
            raise

    def _place(self, one: Entry, reference: str) -> None:
        if one.if_none_exist:  # others may name it by the same criteria, there or not yet there
            self.places.setdefault(f"{one.type}?{one.if_none_exist}", reference)
        if one.full_url:
            if self.places.get(one.full_url, reference) != reference:
                raise refuse("duplicate", f"{one.where}.fullUrl", "Two entries have this full URL.", status=400)
            self.places[one.full_url] = reference

    @staticmethod
    def _refuse_twice(drafts: Sequence[Draft]) -> None:
        seen: set[tuple[str, str]] = set()
        for made in drafts:
            if (made.type, made.id) in seen:
                raise refuse("duplicate", made.where or "", "Two entries write the same resource.", status=400)
            seen.add((made.type, made.id))

    async def _criteria_in_references(self, drafts: Mapping[int, Draft]) -> None:
        for n, made in enumerate(drafts.values()):
            await breath(n)
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
    returns: str | None,
    faults: Mapping[int, Sequence[Issue]] | None,
    *,
    strict: bool,
) -> Answer:
    """One entry of a batch, in a savepoint of its own."""
    try:
        one = model.entry(n, raw, bases)
        if faults and n in faults and not (one.calls and place_of(one.path).operation.judges):
            raise Refused(list(faults[n]))
        if one.looks:
            return await looking.look(ctx, one, base, strict=strict)
        async with ctx.sql.transaction():
            if one.calls:
                return await looking.call(ctx, one, base, strict=strict)
            return (await _Transaction(ctx, [one], base, returns, checked=faults is not None).run())[0]
    except BedsideError as error:
        issues = outcome(error.issues) if isinstance(error, Refused) else outcome_of(error)
        return {"response": {"status": str(error.status), "outcome": issues}}


def _written(one: Entry, stored: Stored, base: str, *, whole: bool, told: bool) -> Answer:
    if one.method == "DELETE":
        answer: Answer = {"response": {"status": "204 No Content"}}
        if stored.version:
            answer["response"]["etag"] = f'W/"{stored.version}"'
        if stored.issues:
            answer["response"] |= {"status": "200 OK", "outcome": outcome(stored.issues)}
        return answer
    prefix = f"{base}/" if base else ""
    response: Answer = {
        "status": "201 Created" if stored.created else "200 OK",
        "location": f"{prefix}{stored.reference}/_history/{stored.version}",
        "etag": f'W/"{stored.version}"',
        "lastModified": bundles.instant(stored.updated),
    }
    answer = {"fullUrl": f"{prefix}{stored.reference}"} if base else {}
    if stored.issues or told:
        response["outcome"] = outcome(stored.issues or [Issue("information", "informational", "", "It was kept.")])
    if whole:
        answer["resource"] = stored.resource
    return {**answer, "response": response}
