"""Binary: as its own media type and as JSON, streamed, hashed, in pieces, for whom its context lets; scanned."""

import asyncio
import base64
import gc
import hashlib
import json
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from tests.records.conftest import Door, _As
from tests.records.resources import patient

from bedside import access, records
from bedside.access.testing import acting, client, someone
from bedside.foundation.bounded import Bounded
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.records.model.contents import Decoder, Lifted, stated
from bedside.records.model.refusals import Refused
from bedside.records.routes import BOUNDS, ROUTES
from bedside.records.service import contents, scanning

pytestmark = pytest.mark.engine

JSON = {"content-type": "application/fhir+json", "accept": "application/fhir+json"}
PICTURE = os.urandom(3 * 1024 * 1024 + 17)


async def count(ctx: Ctx, table: str) -> int:
    async with ctx.database.connection() as sql:
        return int(await sql.fetchval(f"select count(*) from records.{table}"))  # noqa: S608


async def test_native_in_and_out(ctx: Ctx, http: httpx.AsyncClient) -> None:
    made = await http.post("/Binary", content=PICTURE, headers={"content-type": "image/jpeg"})
    assert made.status_code == 201, made.text
    where = made.headers["location"].removeprefix("http://localhost/fhir/R4").partition("/_history")[0]
    assert stated(made.json()) == hashlib.sha256(PICTURE).digest()
    assert "data" not in made.json()
    assert await count(ctx, "content_piece") == 4
    got = await http.get(where)
    assert (got.status_code, got.headers["content-type"], got.content) == (200, "image/jpeg", PICTURE)
    assert got.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert got.headers["etag"] == 'W/"1"'
    assert (await http.get(where, headers={"if-none-match": 'W/"1"'})).status_code == 304
    head = await http.head(where)
    assert (head.headers["content-length"], head.content) == (str(len(PICTURE)), b"")
    as_json = await http.get(where, headers=JSON)
    assert as_json.headers["content-length"] == str(len(as_json.content))
    assert base64.b64decode(as_json.json()["data"]) == PICTURE
    assert (await http.get(f"{where}?_format=json")).json()["data"] == as_json.json()["data"]
    assert (await http.get(f"{where}/_history/1")).content == PICTURE


@pytest.mark.parametrize(
    ("asked", "start", "end"),
    [
        ("bytes=0-0", 0, 1),
        ("bytes=1048570-1048580", 1048570, 1048581),
        ("bytes=3145728-", 3145728, None),
        ("bytes=-5", -5, None),
    ],
)
async def test_ranges(http: httpx.AsyncClient, asked: str, start: int, end: int | None) -> None:
    await http.put("/Binary/p", content=PICTURE, headers={"content-type": "image/jpeg"})
    got = await http.get("/Binary/p", headers={"range": asked})
    assert (got.status_code, got.content) == (206, PICTURE[start:end])
    assert got.headers["content-range"].endswith(f"/{len(PICTURE)}")
    assert (await http.get("/Binary/p", headers={"range": "bytes=9999999-"})).status_code == 416


async def test_json_in_both_ways_of_keeping(ctx: Ctx, http: httpx.AsyncClient) -> None:
    for size, pieces in ((10, 0), (70_000, 1)):
        raw = os.urandom(size)
        made = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(raw).decode()}
        answer = await http.put("/Binary/b", json={**made, "id": "b"}, headers=JSON)
        assert answer.status_code in (200, 201), answer.text
        assert await count(ctx, "content_piece") == pieces
        got = (await http.get("/Binary/b", headers=JSON)).json()
        assert base64.b64decode(got["data"]) == raw
        assert (await http.get("/Binary/b")).content == raw
        again = await http.put("/Binary/b", json=got, headers=JSON)
        assert again.headers["etag"] == answer.headers["etag"]  # a repeat makes no version
    assert await count(ctx, "content") == 1
    refused = await http.put("/Binary/b", json={**made, "id": "c"}, headers=JSON)
    assert refused.status_code == 400
    bad = {"resourceType": "Binary", "contentType": "text/plain", "data": "x" * 99_999}
    assert (await http.post("/Binary", json=bad, headers=JSON)).status_code == 422
    assert (
        await http.post("/Binary", content=b'{"resourceType":"Binary","data":"aGk="}', headers=JSON)
    ).status_code == 422
    assert await count(ctx, "content") == 1  # nothing of what was refused is left


async def test_the_same_bytes_once_and_history_kept(ctx: Ctx, http: httpx.AsyncClient) -> None:
    other = os.urandom(200_000)
    for name, raw in (("a", PICTURE), ("b", PICTURE), ("a", other)):
        await http.put(f"/Binary/{name}", content=raw, headers={"content-type": "image/png"})
    assert await count(ctx, "content") == 2
    assert (await http.get("/Binary/a/_history/1")).content == PICTURE
    assert (await http.get("/Binary/a")).content == other
    assert (await http.delete("/Binary/a")).status_code == 204
    assert (await http.get("/Binary/a")).status_code == 410
    assert (await http.get("/Binary/a/_history/2")).content == other


async def test_naming_a_hash_gives_nobody_its_bytes(http: httpx.AsyncClient) -> None:
    made = (await http.post("/Binary", content=PICTURE, headers={"content-type": "image/png"})).json()
    await http.put("/Binary/thief", json={**made, "id": "thief"}, headers=JSON)
    assert (await http.get("/Binary/thief")).content == b""
    assert "data" not in (await http.get("/Binary/thief", headers=JSON)).json()


async def test_context_decides_at_every_door(ctx: Ctx, door: Door) -> None:
    async with access.work(ctx, "seed") as inner:
        await records.update(inner, patient("ada"))
        await records.update(inner, patient("ben"))
        document = {"resourceType": "DocumentReference", "id": "d", "status": "current"}
        document |= {"subject": {"reference": "Patient/ada"}, "content": [{"attachment": {"url": "Binary/two"}}]}
        await records.update(inner, document)
    ada = await someone(ctx, "patient", patient="ada")
    ben = await someone(ctx, "patient", patient="ben")
    async with door(client(ctx, "system/*.cruds")) as http:
        one = await http.put(
            "/Binary/one", content=PICTURE, headers={"content-type": "image/png", "x-security-context": "Patient/ada"}
        )
        assert one.status_code == 201, one.text
        by_document = {"securityContext": {"reference": "DocumentReference/d"}, "contentType": "text/plain"}
        two = await http.put("/Binary/two", json={"resourceType": "Binary", "id": "two", **by_document}, headers=JSON)
        assert two.status_code == 201, two.text
        lost = {**by_document, "securityContext": {"reference": "DocumentReference/lost"}}
        assert (await http.post("/Binary", json={"resourceType": "Binary", **lost}, headers=JSON)).status_code == 422
    for person, status, seen in ((ada, 200, 2), (ben, 403, 0)):
        async with door(acting(ctx, person)) as http:
            for id_ in ("one", "two"):
                for address in (f"/Binary/{id_}", f"/Binary/{id_}/_history/1", f"/Binary/{id_}/_history"):
                    assert (await http.get(address)).status_code == status, address
                assert (await http.get(f"/Binary/{id_}", headers=JSON)).status_code == status
            assert len((await http.get("/Binary")).json().get("entry", [])) == seen
            assert len((await http.get("/Binary/_history")).json().get("entry", [])) == seen
    async with door(client(ctx, "system/Patient.rs")) as http:
        assert (await http.get("/Binary/one")).status_code == 403
        assert (await http.post("/Binary", content=b"x", headers={"content-type": "text/plain"})).status_code == 403
    assert await count(ctx, "content") == 1  # what may not be written was not taken in


@pytest.mark.parametrize("alone", [False, True])
async def test_what_an_attachment_says_must_be_true(ctx: Ctx, door: Door, alone: bool) -> None:
    """alone: as a client's single create, which shares its transaction with others."""
    async with door(client(ctx, "system/*.cruds") if alone else ctx) as http:
        await _attachments(http)


async def _attachments(http: httpx.AsyncClient) -> None:
    await http.put("/Binary/p", content=PICTURE, headers={"content-type": "image/png"})
    sha1 = base64.b64encode(hashlib.sha1(PICTURE, usedforsecurity=False).digest()).decode()

    async def keep(**attachment: Any) -> httpx.Response:
        made = {"resourceType": "DocumentReference", "status": "current", "content": [{"attachment": attachment}]}
        return await http.post("/DocumentReference", json=made, headers=JSON)

    assert (await keep(url="Binary/p", hash=sha1, size=len(PICTURE))).status_code == 201
    wrong = await keep(url="Binary/p", hash=base64.b64encode(bytes(20)).decode())
    assert (wrong.status_code, wrong.json()["issue"][0]["expression"]) == (
        422,
        ["DocumentReference.content[0].attachment.hash"],
    )
    assert (await keep(url="Binary/p", size=1)).status_code == 422
    inline = base64.b64encode(b"hi").decode()
    hashed = base64.b64encode(hashlib.sha1(b"hi", usedforsecurity=False).digest()).decode()
    assert (await keep(data=inline, hash=hashed, contentType="text/plain")).status_code == 201
    assert (await keep(data=inline, hash=sha1, contentType="text/plain")).status_code == 422


async def test_a_scanner_refuses(ctx: Ctx, http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scanning, "_scanners", [])
    assert scanning.scanners() == []

    async def scan(media: str, parts: AsyncIterator[bytes]) -> str | None:
        raw = b"".join([part async for part in parts])
        return "EICAR" if b"EICAR" in raw and media == "text/plain" else None

    scanning.scan_by(scanning.Scanner("test", scan))
    assert scanning.scanners() == ["test"]
    bad = b"x" * 2_000_000 + b"EICAR"
    answer = await http.post("/Binary", content=bad, headers={"content-type": "text/plain"})
    assert (answer.status_code, answer.json()["issue"][0]["code"]) == (422, "security")
    assert await count(ctx, "content") == await count(ctx, "content_piece") == 0
    small = {"resourceType": "Binary", "contentType": "text/plain", "data": base64.b64encode(b"EICAR").decode()}
    assert (await http.post("/Binary", json=small, headers=JSON)).status_code == 422
    entry = {"resource": small, "request": {"method": "POST", "url": "Binary"}}
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry]}
    assert (await http.post("/", json=bundle, headers=JSON)).status_code == 422
    assert (await http.post("/Binary", content=b"fine", headers={"content-type": "text/plain"})).status_code == 201


async def test_what_never_became_whole_is_swept(ctx: Ctx, clock: TurnableClock) -> None:
    async def body() -> AsyncIterator[bytes]:
        yield b"x" * 100

    await contents.take(ctx, body())
    await contents.sweep(ctx, {})
    assert await count(ctx, "content") == 1
    clock.turn(timedelta(hours=25))
    await contents.sweep(ctx, {})
    assert await count(ctx, "content") == await count(ctx, "content_piece") == 0


class Measured:
    """A caller that sends and reads 100 MB without holding them, and looks at this process's memory meanwhile."""

    def __init__(self, ctx: Ctx) -> None:
        middleware = [Middleware(Bounded, doors=BOUNDS), Middleware(_As, ctx=ctx)]
        self.app = Starlette(routes=ROUTES, middleware=middleware)
        self.peak = 0

    async def call(self, method: str, headers: dict[str, str], parts: AsyncIterator[bytes]) -> tuple[int, str, int]:
        status, size, digest = 0, 0, hashlib.sha256()
        ended = asyncio.Event()

        async def receive() -> dict[str, Any]:
            self.look()
            part = await anext(parts, None)
            if part is None and ended.is_set():
                await asyncio.Event().wait()  # the caller stays; nothing more comes
            if part is None:
                ended.set()
            return {"type": "http.request", "body": part or b"", "more_body": part is not None}

        async def send(message: dict[str, Any]) -> None:
            nonlocal status, size
            self.look()
            if message["type"] == "http.response.start":
                status = message["status"]
            else:
                size += len(message.get("body", b""))
                digest.update(message.get("body", b""))

        scope = {
            **{"type": "http", "method": method, "path": "/fhir/R4/Binary/big", "query_string": b"", "scheme": "http"},
            **{"http_version": "1.1", "root_path": "", "server": ("localhost", 80), "client": ("127.0.0.1", 1)},
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }
        await self.app(scope, receive, send)  # type: ignore[arg-type]
        return status, digest.hexdigest(), size

    def look(self) -> None:
        self.peak = max(self.peak, resident())


def resident() -> int:
    """Bytes of memory that this process holds."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def test_a_hundred_megabytes_are_never_whole_in_memory(ctx: Ctx, capsys: pytest.CaptureFixture[str]) -> None:
    block = os.urandom(1 << 16)
    size, expected = 100 << 20, hashlib.sha256()
    for _ in range(size // len(block)):
        expected.update(block)

    async def native() -> AsyncIterator[bytes]:
        for _ in range(size // len(block)):
            yield block

    async def as_json() -> AsyncIterator[bytes]:
        yield b'{"resourceType":"Binary","id":"big","contentType":"application/pdf","data":"'
        text = base64.b64encode(block * 3)
        for _ in range(size // len(block) // 3):
            yield text
        yield base64.b64encode(block * (size // len(block) % 3)) + b'"}'

    async def nothing() -> AsyncIterator[bytes]:
        return
        yield

    door = Measured(ctx)
    grown = {}
    media = {"content-type": "application/pdf", "host": "localhost"}
    fhir = {**JSON, "host": "localhost"}
    for name, method, headers, body in (
        ("native in", "PUT", media, native()),
        ("native out", "GET", {"host": "localhost"}, nothing()),
        ("JSON in", "PUT", fhir, as_json()),
        ("JSON out", "GET", fhir, nothing()),
    ):
        gc.collect()
        door.peak = before = resident()
        status, digest, sent = await door.call(method, headers, body)
        grown[name] = (door.peak - before) >> 20
        assert status in (200, 201)
        if name == "native out":
            assert (digest, sent) == (expected.hexdigest(), size)
        if name == "JSON out":
            assert sent > size * 4 // 3
    with capsys.disabled():
        print(f"\n100 MB through Binary, memory grown by MB: {grown}")
    assert max(grown.values()) < 50, grown
    assert await count(ctx, "content") == 1


@pytest.mark.parametrize("step", [1, 2, 3, 7, 1000])
def test_data_is_lifted_out_of_json_in_pieces_of_any_size(step: int) -> None:
    made = {
        "resourceType": "Binary",
        "data": base64.b64encode(b"\xff\xfe" * 50).decode(),
        "x": [{"data": "no"}, 'a"\\'],
    }
    raw = json.dumps(made).replace("/", "\\/").encode()
    lifted = Lifted()
    found = b"".join(part for at in range(0, len(raw), step) for part in lifted.feed(raw[at : at + step]))
    assert found == b"\xff\xfe" * 50
    assert json.loads(lifted.rest) == {**made, "data": ""}


@pytest.mark.parametrize("text", [b"a", b"ab=c", b"a===", b"\xff\xff\xff\xff", b"aGk=aGk=", b"aG\\nk="])
def test_what_is_no_base64(text: bytes) -> None:
    decoder = Decoder()
    with pytest.raises(Refused):
        for at in range(len(text)):
            decoder.feed(text[at : at + 1])
        decoder.end()
