"""Whether NATS answers."""

from __future__ import annotations

from bedside.foundation.bus import Bus
from bedside.foundation.doctor.finding import Finding, bad, good, note
from bedside.foundation.errors import N_, BedsideError
from bedside.foundation.settings import Settings


def bus(*, connected: bool) -> Finding:
    """As a process of the program sees it."""
    if connected:
        return good(N_("NATS answers."))
    return bad(
        N_("NATS does not answer: readings wait in their devices, and walls do not move."),
        N_("It is tried again by itself. Read logs/ in the home, or look after the server that others run."),
    )


async def bus_outside(settings: Settings) -> Finding:
    """From outside the program. Raises nothing."""
    if not settings.nats_url:
        return note("NATS is run by others, and was not asked.", "Say which: --nats-url URL, or BEDSIDE_NATS_URL.")
    try:
        there = await Bus.connect(settings.nats_url, name="bedside doctor", patient=True)
    except BedsideError:
        return bus(connected=False)
    try:
        return bus(connected=there.connected)
    finally:
        await there.close()
