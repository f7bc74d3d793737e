"""Whether somebody may treat a patient who is in a given place: a dated table (licence.toml) and the licences held."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from functools import cache
from typing import Literal

import msgspec

from bedside.foundation.errors import N_, Forbidden
from bedside.foundation.tables import table_of

Answer = Literal["allow", "override", "block"]


class Licence(msgspec.Struct, frozen=True):
    """A licence, registration or privilege. jurisdiction: US-NY, DE. until: its last day."""

    person: str
    jurisdiction: str
    number: str
    kind: Literal["full", "compact-licence", "compact-privilege", "telehealth-registration", "exception"]
    since: date
    until: date
    verified_at: date
    verified_source: str
    status: Literal["active", "suspended", "revoked"] = "active"


class LicenceDecision(msgspec.Struct, frozen=True):
    """answer: allow; override (go on only with a written reason); block. rule: the row and its edition.

    why: a msgid of the catalogue, its values beside it.
    """

    answer: Answer
    jurisdiction: str
    why: str
    rule: str
    source: str
    licence: str | None = None
    reason: str | None = None
    values: dict[str, str] = {}

    @property
    def passes(self) -> bool:
        """Whether care may go on: allowed, or overridden with a reason."""
        return self.answer == "allow" or (self.answer == "override" and bool(self.reason))

    def refusal(self, remedy: str) -> Forbidden:
        """The decision as an error to raise. remedy: a msgid, said where a reason would let care go on."""
        return Forbidden(self.why, remedy=remedy if self.answer == "override" else None, **self.values)


SAYS = {"active": N_("active"), "suspended": N_("suspended"), "revoked": N_("revoked")}


class Rule(msgspec.Struct, frozen=True):
    """One row of the table."""

    id: str
    country: str | list[str]
    care_at: Literal["patient", "provider"]
    without: Literal["override", "block"]
    effective_from: date
    source: str
    effective_to: date | None = None


class _Table(msgspec.Struct):
    version: str
    rule: list[Rule]


@cache
def _table() -> _Table:
    return table_of(__package__, "licence.toml", _Table)


def decide(jurisdiction: str, home: str, licences: Sequence[Licence], today: date) -> LicenceDecision:
    """jurisdiction: where the patient is. home: the country where the clinic is established."""
    country = jurisdiction.partition("-")[0]
    rule = next(
        (
            r
            for r in _table().rule
            if country in r.country
            and (isinstance(r.country, list) or country == r.country)
            and r.effective_from <= today
            and (r.effective_to is None or today <= r.effective_to)
        ),
        None,
    )
    if rule is None:
        return LicenceDecision(
            "override",
            jurisdiction,
            N_("No rule for this place is known here."),
            f"none, {_table().version}",
            "licence table",
        )
    name = f"{rule.id}, {_table().version}"
    if rule.care_at == "provider":
        wanted = [c for c in licences if c.jurisdiction.partition("-")[0] == home] if home in rule.country else []
    else:
        wanted = [c for c in licences if c.jurisdiction == jurisdiction]
    barred = [c for c in wanted if c.status != "active"]
    if barred:
        why = N_("The licence for %(place)s is %(status)s.")
        values = {"place": barred[0].jurisdiction, "status": SAYS[barred[0].status]}
        return LicenceDecision("block", jurisdiction, why, name, rule.source, barred[0].number, values=values)
    for held in wanted:
        if held.since <= today <= held.until:
            why = N_("Licensed in %(place)s until %(until)s.")
            values = {"place": held.jurisdiction, "until": held.until.isoformat()}
            return LicenceDecision("allow", jurisdiction, why, name, rule.source, held.number, values=values)
    expired = max((c.until for c in wanted), default=None)
    if expired:
        why, values = N_("The licence ended on %(until)s."), {"until": expired.isoformat()}
    else:
        why, values = N_("No licence for %(place)s is recorded."), {"place": jurisdiction}
    return LicenceDecision(rule.without, jurisdiction, why, name, rule.source, values=values)
