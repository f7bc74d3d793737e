"""What there is to read about an alarm: what was seen, in plain words, and what to do. Words are site choice (H99)."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from bedside import access, monitoring
from bedside.foundation.http import ctx_of
from bedside.web.kit import page_of, render
from bedside.web.kit.places import N_
from bedside.web.patient.whose import whose

REST = N_("Rest for five minutes, then measure again.")
AGAIN = N_("Measure again in the way you were shown.")
SEEN: dict[str, tuple[str, str]] = {
    "blood-pressure-high": (N_("The blood pressure was higher than the limit."), REST),
    "blood-pressure-low": (
        N_("The blood pressure was lower than the limit."),
        N_("Sit or lie down, and get up slowly. Then measure again."),
    ),
    "mean-pressure-low": (
        N_("The blood pressure was lower than the limit."),
        N_("Sit or lie down, and get up slowly. Then measure again."),
    ),
    "heart-rate-high": (N_("The heart beat faster than the limit."), REST),
    "heart-rate-low": (N_("The heart beat slower than the limit."), REST),
    "respiratory-rate-high": (N_("The breathing was faster than the limit."), REST),
    "respiratory-rate-low": (N_("The breathing was slower than the limit."), REST),
    "spo2-low": (
        N_("There was less oxygen in the blood than the limit."),
        N_("Sit upright, warm your hand, keep still, and measure again."),
    ),
    "spo2-high-on-oxygen": (
        N_("There was more oxygen in the blood than the limit."),
        N_("Do not change the oxygen yourself. Ring the clinic."),
    ),
    "temperature-high": (N_("The temperature was higher than the limit."), AGAIN),
    "temperature-low": (N_("The temperature was lower than the limit."), AGAIN),
    "weight-gain": (
        N_("The weight went up quickly."),
        N_("Ring the clinic today. Weigh yourself again tomorrow morning, as always."),
    ),
    "weight-loss": (N_("The weight went down quickly."), N_("Weigh yourself again tomorrow morning, as always.")),
    "weight-high": (N_("The weight was higher than the limit."), AGAIN),
    "weight-low": (N_("The weight was lower than the limit."), AGAIN),
    "glucose-high": (
        N_("The glucose was higher than the limit."),
        N_("Do what the clinic told you to do for high glucose, and measure again."),
    ),
    "glucose-low": (
        N_("The glucose was lower than the limit."),
        N_("Do now what the clinic told you to do for low glucose, and measure again."),
    ),
    "glucose-falling": (
        N_("The glucose fell quickly."),
        N_("Do now what the clinic told you to do for low glucose, and measure again."),
    ),
    "consciousness": (N_("Somebody noted that you were not fully awake."), N_("Do not stay alone. Ring the clinic.")),
    "news2": (N_("Several of the readings together were outside the limits."), REST),
    "symptoms": (N_("Danger symptoms were reported."), N_("If they are still there, ring the emergency number now.")),
    "irregular-pulse": (
        N_("The pulse was irregular for a while. This is no diagnosis."),
        N_("The clinic will look at it. Measure again when you have rested."),
    ),
}
"""By an alarm's cause: what was seen, and what to do."""
OTHERWISE = (N_("A reading was not as usual."), REST)
DEVICE = N_("Nothing has come from a device for a while.")
BATTERY = N_("The battery of a device is low.")
CHECKS = (
    N_("Is it charged and switched on?"),
    N_("Is it near the telephone or box that it sends through?"),
    N_("Measure once, and see on the page of readings whether it arrived."),
)
CHARGE = (N_("Charge it, or change its batteries."), N_("Then measure once, so that the clinic sees that it works."))
KINDS = {
    "monitor": N_("the monitor"),
    "heart-rate": N_("the heart-rate meter"),
    "pulse-oximeter": N_("the pulse oximeter"),
    "blood-pressure": N_("the blood-pressure cuff"),
    "thermometer": N_("the thermometer"),
    "scale": N_("the scale"),
    "glucose-meter": N_("the glucose meter"),
}
"""By a device's kind."""
NO_ALARM = frozenset({"false-alarm", "withdrawn"})
OVER = frozenset({"ended", "resolved", "superseded"})


@dataclass(frozen=True, slots=True)
class Line:
    """One thing to read. seen, todo: msgids. device: a msgid, where one is meant. how: how it stands."""

    told: monitoring.Told
    seen: str
    todo: tuple[str, ...]
    device: str = ""

    @property
    def urgent(self) -> bool:
        """Whether the emergency number belongs beside it: the rule's priority is high, and it was no false alarm."""
        return self.told.kind == "urgent" and self.told.state not in NO_ALARM

    @property
    def how(self) -> str:
        """How it stands, as a msgid."""
        if self.told.state in NO_ALARM:
            return N_("The clinic found that this was a false alarm. There is nothing to do.")
        if self.told.kind == "device":
            return N_("It works again. There is nothing to do.") if self.told.state in OVER else ""
        if self.told.state in OVER:
            return N_("It is over.")
        if self.told.state in {"acknowledged", "acted", "paused"}:
            return N_("Somebody at the clinic is looking after it.")
        return N_("The clinic was told. Nobody has answered yet.")


def line_of(told: monitoring.Told) -> Line:
    """The words for one."""
    cause = told.cause.partition(":")[0]
    if told.kind == "device":
        if cause == "battery":
            return Line(told, BATTERY, CHARGE)
        return Line(told, DEVICE, CHECKS, KINDS.get(told.rule.removeprefix("silence-"), ""))
    seen, todo = SEEN.get(cause, OTHERWISE)
    return Line(told, seen, (todo,))


async def page(request: Request) -> Response:
    """GET /told: what is new first. Whoever sees it has read it."""
    async with access.work(ctx_of(request), "read about an alarm") as ctx:
        patient, name = await whose(request, ctx)
        lines = [line_of(one) for one in await monitoring.told(ctx, patient)]
        watched = await monitoring.watched(ctx, patient)
        if request.method == "GET" and any(line.told.read_at is None for line in lines):
            await monitoring.told_read(ctx, patient)
    other = name if name != page_of(request).actor.name else ""
    return render(
        request,
        "patient/told.html",
        lines=lines,
        urgent=any(line.urgent and line.told.read_at is None for line in lines),
        other=other,
        watched=watched,
    )


ROUTES: list[BaseRoute] = [Route("/told", page)]
