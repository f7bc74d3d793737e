"""Which recorded conditions say that somebody is pregnant: a table, so that no adult default judges them."""

from __future__ import annotations

from typing import Any

SNOMED = "http://snomed.info/sct"

PREGNANCY = {
    # SNOMED CT concept id: its name. International edition, as of 2026-11-21; descendants that records use most.
    "77386006": "Pregnant",
    "72892002": "Normal pregnancy",
    "47200007": "High risk pregnancy",
    "16356006": "Multiple pregnancy",
    "65147003": "Twin pregnancy",
}
ENDED = frozenset({"inactive", "remission", "resolved"})
REFUTED = frozenset({"refuted", "entered-in-error"})


def says_pregnancy(condition: dict[str, Any]) -> bool:
    """Whether the Condition is about a pregnancy, running or over."""
    return any(
        coding.get("system") == SNOMED and coding.get("code") in PREGNANCY
        for coding in condition.get("code", {}).get("coding", ())
    )


def is_running(condition: dict[str, Any]) -> bool:
    """Whether a Condition stands: not ended, not refuted."""
    return not (
        _codes(condition, "clinicalStatus") & ENDED
        or _codes(condition, "verificationStatus") & REFUTED
        or "abatementDateTime" in condition
    )


def pregnant(conditions: list[dict[str, Any]]) -> bool | None:
    """True while one runs, False when all are over, None when none was ever recorded."""
    about = [condition for condition in conditions if says_pregnancy(condition)]
    return any(is_running(condition) for condition in about) if about else None


def _codes(condition: dict[str, Any], element: str) -> set[str]:
    return {coding.get("code", "") for coding in condition.get(element, {}).get("coding", ())}
