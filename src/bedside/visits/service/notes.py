"""The visit's note: autosave, sign once, amend."""

from __future__ import annotations

import msgspec

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, NotFound
from bedside.visits.model import Amendment, Note, Visit
from bedside.visits.model.note import note_picture
from bedside.visits.service.kept import find, record
from bedside.visits.service.signing import sign_under_licence
from bedside.visits.store import notes as note_store

LONGEST = 200_000


async def read(ctx: Ctx, key: str) -> Note | None:
    """The note of a visit. An unsigned one is its writer's alone."""
    visit = await find(ctx, key)
    found = await note_store.get(ctx, visit.id)
    return found if found and (found.signed_at or found.author == ctx.actor.id) else None


async def save(ctx: Ctx, key: str, text: str, revision: int) -> Note:
    """Keep what was typed. An older revision than the one kept changes nothing. Returns what is kept."""
    visit = await find(ctx, key, "U", lock=True)
    await access.require(ctx, "clinician")
    if visit.clinician != ctx.actor.id:
        raise Forbidden("The note is written by the clinician who holds the visit.")
    if len(text) > LONGEST:
        raise Invalid("A note has at most %(most)s characters.", where="text", most=LONGEST)
    kept = await note_store.get(ctx, visit.id, lock=True)
    if kept and kept.signed_at:
        raise Conflict("This note is signed.", remedy="Add an amendment.")
    draft = Note(visit.id, ctx.actor.id, ctx.actor.name, text, revision, ctx.clock.now())
    if kept is None or kept.revision < revision:
        await note_store.save(ctx, draft)
        return draft
    return kept


async def sign(ctx: Ctx, key: str, proof: access.Proof, *, home: str, reason: str = "") -> Note:
    """Sign for good. The licence for the place where the patient was is looked up again.

    home: the country of the clinic. reason: why it is signed all the same, where the table asks for one (see
    sign_under_licence). Raises Forbidden when the licence blocks, Invalid for an empty note.
    """
    visit = await find(ctx, key, "U", lock=True)
    kept = await note_store.get(ctx, visit.id, lock=True)
    if kept is None or not kept.text.strip():
        raise Invalid("There is nothing to sign yet.", where="text")
    if kept.signed_at:
        raise Conflict("This note is signed already.", remedy="Add an amendment.")
    if kept.author != ctx.actor.id:
        raise Forbidden("Only its writer signs a note.")
    await access.confirm(ctx, proof)
    decision = await sign_under_licence(ctx, key, visit.patient, home=home, reason=reason)
    at = ctx.clock.now()
    await note_store.sign(ctx, visit.id, at, msgspec.to_builtins(decision) if decision else None)
    return await _picture(ctx, visit, "note signed")


async def amend(ctx: Ctx, key: str, text: str, proof: access.Proof) -> Note:
    """Add to a signed note; what was signed stays as it is."""
    visit = await find(ctx, key, "U", lock=True)
    await access.require(ctx, "clinician")
    kept = await note_store.get(ctx, visit.id)
    if kept is None or kept.signed_at is None:
        raise NotFound("There is no signed note to amend.")
    if not text.strip():
        raise Invalid("Write what is to be added.", where="text")
    await access.confirm(ctx, proof)
    amendment = Amendment(len(kept.amendments) + 1, ctx.actor.name, text.strip(), ctx.clock.now())
    await note_store.amend(ctx, visit.id, amendment)
    return await _picture(ctx, visit, "note amended")


async def unsigned(ctx: Ctx) -> list[Visit]:
    """Visits whose note this clinician has still to sign, of patients whom she may see."""
    return (await to_sign(ctx))[0]


async def to_sign(ctx: Ctx) -> tuple[list[Visit], int]:
    """The same; and of how many more the patient is in her care no longer, so that somebody must let her in
    before she can sign. Raises Forbidden."""
    await access.require(ctx, "clinician")
    found = await note_store.unsigned(ctx, ctx.actor.id)
    visible = await access.visible(ctx, "visit")
    mine = [one for one in found if visible is None or one.patient in visible]
    for one in mine:
        ctx.trail.patients.setdefault(one.patient, set()).add("R")
    return mine, len(found) - len(mine)


async def _picture(ctx: Ctx, visit: Visit, event: str) -> Note:
    note = await note_store.get(ctx, visit.id)
    if note is None:
        raise NotFound("There is no note.")
    author = (await access.person(ctx, note.author)).reference
    await records.write_governed(ctx, note_picture(note, visit.patient, author), room="visits")
    await record(ctx, visit, event)
    return note
