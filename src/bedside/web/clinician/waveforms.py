"""A patient's waveforms at a time: the strip on paper's grid, printed as it reads, and what can be taken away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring
from bedside.fhir.structure import write
from bedside.foundation.aside import aside
from bedside.foundation.errors import Invalid
from bedside.foundation.http import ctx_of
from bedside.monitoring import Strip, Track
from bedside.web.clinician.banner import banner_of
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_
from bedside.web.wall.words import unit_of

SECONDS = {5: N_("5 seconds"), 10: N_("10 seconds"), 30: N_("30 seconds")}
AWAY = {10: N_("10 seconds"), 60: N_("1 minute"), 600: N_("10 minutes"), 3600: N_("1 hour")}
"""What is taken away at once, from the strip's beginning."""
HEIGHT = 32.0
"""mm of a lead's row."""
PAPER = 25.0
"""mm a second, as an electrocardiograph writes; 10 mm are 1 mV where that fits."""
GAINS = (20.0, 10.0, 5.0, 2.5, 1.0)
NOTHING = -32768


@dataclass(frozen=True, slots=True)
class Drawn:
    """One lead as SVG polylines, mm. gain: mm a unit. off: x and width of each stretch with the lead off, mm."""

    track: Track
    unit: str
    lines: tuple[str, ...]
    off: tuple[tuple[float, float], ...]
    gain: float
    low: float
    high: float


def drawn(track: Track, since: datetime) -> Drawn:
    """A track in a row of HEIGHT; nothing is drawn where there is no sample, or with the lead off."""
    raw, start = track.good, track.start / 1e6 - since.timestamp()
    good = [track.k * one + track.o for one in raw if one != NOTHING]
    low, high = min(good, default=0.0), max(good, default=0.0)
    room = max(high - low, 1e-9)
    ecg = track.lead.name.startswith("ecg")
    per_mv = 0.001 if track.unit == "uV" else 1.0
    fits = [gain * per_mv for gain in GAINS if room * gain * per_mv <= HEIGHT - 4]
    usual = [gain for gain in fits if gain <= 10 * per_mv]
    gain = (usual or fits or [(HEIGHT - 4) / room])[0] if ecg else (HEIGHT - 8) / max(room, track.lead.span)
    middle = (high + low) / 2
    lines: list[list[str]] = [[]]
    for n, one in enumerate(raw):
        if one == NOTHING:
            if lines[-1]:
                lines.append([])
            continue
        x = PAPER * (start + n / track.hz)
        y = HEIGHT / 2 - gain * (track.k * one + track.o - middle)
        lines[-1].append(f"{x:.2f},{y:.2f}")
    off = tuple((PAPER * (start + a / track.hz), PAPER * (b + 1 - a) / track.hz) for a, b in track.off)
    return Drawn(track, unit_of(track.unit), tuple(" ".join(line) for line in lines if line), off, gain, low, high)


def gaps(track: Track) -> int:
    """How often the samples stop and begin again."""
    return sum(a != NOTHING and b == NOTHING for a, b in pairwise(track.raw))


def _asked(request: Request) -> tuple[datetime | None, int]:
    """From when (None: the newest), and how many seconds. A time without a zone is the clinic's. Raises Invalid."""
    text, seconds = request.query_params.get("at", ""), request.query_params.get("seconds", "10")
    if not seconds.isascii() or not seconds.isdigit() or not 1 <= int(seconds) <= 3600:
        raise Invalid(N_("Choose from 1 to 3600 seconds."), where="seconds")
    if not text:
        return None, int(seconds)
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=page_of(request).zone) if at.tzinfo is None else at
        return at.astimezone(UTC), int(seconds)
    except (ValueError, OverflowError):
        raise Invalid(N_("Write a date and a time."), where="at") from None


async def page(request: Request) -> Response:
    """GET /patients/{id}/waveforms."""
    patient = request.path_params["id"]
    error: Invalid | None = None
    try:
        at, seconds = _asked(request)
    except Invalid as wrong:
        error, at, seconds = wrong, None, 10
    seconds = min(seconds, max(SECONDS))
    async with access.work(ctx_of(request), "looked at waveforms", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        banner = await banner_of(ctx, patient)
        newest = await monitoring.waves_until(ctx, patient)
        since = at or (newest or ctx.clock.now()) - timedelta(seconds=seconds)
        strip = await monitoring.waves(ctx, patient, since, since + timedelta(seconds=seconds))
    return render(
        request,
        "clinician/waveforms.html",
        error.status if error else 200,
        patient=banner,
        error=error,
        rows=[drawn(track, since) for track in strip.tracks],
        gaps=gaps,
        since=since,
        seconds=seconds,
        newest=newest,
        spans=SECONDS,
        away=AWAY,
        height=HEIGHT,
        paper=PAPER,
        local=since.astimezone(page_of(request).zone).replace(tzinfo=None).isoformat(timespec="seconds"),
        before=(since - timedelta(seconds=seconds)).isoformat(),
        after=(since + timedelta(seconds=seconds)).isoformat(),
    )


async def zipped(request: Request) -> Response:
    """GET /patients/{id}/waveforms.zip: WFDB. Raises Invalid."""
    return await _sent(await _taken(request), monitoring.waves_as_wfdb, "application/zip", "zip")


async def sampled(request: Request) -> Response:
    """GET /patients/{id}/waveforms.json: a FHIR Bundle. Raises Invalid."""
    return await _sent(
        await _taken(request), lambda strip: write(monitoring.waves_as_fhir(strip)), "application/fhir+json", "json"
    )


async def _taken(request: Request) -> Strip:
    at, seconds = _asked(request)
    if at is None:
        raise Invalid(N_("Write a date and a time."), where="at")
    async with access.work(ctx_of(request), "took waveforms away", readonly=True) as ctx:
        await access.require(ctx, "clinician", "nurse")
        return await monitoring.waves(ctx, request.path_params["id"], at, at + timedelta(seconds=seconds))


async def _sent(strip: Strip, written: Callable[[Strip], bytes], media: str, ending: str) -> Response:
    name = f"waveforms-{strip.since:%Y%m%dT%H%M%SZ}-{(strip.until - strip.since).seconds}s.{ending}"
    return Response(
        await aside(lambda: written(strip)),
        media_type=media,
        headers={"content-disposition": f'attachment; filename="{name}"'},
    )


ROUTES: list[BaseRoute] = [
    Route("/patients/{id}/waveforms", page),
    Route("/patients/{id}/waveforms.zip", zipped),
    Route("/patients/{id}/waveforms.json", sampled),
]
