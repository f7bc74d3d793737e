"""The authorisation matrix: every role, on every standing, for every action; and each row of the policy is needed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bedside import access
from bedside.access.model import policy
from bedside.access.model.people import ROLES
from bedside.access.model.policy import Rule, Standing, permits
from bedside.access.testing import acting, client, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import NOBODY, Actor, Ctx
from bedside.foundation.errors import Forbidden, SignInNeeded

pytestmark = pytest.mark.engine

STANDINGS = ("self", "care", "visit", "duty", "alarm", "pharmacy", "device", "emergency", "grant", "none")
SENT = "MedicationRequest/sent"
WHAT = ("Patient", "Observation", "Condition", "Communication", "Consent", "MedicationDispense", SENT, "alarm")
WHAT += ("MedicationRequest/other", "AuditEvent", "directory", "Binary")

CLINICAL = ("Patient", "Observation", "Condition", "Communication", "Consent", "MedicationDispense", SENT, "alarm")
CLINICAL += ("MedicationRequest/other", "AuditEvent", "directory", "Binary")
# (role, standing) to {action: whats}; what is not written is refused. Written from the issue, not from the code.
MATRIX: dict[tuple[str, str], dict[str, tuple[str, ...]]] = {
    ("patient", "self"): {
        "R": CLINICAL,
        "E": CLINICAL,
        "C": ("Observation", "Communication", "Consent", "Binary"),
        "U": ("Communication", "Consent"),
    },
    ("caregiver", "grant"): dict.fromkeys("CRUE", CLINICAL),
    ("clinician", "care"): dict.fromkeys("CRUDE", CLINICAL),
    ("clinician", "visit"): dict.fromkeys("CRUDE", CLINICAL),
    ("clinician", "alarm"): dict.fromkeys("CRUE", CLINICAL),
    ("clinician", "emergency"): dict.fromkeys("CRUE", CLINICAL),
    ("nurse", "duty"): dict.fromkeys("CRUDE", CLINICAL),
    ("nurse", "care"): dict.fromkeys("CRUDE", CLINICAL),
    ("nurse", "visit"): dict.fromkeys("CRUE", CLINICAL),
    ("nurse", "alarm"): dict.fromkeys("CRUE", CLINICAL),
    ("nurse", "emergency"): dict.fromkeys("CRUE", CLINICAL),
    ("pharmacist", "pharmacy"): {
        "R": ("Patient", SENT),
        "C": ("MedicationDispense", SENT),
        "U": ("MedicationDispense", SENT),
        "E": (SENT,),
    },
    ("display", "duty"): {"R": ("Patient", "Observation", "alarm")},
    ("device", "device"): {"C": ("Observation",)},
}
# Needs no standing, so it holds on every one.
ALWAYS: dict[str, dict[str, tuple[str, ...]]] = {
    "privacy-officer": {"R": ("AuditEvent",), "E": ("AuditEvent",)},
    "clinician": {"R": ("directory",)},
    "nurse": {"R": ("directory",)},
    # Who registers is told who is here already by that name and birth date.
    "administrator": {"R": ("directory",)},
}


def expected(role: str, standing: str, action: str, what: str) -> bool:
    return what in MATRIX.get((role, standing), {}).get(action, ()) or what in ALWAYS.get(role, {}).get(action, ())


def standing(role: str, kind: str) -> list[Standing]:
    return [Standing("none"), Standing(kind, SENT, role if kind == "duty" else None)]


CELLS = [
    (role, kind, action, what)
    for role in sorted(ROLES | {"device"})
    for kind in STANDINGS
    for action in "CRUDE"
    for what in WHAT
]


def wrong() -> list[tuple[str, str, str, str]]:
    return [
        (role, kind, action, what)
        for role, kind, action, what in CELLS
        if permits({role}, standing(role, kind), action, what) != expected(role, kind, action, what)
    ]


def test_every_cell_of_the_matrix() -> None:
    assert len(CELLS) == 9 * 10 * 5 * 12
    assert wrong() == []


@pytest.mark.parametrize("row", policy.RULES, ids=lambda rule: f"{rule.role}-{rule.standing}-{rule.actions}")
def test_no_row_can_go_unnoticed(row: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(policy, "RULES", tuple(rule for rule in policy.RULES if rule is not row))
    assert wrong()


@pytest.mark.parametrize("row", policy.RULES, ids=lambda rule: f"{rule.role}-{rule.standing}-{rule.actions}")
def test_no_letter_of_a_row_can_go_unnoticed(row: Rule, monkeypatch: pytest.MonkeyPatch) -> None:
    for letter in row.actions:
        less = Rule(row.role, row.standing, row.actions.replace(letter, ""), row.what)
        monkeypatch.setattr(policy, "RULES", tuple(less if rule is row else rule for rule in policy.RULES))
        assert wrong(), letter


def test_an_administrator_has_no_clinical_data() -> None:
    every = [Standing(kind, SENT) for kind in STANDINGS]
    may = {(action, what) for action in "CRUDE" for what in WHAT if permits({"administrator"}, every, action, what)}
    assert may == {("R", "directory")}, "name and birth date of whom they register, and nothing of a record"


def test_duty_as_something_else_is_no_duty() -> None:
    assert not permits({"nurse"}, [Standing("duty", "icu", "clinician")], "R", "Observation")


def test_a_grant_opens_only_what_was_granted() -> None:
    limited = [Standing("grant", "Consent/1", None, "R", frozenset({"Observation"}))]
    assert permits({"caregiver"}, limited, "R", "Observation/1")
    assert not permits({"caregiver"}, limited, "R", "Condition")
    assert not permits({"caregiver"}, limited, "C", "Observation")


async def allowed(ctx: Ctx, patient: str | None, action: str, what: str) -> bool:
    try:
        async with access.work(ctx, "tried") as inner:
            await access.authorise(inner, patient, action, what=what)
    except Forbidden:
        return False
    return True


async def test_patients_see_themselves_and_nobody_else(ctx: Ctx) -> None:
    ann = acting(ctx, await someone(ctx, "patient", patient="ann"))
    assert await allowed(ann, "ann", "R", "Condition")
    assert not await allowed(ann, "bob", "R", "Condition")
    async with access.work(ann, "looked", readonly=True) as inner:
        assert await access.visible(inner) == {"ann"}


async def test_a_clinician_sees_whom_a_relation_binds_while_it_lasts(ctx: Ctx, clock: TurnableClock) -> None:
    doctor = await someone(ctx, "clinician")
    me = acting(ctx, doctor)
    assert not await allowed(me, "ann", "R", "Condition")
    async with access.work(ctx, "related") as inner:
        await access.relate(inner, person=doctor.id, patient="ann", kind="care", source="CareTeam/1")
        await access.relate(
            inner,
            person=doctor.id,
            patient="bob",
            kind="alarm",
            source="alarm/1",
            until=clock.now() + timedelta(hours=24),
        )
    assert await allowed(me, "ann", "D", "Condition")
    assert await allowed(me, "bob", "R", "Condition")
    async with access.work(me, "looked", readonly=True) as inner:
        assert await access.visible(inner) == {"ann", "bob"}
    clock.turn(timedelta(hours=24))
    assert not await allowed(me, "bob", "R", "Condition")
    async with access.work(ctx, "ended") as inner:
        await access.unrelate(inner, source="CareTeam/1")
    assert not await allowed(me, "ann", "R", "Condition")


async def test_unrelate_at_a_later_moment(ctx: Ctx, clock: TurnableClock) -> None:
    doctor = await someone(ctx, "clinician")
    async with access.work(ctx, "related") as inner:
        await access.relate(inner, person=doctor.id, patient="ann", kind="alarm", source="alarm/1")
        await access.unrelate(inner, source="alarm/1", at=clock.now() + timedelta(hours=24))
    clock.turn(timedelta(hours=23, minutes=59))
    assert await allowed(acting(ctx, doctor), "ann", "R", "Observation")
    clock.turn(timedelta(minutes=1))
    assert not await allowed(acting(ctx, doctor), "ann", "R", "Observation")


async def test_a_nurse_sees_the_places_of_her_duty_while_on_duty(ctx: Ctx, clock: TurnableClock) -> None:
    nurse = await someone(ctx, "nurse")
    me = acting(ctx, nurse)
    async with access.work(ctx, "planned") as inner:
        for place in ("icu", "other"):
            await access.add_place(inner, place, place, "ward")
        await access.place_patient(inner, "ann", "icu")
        await access.place_patient(inner, "bob", "other")
        await access.set_duty(inner, person=nurse.id, place="icu", role="nurse", until=clock.now() + timedelta(hours=8))
    assert await allowed(me, "ann", "R", "Observation")
    assert not await allowed(me, "bob", "R", "Observation")
    async with access.work(me, "looked", readonly=True) as inner:
        assert await access.visible(inner) == {"ann"}
    async with access.work(ctx, "moved") as inner:
        await access.leave_place(inner, "ann", "icu")
    assert not await allowed(me, "ann", "R", "Observation")
    async with access.work(ctx, "moved back") as inner:
        await access.place_patient(inner, "ann", "icu")
    clock.turn(timedelta(hours=8))
    assert not await allowed(me, "ann", "R", "Observation")
    async with access.work(me, "looked", readonly=True) as inner:
        assert await access.visible(inner) == frozenset()


async def test_a_caregiver_has_what_was_granted_until_it_is_taken_back(ctx: Ctx) -> None:
    carer = await someone(ctx, "caregiver")
    me = acting(ctx, carer)
    async with access.work(ctx, "granted") as inner:
        await access.grant(
            inner,
            access.GrantRequest(
                person=carer.id, patient="ann", actions="RC", what=frozenset({"Observation"}), source="Consent/1"
            ),
        )
    assert await allowed(me, "ann", "C", "Observation")
    assert not await allowed(me, "ann", "R", "Condition")
    async with access.work(me, "looked", readonly=True) as inner:
        assert await access.visible(inner, "Observation") == {"ann"}
        assert await access.visible(inner, "Condition") == frozenset()
        assert await access.visible(inner) == frozenset()
    async with access.work(ctx, "revoked") as inner:
        await access.revoke(inner, "Consent/1")
    assert not await allowed(me, "ann", "C", "Observation")


async def test_a_pharmacist_sees_what_was_sent(ctx: Ctx) -> None:
    chemist = await someone(ctx, "pharmacist")
    me = acting(ctx, chemist)
    async with access.work(ctx, "sent") as inner:
        await access.relate(inner, person=chemist.id, patient="ann", kind="pharmacy", source=SENT)
    assert await allowed(me, "ann", "R", SENT)
    assert await allowed(me, "ann", "R", "Patient")
    assert not await allowed(me, "ann", "R", "MedicationRequest/other")
    assert not await allowed(me, "ann", "R", "MedicationRequest")
    async with access.work(me, "looked", readonly=True) as inner:
        assert await access.visible(inner, "Patient") == {"ann"}
        assert await access.visible(inner, "MedicationRequest") == frozenset()


async def test_another_tenant_is_another_world(ctx: Ctx) -> None:
    doctor = await someone(ctx, "clinician")
    async with access.work(ctx, "related") as inner:
        await access.relate(inner, person=doctor.id, patient="ann", kind="care", source="CareTeam/1")
    there = acting(ctx, doctor).with_(tenant=2)
    assert not await allowed(there, "ann", "R", "Condition")
    async with access.work(there, "looked", readonly=True) as inner:
        assert await access.visible(inner) == frozenset()
        assert await access.people(inner) == []
        assert await access.relations_of(inner, patient="ann") == []


async def test_clients_are_bound_by_their_scopes(ctx: Ctx) -> None:
    reader = client(ctx, "system/Observation.rs")
    assert await allowed(reader, "ann", "R", "Observation/1")
    assert await allowed(reader, "ann", "E", "Observation")
    assert not await allowed(reader, "ann", "C", "Observation")
    assert not await allowed(reader, "ann", "R", "Condition")
    assert await allowed(client(ctx, "system/*.cruds"), None, "C", "Practitioner")
    async with access.work(reader, "looked", readonly=True) as inner:
        assert await access.visible(inner, "Observation") is None
        assert await access.visible(inner, "Condition") == frozenset()


async def test_a_job_has_a_named_purpose(ctx: Ctx) -> None:
    assert await allowed(ctx, "ann", "U", "Observation")
    assert not await allowed(ctx.with_(purpose="ETREAT"), "ann", "R", "Observation")
    assert not await allowed(ctx.with_(purpose="HPAYMT"), "ann", "U", "Observation")
    assert not await allowed(ctx.with_(actor=Actor("job", "x", "")), "ann", "R", "Observation")


JOB_MAY = {
    "TREAT": "CRUDE",
    "PATRQT": "CRUDE",
    "HOPERAT": "CRUDE",
    "SYSADMIN": "CRUDE",
    "HPAYMT": "RE",
    "PUBHLTH": "RE",
}
OUTSIDE_MAY = dict.fromkeys(("patient", "caregiver", "clinician", "nurse", "pharmacist", "privacy-officer"), "RE")
OUTSIDE_MAY |= {"display": "R", "administrator": "CRUDE"}


async def test_every_purpose_of_a_job_and_every_role_outside_patients(ctx: Ctx) -> None:
    async with access.work(ctx, "tried", readonly=True) as inner:
        for purpose in (*JOB_MAY, "ETREAT"):
            job = inner.with_(purpose=purpose)
            may = "".join([a for a in "CRUDE" if await access.may(job, "ann", a, what="Observation")])
            assert may == JOB_MAY.get(purpose, ""), purpose
        for role in ROLES:
            person = inner.with_(actor=Actor("person", "x", "x", frozenset({role})))
            may = "".join([a for a in "CRUDE" if await access.may(person, None, a, what="Organization")])
            assert may == OUTSIDE_MAY.get(role, ""), role
    assert set(policy.JOBS) == set(JOB_MAY)
    assert set(policy.OUTSIDE) == set(OUTSIDE_MAY)


async def test_resources_of_no_patient(ctx: Ctx) -> None:
    doctor, admin = await someone(ctx, "clinician"), await someone(ctx, "administrator")
    # A device that nobody holds is made and given by whoever looks after patients; nobody deletes one so.
    for role, may in (("clinician", "CRUE"), ("nurse", "CRUE"), ("pharmacist", "RE"), ("patient", "RE")):
        person = acting(ctx, await someone(ctx, role, patient="ann" if role == "patient" else None))
        assert "".join([a for a in "CRUDE" if await allowed(person, None, a, "Device")]) == may, role
        # Somebody who is not here yet is registered by the same people; nobody changes or deletes a patient so.
        registers = "CRE" if role in ("clinician", "nurse") else "RE"
        assert "".join([a for a in "CRUDE" if await allowed(person, None, a, "Patient")]) == registers, role
    assert await allowed(acting(ctx, doctor), None, "R", "Practitioner")
    assert not await allowed(acting(ctx, doctor), None, "U", "Practitioner")
    assert await allowed(acting(ctx, admin), None, "U", "Practitioner")


async def test_nobody_is_asked_to_sign_in(ctx: Ctx) -> None:
    nobody = ctx.with_(actor=NOBODY)
    with pytest.raises(SignInNeeded):
        async with access.work(nobody, "tried") as inner:
            await access.authorise(inner, "ann", "R", what="Observation")
    with pytest.raises(SignInNeeded):
        await access.require(nobody, "nurse")
    async with access.work(nobody, "tried", readonly=True) as inner:
        assert await access.visible(inner) == frozenset()


async def test_require_takes_any_of_the_roles(ctx: Ctx) -> None:
    me = acting(ctx, await someone(ctx, "nurse"))
    await access.require(me, "clinician", "nurse")
    with pytest.raises(Forbidden):
        await access.require(me, "clinician")
    with pytest.raises(Forbidden):
        await access.require(ctx, "clinician")
