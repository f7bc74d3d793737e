"""What people prove themselves with: hashes, passkeys, one-time secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bedside.foundation.database import Connection


@dataclass(frozen=True, slots=True)
class Passkey:
    """A registered public key. id: the credential id."""

    id: bytes
    person: str
    public_key: bytes
    sign_count: int
    label: str
    created: datetime
    used: datetime | None


ONE_TIME = ("link", "invitation", "recover", "sign-in-code", "code", "enrol")
"""Kinds of links, codes and tickets that let somebody in."""


async def put_secret(sql: Connection, person: str, kind: str, secret: str, now: datetime) -> None:
    """Set a password, PIN or TOTP secret (already hashed or sealed)."""
    await sql.execute(
        """insert into access.credential (person, kind, secret, created) values ($1, $2, $3, $4)
        on conflict (person, kind) do update
        set secret = excluded.secret, created = excluded.created, last_step = null""",
        person,
        kind,
        secret,
        now,
    )


async def secret(sql: Connection, person: str, kind: str) -> str | None:
    """As it was put."""
    found: str | None = await sql.fetchval(
        "select secret from access.credential where person = $1 and kind = $2", person, kind
    )
    return found


async def drop_secrets(sql: Connection, person: str, *kinds: str) -> None:
    """Take away credentials of these kinds; 'passkey' is one."""
    await sql.execute("delete from access.credential where person = $1 and kind = any($2)", person, list(kinds))
    if "passkey" in kinds:
        await sql.execute("delete from access.passkey where person = $1", person)


async def spend_step(sql: Connection, person: str, step: int) -> bool:
    """Whether this TOTP step was not yet used by this person; now it is."""
    row = await sql.fetchrow(
        """update access.credential set last_step = $2 where person = $1 and kind = 'totp'
        and (last_step is null or last_step < $2) returning person""",
        person,
        step,
    )
    return row is not None


async def insert_passkey(sql: Connection, tenant: int, passkey: Passkey) -> None:
    """Register. Raises asyncpg.UniqueViolationError when it is already."""
    await sql.execute(
        """insert into access.passkey (id, tenant, person, public_key, sign_count, label, created)
        values ($1, $2, $3, $4, $5, $6, $7)""",
        passkey.id,
        tenant,
        passkey.person,
        passkey.public_key,
        passkey.sign_count,
        passkey.label,
        passkey.created,
    )


async def passkey(sql: Connection, tenant: int, id: bytes) -> Passkey | None:
    """By credential id."""
    row = await sql.fetchrow(
        """select id, person, public_key, sign_count, label, created, used from access.passkey
        where tenant = $1 and id = $2""",
        tenant,
        id,
    )
    return Passkey(**row) if row else None


async def passkeys(sql: Connection, person: str) -> list[Passkey]:
    """Those of a person."""
    rows = await sql.fetch(
        """select id, person, public_key, sign_count, label, created, used from access.passkey
        where person = $1 order by created""",
        person,
    )
    return [Passkey(**row) for row in rows]


async def used_passkey(sql: Connection, id: bytes, sign_count: int, now: datetime) -> None:
    """Note the use."""
    await sql.execute("update access.passkey set sign_count = $2, used = $3 where id = $1", id, sign_count, now)


async def drop_passkey(sql: Connection, person: str, id: bytes) -> bool:
    """Remove one of a person's own."""
    row = await sql.fetchrow("delete from access.passkey where person = $1 and id = $2 returning id", person, id)
    return row is not None


async def put_challenge(
    sql: Connection, id: str, tenant: int, person: str | None, kind: str, value: bytes, expires: datetime
) -> None:
    """Keep a WebAuthn challenge until it is answered."""
    await sql.execute(
        "insert into access.challenge (id, tenant, person, kind, value, expires) values ($1, $2, $3, $4, $5, $6)",
        id,
        tenant,
        person,
        kind,
        value,
        expires,
    )


async def take_challenge(
    sql: Connection, tenant: int, kind: str, value: bytes, now: datetime
) -> tuple[bool, str | None]:
    """Whether this challenge was given out and not yet answered, and for whom; it is good once."""
    row = await sql.fetchrow(
        """delete from access.challenge where tenant = $1 and kind = $2 and value = $3 returning person, expires""",
        tenant,
        kind,
        value,
    )
    if row is None or row["expires"] <= now:
        return False, None
    return True, row["person"]


async def put_one_time(sql: Connection, digest: bytes, tenant: int, person: str, kind: str, expires: datetime) -> None:
    """Keep the digest of a link, code or ticket."""
    await sql.execute(
        """insert into access.one_time (digest, tenant, person, kind, expires) values ($1, $2, $3, $4, $5)
        on conflict (digest) do update set expires = excluded.expires, used = null""",
        digest,
        tenant,
        person,
        kind,
        expires,
    )


async def peek_one_time(sql: Connection, tenant: int, digest: bytes, kinds: list[str], now: datetime) -> str | None:
    """Whose it is, if it is still good; consumes nothing."""
    person: str | None = await sql.fetchval(
        """select person from access.one_time where tenant = $1 and digest = $2 and kind = any($3) and used is null
        and expires > $4""",
        tenant,
        digest,
        kinds,
        now,
    )
    return person


async def kind_of_one_time(sql: Connection, tenant: int, digest: bytes, now: datetime) -> tuple[str, str] | None:
    """(kind, person), if it is still good; consumes nothing."""
    row = await sql.fetchrow(
        "select kind, person from access.one_time where tenant = $1 and digest = $2 and used is null and expires > $3",
        tenant,
        digest,
        now,
    )
    return (row["kind"], row["person"]) if row else None


async def take_one_time(sql: Connection, tenant: int, digest: bytes, kinds: list[str], now: datetime) -> str | None:
    """Whose it was, if it was still good; now it is used."""
    person: str | None = await sql.fetchval(
        """update access.one_time set used = $4 where tenant = $1 and digest = $2 and kind = any($3) and used is null
        and expires > $4 returning person""",
        tenant,
        digest,
        kinds,
        now,
    )
    return person


async def without(sql: Connection, tenant: int) -> list[str]:
    """The active people who have nothing to prove themselves with yet, the first added first."""
    rows = await sql.fetch(
        """select p.id from access.person p where p.tenant = $1 and p.active
        and not exists (select from access.credential c where c.person = p.id and c.kind in ('password', 'totp'))
        and not exists (select from access.passkey k where k.person = p.id) order by p.created, p.id""",
        tenant,
    )
    return [row["id"] for row in rows]


async def came_in(sql: Connection, person: str) -> bool:
    """Whether they have something to prove themselves with, or were ever signed in."""
    asked = """select exists (select from access.credential where person = $1 and kind in ('password', 'totp'))
        or exists (select from access.passkey where person = $1)
        or exists (select from access.session where person = $1)"""
    return bool(await sql.fetchval(asked, person))


async def drop_one_time(sql: Connection, person: str, *kinds: str) -> None:
    """What was sent before is good no longer."""
    await sql.execute("delete from access.one_time where person = $1 and kind = any($2)", person, list(kinds))


async def put_printed(sql: Connection, tenant: int, person: str, digests: Sequence[bytes], at: datetime) -> None:
    """A person's printed codes, instead of those before."""
    await drop_printed(sql, person)
    await sql.executemany(
        "insert into access.printed_code (tenant, person, digest, made) values ($1, $2, $3, $4)",
        [(tenant, person, digest, at) for digest in digests],
    )


async def drop_printed(sql: Connection, person: str) -> None:
    """None is good any longer."""
    await sql.execute("delete from access.printed_code where person = $1", person)


async def printed(sql: Connection, tenant: int, person: str) -> tuple[int, datetime | None]:
    """How many are left, and when they were made."""
    row = await sql.fetchrow(
        """select count(*) filter (where used is null) as left, max(made) as made from access.printed_code
        where tenant = $1 and person = $2""",
        tenant,
        person,
    )
    return row["left"], row["made"]


async def take_printed(sql: Connection, tenant: int, person: str, digest: bytes, at: datetime) -> bool:
    """Whether it is one of theirs that was not used; now it is."""
    row = await sql.fetchrow(
        """update access.printed_code set used = $4 where tenant = $1 and person = $2 and digest = $3 and used is null
        returning person""",
        tenant,
        person,
        digest,
        at,
    )
    return row is not None


async def sealed_one(sql: Connection) -> str | None:
    """Any secret that was sealed with the installation's key; None where nobody has one yet."""
    found: str | None = await sql.fetchval("select secret from access.credential where kind = 'totp' limit 1")
    return found
