"""The telephone numbers of a patient's record, and since when each stands there unchanged."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from bedside.foundation.context import Ctx
from bedside.records.service.record import history


class Telephone(NamedTuple):
    """number: as written. since: from which version on the record holds it without a break; None: from its first."""

    number: str
    since: datetime | None


async def telephones(ctx: Ctx, patient: str) -> list[Telephone]:
    """A patient's own numbers, as the record orders them; those of contacts are not theirs. Raises NotFound,
    Forbidden."""
    newest, *older = await history(ctx, "Patient", patient)
    found = []
    for dialled, number in numbers(newest).items():
        since: datetime | None = None
        after = newest
        for version in older:
            if dialled not in numbers(version):
                since = datetime.fromisoformat(after["meta"]["lastUpdated"])
                break
            after = version
        found.append(Telephone(number, since))
    return found


def numbers(patient: dict[str, Any]) -> dict[str, str]:
    """By what is dialled, as written: a number is the same number however it is spaced."""
    written = [
        str(one["value"])
        for one in patient.get("telecom") or ()
        if one.get("system") in ("phone", "sms") and one.get("value") and one.get("use") != "old"
    ]
    found: dict[str, str] = {}
    for number in written:
        if dialled := _dialled(number):
            found.setdefault(dialled, number)
    return found


def _dialled(number: str) -> str:
    digits = "".join(one for one in number if one.isdecimal() or one == "+")
    return f"+{digits[2:]}" if digits.startswith("00") else digits
