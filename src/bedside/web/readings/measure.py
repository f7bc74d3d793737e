"""Measuring with a Bluetooth device in the patient's own browser: the pages, and where what was read is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Final

import msgspec
import orjson
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring
from bedside.foundation.errors import Conflict, Invalid, NotFound
from bedside.foundation.http import ctx_of
from bedside.web.kit import render
from bedside.web.kit.places import N_
from bedside.web.patient.waiting import waiting_words
from bedside.web.patient.whose import whose
from bedside.web.readings.words import measure_words

MOST_BYTES: Final = 8192
"""Of one reading as it is sent: five numbers and a name are a few hundred."""


@dataclass(frozen=True, slots=True)
class Device:
    """What can be measured with. key: monitoring's kind; typed: the form for the same by hand, None where none is."""

    key: str
    title: str
    name: str
    icon: str
    typed: str | None
    steps: tuple[str, ...]


ON: Final = N_("Switch the device on, close to this phone or computer.")
DEVICES: Final = (
    Device(
        "blood-pressure",
        N_("Blood pressure"),
        N_("Blood-pressure cuff"),
        "heart-pulse",
        "blood-pressure",
        (
            N_("Sit for five minutes first, arm on the table, and do not talk while the cuff works."),
            N_("Press the button below and choose your cuff."),
            N_("Then measure. Some cuffs send only after they have measured: measure first, then press."),
        ),
    ),
    Device(
        "pulse-oximeter",
        N_("Oxygen saturation"),
        N_("Pulse oximeter"),
        "wind",
        "oxygen",
        (
            N_("Warm your hand, put the clip on a finger and keep it still."),
            N_("Press the button below and choose your oximeter."),
        ),
    ),
    Device(
        "heart-rate",
        N_("Heart rate"),
        N_("Heart-rate meter"),
        "activity",
        None,
        (N_("Put the belt or band on, close to the skin."), N_("Press the button below and choose it.")),
    ),
    Device(
        "thermometer",
        N_("Temperature"),
        N_("Thermometer"),
        "thermometer",
        "temperature",
        (ON, N_("Press the button below and choose your thermometer."), N_("Then measure.")),
    ),
    Device(
        "scale",
        N_("Weight"),
        N_("Weighing scale"),
        "weight",
        "weight",
        (N_("Press the button below and choose your scale."), N_("Then stand on it until the number stands still.")),
    ),
    Device(
        "glucose-meter",
        N_("Glucose"),
        N_("Glucose meter"),
        "droplet",
        "glucose",
        (
            N_("Measure first, then switch Bluetooth on at the meter."),
            N_("Press the button below and choose your meter. We ask it for its newest result."),
        ),
    ),
)
BY_KEY: Final = {one.key: one for one in DEVICES}
Short = Annotated[str, msgspec.Meta(max_length=200)]


class Value(msgspec.Struct, frozen=True):
    """One number as the device gave it. unit: UCUM."""

    metric: Short
    value: float
    unit: Short


class Sent(msgspec.Struct, frozen=True):
    """One measurement. patient: whose it is, said again since it may have waited in the browser while somebody else
    signed in. time: when it was measured, ms since 1970. confirmed: an unusual value was looked at again."""

    patient: Short
    kind: Short
    name: Short
    id: Short
    time: int
    values: Annotated[list[Value], msgspec.Meta(min_length=1, max_length=8)]
    confirmed: bool = False


async def choose(request: Request) -> Response:
    """What will you measure?"""
    async with access.work(ctx_of(request), "chose what to measure", readonly=True) as ctx:
        patient, name = await whose(request, ctx)
    return render(
        request, "readings/devices.html", devices=DEVICES, patient=patient, name=name, kept=waiting_words(request)
    )


async def page(request: Request) -> Response:
    """GET /readings/measure/{kind}: look for the device, see its number, send it."""
    device = BY_KEY.get(request.path_params["kind"])
    if device is None:
        raise NotFound("There is no such reading.")
    async with access.work(ctx_of(request), "opened the page to measure with a device", readonly=True) as ctx:
        patient, name = await whose(request, ctx)
    return render(
        request,
        "readings/measure.html",
        device=device,
        patient=patient,
        name=name,
        words=measure_words(request),
        kept=waiting_words(request),
    )


async def keep(request: Request) -> Response:
    """POST /readings/measured, JSON (Sent): stored and judged before the answer {next, conflict}; held once.

    400 is for good; 409 it is another patient's than this page acts for; 422 unusual: look again, then confirmed.
    """
    body = await request.body()
    try:
        if len(body) > MOST_BYTES:
            raise msgspec.ValidationError("too long")
        sent = msgspec.json.decode(body, type=Sent)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        # msgspec names field and type, never a value.
        raise Invalid("This is not a reading: %(why)s.", why=str(error)) from None
    async with access.work(ctx_of(request), "sent a reading from a device") as ctx:
        patient, _ = await whose(request, ctx)
        if sent.patient != patient:
            raise Conflict("This was measured for somebody else than you act for now.", where="patient")
        device = monitoring.Paired(sent.kind, sent.name, sent.id)
        values = [monitoring.Measured(one.metric, one.value, one.unit, sent.time * 1000) for one in sent.values]
        reading, conflict = await monitoring.land_paired(ctx, patient, device, values, confirmed=sent.confirmed)
    return Response(
        orjson.dumps({"next": f"/readings/sent/{reading}", "conflict": conflict}), media_type="application/json"
    )


ROUTES: list[BaseRoute] = [
    Route("/readings/measure", choose),
    Route("/readings/measure/{kind}", page),
    Route("/readings/measured", keep, methods=["POST"]),
]
