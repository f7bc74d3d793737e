"""From the shell: what is exported into a folder and imported elsewhere is the same record."""

import os
from pathlib import Path
from typing import Any
from uuid import uuid4

import asyncpg
import pytest
from tests.records.resources import patient, pulse

from bedside import access, records
from bedside.foundation.context import Ctx
from bedside.foundation.database import Database
from bedside.foundation.engines import Postgres
from bedside.foundation.errors import Conflict
from bedside.records.service import contents, exporting
from bedside.records.service.writing import Draft

pytestmark = pytest.mark.engine

EVERYTHING = records.export_wish("system", None, [], strict=True, posted=False)


async def whole(ctx: Ctx) -> dict[str, Any]:
    """Every resource as it stands, but for what the server says of it."""
    async with ctx.database.connection() as sql:
        rows = await sql.fetch("select type, id, patients, body from records.resource where body is not null")
        entries = await sql.fetchval("select count(*) from records.entry")
        held = await sql.fetch("select size, sha256, sha1 from records.content where whole order by sha256")
    found: dict[str, Any] = {"entries": entries, "contents": [tuple(row) for row in held]}
    for row in rows:
        resource = records.Stored(row["type"], row["id"], 1, ctx.clock.now(), False, False, row["body"]).resource
        meta = {k: v for k, v in resource["meta"].items() if k not in ("versionId", "lastUpdated")}
        found[f"{row['type']}/{row['id']}"] = {**resource, "meta": meta, "_patients": list(row["patients"])}
    return found


async def test_import_of_an_export_gives_the_same_record(
    ctx: Ctx, postgres: Postgres, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exporting, "PAGE", 7)
    picture = os.urandom(2_500_000)
    async with access.work(ctx, "seed") as inner:
        for n in range(20):
            await records.update(inner, patient(f"p{n}", birthDate="1950-01-01"))
            await records.update(inner, {**pulse(f"p{n}", 60.5), "id": f"o{n}"})
        await records.update(inner, {**pulse("p0", 61), "id": "o0"})  # a second version
        await records.delete(inner, "Observation", "o1")
        await records.update(inner, {"resourceType": "Practitioner", "id": "doc"})
        small = {"resourceType": "Binary", "id": "small", "contentType": "text/plain", "data": "aGk="}
        await records.update(inner, small)

    async def body() -> Any:
        yield picture

    taken = await contents.take(ctx, body())
    async with access.work(ctx, "seed") as inner:
        made = {"resourceType": "Binary", "id": "big", "contentType": "image/png"}
        made |= {"securityContext": {"reference": "Patient/p0"}}
        await contents.keep(inner, Draft("put", "Binary", "big", made), taken)
    told: list[tuple[int, int]] = []
    counts = await records.save(ctx, tmp_path / "out", EVERYTHING, lambda *told_: told.append(told_))
    assert counts == {"Patient": 20, "Observation": 19, "Practitioner": 1, "Binary": 2}
    assert sum(done for done, _ in told) == 42
    assert {file.stat().st_mode & 0o777 for file in (tmp_path / "out").iterdir()} == {0o600}
    with pytest.raises(Conflict):
        await records.save(ctx, tmp_path / "out", EVERYTHING, lambda *_: None)
    name = f"test_{uuid4().hex}"
    admin = await asyncpg.connect(postgres.dsn("postgres"))
    await admin.execute(f"create database {name} template bedside_template")
    other = await Database.connect(postgres.dsn(name))
    try:
        report = await records.load(ctx.with_(database=other), tmp_path / "out")
        assert (report.refused, report.kept) == ([], 42)
        assert await whole(ctx.with_(database=other)) == await whole(ctx)
        again = await records.load(ctx.with_(database=other), tmp_path / "out")
        assert (again.made.total(), again.changed.total(), again.same.total()) == (0, 0, 42)
        async with other.connection() as sql:
            pieces = await sql.fetch(
                "select p.bytes from records.content_piece p join records.content c on c.id = p.content and c.whole"
                " order by p.n"
            )
        assert b"".join(row["bytes"] for row in pieces) == picture
    finally:
        await other.close()
        await admin.execute(f"drop database {name} with (force)")
        await admin.close()


async def test_part_of_it(ctx: Ctx, tmp_path: Path) -> None:
    async with access.work(ctx, "seed") as inner:
        await records.update(inner, patient("ada"))
        await records.update(inner, {"resourceType": "Practitioner", "id": "doc"})
    wish = records.export_wish("patient", None, [], strict=True, posted=False)
    assert await records.save(ctx, tmp_path / "out", wish, lambda *_: None) == {"Patient": 1}
