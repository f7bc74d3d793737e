"""Backend clients and their tokens; secrets and tokens only as SHA-256."""

from __future__ import annotations

from datetime import datetime

from bedside.access.model.clients import Client
from bedside.foundation.database import Connection


async def insert_client(sql: Connection, client: Client, now: datetime) -> None:
    """Register."""
    await sql.execute(
        """insert into access.client (id, tenant, name, scopes, secret, jwks, created)
        values ($1, $2, $3, $4, $5, $6, $7)""",
        client.id,
        client.tenant,
        client.name,
        sorted(client.scopes),
        client.secret,
        client.jwks,
        now,
    )


async def client(sql: Connection, id: str) -> Client | None:
    """One that is not ended."""
    row = await sql.fetchrow(
        "select id, tenant, name, scopes, secret, jwks from access.client where id = $1 and ended is null", id
    )
    return Client(**{**dict(row), "scopes": frozenset(row["scopes"])}) if row else None


async def clients(sql: Connection, tenant: int) -> list[Client]:
    """All that are not ended, by name."""
    rows = await sql.fetch(
        """select id, tenant, name, scopes, secret, jwks from access.client
        where tenant = $1 and ended is null order by name, id""",
        tenant,
    )
    return [Client(**{**dict(row), "scopes": frozenset(row["scopes"])}) for row in rows]


async def end_client(sql: Connection, tenant: int, id: str, now: datetime) -> bool:
    """End a client and its tokens."""
    row = await sql.fetchrow(
        "update access.client set ended = $3 where tenant = $1 and id = $2 and ended is null returning id",
        tenant,
        id,
        now,
    )
    await sql.execute("delete from access.token where client = $1", id)
    return row is not None


async def insert_token(sql: Connection, digest: bytes, client: str, scopes: frozenset[str], expires: datetime) -> None:
    """Keep a token."""
    await sql.execute(
        "insert into access.token (digest, client, scopes, expires) values ($1, $2, $3, $4)",
        digest,
        client,
        sorted(scopes),
        expires,
    )


async def tokens(sql: Connection, asked: list[tuple[bytes, datetime]]) -> list[tuple[Client, frozenset[str]] | None]:
    """For each digest and moment whose token this is and what it may, unless it has expired or its client ended."""
    latest = dict(asked)
    rows = await sql.fetch(
        """select c.id, c.tenant, c.name, c.scopes, c.secret, c.jwks, t.scopes as granted, t.digest
        from unnest($1::bytea[], $2::timestamptz[]) as asked(digest, now)
        join access.token t on t.digest = asked.digest and t.expires > asked.now
        join access.client c on c.id = t.client and c.ended is null""",
        list(latest),
        list(latest.values()),
    )
    found = {}
    for row in rows:
        fields = dict(row)
        granted, digest = frozenset(fields.pop("granted")), fields.pop("digest")
        found[digest] = Client(**{**fields, "scopes": frozenset(fields["scopes"])}), granted
    return [found.get(digest) for digest, _ in asked]


async def first_use(sql: Connection, client: str, jti: str, expires: datetime) -> bool:
    """Whether this assertion was never seen; now it is."""
    row = await sql.fetchrow(
        "insert into access.assertion (client, jti, expires) values ($1, $2, $3) on conflict do nothing returning jti",
        client,
        jti,
        expires,
    )
    return row is not None
