"""The patient search of staff pages: names by parts, birth date, number."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Collection, Sequence
from datetime import date
from typing import NamedTuple

from bedside.foundation.database import Connection
from bedside.records.model import rows
from bedside.records.store.statement import Statement, one_of

_LAST = "\U0010ffff"


class PatientWords(NamedTuple):
    """names: folded words, each in the ways it is written, one of which must begin a word of the name. births: any of
    these days. numbers: an identifier that is one of these. One of the three is enough; names and births together must
    both hold."""

    names: Sequence[Collection[str]]
    births: Sequence[tuple[int, int]]
    numbers: Sequence[str]


async def find(
    sql: Connection, tenant: int, words: PatientWords, visible: Sequence[str] | None, limit: int
) -> list[bytes]:
    """The bodies of the Patients found, those found by number first, then by name."""
    s = Statement(tenant)
    ways: list[str] = []
    number = "false"
    if words.numbers:
        keys = [rows.key(one) for one in words.numbers]
        which = s.bind(rows.param("Patient", "identifier"))
        number = (
            "exists (select from records.entry n where n.tenant = $1 and n.rid = r.rid"
            f" and n.param = {which} and {one_of(s, 'n.key', keys)})"
        )
        ways.append(number)
    both = [_begins(s, written) for written in words.names]
    if words.births:
        which = s.bind(rows.param("Patient", "birthdate"))
        days = " or ".join(f"(b.key >= {s.bind(low)} and b.key < {s.bind(high)})" for low, high in words.births)
        both.append(
            "exists (select from records.entry b where b.tenant = $1 and b.rid = r.rid"
            f" and b.param = {which} and ({days}))"
        )
    if both:
        ways.append(f"({' and '.join(both)})")
    if not ways:
        return []
    seen = "" if visible is None else f" and r.patients && {s.bind(list(visible))}::text[]"
    # One statement for each way, so that each walks its own index.
    parts = " union ".join(
        "select r.rid from records.resource r"
        f" where r.tenant = $1 and r.type = 'Patient' and r.body is not null and {way}{seen}"
        for way in ways
    )
    family = s.bind(rows.param("Patient", "family"))
    found = await sql.fetch(
        f"select r.body, {number} as direct, (select min(w.folded) from records.word w where w.tenant = $1"
        f" and w.rid = r.rid and w.param = {family}) as family"
        f" from ({parts}) hit join records.resource r on r.tenant = $1 and r.rid = hit.rid"
        f" order by direct desc, family nulls last, r.born limit {limit}",
        *s.arguments,
    )
    return [row["body"] for row in found]


def _begins(s: Statement, written: Collection[str]) -> str:
    ways = " or ".join(f"(w.folded >= {s.bind(one)} and w.folded < {s.bind(one + _LAST)})" for one in sorted(written))
    return (
        "exists (select from records.word w where w.tenant = $1 and w.rid = r.rid"
        f" and w.param = {s.bind(rows.NAME_PART)} and ({ways}))"
    )


def birth_of(text: str | None) -> date | None:
    """A birth date where the whole day is known."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


async def any_there(sql: Connection, tenant: int) -> bool:
    """Whether anybody is registered."""
    asked = "select exists (select from records.resource where tenant = $1 and type = 'Patient' and body is not null)"
    return bool(await sql.fetchval(asked, tenant))
