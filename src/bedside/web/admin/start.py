"""A clinic's first steps: each line knows from the real state whether it is done, and leads to where it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bedside import access, messaging, monitoring, records, visits
from bedside.access import Person
from bedside.foundation.context import Ctx
from bedside.foundation.errors import N_, Conflict
from bedside.foundation.http import ctx_of
from bedside.web.kit import render

STAFF = frozenset({"clinician", "nurse", "pharmacist", "administrator", "privacy-officer"})

Backups = Callable[[Ctx], Awaitable[datetime | None]]
"""When the newest backup was made: `app.state.backups`, set by app; without it no line is shown."""


@dataclass(frozen=True, slots=True)
class Step:
    """title, text: msgids; text says what to do while it is not done. href: the page, where the reader has one."""

    key: str
    title: str
    text: str
    done: bool
    href: str | None = None


async def steps(request: Request, ctx: Ctx, people: list[Person]) -> list[Step]:
    """Every line, in an administrator's open work."""
    wards = [place for place in await access.places(ctx) if place.kind != "pharmacy"]
    colleagues = [one for one in people if one.roles & STAFF and one.id != ctx.actor.id]
    test = await messaging.last_test(ctx)
    found = [
        Step(
            "clinic",
            N_("Say whose clinic this is"),
            N_("Name, telephone, emergency number, country and time zone: they stand on every page."),
            await access.clinics.clinic(ctx) is not None,
            "/admin/clinic",
        ),
        Step(
            "places",
            N_("Add a ward or a programme"),
            N_("Where patients are watched and staff are on duty."),
            bool(wards),
            "/admin/places",
        ),
        Step(
            "staff",
            N_("Invite staff"),
            N_("One by one, or many at once from a spreadsheet."),
            bool(colleagues),
            "/admin/people/import",
        ),
        Step(
            "patient",
            N_("Add a patient"),
            N_(
                "One by one at the desk; “bedside import” on the server for many at once; or another system sends them."
            ),
            await records.registered(ctx),
            _page_at(request, "/patients/new"),
        ),
        Step(
            "device",
            N_("Add a device"),
            N_(
                "You get a card with its password. A nurse then gives it to its patient, on its page or from the chart."
            ),
            await monitoring.any_device(ctx),
            _page_at(request, "/devices/new"),
        ),
        Step(
            "notice",
            N_("Send a test notice"),
            NOTICE[test.state if test is not None else ""],
            test is not None and test.state in {"sent", "delivered"},
            "/admin/notices",
        ),
        Step(
            "visit",
            N_("Make a test visit"),
            N_("A clinician opens a patient's chart, invites them to video, and joins."),
            await visits.ever_held(ctx),
        ),
    ]
    backups: Backups | None = getattr(request.app.state, "backups", None)
    if backups is not None:
        found.append(
            Step(
                "backup",
                N_("Make a backup"),
                N_("On the server: “bedside backup init --to FOLDER”. Keep the recovery key elsewhere."),
                await backups(ctx) is not None,
                "/help/administrator/backup",
            )
        )
    return found


def _page_at(request: Request, path: str) -> str | None:
    """The path, where this app has a page of just that name."""
    return path if any(getattr(route, "path", None) == path for route in request.app.router.routes) else None


NOTICE = {
    "": N_("To your own address, to see that it arrives."),
    "waiting": N_("It is on its way: look again in a moment."),
    "sent": N_("It left this installation. Look whether it arrived."),
    "held": N_("It was held: no mail server is set up. See BEDSIDE_SMTP_URL in the README, then send it again."),
    "delivered": N_("It arrived, says who delivered it."),
    "refused": N_("It did not arrive: see why under Notices, then send it again."),
    "bounced": N_("It did not arrive: see why under Notices, then send it again."),
    "failed": N_("It did not arrive: see why under Notices, then send it again."),
    "withdrawn": N_("To your own address, to see that it arrives."),
}
"""What became of the test notice."""


async def page(request: Request) -> Response:
    """GET /admin/start."""
    async with access.work(ctx_of(request), "opened the first steps", readonly=True) as ctx:
        await access.require(ctx, "administrator")
        found = await steps(request, ctx, await access.staff(ctx))
        away = await access.clinics.start_put_away(ctx)
    return render(request, "admin/start.html", steps=found, away=away)


async def test_notice(request: Request) -> Response:
    """POST: to oneself."""
    async with access.work(ctx_of(request), "sent a test notice") as ctx:
        await messaging.send_test(ctx)
    return RedirectResponse("/admin/start", 303)


async def put_away(request: Request) -> Response:
    """POST: the administrator's first page does not show the list any more. Raises Conflict while a line is open."""
    async with access.work(ctx_of(request), "put the first steps away") as ctx:
        await access.require(ctx, "administrator")
        if not all(step.done for step in await steps(request, ctx, await access.staff(ctx))):
            raise Conflict("Something of the list is still to be done.", remedy="Put it away once every line is done.")
        await access.clinics.put_away_start(ctx)
    return RedirectResponse("/admin", 303)
