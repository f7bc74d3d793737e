"""Whose clinic this is, and licences that end."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from babel import Locale

from bedside import access
from bedside.access.model import clinic as model
from bedside.access.subscribers import JOBS
from bedside.access.testing import acting, someone
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict, Forbidden, Invalid

pytestmark = pytest.mark.engine
SOL = {
    "name": "  Clínica   Sol ",
    "country": "es",
    "zone": "Europe/Madrid",
    "language": "es",
    "units": "metric",
    "telephone": "+34 910 000 000",
    "emergency": "112",
}


def test_what_is_typed_is_kept_tidily() -> None:
    said = model.read(SOL)
    assert (said.name, said.country) == ("Clínica Sol", "ES")


@pytest.mark.parametrize(
    ("field", "typed"),
    [
        ("name", " "),
        ("name", "x" * 81),
        ("country", "XX"),
        ("country", "Spain"),
        ("zone", "Madrid"),
        ("language", "español"),
        ("units", "both"),
        ("telephone", "12"),
        ("telephone", "call us"),
        ("emergency", "nine one one"),
        ("emergency", "1"),
    ],
)
def test_what_cannot_be_is_refused_by_its_field(field: str, typed: str) -> None:
    with pytest.raises(Invalid) as refused:
        model.read({**SOL, field: typed})
    assert refused.value.where == field


def test_what_is_proposed_follows_from_the_place() -> None:
    assert [model.country_of(zone) for zone in ("Europe/Madrid", "America/New_York", "UTC")] == ["ES", "US", None]
    assert [model.emergency_of(country) for country in ("ES", "US", "AQ")] == ["112", "911", None]
    assert all(country in model.countries() for row in model._table().number for country in row.country)


def test_the_list_of_countries_holds_countries_alone_and_each_has_a_name() -> None:
    """It offered the euro zone, and two trials of software; one stood there as CQ."""
    assert len(model.countries()) == 250, "the 249 of ISO 3166-1, and Kosovo"
    assert not {"EU", "EZ", "UN", "XA", "XB", "CQ"} & set(model.countries())
    for language in ("en", "es"):
        assert set(model.countries()) <= set(Locale(language).territories)


async def test_it_is_said_once_and_changed_by_an_administrator_alone(ctx: Ctx) -> None:
    assert await access.clinics.known(ctx.database) is None
    async with access.work(ctx, "said") as inner:
        assert await access.clinics.name(inner) == "Bedside"
        first = await access.clinics.set_clinic(inner, model.read(SOL), first=True)
    assert first.n == 1
    async with access.work(ctx, "said again") as inner:
        with pytest.raises(Conflict, match="Clínica Sol already"):
            await access.clinics.set_clinic(inner, model.read(SOL), first=True)
    nurse, boss = await someone(ctx, "nurse"), await someone(ctx, "administrator", name="Pat Morgan")
    with pytest.raises(Forbidden):
        async with access.work(acting(ctx, nurse), "changed") as inner:
            await access.clinics.set_clinic(inner, model.read(SOL))
    async with access.work(acting(ctx, boss), "changed") as inner:
        await access.clinics.set_clinic(inner, model.read({**SOL, "telephone": "+34 920 000 000"}))
    holds = await access.clinics.known(ctx.database)
    assert holds is not None
    assert (holds.n, holds.by_name, holds.telephone) == (2, "Pat Morgan", "+34 920 000 000")
    async with ctx.database.connection() as sql:
        kept = await sql.fetch("select n, telephone from access.clinic order by n")
        lines = await sql.fetchval("select count(*) from access.audit where action in ('said', 'changed') and wrote")
    assert [row["telephone"] for row in kept] == ["+34 910 000 000", "+34 920 000 000"]
    assert lines == 2


def licence(person: str, number: str, until: date, place: str = "ES") -> access.Licence:
    day = date(2020, 1, 1)
    return access.Licence(person, place, number, "full", day, until, verified_at=day, verified_source="register")


async def told(ctx: Ctx) -> list[tuple[str, str]]:
    await JOBS["access.licences"](ctx, {})
    async with ctx.database.connection() as sql:
        rows = await sql.fetch(
            "select convert_from(payload, 'utf8')::jsonb->'payload' as p from jobs.pgqueuer"
            " where entrypoint = 'messaging.send' order by id"
        )
        await sql.execute("delete from jobs.pgqueuer")
    return sorted((row["p"]["template"], row["p"]["person"]) for row in rows)


async def test_whoever_holds_a_licence_that_ends_is_told_once_and_so_are_administrators(
    ctx: Ctx, clock: TurnableClock
) -> None:
    boss, ana = await someone(ctx, "administrator"), await someone(ctx, "clinician", name="Ana Ruiz")
    today = clock.now().date()
    async with access.work(ctx, "recorded") as inner:
        await access.add_licence(inner, licence(ana.id, "far", today + timedelta(days=31)))
        await access.add_licence(inner, licence(ana.id, "over", today - timedelta(days=1), "FR"))
        await access.add_licence(inner, licence(ana.id, "old", today + timedelta(days=3), "PT"))
        await access.add_licence(inner, licence(ana.id, "renewed", today + timedelta(days=900), "PT"))
    assert await told(ctx) == []
    clock.turn(timedelta(days=1))
    assert await told(ctx) == [("access.licence-ends", ana.id), ("access.licences-end", boss.id)]
    assert await told(ctx) == []
    async with access.work(acting(ctx, boss), "looked", readonly=True) as inner:
        assert [(name, one.number) for name, one in await access.licences_ending(inner)] == [
            ("Ana Ruiz", "over"),
            ("Ana Ruiz", "far"),
        ]
    async with access.work(ctx, "renewed") as inner:
        await access.add_licence(inner, licence(ana.id, "far", today + timedelta(days=400)))
    assert await told(ctx) == []
    clock.turn(timedelta(days=380))
    assert await told(ctx) == [("access.licence-ends", ana.id), ("access.licences-end", boss.id)], "another end"
