"""What the room's tests share: two patients with numbers, and one interface."""

from collections.abc import AsyncIterator

import pytest
from tests.exchange.oru import SYSTEM

from bedside import access, exchange, records
from bedside.foundation.context import Ctx
from bedside.monitoring import subscribers

PEOPLE = {
    "p1": ("4711", "Quist", "Ada", "1950-01-02"),
    "p2": ("582206", "Quist", "Ida", "1950-01-02"),
    "p3": ("693317", "Okafor", "Chidi", "1971-05-06"),
}


def patient(id_: str, number: str, family: str, given: str, born: str) -> dict[str, object]:
    """A Patient with one number of the ward's."""
    return {
        "resourceType": "Patient",
        "id": id_,
        "identifier": [{"system": SYSTEM, "value": number}],
        "name": [{"family": family, "given": [given]}],
        "birthDate": born,
    }


@pytest.fixture
async def ward(ctx: Ctx) -> AsyncIterator[exchange.Interface]:
    """The interface MON/ICU; p1 and p2 are twins."""
    for provider in subscribers.READ_PROVIDERS:
        records.provide(provider)
    for governed in subscribers.GOVERNED:
        records.govern(governed)
    async with access.work(ctx, "added patients") as inner:
        for id_, details in PEOPLE.items():
            await records.create(inner, patient(id_, *details), id=id_)
    async with access.work(ctx, "added an interface") as inner:
        new = exchange.NewInterface("ward", "MON", "ICU", {"WARD": SYSTEM}, zone="Europe/Madrid")
        made = await exchange.add_interface(inner, new)
    yield made
