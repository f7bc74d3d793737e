"""Search in the views that read providers hand in, by the columns that they name."""
# ruff: noqa: S608 - the text is made of our own names; every value is bound

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from bedside.fhir.grammar import Sort
from bedside.fhir.query import Condition
from bedside.foundation.database import Alike, Connection, Row
from bedside.records.model.provider import ReadProvider
from bedside.records.store import provided
from bedside.records.store.conditions import condition
from bedside.records.store.ordering import Order, beyond, of_view
from bedside.records.store.statement import Sight, Statement, one_of


class ProviderSearch(NamedTuple):
    """patients: whose rows; None for everyone's. by: the column that orders where sort says nothing, `at` or
    `updated`. after: the last page's end. limit: rows wanted. since, before: of `updated`, for a history. sights: what
    may be seen on the way through chains."""

    provider: ReadProvider
    filters: Sequence[Condition]
    patients: Sequence[str] | None
    by: str = "at"
    descending: bool = True
    after: Sequence[Any] | None = None
    limit: int = 21
    since: datetime | None = None
    before: datetime | None = None
    sort: Sequence[Sort] = ()
    sights: Mapping[str, Sight] = {}
    providers: Callable[[str], Sequence[ReadProvider]] = lambda _: ()


def _where(s: Statement, search: ProviderSearch) -> str:
    parts = ["v.tenant = $1"]
    if search.patients is not None:
        parts.append(one_of(s, "v.patient", list(search.patients), "text"))
    if search.since is not None:
        parts.append(f"v.updated >= {s.bind(search.since)}")
    if search.before is not None:
        parts.append(f"v.updated < {s.bind(search.before)}")
    parts += [provided.where(s, search.provider, one, "v", condition) for one in search.filters]
    return " and ".join(parts)


def _order(search: ProviderSearch) -> list[Order]:
    keys = [of_view(search.provider, n, key) for n, key in enumerate(search.sort)]
    if not keys:
        keys = [Order("k0", f"v.{search.by}", search.descending)]
    return [*keys, Order("ki", "v.id", keys[-1].descending)]


async def page(sql: Connection, tenant: int, search: ProviderSearch) -> list[Row]:
    """Rows id, patient, at, updated, version and the keys k0, k1, … of one page."""
    one = asks(tenant, search)
    rows: list[Row] = await sql.fetch(one.query, *one.arguments, 0)
    return rows


def asks(tenant: int, search: ProviderSearch) -> Alike:
    """The statement of `page`."""
    s = Statement(tenant, search.sights, search.providers)
    where, keys = _where(s, search), _order(search)
    if search.after is not None:
        where += f" and {beyond(s, keys, list(search.after))}"
    columns = "".join(f", {key.expression} as {key.name}" for key in keys[:-1])
    ways = ", ".join(
        f"{key.name if key.name != 'ki' else 'v.id'} {'desc' if key.descending else 'asc'}" for key in keys
    )
    return Alike(
        f"select v.id, v.patient, v.at, v.updated, v.version{columns}, ${len(s.arguments) + 1}::int as asked"
        f" from {search.provider.view} v where {where} order by {ways} limit {search.limit}",
        s.arguments,
    )


class Held(NamedTuple):
    """Whether any of these patients has a row in a provider's relation of holders."""

    tenant: int
    holders: str
    patients: tuple[str, ...]


async def held(sql: Connection, asked: Sequence[Held]) -> list[bool]:
    """The answers; one statement for all who ask of one relation at the same moment."""
    found: dict[tuple[int, str], set[str]] = {}
    for tenant, holders in {(one.tenant, one.holders) for one in asked}:
        everybody = {patient for one in asked if one[:2] == (tenant, holders) for patient in one.patients}
        text = f"select patient from {holders} where tenant = $1 and patient = any($2)"
        found[tenant, holders] = {row["patient"] for row in await sql.fetch(text, tenant, list(everybody))}
    return [not found[one[:2]].isdisjoint(one.patients) for one in asked]


async def count(sql: Connection, tenant: int, search: ProviderSearch, most: int | None = None) -> int:
    """How many there are in all; most: no further is counted."""
    s = Statement(tenant, search.sights, search.providers)
    where = _where(s, search)
    limit = "" if most is None else f" limit {most}"
    text = f"select count(*) from (select from {search.provider.view} v where {where}{limit}) one"
    return int(await sql.fetchval(text, *s.arguments))
