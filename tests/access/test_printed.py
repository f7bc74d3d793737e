"""Printed codes: made with proof, shown once, each good once, and told to whoever should know."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from bedside import access
from bedside.access import settings
from bedside.access.testing import acting
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.errors import Forbidden, TooMany

pytestmark = pytest.mark.engine
PASSWORD = "six small green lamps"
PROOF = access.Proof("password", PASSWORD, None)


@pytest.fixture
async def doctor(ctx: Ctx, tmp_path: Path) -> access.Person:
    """The one doctor of a practice, who administers it too."""
    settings.use(ctx.database, settings.Settings(home=tmp_path, answer_after=0))
    async with access.work(ctx, "added") as inner:
        return await access.add_person(
            inner,
            access.NewPerson(
                name="Eva Sol",
                roles=frozenset({"clinician", "administrator"}),
                email="eva@sol.example",
                password=PASSWORD,
                pin="123456",
            ),
        )


async def made(ctx: Ctx, who: access.Person) -> list[str]:
    async with access.work(acting(ctx, who), "made codes") as inner:
        return await access.printed.make(inner, PROOF)


async def test_a_code_lets_begin_anew_once_and_what_was_lost_stops(ctx: Ctx, doctor: access.Person) -> None:
    codes = await made(ctx, doctor)
    assert len(set(codes)) == 8
    assert all(len(one) == 23 for one in codes)
    door = ctx.with_(actor=NOBODY)
    link = await access.printed.use(door, "EVA@sol.example", f" {codes[3].lower().replace('-', ' ')} ")
    with pytest.raises(Forbidden):
        await access.sign_in.with_password(door, "eva@sol.example", PASSWORD)
    token = link.rpartition("/")[2]
    assert await access.sign_in.link_kind(door, token) == "invitation"
    await access.sign_in.with_new_password(door, token, "nine tall quiet doors")
    with pytest.raises(Forbidden):
        await access.printed.use(door, "eva@sol.example", codes[3])
    async with access.work(acting(ctx, doctor), "looked", readonly=True) as inner:
        assert (await access.printed.printed(inner)).left == 7
    async with ctx.database.connection() as sql:
        notices = [
            orjson.loads(row["payload"])["payload"]
            for row in await sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'messaging.send'")
        ]
        kept = str(await sql.fetch("select * from access.printed_code"))
        audited = await sql.fetchval(
            "select count(*) from access.audit where action = 'came back in by a printed code' and outcome = 'allowed'"
        )
    assert [(one["person"], one["template"]) for one in notices] == [(doctor.id, "access.printed-code")]
    assert codes[0] not in kept
    assert audited == 1


async def test_new_ones_replace_the_old_and_a_reset_or_an_end_takes_them(ctx: Ctx, doctor: access.Person) -> None:
    old, door = await made(ctx, doctor), ctx.with_(actor=NOBODY)
    new = await made(ctx, doctor)
    with pytest.raises(Forbidden):
        await access.printed.use(door, "eva@sol.example", old[0])
    async with access.work(ctx, "began anew for them") as inner:
        await access.sign_in.invite(inner, doctor.id, reset=True)
    with pytest.raises(Forbidden):
        await access.printed.use(door, "eva@sol.example", new[0])


async def test_only_with_proof_only_staff_and_nobody_guesses(ctx: Ctx, doctor: access.Person) -> None:
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, doctor), "tried") as inner:
            await access.printed.make(inner, access.Proof("password", "wrong", None))
    async with access.work(ctx, "added") as inner:
        rosa = await access.add_person(
            inner,
            access.NewPerson(
                name="Rosa", roles=frozenset({"patient"}), patient="rosa", email="rosa@home.example", password=PASSWORD
            ),
        )
    with pytest.raises(Forbidden):
        await made(ctx, rosa)
    codes, door = await made(ctx, doctor), ctx.with_(actor=NOBODY)
    with pytest.raises(Forbidden):
        await access.printed.use(door, "rosa@home.example", codes[0])
    for _ in range(10):
        with pytest.raises(Forbidden):
            await access.printed.use(door, "eva@sol.example", "AAAAA-AAAAA-AAAAA-AAAAA")
    with pytest.raises(TooMany):
        await access.printed.use(door, "eva@sol.example", codes[0])
