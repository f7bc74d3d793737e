"""A colleague's name and roles, changed by an administrator: at once, told, and never so that nobody is left."""

from __future__ import annotations

import orjson
import pytest

from bedside import access
from bedside.access.testing import acting, someone
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid

pytestmark = pytest.mark.engine


async def told(ctx: Ctx) -> set[tuple[str, str]]:
    async with ctx.database.connection() as sql:
        rows = await sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'messaging.send'")
    notices = [orjson.loads(row["payload"])["payload"] for row in rows]
    return {(one["person"], one["template"]) for one in notices}


async def test_the_only_doctor_who_founded_the_clinic_becomes_its_clinician(ctx: Ctx) -> None:
    pat = await someone(ctx, "administrator", name="Pat Morgen")
    other = await someone(ctx, "administrator", name="Sam Ode")
    async with access.work(acting(ctx, pat), "changed") as inner:
        after = await access.appoint(
            inner, pat.id, name="  Pat  Morgan ", roles=frozenset({"administrator", "clinician"})
        )
    assert (after.name, after.roles) == ("Pat Morgan", {"administrator", "clinician"})
    assert after.reference == f"Practitioner/{pat.id}"
    assert await told(ctx) == {(other.id, "access.roles-changed")}


async def test_a_name_alone_tells_nobody_and_signs_nobody_out(ctx: Ctx) -> None:
    boss, tom = acting(ctx, await someone(ctx, "administrator")), await someone(ctx, "nurse", name="Tom Borg")
    async with access.work(boss, "changed") as inner:
        await access.appoint(inner, tom.id, name="Tom Berg", roles=frozenset({"nurse"}))
        assert (await access.person(inner, tom.id)).name == "Tom Berg"
    assert await told(ctx) == set()


async def test_what_cannot_be(ctx: Ctx) -> None:
    pat = await someone(ctx, "administrator")
    boss, tom = acting(ctx, pat), await someone(ctx, "nurse")
    both = frozenset({"nurse", "clinician"})
    async with access.work(ctx, "planned") as inner:
        await access.add_place(inner, "icu", "ICU", "ward")
        await access.set_duty(inner, person=tom.id, place="icu", role="nurse")
        await access.sign_in.invite(inner, pat.id)
    async with access.work(boss, "tried") as inner:
        for name, roles in (("", both), ("x" * 81, both), ("Tom", frozenset()), ("Tom", frozenset({"patient"}))):
            with pytest.raises(Invalid):
                await access.appoint(inner, tom.id, name=name, roles=roles)
        with pytest.raises(Conflict, match="on duty"):
            await access.appoint(inner, tom.id, name="Tom", roles=frozenset({"clinician"}))
        with pytest.raises(Conflict, match="Nobody else could administer"):
            await access.appoint(inner, pat.id, name="Pat", roles=frozenset({"clinician"}))
        assert (await access.person(inner, tom.id)).roles == {"nurse"}
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, tom), "tried") as inner:
            await access.appoint(inner, tom.id, name="Tom", roles=frozenset({"administrator"}))


async def test_who_loses_a_role_is_signed_out_and_stays_a_patient(ctx: Ctx) -> None:
    boss = acting(ctx, await someone(ctx, "administrator"))
    async with access.work(ctx, "prepared") as inner:
        new = access.NewPerson(name="Tom", roles=frozenset({"nurse", "privacy-officer", "patient"}), patient="p1")
        tom = await access.add_person(inner, new)
        from bedside.access.service.sessions import open_session

        await open_session(inner, tom)
    async with access.work(boss, "changed") as inner:
        after = await access.appoint(inner, tom.id, name="Tom", roles=frozenset({"nurse"}))
        assert after.roles == {"nurse", "patient"}
    async with access.work(acting(ctx, tom), "looked", readonly=True) as inner:
        assert await access.sessions(inner) == []
