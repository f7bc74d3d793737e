"""A patient is let in again by a code of the clinic: once, for minutes, with the birth date, and in sight of all."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import orjson
import pytest

from bedside import access
from bedside.access import settings
from bedside.access.model.recovery import LASTS, too_new
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid, SignInNeeded, TooMany

pytestmark = pytest.mark.engine
PASSWORD = "six small green lamps"
PROOF = access.Proof("password", PASSWORD, None)
BORN = "1951-03-02"
GOOD = access.recovery.Call(None, frozenset({"address", "visit"}))


@pytest.fixture
async def rosa(ctx: Ctx, tmp_path: Path) -> access.Person:
    settings.use(ctx.database, settings.Settings(home=tmp_path, answer_after=0))
    async with access.work(ctx, "added") as inner:
        return await access.add_person(
            inner,
            access.NewPerson(
                name="Rosa",
                roles=frozenset({"patient"}),
                patient="rosa",
                email="rosa@home.example",
                phone="+34600000000",
                password=PASSWORD,
            ),
        )


@pytest.fixture
async def nurse(ctx: Ctx, rosa: access.Person) -> access.Person:
    async with access.work(ctx, "added") as inner:
        new = access.NewPerson(name="Amina Haddad", roles=frozenset({"nurse"}), password=PASSWORD)
        made = await access.add_person(inner, new)
        await access.relate(inner, person=made.id, patient="rosa", kind="care", source="test")
        return made


@pytest.fixture
def door(ctx: Ctx) -> Ctx:
    return ctx.with_(actor=NOBODY, purpose="PATRQT", origin="192.0.2.7")


async def code(ctx: Ctx, by: access.Person, how: str = "passport", **more: Any) -> str:
    made = await access.recovery.hand_out(
        acting(ctx, by), "rosa", **({"birth": BORN, "how": how, "proof": PROOF} | more)
    )
    assert len(made.grouped.split()) == 3
    return made.code


async def told(ctx: Ctx) -> list[tuple[str, str, bool]]:
    async with ctx.database.connection() as sql:
        rows = await sql.fetch("select payload from jobs.pgqueuer where entrypoint = 'messaging.send' order by id")
    notices = [orjson.loads(row["payload"])["payload"] for row in rows]
    return [(one["person"], one["template"], one.get("everywhere", False)) for one in notices]


async def test_in_once_what_was_before_ends_and_the_patient_sees_who_did_it(
    ctx: Ctx, rosa: access.Person, nurse: access.Person, door: Ctx
) -> None:
    before = await access.sign_in.with_password(door, "rosa@home.example", PASSWORD)
    await access.sign_in.send(door, "rosa@home.example")
    assert isinstance(before, access.SignedIn)
    digits = await code(ctx, nurse)
    done = await access.recovery.use(door, f" {digits[:3]} {digits[3:6]}-{digits[6:]}", BORN)
    assert done.person.id == rosa.id
    with pytest.raises(Forbidden):
        await access.recovery.use(door, digits, BORN)
    with pytest.raises(Forbidden):
        await access.sign_in.with_password(door, "rosa@home.example", PASSWORD)
    mine = acting(ctx, rosa).with_(actor=acting(ctx, rosa).actor)
    async with access.work(mine, "looked", readonly=True) as inner:
        assert [one.id for one in await access.sessions(inner)] == [done.session], "the old ones have ended"
        looked = await access.who_looked(inner, "rosa")
    deeds = [(one.actor_name, one.action, one.outcome) for one in looked]
    assert ("Amina Haddad", "handed out a sign-in code at the desk, having seen a passport", "allowed") in deeds
    assert ("Rosa", "came in again by a code of the clinic", "allowed") in deeds
    everywhere = [one for one in await told(ctx) if one[2]]
    assert everywhere == [(rosa.id, "access.code-handed-out", True), (rosa.id, "access.came-in-again", True)]
    async with ctx.database.connection() as sql:
        kept = str(await sql.fetch("select * from access.recovery")) + str(
            await sql.fetch("select * from access.audit")
        )
        links = await sql.fetchval("select count(*) from access.one_time where person = $1 and used is null", rosa.id)
    assert digits not in kept
    assert BORN not in kept
    assert links == 0, "what was sent to an address that may be somebody else's is good no longer"


async def test_emergency_access_hands_out_no_code(ctx: Ctx, rosa: access.Person, nurse: access.Person) -> None:
    """Four hours of somebody's record must not become their account."""
    async with access.work(ctx, "added") as inner:
        new = access.NewPerson(name="Dr. Vidal", roles=frozenset({"clinician"}), password=PASSWORD)
        doctor = await access.add_person(inner, new)
    async with access.work(acting(ctx, doctor), "asked for emergency access") as inner:
        await access.break_glass(inner, "rosa", "unconscious in the waiting room", PROOF)
    with pytest.raises(Forbidden, match="lets nobody in as the patient"):
        await code(ctx, doctor)
    assert await code(ctx, nurse)


async def test_it_expires_and_a_newer_one_ends_it(
    ctx: Ctx, nurse: access.Person, door: Ctx, clock: TurnableClock
) -> None:
    old = await code(ctx, nurse)
    new = await code(ctx, nurse, how="identity-card")
    with pytest.raises(Forbidden):
        await access.recovery.use(door, old, BORN)
    clock.turn(LASTS + timedelta(seconds=1))
    with pytest.raises(Forbidden):
        await access.recovery.use(door, new, BORN)


async def test_three_birth_dates_and_no_more_even_at_once(ctx: Ctx, nurse: access.Person, door: Ctx) -> None:
    digits = await code(ctx, nurse)
    for day in ("1951-03-03", "1951-03-04"):
        with pytest.raises(Forbidden):
            await access.recovery.use(door, digits, day)
    await access.recovery.use(door, digits, BORN)
    digits = await code(ctx, nurse)
    guesses = await asyncio.gather(
        *(access.recovery.use(door, digits, f"1950-01-{day:02d}") for day in range(1, 10)), return_exceptions=True
    )
    assert all(isinstance(one, Forbidden) for one in guesses)
    with pytest.raises(Forbidden):
        await access.recovery.use(door, digits, BORN)
    async with ctx.database.connection() as sql:
        assert await sql.fetchval("select max(tries) from access.recovery") == 3
        refused = await sql.fetchval(
            "select count(*) from access.audit where refused = 'birth date with a recovery code'"
        )
    assert refused == 2 + 3, "each is in the patient's audit"


async def test_of_two_at_once_exactly_one_is_in(ctx: Ctx, rosa: access.Person, nurse: access.Person, door: Ctx) -> None:
    for _ in range(3):
        digits = await code(ctx, nurse)
        done = await asyncio.gather(
            *(access.recovery.use(door, digits, BORN) for _ in range(3)), return_exceptions=True
        )
        assert sum(isinstance(one, access.SignedIn) for one in done) == 1
        assert sum(isinstance(one, Forbidden) for one in done) == 2
        async with ctx.database.connection() as sql:
            asked = "select count(*) from access.session where person = $1 and ended is null"
            assert await sql.fetchval(asked, rosa.id) == 1


async def test_guessing_from_one_address_is_limited(ctx: Ctx, nurse: access.Person, door: Ctx) -> None:
    digits = await code(ctx, nurse)
    for n in range(20):
        with pytest.raises(Forbidden):
            await access.recovery.use(door, f"{n:09d}", BORN)
    with pytest.raises(TooMany):
        await access.recovery.use(door, digits, BORN)
    await access.recovery.use(door.with_(origin="192.0.2.8"), digits, BORN)


async def test_whoever_hands_out_many_is_stopped_and_one_patient_gets_few(ctx: Ctx, nurse: access.Person) -> None:
    for _ in range(4):
        await code(ctx, nurse)
    with pytest.raises(TooMany):
        await code(ctx, nurse)
    for _ in range(7):
        with pytest.raises(TooMany):
            await code(ctx, nurse)
    with pytest.raises(TooMany) as stopped:
        await code(ctx, nurse)
    assert stopped.value.where == "handing-out"


async def test_only_who_may_change_the_record_with_proof_and_a_document(
    ctx: Ctx, rosa: access.Person, nurse: access.Person
) -> None:
    stranger = await someone(ctx, "nurse", name="Tom")
    pat = await someone(ctx, "administrator", name="Pat")
    for who in (stranger, pat, rosa):
        with pytest.raises(Forbidden):
            await code(ctx, who)
    with pytest.raises(SignInNeeded):
        await access.recovery.hand_out(ctx.with_(actor=NOBODY), "rosa", birth=BORN, how="passport", proof=PROOF)
    with pytest.raises(Forbidden):
        await code(ctx, nurse, proof=access.Proof("password", "wrong", None))
    for how in ("", "library-card", "call"):
        with pytest.raises(Invalid):
            await code(ctx, nurse, how=how)
    for birth in ("", "1951", "1951-03"):
        with pytest.raises(Conflict):
            await code(ctx, nurse, birth=birth)
    async with ctx.database.connection() as sql:
        assert await sql.fetchval("select count(*) from access.recovery") == 0
        asked = "select count(*) from access.audit where outcome = 'refused' and patients ? 'rosa'"
        assert await sql.fetchval(asked) >= 4, "the refused stand in the patient's audit too"


async def test_no_code_takes_away_a_colleagues_second_factor(ctx: Ctx, nurse: access.Person) -> None:
    async with ctx.database.transaction() as sql:
        await sql.execute("update access.person set roles = array['patient', 'nurse'] where patient = 'rosa'")
    with pytest.raises(Conflict):
        await code(ctx, nurse)


async def test_a_call_needs_answers_and_a_number_that_is_not_new(
    ctx: Ctx, nurse: access.Person, clock: TurnableClock
) -> None:
    now = clock.now()
    for asked in (frozenset(), frozenset({"address"}), frozenset({"address", "shoe size"})):
        with pytest.raises(Invalid):
            await code(ctx, nurse, how="call", call=access.recovery.Call(None, asked))
    new = access.recovery.Call(now - timedelta(days=6, hours=23), GOOD.asked)
    with pytest.raises(Conflict) as refused:
        await code(ctx, nurse, how="call", call=new)
    assert refused.value.remedy == "Ask them to come to the desk with an identity document."
    assert not too_new(now - timedelta(days=7), now)
    await code(ctx, nurse, how="call", call=GOOD)
    async with ctx.database.connection() as sql:
        entities = await sql.fetchval(
            "select entities from access.audit where action like 'read out a sign-in code%' and outcome = 'allowed'"
        )
    assert {"asked/address", "asked/visit"} <= set(entities)


async def test_only_that_session_may_say_where_they_are_reached_and_only_for_a_while(
    ctx: Ctx, rosa: access.Person, nurse: access.Person, door: Ctx, clock: TurnableClock
) -> None:
    done = await access.recovery.use(door, await code(ctx, nurse, how="call", call=GOOD), BORN)

    async def fresh(session: str) -> Any:
        there = acting(ctx, rosa)
        there = there.with_(actor=msgspec.structs.replace(there.actor, session=session))
        async with access.work(there, "looked", readonly=True) as inner:
            return await access.recovery.fresh(inner)

    found = await fresh(done.session)
    assert (found.by_name, found.how) == ("Amina Haddad", "call")
    assert await fresh("another") is None
    clock.turn(timedelta(minutes=31))
    assert await fresh(done.session) is None


async def test_asking_to_be_called_looks_nobody_up_and_is_seen_to_once(
    ctx: Ctx, rosa: access.Person, nurse: access.Person, door: Ctx
) -> None:
    said = {"given": "Rosa", "family": "Núñez", "birth": BORN}
    for _ in range(2):
        await access.calling.ask(door, **said)
    await access.calling.ask(door, given="No", family="Body", birth="1990-01-01")
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, rosa), "looked") as inner:
            await access.calling.waiting(inner)
    async with access.work(acting(ctx, nurse), "looked") as inner:
        assert await access.calling.how_many(inner) == 2, "asking twice is one request"
        first, second = await access.calling.waiting(inner)
        assert (first.name, second.name) == ("Rosa Núñez", "No Body")
    async with access.work(acting(ctx, nurse), "closed") as inner:
        await access.calling.close(inner, first.id, "let-in")
    async with access.work(acting(ctx, nurse), "looked", readonly=True) as inner:
        assert await access.calling.how_many(inner) == 1
    async with ctx.database.connection() as sql:
        kept = await sql.fetchval("select said::text || outcome from access.call_back where closed is not null")
    assert kept == "{}let-in"
    for _ in range(3):
        await access.calling.ask(door, **said)
    with pytest.raises(TooMany):
        await access.calling.ask(door, **said)


async def test_help_for_colleagues_tells_administrators_of_no_patient(ctx: Ctx, rosa: access.Person, door: Ctx) -> None:
    await someone(ctx, "administrator", name="Pat")
    await access.sign_in.ask_for_help(door, "rosa@home.example")
    assert await told(ctx) == []


async def test_at_the_console_a_colleague_begins_anew_in_sight_of_the_administrators(
    ctx: Ctx, nurse: access.Person, door: Ctx
) -> None:
    pat = await someone(ctx, "administrator", name="Pat")
    async with access.work(ctx, "gave an address") as inner:
        await access.change_person(inner, nurse.id, email="amina@sol.example")
        name, link = await access.sign_in.begin_anew_at_console(inner, "amina@sol.example")
    assert name == "Amina Haddad"
    assert await access.sign_in.link_kind(door, link.rpartition("/")[2]) == "invitation"
    assert {one[:2] for one in await told(ctx)} == {(nurse.id, "access.begun-anew"), (pat.id, "access.begun-anew")}
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, pat), "tried") as inner:
            await access.sign_in.begin_anew_at_console(inner, "amina@sol.example")
