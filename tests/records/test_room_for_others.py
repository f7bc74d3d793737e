"""While one large request is checked and written, the same process answers others."""

from __future__ import annotations

import asyncio
import json
import threading
from collections import Counter
from typing import Any

import httpx
import pytest
from tests.records.resources import patient, pulse

from bedside.fhir import structure
from bedside.records.model import bundle
from bedside.records.service import writing
from bedside.records.store import copying

pytestmark = pytest.mark.engine

MANY = 2000


def _bundle(kind: str) -> dict[str, Any]:
    request = {"method": "POST", "url": "Observation"}
    entries = [{"resource": pulse("ada", 40 + n % 90), "request": request} for n in range(MANY)]
    return {"resourceType": "Bundle", "type": kind, "entry": entries}


async def _meanwhile(http: httpx.AsyncClient, large: asyncio.Task[httpx.Response]) -> int:
    """Small reads, one after another, that were answered before the large request was."""
    answered = 0
    while not large.done():
        assert (await http.get("/Patient/ada")).status_code == 200
        answered += 1
    return answered


class _Steps:
    """How often functions are called between two turns of the event loop, at most."""

    def __init__(self) -> None:
        self.now: Counter[str] = Counter()
        self.most: Counter[str] = Counter()

    def count(self, monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
        before = getattr(owner, name)

        def counted(*given: Any, **named: Any) -> Any:
            self.now[name] += 1
            return before(*given, **named)

        monkeypatch.setattr(owner, name, counted)

    async def watch(self) -> None:
        while True:
            self.most |= self.now
            self.now.clear()
            await asyncio.sleep(0)


async def test_a_transaction(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    await http.put("/Patient/ada", json=patient("ada"))
    steps = _Steps()
    for owner, name in ((bundle, "entry"), (bundle, "resolved"), (writing._Work, "take"), (copying, "_entry")):
        steps.count(monkeypatch, owner, name)
    watching = asyncio.create_task(steps.watch())
    large = asyncio.create_task(http.post("", content=json.dumps(_bundle("transaction"))))
    answered = await _meanwhile(http, large)
    watching.cancel()
    assert (await large).status_code == 200
    assert answered
    assert max(steps.most[name] for name in ("entry", "resolved", "take")) == 50
    assert steps.most["_entry"] == 500  # rows of the index


@pytest.mark.parametrize("judged", [True, False])
async def test_a_check(http: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch, judged: bool) -> None:
    """No entry is looked at in the event loop, whether it is only to be judged or to be kept."""
    await http.put("/Patient/ada", json=patient("ada"))
    others, waited = threading.Event(), list[bool]()

    def told(raw: Any, *more: Any, **named: Any) -> Any:
        waited.append(others.wait(20))  # which the loop itself would do in vain
        return before(raw, *more, **named)

    name, address = ("validate", "/Bundle/$validate") if judged else ("accept", "")
    before = getattr(structure, name)
    monkeypatch.setattr(structure, name, told)
    sent = _bundle("collection" if judged else "transaction")
    sent["entry"].append({"resource": {**pulse("ada"), "status": "nonsense"}, "request": {"method": "POST"}})
    large = asyncio.create_task(http.post(address, content=json.dumps(sent)))
    for _ in range(5):
        assert (await http.get("/Patient/ada")).status_code == 200
    assert not large.done()
    others.set()
    assert (await large).status_code == (200 if judged else 422)
    assert waited == [True]
