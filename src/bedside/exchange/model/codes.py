"""The table of codes, units and statuses (tables/hl7.toml)."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

import msgspec

from bedside.foundation.tables import table_of

Meaning = Literal["charted", "preliminary", "replaces", "removes", "none"]
LOINC_NAMES: Final = frozenset({"LN", "LOINC", "2.16.840.1.113883.6.1"})
MDC_NAMES: Final = frozenset({"MDC", "11073", "ISO11073", "2.16.840.1.113883.6.24"})


class _Code(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    metric: str
    mdc: tuple[tuple[str, str], ...]
    site: str = ""


class _Table(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    version: str
    source: str
    code: tuple[_Code, ...]
    unit: dict[str, str]
    doubt: dict[str, str]
    status: dict[str, Meaning]


class Coded(NamedTuple):
    """name: as monitoring takes it: its own metric name, or a LOINC code. site: '' for the usual one."""

    name: str
    site: str


_TABLE: Final = table_of("bedside.exchange", "tables/hl7.toml", _Table)
METRICS: Final = frozenset(row.metric for row in _TABLE.code)
_MDC: Final = {word: Coded(row.metric, row.site) for row in _TABLE.code for pair in row.mdc for word in pair}
DOUBT: Final = _TABLE.doubt
STATUS: Final = _TABLE.status


class Contradiction(ValueError):
    """Code and name of one OBX-3 are of different things."""


def coded(triplets: list[tuple[str, str, str]]) -> Coded | None:
    """What an OBX-3 names: its (code, text, system) and the alternate ones. None where it is nothing known here.

    Raises Contradiction when an MDC code comes with the reference id of another metric.
    """
    for code, text, system in triplets:
        if system.upper() in LOINC_NAMES and code:
            return Coded(code, "")
        if system.upper() in MDC_NAMES or code.startswith("MDC_") or text.startswith("MDC_"):
            by_code, by_text = _MDC.get(code), _MDC.get(text)
            if by_text is not None and by_code != by_text and code and not code.startswith("MDC_"):
                raise Contradiction
            if by_code is not None and text.startswith("MDC_") and by_text is None:
                raise Contradiction
            if found := by_code or by_text:
                return found
    return None


def unit_of(words: list[str]) -> str | None:
    """UCUM for an OBX-6: the first of code and text that the table knows, else the code as it stands; None for none."""
    written = [word for word in words if word]
    known = [_TABLE.unit[word] for word in written if word in _TABLE.unit]
    return known[0] if known else written[0] if written else None
