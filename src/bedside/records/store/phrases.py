"""The texts that go with codes: each is written once, and rows of the index speak of it by its hash."""

from collections.abc import Sequence
from weakref import WeakKeyDictionary

from bedside.foundation.database import Connection, Database
from bedside.records.model.rows import Phrase

_MOST = 1 << 17
"""Phrases that a process remembers as written."""

_Place = tuple[int, Phrase]
"""Tenant and phrase."""


class _Memory:
    """kept: phrases that are committed. written: those that this process wrote, by the transaction that did, since it
    may yet be taken back."""

    def __init__(self) -> None:
        self.kept: set[_Place] = set()
        self.written: dict[_Place, str] = {}

    def keep(self, place: _Place) -> None:
        if len(self.kept) >= _MOST:
            self.kept.clear()
        self.kept.add(place)
        self.written.pop(place, None)

    def write(self, place: _Place, work: str) -> None:
        if len(self.written) >= _MOST:
            del self.written[next(iter(self.written))]
        self.written[place] = work


_memories: WeakKeyDictionary[Database, _Memory] = WeakKeyDictionary()

_LEARN = """with fresh as (
    insert into records.phrase (tenant, param, key, folded)
    select $1, p.param, p.key, p.folded from unnest($2::int[], $3::bigint[], $4::text[]) as p(param, key, folded)
    where not exists (select from records.phrase k where k.tenant = $1 and k.param = p.param and k.key = p.key)
    returning param, key
)
select pg_current_xact_id()::text as work, array(select f.param from fresh f) as params,
    array(select f.key from fresh f) as keys"""


async def learn(database: Database, sql: Connection, tenant: int, phrases: Sequence[Phrase]) -> None:
    """Write those that are not written yet. Nearly always that is known without asking."""
    memory = _memories.setdefault(database, _Memory())
    asked = [one for one in phrases if (tenant, one) not in memory.kept]
    if not asked:
        return
    columns = ([one.param for one in asked], [one.key for one in asked], [one.folded for one in asked])
    row = await sql.fetchrow(_LEARN, tenant, *columns)
    fresh = set(zip(row["params"], row["keys"], strict=True))
    for one in asked:
        if (one.param, one.key) in fresh:
            memory.write((tenant, one), row["work"])
        elif memory.written.get((tenant, one)) != row["work"]:  # another transaction wrote it, and that one is over
            memory.keep((tenant, one))
