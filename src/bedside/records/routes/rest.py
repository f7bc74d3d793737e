"""The interactions of FHIR's RESTful API (hl7.org/fhir/R4/http.html)."""

from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from bedside import access
from bedside.fhir import references
from bedside.fhir.definitions import COMPARTMENTS, resource_types
from bedside.fhir.issues import Issue, outcome
from bedside.fhir.query import Compartment
from bedside.foundation.context import Ctx
from bedside.foundation.database import RETRYABLE
from bedside.foundation.errors import BedsideError, NotFound, Unavailable
from bedside.foundation.http import ctx_of
from bedside.foundation.ids import uuid7
from bedside.foundation.packing import pack
from bedside.records import settings
from bedside.records.model import unchanged
from bedside.records.model.bundle import etag
from bedside.records.model.json import encode
from bedside.records.model.refusals import NotAllowed, Refused, refuse
from bedside.records.model.stored import Stored
from bedside.records.routes import binary, bulk, capability, operations, patches
from bedside.records.routes.answer import answer, refusal, version_headers, written
from bedside.records.routes.request import (
    Address,
    address,
    check_format,
    form_pairs,
    prefer,
    read,
    resource,
)
from bedside.records.service import bundles, conditional, histories, leniency, patching, reading, searching, subsetting
from bedside.records.service.operations.places import place_of
from bedside.records.service.transactions import transact
from bedside.records.service.writing import Draft, create, write

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"})


class TooBusy(Unavailable):
    """A write lost its race again and again."""

    retry_after = 1


@contextmanager
def _not_for_ever() -> Iterator[None]:
    """A race lost again and again is an answer to come back for, not a fault."""
    try:
        yield
    except RETRYABLE as error:
        raise TooBusy("Others write the same at this moment; nothing was kept.") from error


async def fhir(request: Request) -> Response:
    """Every request below /fhir/R4."""
    try:
        if request.method not in METHODS:
            raise NotAllowed("FHIR has no such interaction.", where=request.method)
        response = await _Interaction(request, address(request)).run()
    except BedsideError as error:
        response = refusal(error, pretty=request.query_params.get("_pretty") == "true")
    if not isinstance(response, StreamingResponse):
        pack(request.scope, response)
    if request.method == "HEAD" and not isinstance(response, StreamingResponse):
        response.body = b""  # its length stays as GET would say it
    return response


class _Interaction:
    """One request."""

    def __init__(self, request: Request, place: Address) -> None:
        self.request, self.place = request, place
        self.method = "GET" if request.method == "HEAD" else request.method
        self.prefer = prefer(request)
        self.pretty = ("_pretty", "true") in place.pairs
        self.base = place.base

    async def run(self) -> Response:
        """Find the interaction by the shape of the address."""
        parts = self.place.parts
        match parts:  # what is answered in other formats than FHIR's own
            case ["bulk", *_]:
                return await bulk.look_after(self.request, self.place, self.method)
            case ["Binary", *_]:
                if (content := await binary.take(self.request, self.place)) is not None:
                    return content
        check_format(self.request, self.place.pairs)
        match parts:
            case ["metadata"]:
                self._only("GET")
                chosen = settings.of(ctx_of(self.request).database)
                return answer(encode(capability.statement(self.base, chosen)), pretty=self.pretty)
            case [".well-known", "smart-configuration"]:
                self._only("GET")
                found = encode(capability.smart_configuration(self.base))
                return Response(found, media_type="application/json")
            case []:
                return await (self._bundle() if self.method == "POST" else self._search(None))
            case ["_history"]:
                return await self._history(None, None)
            case ["_search"]:
                self._only("POST")
                return await self._search(None)
        if parts[-1].startswith("$"):
            return await self._operation()
        if parts[0] not in resource_types():
            raise NotFound("There is no such resource type in FHIR R4.", where=parts[0][:64])
        if len(parts) > 1 and not parts[1].startswith("_") and not references.is_id(parts[1]):
            raise refuse(
                "value", f"{parts[0]}.id", "An id is 1 to 64 letters, digits, hyphens, full stops.", status=400
            )
        match parts:
            case [type_]:
                return await self._on_type(type_)
            case [type_, "_search"]:
                self._only("POST")
                return await self._search(type_)
            case [type_, "_history"]:
                return await self._history(type_, None)
            case [type_, id_]:
                return await self._on_instance(type_, id_)
            case [type_, id_, "_history"]:
                return await self._history(type_, id_)
            case [name, id_, type_] | [name, id_, type_, "_search"] if name in COMPARTMENTS and type_[:1] != "_":
                self._only("POST" if len(parts) == 4 else "GET")
                if type_ != "*" and type_ not in resource_types():
                    raise NotFound("There is no such resource type in FHIR R4.", where=type_[:64])
                return await self._search(None if type_ == "*" else type_, Compartment(name, id_))
            case [type_, id_, "_history", number]:
                self._only("GET")
                return await self._version(type_, id_, number)
        raise NotFound("There is nothing at this address.")

    def _only(self, *methods: str) -> None:
        if self.method not in methods:
            raise NotAllowed(f"Only {' and '.join(methods)} here.", where=self.request.method)

    async def _work(self, action: str, body: Callable[[Ctx], Awaitable[Response]], *, readonly: bool) -> Response:
        """One unit of work; a lost race of a write is run again."""
        ctx = ctx_of(self.request)

        async def once() -> Response:
            async with access.work(ctx, action, readonly=readonly) as inner:
                return await body(inner)

        if readonly:
            return await once()
        with _not_for_ever():
            return await ctx.database.attempt(once)

    async def _operation(self) -> Response:
        place = place_of(self.place.parts)
        operation, call = place.operation, await operations.call(self.request, self.place, self.method, place)

        async def body(ctx: Ctx) -> Response:
            reply = await operation.run(ctx, call)
            return answer(reply.body, reply.status, dict(reply.headers), pretty=self.pretty)

        if operation.streams:
            return await body(ctx_of(self.request))
        return await self._work(operation.action, body, readonly=not (operation.affects or operation.keeps))

    # -- types ---------------------------------------------------------------------------------------------------

    async def _on_type(self, type_: str) -> Response:
        match self.method:
            case "GET":
                return await self._search(type_)
            case "POST":
                self._plain()
                return await self._create(type_)
            case "PUT":
                return await self._update_matching(type_)
            case "DELETE":
                return await self._delete_matching(type_)
        return await self._patch(type_, None)

    def _plain(self) -> None:
        """A write has no place to report what of its query was left out."""
        if self._criteria():
            told = "This takes _format and _pretty only."
            if self.method == "POST":
                told += " The criteria of a conditional create stand in If-None-Exist."
            raise refuse("not-supported", "query", told, status=400)

    async def _body(self, type_: str) -> dict[str, Any]:
        made = await resource(self.request)
        if made.get("resourceType") != type_:
            raise refuse("value", "resourceType", f"This address takes a {type_}.", status=400)
        return made

    async def _create(self, type_: str) -> Response:
        made = await self._body(type_)
        draft = Draft("create", type_, uuid7(), made, checked=True)
        criteria = self.request.headers.get("if-none-exist")
        if not criteria:
            with _not_for_ever():
                return self._created(await create(ctx_of(self.request), f"created {type_}", draft))

        async def body(ctx: Ctx) -> Response:
            return self._created(await conditional.create(ctx, draft, criteria.partition("?")[2] or criteria))

        return await self._work(f"created {type_}", body, readonly=False)

    def _created(self, one: Stored) -> Response:
        response = written(one, self.base, self.prefer.returns, created=one.created, pretty=self.pretty)
        response.headers.setdefault("location", f"{self.base}/{one.reference}/_history/{one.version}")
        return response

    def _criteria(self) -> list[tuple[str, str]]:
        return [pair for pair in self.place.pairs if pair[0] not in ("_format", "_pretty")]

    def _if_match(self) -> int | None:
        return etag(self.request.headers.get("if-match"), "If-Match")

    async def _update_matching(self, type_: str) -> Response:
        made, if_match = await self._body(type_), self._if_match()

        async def body(ctx: Ctx) -> Response:
            one = await conditional.update(ctx, made, type_, self._criteria(), if_match)
            return written(one, self.base, self.prefer.returns, created=one.created, pretty=self.pretty)

        return await self._work(f"changed {type_}", body, readonly=False)

    async def _delete_matching(self, type_: str) -> Response:
        if_match = self._if_match()

        async def body(ctx: Ctx) -> Response:
            return self._deleted(*await conditional.delete(ctx, type_, self._criteria(), if_match))

        return await self._work(f"deleted {type_}", body, readonly=False)

    # -- instances -----------------------------------------------------------------------------------------------

    async def _on_instance(self, type_: str, id_: str) -> Response:
        match self.method:
            case "GET":
                return await self._read(type_, id_)
        self._plain()
        match self.method:
            case "PUT":
                return await self._update(type_, id_)
            case "DELETE":
                return await self._delete(type_, id_)
            case "POST":
                raise NotAllowed("A new resource is posted to its type.", where="POST")
        return await self._patch(type_, id_)

    async def _read(self, type_: str, id_: str) -> Response:
        query = subsetting.of_a_read(type_, self.place.pairs)

        async def body(ctx: Ctx) -> Response:
            one = await reading.read(ctx, type_, id_)
            if query is not None:
                one = subsetting.subset(one, query)
            return self._found(one)

        return await self._work(f"read {type_}", body, readonly=True)

    def _found(self, one: Stored) -> Response:
        headers = version_headers(one)
        sent = self.request.headers
        since = unchanged.moment(sent.get("if-modified-since"), "If-Modified-Since")
        if unchanged.is_known(one, sent.get("if-none-match"), since):
            return Response(None, 304, headers)
        return answer(one.body, 200, headers, pretty=self.pretty)

    async def _version(self, type_: str, id_: str, number: str) -> Response:
        if not (number.isascii() and number.isdecimal() and len(number) <= 9):
            raise NotFound("There is no such version.")

        async def body(ctx: Ctx) -> Response:
            return self._found(await reading.version(ctx, type_, id_, int(number)))

        return await self._work(f"read {type_}", body, readonly=True)

    async def _update(self, type_: str, id_: str) -> Response:
        made, if_match = await self._body(type_), self._if_match()
        if made.get("id") != id_:
            raise refuse("value", f"{type_}.id", "The resource's id must be the address's.", status=400)
        draft = Draft("put", type_, id_, made, if_match=if_match, checked=True)

        async def body(ctx: Ctx) -> Response:
            one = (await write(ctx, [draft]))[0]
            return written(one, self.base, self.prefer.returns, created=one.created, pretty=self.pretty)

        return await self._work(f"changed {type_}", body, readonly=False)

    async def _delete(self, type_: str, id_: str) -> Response:
        draft = Draft("delete", type_, id_, None, if_match=self._if_match())

        async def body(ctx: Ctx) -> Response:
            return self._deleted(*await write(ctx, [draft]))

        return await self._work(f"deleted {type_}", body, readonly=False)

    async def _patch(self, type_: str, id_: str | None) -> Response:
        change, if_match = await patches.change(self.request), self._if_match()

        async def body(ctx: Ctx) -> Response:
            if id_ is None:
                one = await patching.patch_matching(ctx, type_, self._criteria(), change, if_match=if_match)
            else:
                one = await patching.patch(ctx, type_, id_, change, if_match=if_match)
            return written(one, self.base, self.prefer.returns, created=False, pretty=self.pretty)

        return await self._work(f"changed {type_}", body, readonly=False)

    def _deleted(self, *all_: Stored) -> Response:
        headers = {"etag": f'W/"{all_[0].version}"'} if len(all_) == 1 else {}
        issues = [issue for one in all_ for issue in one.issues]
        if not issues and self.prefer.returns != "OperationOutcome":
            return Response(None, 204, headers)
        told = issues or [Issue("information", "informational", "", f"Deleted: {len(all_)}.")]
        return answer(encode(outcome(told)), 200, headers, pretty=self.pretty)

    # -- many ----------------------------------------------------------------------------------------------------

    async def _search(self, type_: str | None, compartment: Compartment | None = None) -> Response:
        pairs = self.place.pairs
        if self.method == "POST" and self.place.parts[-1:] == ["_search"]:
            pairs = [*pairs, *await form_pairs(self.request)]
        else:
            self._only("GET")
        query = searching.parse(
            type_, pairs, strict=self.prefer.strict, bases=(f"{self.base}/",), compartment=compartment
        )
        path = f"/{type_}" if type_ else ""
        if compartment is not None:
            path = f"/{compartment.name}/{compartment.id}/{type_ or '*'}"

        async def body(ctx: Ctx) -> Response:
            asked = query if self.prefer.strict else await leniency.answerable(ctx, query)
            found = await searching.run(ctx, asked)
            made = bundles.searchset(found, base=self.base, path=path, pairs=pairs, now=ctx.clock.now())
            return answer(made, pretty=self.pretty)

        return await self._work(f"searched {type_ or 'the record'}", body, readonly=True)

    async def _history(self, type_: str | None, id_: str | None) -> Response:
        self._only("GET")
        wish = histories.parse(self.place.pairs)
        path = "".join(f"/{part}" for part in (type_, id_, "_history") if part)

        async def body(ctx: Ctx) -> Response:
            found = await histories.page(ctx, type_, id_, wish)
            made = bundles.history(
                found.versions,
                base=self.base,
                path=path,
                pairs=self.place.pairs,
                now=ctx.clock.now(),
                next_=found.next,
                total=found.total,
            )
            return answer(made, pretty=self.pretty)

        return await self._work(f"read the history of {type_ or 'the record'}", body, readonly=True)

    async def _bundle(self) -> Response:
        made, issues = await read(self.request)
        faults, rest = histories.by_entry(issues)
        if rest:
            raise Refused(rest)

        async def body(ctx: Ctx) -> Response:
            done = await transact(
                ctx, made, base=self.base, returns=self.prefer.returns, faults=faults, strict=self.prefer.strict
            )
            return answer(encode(done), pretty=self.pretty)

        return await self._work(f"carried out a {made.get('type')}", body, readonly=False)
