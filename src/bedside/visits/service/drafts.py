"""Notes outside visits: written, signed once by their writer, or thrown away; FHIR DocumentReferences all the while.

Whoever wrote one finds it on their work list, wherever it was begun: out of a message, or by another program.
"""

from __future__ import annotations

from typing import Any

from bedside import access, records
from bedside.foundation.context import Actor, Ctx, Trail
from bedside.foundation.errors import Conflict, Forbidden, Invalid, PreconditionFailed
from bedside.visits.model.draft import OPEN, Draft, draft_of, patient_of, signed, written
from bedside.visits.service.notes import LONGEST

TYPE = "DocumentReference"
WRITERS = ("clinician", "nurse")
__all__ = [
    "LONGEST",
    "WRITERS",
    "Draft",
    "beyond",
    "draft_of",
    "hand_on",
    "in_hand",
    "read",
    "save",
    "sign",
    "take_back",
    "throw_away",
    "to_sign",
]
HOUSE = Actor("job", "unsigned notes", "unsigned notes", roles=frozenset({"system"}))
"""Counts and hands on what is of patients whom the actor may not see, and tells nothing of them."""


def _of(reference: str) -> list[tuple[str, str]]:
    return [("author", reference), ("doc-status", OPEN), ("status", "current")]


def _page(reference: str, count: int) -> list[tuple[str, str]]:
    return [*_of(reference), ("_sort", "date"), ("_count", str(count)), ("_total", "accurate")]


async def _number(ctx: Ctx, reference: str) -> int:
    return (await records.search(ctx, TYPE, [*_of(reference), ("_summary", "count")])).total or 0


def _wide(ctx: Ctx) -> Ctx:
    return ctx.with_(actor=HOUSE, purpose="HOPERAT", trail=Trail())


async def to_sign(ctx: Ctx, *, limit: int, after: str | None = None) -> tuple[list[Draft], int, str | None]:
    """The actor's, the oldest first, of patients whom they may see; how many in all; how the next are asked for.

    Raises Forbidden.
    """
    await access.require(ctx, *WRITERS)
    if not ctx.actor.reference:
        return [], 0, None
    wanted = _page(ctx.actor.reference, limit)
    page = await records.search(ctx, TYPE, [*wanted, ("_cursor", after)] if after else wanted)
    return [draft_of(one) for one in page.entries], page.total or len(page.entries), page.next


async def beyond(ctx: Ctx) -> int:
    """How many of the actor's are of patients no longer in their care. Raises Forbidden."""
    await access.require(ctx, *WRITERS)
    if not ctx.actor.reference:
        return 0
    return await _number(_wide(ctx), ctx.actor.reference) - await _number(ctx, ctx.actor.reference)


async def read(ctx: Ctx, key: str) -> Draft:
    """One, open or not. Raises NotFound, Gone, Forbidden: also for another's that is open, which is its writer's."""
    found = draft_of(await records.read(ctx, TYPE, key))
    if found.open and found.author != ctx.actor.reference:
        raise Forbidden("This note is somebody else's, and not signed yet.")
    return found


async def save(ctx: Ctx, key: str, text: str, version: int) -> Draft:
    """Keep another text of the version that was looked at. Raises Forbidden, Invalid, Conflict."""
    return await _keep(ctx, written(await _mine(ctx, key), _said(text)), version)


async def sign(ctx: Ctx, key: str, text: str, version: int, proof: access.Proof) -> Draft:
    """Keep the text and sign it for good. Raises Forbidden, Invalid, Conflict."""
    draft = await _mine(ctx, key)
    if not text.strip():
        raise Invalid("There is nothing to sign yet.", where="text")
    await access.confirm(ctx, proof)
    who = {"reference": str(ctx.actor.reference), "display": ctx.actor.name}
    return await _keep(ctx, signed(written(draft, _said(text)), who, ctx.clock.now()), version)


async def throw_away(ctx: Ctx, key: str) -> Draft:
    """It was written by mistake: it stays in the record, marked so, until it is taken back.

    Raises Forbidden, Conflict.
    """
    draft = await _mine(ctx, key)
    return await _keep(ctx, _bare(draft) | {"status": "entered-in-error"}, int(draft["meta"]["versionId"]))


async def take_back(ctx: Ctx, key: str) -> Draft:
    """It was none. Raises Forbidden, Conflict."""
    draft = await _mine(ctx, key, gone=True)
    return await _keep(ctx, _bare(draft) | {"status": "current"}, int(draft["meta"]["versionId"]))


def _bare(resource: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in resource.items() if name != "meta"}


def _said(text: str) -> str:
    if len(text) > LONGEST:
        raise Invalid("A note has at most %(most)s characters.", where="text", most=LONGEST)
    return text.replace("\r\n", "\n")


async def _mine(ctx: Ctx, key: str, *, gone: bool = False) -> dict[str, Any]:
    """A draft of the actor's own that may still be written."""
    await access.require(ctx, *WRITERS)
    resource = await records.read(ctx, TYPE, key)
    found = draft_of(resource)
    if found.author != ctx.actor.reference:
        raise Forbidden("This note is somebody else's, and not signed yet.")
    if found.text is None:
        raise Conflict("This draft is no text.", remedy="Finish it in the program that wrote it.")
    if found.gone != gone or resource.get("docStatus") != OPEN:
        raise Conflict("This note is signed already." if found.signed else "This draft was thrown away.")
    return resource


async def _keep(ctx: Ctx, resource: dict[str, Any], version: int) -> Draft:
    await access.authorise(ctx, patient_of(resource), "U", what=TYPE)
    try:
        stored = await records.write_governed(ctx, resource, room="visits", if_match=version)
    except PreconditionFailed:
        raise Conflict(
            "This note was changed elsewhere meanwhile.", remedy="Yours stands below: save it again to keep it."
        ) from None
    return draft_of(stored.resource)


async def in_hand(ctx: Ctx, person: access.Person) -> int:
    """How many of somebody are not signed. An administrator's, who learns no more. Raises Forbidden."""
    await access.require(ctx, "administrator")
    if not person.reference:
        return 0
    return await _number(_wide(ctx), person.reference)


async def hand_on(ctx: Ctx, person: access.Person, to: access.Person | None) -> int:
    """Each goes to somebody who may write notes, and says who began it; how many. An administrator's.

    Raises Forbidden, Conflict where there is one and nobody to take it.
    """
    number = await in_hand(ctx, person)
    if not number or not person.reference:
        return 0
    if to is None or not to.reference or not to.roles.intersection(WRITERS):
        raise Conflict("Visits and notes are handed to a clinician.", where="to", remedy="Choose one.")
    wide = _wide(ctx)
    while (page := await records.search(wide, TYPE, _page(person.reference, 100))).entries:
        for resource in page.entries:
            found = draft_of(resource)
            passed = _bare(resource) | {"author": [{"reference": to.reference, "display": to.name}]}
            if found.text is not None:
                passed = written(passed, f"[{person.name} → {to.name}]\n{found.text}")
            ctx.trail.patients.setdefault(found.patient, set()).add("U")
            await access.relate(ctx, person=to.id, patient=found.patient, kind="care", source=f"successor/{person.id}")
            await records.write_governed(ctx, passed, room="visits")
    return number
