"""May they? Every door asks here; there is no other."""

from __future__ import annotations

from bedside.access.model import scopes
from bedside.access.model.policy import BY_DUTY, JOBS, OUTSIDE, UNHELD, Standing, permits, standings_that_read
from bedside.access.service.duties import on_duty
from bedside.access.store import relations as store
from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Forbidden, NotFound, SignInNeeded

REFUSED = "There is no such record, or nothing gives you access to it."
"""One sentence for both: nobody learns from a refusal which ids there are."""
REMEDY = "If you care for this patient, ask to be added to their care; in an emergency use emergency access."


async def authorise(ctx: Ctx, patient: str | None, action: str, *, what: str) -> None:
    """Let pass, or raise Forbidden (SignInNeeded when nobody is signed in). Noted in the trail either way.

    patient: the patient's id; None for a resource that belongs to no patient. action: one of C R U D E.
    what: a resource type, 'Type/id', or a room's own noun ('alarm', 'reading').
    """
    if action not in scopes.LETTER:
        raise ValueError(f"{action!r} is no action: C R U D E")
    if patient is not None:
        ctx.trail.patients.setdefault(patient, set()).add(action)
    if action in "CUD":
        ctx.trail.wrote = True
    if not await _may(ctx, patient, action, what):
        ctx.trail.refused = f"{action} {what}"
        if ctx.actor.kind == "nobody":
            raise SignInNeeded("Sign in first.")
        raise Forbidden(REFUSED, remedy=REMEDY)


async def absent(ctx: Ctx, action: str, what: str, words: str) -> BedsideError:
    """What to raise for an id that leads to nothing.

    NotFound with these words for those to whom every such record is open (a client's scope, a job); for a person the
    very refusal that somebody else's record gets, noted in the trail as that one is.
    """
    if ctx.actor.kind == "nobody":
        return SignInNeeded("Sign in first.")
    if await visible(ctx, what) is None:
        return NotFound(words)
    ctx.trail.refused = f"{action} {what}"
    if action in "CUD":
        ctx.trail.wrote = True
    return Forbidden(REFUSED, remedy=REMEDY)


async def may(ctx: Ctx, patient: str | None, action: str, *, what: str) -> bool:
    """Whether authorise would let pass; notes nothing. For pages that show only what works."""
    return await _may(ctx, patient, action, what)


async def _may(ctx: Ctx, patient: str | None, action: str, what: str) -> bool:
    actor = ctx.actor
    if actor.kind == "client":
        return scopes.allows(actor.scopes, action, what)
    if actor.kind == "job":
        # A job without a name has no reason it could name later.
        return bool(actor.name.strip("- ")) and action in JOBS.get(ctx.purpose, "")
    if actor.kind == "nobody":
        return False
    if patient is None:
        more = UNHELD.get(what.partition("/")[0], {})
        return any(action in OUTSIDE.get(role, "") + more.get(role, "") for role in actor.roles)
    roles = frozenset({"device"}) if actor.kind == "device" else actor.roles
    standings = [Standing("none")]
    if actor.reference == f"Patient/{patient}":
        standings.append(Standing("self"))
    if permits(roles, standings, action, what):
        return True
    duties = await on_duty(ctx, person=actor.id, role=_shown(roles)) if roles & BY_DUTY else []
    found = await store.standings(ctx.sql, ctx.tenant, actor.id, patient, ctx.clock.now(), duties)
    if permits(roles, [one for one in found if one.kind != "emergency"], action, what):
        return True
    if permits(roles, found, action, what):
        # Nothing but emergency access lets them: the entry says so, whatever page asked.
        ctx.trail.emergency = True
        return True
    return False


async def visible(ctx: Ctx, what: str = "*") -> frozenset[str] | None:
    """Ids of the patients of whom the actor may read `what` now; None: all of the tenant.

    what: a resource type, for a search of that type; '*' asks for patients whose whole record is open.
    """
    actor = ctx.actor
    if actor.kind == "job":
        return None if actor.name.strip("- ") and "R" in JOBS.get(ctx.purpose, "") else frozenset()
    if actor.kind == "client":
        open_ = scopes.allows(actor.scopes, "R", what) or scopes.allows(actor.scopes, "E", what)
        return None if open_ else frozenset()
    if actor.kind == "nobody":
        return frozenset()
    roles = frozenset({"device"}) if actor.kind == "device" else actor.roles
    pairs = standings_that_read(roles, what)
    if any(standing == "none" for _, standing in pairs):
        return None
    by_duty = any(standing == "duty" for _, standing in pairs)
    duties = await on_duty(ctx, person=actor.id, role=_shown(roles)) if by_duty else []
    found = await store.visible(ctx.sql, ctx.tenant, actor.id, ctx.clock.now(), sorted(pairs), what, duties)
    own = (actor.reference or "").removeprefix("Patient/")
    if own != (actor.reference or "") and any(standing == "self" for _, standing in pairs):
        found |= {own}
    return found


def _shown(roles: frozenset[str]) -> str | None:
    """A display's duties are answered only when they are asked for by name."""
    return "display" if "display" in roles else None


async def require(ctx: Ctx, *roles: str) -> None:
    """Raise Forbidden unless the actor is a person with one of the roles; SignInNeeded when nobody is signed in."""
    if ctx.actor.kind == "nobody":
        raise SignInNeeded("Sign in first.")
    if ctx.actor.kind != "person" or not ctx.actor.roles.intersection(roles):
        ctx.trail.refused = "role"
        raise Forbidden(
            "Your role does not allow this.", remedy="Ask somebody whose role it is: %(roles)s.", roles=roles
        )
