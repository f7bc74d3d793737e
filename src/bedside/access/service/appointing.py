"""What a colleague is called and may do from now on, said by an administrator.

A role that is added holds at the next request. One that is taken away ends their sessions, so that no page of it stays
open; what they have in hand of it is looked at by the caller, which knows the other rooms (web/admin/person.py).
"""

from __future__ import annotations

from bedside.access.model.people import STAFF, Person
from bedside.access.model.staff_list import check_name
from bedside.access.service.decide import require
from bedside.access.service.people import people, person
from bedside.access.service.rota import duties_of
from bedside.access.store import credentials, sessions
from bedside.access.store import people as store
from bedside.access.store import rota as rota_store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Invalid
from bedside.foundation.ids import uuid7
from bedside.foundation.jobs import enqueue


async def appoint(ctx: Ctx, id: str, *, name: str, roles: frozenset[str]) -> Person:
    """A colleague's name and roles; whatever else they are, a patient for one, they stay. An administrator's.

    They and the other administrators are told of other roles. Raises Forbidden, NotFound, Invalid (where: name or
    roles); Conflict for an account that has ended, a duty planned in a role that goes, or the last administrator.
    """
    await require(ctx, "administrator")
    administrators = {one.id for one in await people(ctx, role="administrator")}
    await rota_store.lock_people(ctx.sql, ctx.tenant, sorted({id, *administrators}))
    who = await person(ctx, id)
    if not who.active:
        raise Conflict("This account has ended already.")
    said = check_name(name)
    if not roles or roles - STAFF:
        raise Invalid("Choose at least one role.", where="roles")
    after = (who.roles - STAFF) | roles
    gone = who.roles - after
    if gone:
        await _free(ctx, who, gone, administrators)
    await store.appoint(ctx.sql, ctx.tenant, id, said, sorted(after))
    if gone:
        await sessions.end(ctx.sql, ctx.tenant, id, ctx.clock.now())
        ctx.then(lambda: ctx.bus.publish(f"access.ended.{ctx.tenant}.{id}", {}))
    if after != who.roles:
        for told in sorted((administrators | {id}) - {ctx.actor.id}):
            notice = {"id": uuid7(), "person": told, "template": "access.roles-changed", "data": {"name": said}}
            await enqueue(ctx, "messaging.send", notice)
    ctx.trail.wrote = True
    ctx.trail.entities.append(f"person/{id}")
    return await person(ctx, id)


async def _free(ctx: Ctx, who: Person, gone: frozenset[str], administrators: set[str]) -> None:
    """Raise Conflict where somebody still counts on a role that is taken away."""
    if any(duty.role in gone for duty in await duties_of(ctx, who.id)):
        raise Conflict(
            "They are on duty in a role that would be taken away.",
            where="roles",
            remedy="End that duty in the on-call timetable first.",
        )
    if "administrator" in gone:
        waiting = set(await credentials.without(ctx.sql, ctx.tenant))
        if not {one for one in administrators - waiting if one != who.id}:
            raise Conflict(
                "Nobody else could administer the clinic.",
                where="roles",
                remedy="Make somebody else an administrator first, who can sign in.",
            )
