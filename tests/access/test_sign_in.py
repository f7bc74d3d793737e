"""Signing in: every way, and that none tells whether an account exists."""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any

import pyotp
import pytest

from bedside import access
from bedside.access import settings
from bedside.access.model.sign_in import LIMITS
from bedside.access.testing import acting
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import NOBODY, Ctx
from bedside.foundation.errors import BedsideError, Forbidden, Invalid, TooMany

pytestmark = pytest.mark.engine
PASSWORD = "four quiet paper boats"


@pytest.fixture
def door(ctx: Ctx) -> Ctx:
    """Nobody, at the sign-in page."""
    return ctx.with_(actor=NOBODY, purpose="PATRQT", origin="192.0.2.7")


async def add(ctx: Ctx, role: str, **more: Any) -> access.Person:
    async with access.work(ctx, "added somebody") as inner:
        return await access.add_person(
            inner, access.NewPerson(name=f"Test {role.title()}", roles=frozenset({role}), **more)
        )


async def sent(ctx: Ctx) -> list[dict[str, Any]]:
    """What access asked messaging to send, in order."""
    async with ctx.database.connection() as sql:
        rows = await sql.fetch(
            "select convert_from(payload, 'utf8')::jsonb as p from jobs.pgqueuer where entrypoint = 'messaging.send'"
            " order by id"
        )
    return [row["p"]["payload"] for row in rows]


async def test_a_patient_by_password(ctx: Ctx, door: Ctx) -> None:
    ann = await add(ctx, "patient", patient="ann", email="ann@home.example", password=PASSWORD)
    done = await access.sign_in.with_password(door, "ANN@home.example", PASSWORD)
    assert isinstance(done, access.SignedIn)
    assert done.person.id == ann.id
    for name, password in (("ann@home.example", "wrong password"), ("bob@home.example", PASSWORD), ("", "")):
        with pytest.raises(Forbidden):
            await access.sign_in.with_password(door, name, password)


async def test_staff_set_up_a_second_factor_and_need_it_ever_after(ctx: Ctx, door: Ctx, clock: TurnableClock) -> None:
    await add(ctx, "nurse", email="nurse@clinic.example", password=PASSWORD)
    first = await access.sign_in.with_password(door, "nurse@clinic.example", PASSWORD)
    assert isinstance(first, access.NextStep)
    assert first.step == "enrol"
    enrolment = await access.sign_in.enrolment(door, first.ticket)
    assert enrolment.uri.startswith("otpauth://totp/")
    app = pyotp.TOTP(enrolment.secret)
    with pytest.raises(Forbidden):
        await access.sign_in.with_app_code(door, first.ticket, "000000")
    done = await access.sign_in.with_app_code(door, first.ticket, app.at(clock.now()))
    assert "nurse" in done.person.roles
    with pytest.raises(Forbidden):
        await access.sign_in.with_app_code(door, first.ticket, app.at(clock.now()))
    again = await access.sign_in.with_password(door, "nurse@clinic.example", PASSWORD)
    assert isinstance(again, access.NextStep)
    assert again.step == "code"
    with pytest.raises(Forbidden):
        # the same code again, seen over a shoulder
        await access.sign_in.with_app_code(door, again.ticket, app.at(clock.now()))
    clock.turn(timedelta(seconds=30))
    await access.sign_in.with_app_code(door, again.ticket, app.at(clock.now()))
    with pytest.raises(Forbidden):
        await access.sign_in.enrolment(door, again.ticket)


async def test_a_ticket_goes_stale(ctx: Ctx, door: Ctx, clock: TurnableClock) -> None:
    await add(ctx, "nurse", email="nurse@clinic.example", password=PASSWORD)
    step = await access.sign_in.with_password(door, "nurse@clinic.example", PASSWORD)
    assert isinstance(step, access.NextStep)
    clock.turn(timedelta(minutes=10))
    with pytest.raises(Forbidden):
        await access.sign_in.enrolment(door, step.ticket)


async def test_the_totp_secret_is_sealed_at_rest(ctx: Ctx, door: Ctx, clock: TurnableClock) -> None:
    await add(ctx, "nurse", email="nurse@clinic.example", password=PASSWORD)
    step = await access.sign_in.with_password(door, "nurse@clinic.example", PASSWORD)
    assert isinstance(step, access.NextStep)
    secret = (await access.sign_in.enrolment(door, step.ticket)).secret
    await access.sign_in.with_app_code(door, step.ticket, pyotp.TOTP(secret).at(clock.now()))
    async with ctx.database.connection() as sql:
        rows = await sql.fetch("select c::text as row from access.credential c")
    assert len(rows) == 2
    assert not any(secret in row["row"] or PASSWORD in row["row"] for row in rows)


async def test_a_patient_by_code_and_by_link(ctx: Ctx, door: Ctx, clock: TurnableClock) -> None:
    ann = await add(ctx, "patient", patient="ann", phone="+15550001")
    await access.sign_in.send(door, "+1 555 0001")
    [notice] = await sent(ctx)
    assert (notice["person"], notice["template"], notice["channel"]) == (ann.id, "access.link", "phone")
    with pytest.raises(Forbidden):
        await access.sign_in.with_code(door, "+15550002", notice["data"]["code"])
    done = await access.sign_in.with_code(door, "+1 (555) 0001", notice["data"]["code"])
    assert done.person.id == ann.id
    with pytest.raises(Forbidden):
        await access.sign_in.with_code(door, "+15550001", notice["data"]["code"])
    token = notice["data"]["link"].rpartition("/")[2]
    assert await access.sign_in.link_kind(door, token) is None, "one use ends both"

    await access.sign_in.send(door, "+15550001")
    token = (await sent(ctx))[-1]["data"]["link"].rpartition("/")[2]
    for _ in range(3):
        assert await access.sign_in.link_kind(door, token) == "link", "looking consumes nothing"
    assert (await access.sign_in.with_link(door, token)).person.id == ann.id
    with pytest.raises(Forbidden):
        await access.sign_in.with_link(door, token)

    await access.sign_in.send(door, "+15550001")
    clock.turn(timedelta(minutes=10))
    stale = (await sent(ctx))[-1]["data"]
    assert await access.sign_in.link_kind(door, stale["link"].rpartition("/")[2]) is None
    with pytest.raises(Forbidden):
        await access.sign_in.with_code(door, "+15550001", stale["code"])


async def test_a_family_shares_a_telephone(ctx: Ctx, door: Ctx) -> None:
    people = [await add(ctx, "patient", patient=f"p{n}", phone="+15550001") for n in range(3)]
    await access.sign_in.send(door, "+15550001")
    notices = await sent(ctx)
    assert {notice["person"] for notice in notices} == {one.id for one in people}
    done = await access.sign_in.with_code(door, "+15550001", notices[1]["data"]["code"])
    assert done.person.id == notices[1]["person"]


async def test_a_lost_password_and_a_new_one(ctx: Ctx, door: Ctx, clock: TurnableClock) -> None:
    nurse = await add(ctx, "nurse", email="nurse@clinic.example", password=PASSWORD)
    old = await access.sign_in.with_demo(door, nurse.id)
    await access.sign_in.send(door, "nurse@clinic.example")
    [notice] = await sent(ctx)
    assert notice["template"] == "access.recover"
    assert "code" not in notice["data"], "no code lets staff in past their second factor"
    token = notice["data"]["link"].rpartition("/")[2]
    with pytest.raises(Forbidden):
        await access.sign_in.with_link(door, token)
    for weak in ("short", "aaaaaaaaaaaaaa", "Test Nurse nurse@clinic.example", "passwordbedside1"):
        with pytest.raises(Invalid):
            await access.sign_in.with_new_password(door, token, weak)
    step = await access.sign_in.with_new_password(door, token, "five other wooden kites")
    assert isinstance(step, access.NextStep)
    with pytest.raises(Forbidden):
        await access.sign_in.with_password(door, "nurse@clinic.example", PASSWORD)
    assert await access.sign_in.with_password(door, "nurse@clinic.example", "five other wooden kites")
    async with ctx.database.connection() as sql:
        assert await sql.fetchval("select ended is not null from access.session where id = $1", old.session)


async def test_who_lost_everything_asks_and_an_administrator_begins_anew(
    ctx: Ctx, door: Ctx, clock: TurnableClock
) -> None:
    nurse = await add(ctx, "nurse", email="nurse@clinic.example", password=PASSWORD)
    admin = await add(ctx, "administrator", email="admin@clinic.example")
    await access.sign_in.ask_for_help(door, "nurse@clinic.example")
    [notice] = await sent(ctx)
    assert (notice["person"], notice["template"]) == (admin.id, "access.help")
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, nurse), "invited") as inner:
            await access.sign_in.invite(inner, nurse.id)
    async with access.work(acting(ctx, admin), "invited") as inner:
        link = await access.sign_in.invite(inner, nurse.id, reset=True)
    with pytest.raises(Forbidden):
        await access.sign_in.with_password(door, "nurse@clinic.example", PASSWORD)
    token = link.rpartition("/")[2]
    assert await access.sign_in.link_kind(door, token) == "invitation"
    clock.turn(timedelta(days=6))
    assert await access.sign_in.with_new_password(door, token, "five other wooden kites")


async def test_only_an_invitation_of_one_without_a_second_factor_may_begin_with_a_passkey(
    ctx: Ctx, door: Ctx, clock: TurnableClock
) -> None:
    nurse = await add(ctx, "nurse", email="nurse@clinic.example", password=PASSWORD)

    async def invitation(*, reset: bool = False) -> str:
        async with access.work(ctx, "invited") as inner:
            return (await access.sign_in.invite(inner, nurse.id, reset=reset)).rpartition("/")[2]

    token = await invitation()
    assert await access.invited.may_begin(door, token)
    await access.sign_in.send(door, "nurse@clinic.example")
    recover = (await sent(ctx))[-1]["data"]["link"].rpartition("/")[2]
    for not_an_invitation in (recover, "made-up"):
        assert not await access.invited.may_begin(door, not_an_invitation)
        with pytest.raises(Forbidden):
            await access.invited.options(door, not_an_invitation)
    with pytest.raises(Invalid):
        await access.invited.with_passkey(door, token, '{"response": {}}', "phone")
    assert await access.invited.may_begin(door, token), "what could not be checked consumes nothing"
    async with access.work(ctx, "enrolled") as inner:
        await inner.sql.execute("insert into access.credential values ($1, 'totp', 'sealed', now())", nurse.id)
    token = await invitation()
    assert not await access.invited.may_begin(door, token), "the app is not got round by an e-mail"
    with pytest.raises(Forbidden):
        await access.invited.with_passkey(door, token, "{}", "phone")
    assert await access.invited.may_begin(door, await invitation(reset=True)), "who lost everything begins anew"
    clock.turn(timedelta(days=7))
    assert not await access.invited.may_begin(door, token)


async def outcome(call: Any) -> tuple[str, str | None, int]:
    try:
        await call
    except BedsideError as error:
        return error.message, error.remedy, error.status
    return "", None, 200


async def test_no_answer_tells_whether_an_account_exists(ctx: Ctx, door: Ctx, chosen: settings.Settings) -> None:
    settings.use(ctx.database, settings.Settings(home=chosen.home, answer_after=0.4))
    await add(ctx, "patient", patient="ann", email="there@home.example", password=PASSWORD)
    await add(ctx, "nurse", email="staff@home.example", password=PASSWORD)
    say: dict[str, set[Any]] = {}
    times: dict[str, list[float]] = {"there@home.example": [], "staff@home.example": [], "gone@home.example": []}
    for address, spent in times.items():
        for name, call in (
            ("password", lambda to: access.sign_in.with_password(door, to, "wrong")),
            ("send", lambda to: access.sign_in.send(door, to)),
            ("code", lambda to: access.sign_in.with_code(door, to, "000000")),
            ("help", lambda to: access.sign_in.ask_for_help(door, to)),
        ):
            # A machine that does other things may keep one waiting; never does one come sooner.
            tries: list[float] = []
            while not tries or (min(tries) >= 1.2 and len(tries) < 4):
                begun = time.perf_counter()
                say.setdefault(name, set()).add(await outcome(call(address)))
                tries.append(time.perf_counter() - begun)
            spent.append(min(tries))
    assert all(len(answers) == 1 for answers in say.values()), say
    for spent in times.values():
        assert all(0.4 <= one < 1.2 for one in spent), times


@pytest.mark.parametrize("there", [True, False])
async def test_guessing_is_told_to_wait(ctx: Ctx, door: Ctx, clock: TurnableClock, there: bool) -> None:
    if there:
        await add(ctx, "patient", patient="ann", email="ann@home.example", password=PASSWORD)
    burst = LIMITS["sign-in"].burst
    for n in range(burst):
        with pytest.raises(Forbidden):
            await access.sign_in.with_password(door, "ann@home.example", f"guess {n}")
    with pytest.raises(TooMany) as told:
        await access.sign_in.with_password(door, "Ann@home.example ", PASSWORD)
    assert 0 < told.value.retry_after <= 90
    clock.turn(timedelta(seconds=told.value.retry_after))
    with pytest.raises(Forbidden):
        await access.sign_in.with_password(door, "ann@home.example", "one more")


async def test_guessing_a_code_and_flooding_a_telephone_are_limited(ctx: Ctx, door: Ctx, clock: TurnableClock) -> None:
    await add(ctx, "patient", patient="ann", phone="+15550001")
    for _ in range(LIMITS["send"].burst):
        await access.sign_in.send(door, "+15550001")
    with pytest.raises(TooMany):
        await access.sign_in.send(door, "+15550001")
    code = (await sent(ctx))[-1]["data"]["code"]
    wrong = f"{(int(code) + 1) % 1_000_000:06d}"
    for _ in range(LIMITS["code"].burst):
        with pytest.raises(Forbidden):
            await access.sign_in.with_code(door, "+15550001", wrong)
    with pytest.raises(TooMany):
        await access.sign_in.with_code(door, "+15550001", code)


async def test_one_address_cannot_try_many_accounts(ctx: Ctx, door: Ctx) -> None:
    async def spend(n: int) -> None:
        await access.sign_in.ask_for_help(door, f"person{n}@home.example")

    for n in range(LIMITS["send-origin"].burst):
        await spend(n)
    with pytest.raises(TooMany):
        await spend(99)
    await access.sign_in.ask_for_help(door.with_(origin="192.0.2.8"), "person100@home.example")


async def test_a_sign_in_is_audited_with_who_and_a_failure_too(ctx: Ctx, door: Ctx) -> None:
    ann = await add(ctx, "patient", patient="ann", email="ann@home.example", password=PASSWORD)
    with pytest.raises(Forbidden):
        await access.sign_in.with_password(door, "ann@home.example", "wrong")
    await access.sign_in.with_password(door, "ann@home.example", PASSWORD)
    async with ctx.database.connection() as sql:
        rows = await sql.fetch("select outcome, actor, refused, origin from access.audit order by seq offset 1")
    assert [tuple(row) for row in rows] == [
        ("refused", "-", "wrong password", "192.0.2.7"),
        ("allowed", ann.id, None, "192.0.2.7"),
    ]


async def test_a_step_up_by_password_and_at_a_wall_by_pin(ctx: Ctx) -> None:
    nurse = await add(ctx, "nurse", password=PASSWORD, pin="271828")
    other = await add(ctx, "nurse", password=PASSWORD)
    async with access.work(acting(ctx, nurse), "signed") as inner:
        assert (await access.confirm(inner, access.Proof("password", PASSWORD))).actor.id == nurse.id
    for proof in (
        access.Proof("password", "wrong"),
        access.Proof("pin", "271828"),
        access.Proof("password", PASSWORD, other.id),
        access.Proof("passkey", "{}"),
    ):
        with pytest.raises(Forbidden):
            async with access.work(acting(ctx, nurse), "signed") as inner:
                await access.confirm(inner, proof)
    async with access.work(ctx, "made a ward") as inner:
        await access.add_place(inner, "icu", "ICU", "ward")
        await access.place_patient(inner, "ann", "icu")
        await access.set_duty(inner, person=nurse.id, place="icu", role="nurse")
    async with access.work(acting(ctx, nurse), "opened a wall") as inner:
        wall = acting(ctx, (await access.open_display(inner, "icu")).person)
    with pytest.raises(Invalid):
        async with access.work(wall, "acknowledged") as inner:
            await access.confirm(inner, access.Proof("pin", "271828"))
    async with access.work(wall, "acknowledged") as inner:
        me = await access.confirm(inner, access.Proof("pin", "271828", nurse.id))
        await access.authorise(me, "ann", "U", what="alarm")
    async with ctx.database.connection() as sql:
        last = await sql.fetchrow("select actor, action, patients from access.audit order by seq desc limit 1")
    assert tuple(last) == (nurse.id, "acknowledged", {"ann": "U"})


async def test_a_pin_is_guessed_five_times(ctx: Ctx, clock: TurnableClock) -> None:
    nurse = await add(ctx, "nurse", password=PASSWORD)
    me = acting(ctx, nurse)
    for _ in range(5):
        with pytest.raises(Forbidden):
            async with access.work(me, "signed") as inner:
                await access.confirm(inner, access.Proof("password", "wrong"))
    with pytest.raises(TooMany):
        async with access.work(me, "signed") as inner:
            await access.confirm(inner, access.Proof("password", PASSWORD))
    clock.turn(timedelta(minutes=5))
    async with access.work(me, "signed") as inner:
        await access.confirm(inner, access.Proof("password", PASSWORD))


async def test_a_pin_is_set_after_a_step_up(ctx: Ctx) -> None:
    me = acting(ctx, await add(ctx, "nurse", password=PASSWORD))
    for pin in ("12345", "abcdef", "111111"):
        with pytest.raises(Invalid):
            async with access.work(me, "set a PIN") as inner:
                await access.set_pin(inner, pin, access.Proof("password", PASSWORD))
    with pytest.raises(Forbidden):
        async with access.work(me, "set a PIN") as inner:
            await access.set_pin(inner, "314159", access.Proof("password", "wrong"))
    async with access.work(me, "set a PIN") as inner:
        await access.set_pin(inner, "314159", access.Proof("password", PASSWORD))


async def test_emergency_access_opens_tells_and_ends(ctx: Ctx, clock: TurnableClock) -> None:
    doctor = await add(ctx, "clinician", password=PASSWORD)
    officer = await add(ctx, "privacy-officer", email="privacy@clinic.example")
    ann = acting(ctx, await add(ctx, "patient", patient="ann"))
    me = acting(ctx, doctor).with_(purpose="ETREAT", reason="unconscious in the waiting room")
    proof = access.Proof("password", PASSWORD)
    for reason, shown, error in (("", proof, Invalid), ("unconscious here", access.Proof("password", "x"), Forbidden)):
        with pytest.raises(error):
            async with access.work(me, "asked for emergency access") as inner:
                await access.break_glass(inner, "ann", reason, shown)
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, officer), "asked for emergency access") as inner:
            await access.break_glass(inner, "ann", "unconscious here", proof)
    async with access.work(me, "asked for emergency access") as inner:
        await access.break_glass(inner, "ann", "unconscious in the waiting room", proof)
    async with access.work(me, "opened the chart", readonly=True) as inner:
        await access.authorise(inner, "ann", "R", what="AllergyIntolerance")
        assert await access.visible(inner) == {"ann"}
    async with access.work(acting(ctx, doctor), "opened the results", readonly=True) as inner:
        await access.authorise(inner, "ann", "R", what="Observation")
    [notice] = await sent(ctx)
    assert (notice["person"], notice["template"]) == (officer.id, "access.emergency")
    assert "ann" not in str(notice["data"]).lower()
    async with access.work(ann, "read who looked", readonly=True) as inner:
        lines = await access.who_looked(inner, "ann")
    assert (lines[0].action, lines[0].purpose) == ("opened the results", "ETREAT"), "every look says what let it pass"
    assert (lines[2].action, lines[2].reason, lines[2].purpose) == (
        "opened the record in an emergency",
        "unconscious in the waiting room",
        "ETREAT",
    )
    clock.turn(timedelta(hours=4))
    with pytest.raises(Forbidden):
        async with access.work(me, "opened the chart", readonly=True) as inner:
            await access.authorise(inner, "ann", "R", what="AllergyIntolerance")
