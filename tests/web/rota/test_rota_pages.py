"""The on-call timetable as an administrator and as those on it see it."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta
from pathlib import Path

import httpx
import pytest
from tests.web.entry.conftest import ENTRY, serving
from tests.web.entry.test_sign_in_pages import add

from bedside import access
from bedside.access.testing import acting
from bedside.foundation.context import Ctx
from bedside.web import rota
from bedside.web.rota.words import shown

pytestmark = pytest.mark.journey


@pytest.fixture
async def site(ctx: Ctx, tmp_path: Path) -> AsyncIterator[str]:
    async with serving(ctx, tmp_path, [*ENTRY, *rota.ROUTES]) as base:
        yield base


async def people(ctx: Ctx) -> dict[str, access.Person]:
    found = {
        "Pat": await add(ctx, "administrator", "Pat Morgan"),
        "Amina": await add(ctx, "nurse", "Amina Haddad", zone="America/New_York"),
        "Tom": await add(ctx, "nurse", "Tom Berg"),
        "Elena": await add(ctx, "clinician", "Elena Ruiz"),
    }
    async with access.work(ctx, "opened a place") as inner:
        await access.add_place(inner, "ward", "Virtual ward", "ward")
    return found


@asynccontextmanager
async def signed_in(site: str, person: access.Person) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=site, follow_redirects=True, headers={"origin": site}) as client:
        await client.post("/sign-in/demo", data={"person": person.id})
        yield client


def plain(page: httpx.Response) -> str:
    """What is read, in one line."""
    text = re.sub(r"<(script|style).*?</\1>", " ", page.text, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


async def test_an_administrator_plans_sees_a_gap_and_sets_a_substitute(ctx: Ctx, site: str) -> None:
    known = await people(ctx)
    today = ctx.clock.now().date()
    async with signed_in(site, known["Pat"]) as pat:
        week = plain(await pat.get("/admin/rota"))
        assert "The time zone of this place is not set yet" in week
        assert "Nobody is asked at some times" in week
        refused = await pat.post("/admin/rota/ward/zone", data={"zone": "Madrid"})
        assert refused.status_code == 400
        assert "There is no such time zone." in plain(refused)
        assert "The time zone is set" in plain(await pat.post("/admin/rota/ward/zone", data={"zone": "Europe/Madrid"}))
        plan = {
            "person": f"{known['Amina'].id} nurse",
            "step": "1",
            "when": "hours",
            "days": ["1", "2", "3", "4", "5", "6", "7"],
            "begins": "08:00",
            "ends": "20:00",
            "first": (today - timedelta(days=1)).isoformat(),
        }
        for wrong, says in (
            ({"step": "x"}, "A step is a number from 1 to 9."),
            ({"days": []}, "Choose at least one day of the week."),
            ({"ends": "08:00"}, "It ends when it begins."),
            ({"begins": ""}, "A time is written as 08:30."),
            ({"first": ""}, "Write a day."),
            ({"last": "2020-01-01"}, "The last day comes before the first."),
            ({"person": f"{known['Elena'].id} nurse"}, "This person is not a nurse."),
        ):
            answer = await pat.post("/admin/rota/ward", data={**plan, **wrong})
            assert answer.status_code == 400
            assert says in plain(answer)
        assert "every day, 08:00–20:00" in plain(await pat.post("/admin/rota/ward", data=plan))
        week = plain(await pat.get(f"/admin/rota?from={today + timedelta(days=7)}"))
        assert "00:00–08:00 nobody 08:00–20:00 Amina Haddad 20:00–24:00 nobody" in week
        assert "The on-call ladder has gaps in the next seven days Virtual ward" in plain(await pat.get("/admin"))
        away = {
            "person": known["Amina"].id,
            "by": known["Tom"].id,
            "duty": "",
            "since-day": (today + timedelta(days=7)).isoformat(),
            "since-time": "00:00",
            "until-day": (today + timedelta(days=9)).isoformat(),
            "until-time": "00:00",
        }
        for wrong, says in (
            ({"by": known["Elena"].id}, "Elena Ruiz is not a nurse."),
            ({"until-day": ""}, "Write a day and a time."),
            ({"until-day": today.isoformat()}, "It ends before it begins."),
        ):
            answer = await pat.post("/admin/rota/substitutes", data={**away, **wrong})
            assert answer.status_code == 400
            assert says in plain(answer)
            assert f'value="{away["since-day"]}"' in answer.text, "what was typed stands there still"
        assert "The substitute is set" in plain(await pat.post("/admin/rota/substitutes", data=away))
        week = plain(await pat.get(f"/admin/rota?from={today + timedelta(days=7)}"))
        assert "08:00–20:00 Tom Berg for Amina Haddad" in week
        again = await pat.post("/admin/rota/substitutes", data=away)
        assert (again.status_code, "stands in for Amina Haddad then already" in plain(again)) == (409, True)
        await pat.post(f"/admin/people/{known['Tom'].id}/leave")
        week = plain(await pat.get(f"/admin/rota?from={today + timedelta(days=7)}"))
        assert "Tom Berg cannot be asked any more" in week
        assert "Tom Berg (no longer here)" in week
        page = (await pat.get("/admin/rota")).text
        [end] = re.findall(r"/admin/rota/substitutes/[^/]+/end", page)
        assert page.index("<dialog") < page.index(end) < page.index("</dialog>"), "it is asked once"
        assert "Nobody stands in for anybody" in plain(await pat.post(end))
        [end] = re.findall(r"/admin/rota/duties/[^/]+/end", (await pat.get("/admin/rota/ward")).text)
        assert "No duty is planned here" in plain(await pat.post(end, data={"place": "ward"}))


async def test_a_nurse_sees_her_duties_and_names_a_substitute(ctx: Ctx, site: str) -> None:
    known = await people(ctx)
    async with access.work(ctx, "planned") as inner:
        await access.set_duty(inner, person=known["Amina"].id, place="ward", role="nurse")
    tomorrow = ctx.clock.now().date() + timedelta(days=1)
    async with signed_in(site, known["Amina"]) as amina:
        assert "Virtual ward 1 You" in plain(await amina.get("/duties"))
        data = {
            "by": known["Tom"].id,
            "since-day": tomorrow.isoformat(),
            "since-time": "08:00",
            "until-day": (tomorrow + timedelta(days=1)).isoformat(),
            "until-time": "08:00",
        }
        refused = await amina.post("/duties", data={**data, "by": known["Elena"].id})
        assert "Elena Ruiz is not a nurse." in plain(refused)
        page = plain(await amina.post("/duties", data=data))
        assert "The substitute is set" in page
        assert "Tom Berg for you" in page
        async with signed_in(site, known["Tom"]) as tom:
            own = await tom.get("/duties")
            assert "You for Amina Haddad" in plain(own)
            assert "I am back" not in own.text
        page = (await amina.get("/duties")).text
        [end] = re.findall(r"/duties/substitutes/[^/]+/end", page)
        assert page.index("<dialog") < page.index(end) < page.index("</dialog>"), "it is asked once"
        assert "The substitution is ended" in plain(await amina.post(end))
        for page_ in ("/admin/rota", "/admin/rota/ward"):
            assert (await amina.get(page_)).status_code == 403
    async with signed_in(site, known["Pat"]) as pat:
        assert (await pat.get("/duties")).status_code == 403


async def test_quiet_hours_are_set_on_the_account_and_what_is_wrong_is_said(ctx: Ctx, site: str) -> None:
    known = await people(ctx)
    async with signed_in(site, known["Tom"]) as tom:
        assert "none: tell me at any hour" in plain(await tom.get("/account"))
        times = {"quiet": "yes", "begins": "23:00", "ends": "23:00"}
        same = plain(await tom.post("/account/quiet", data=times))
        assert "Quiet hours end at another time than they begin." in same
        assert "Write both times." in plain(await tom.post("/account/quiet", data={**times, "ends": ""}))
        page = await tom.post("/account/quiet", data={**times, "ends": "06:30"})
        assert 'value="06:30"' in page.text
        page = await tom.post("/account/quiet", data={"quiet": "no"})
        assert 'value="06:30"' not in page.text


async def test_the_day_the_clock_changes_is_a_day_like_others(ctx: Ctx) -> None:
    known = await people(ctx)
    async with access.work(ctx, "planned") as inner:
        await access.add_place(inner, "ward", "Virtual ward", "ward", "Europe/Madrid")
        await access.set_duty(inner, person=known["Amina"].id, place="ward", role="nurse")
    pat = access.Person("pat", "Pat", frozenset({"administrator"}))
    async with access.work(acting(ctx, pat), "looked", readonly=True) as inner:
        [week] = await access.rota.weeks(inner, date(2027, 3, 25))
    table = shown(week)
    assert [day for day, _ in table.cells] == [date(2027, 3, 25) + timedelta(days=n) for n in range(7)]
    assert {piece.hours for _, cells in table.cells for cell in cells for piece in cell} == {""}
    assert table.empty == ()
