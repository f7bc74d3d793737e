"""A ward with one patient, and a folder for its copies."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting
from bedside.app import downtime


@pytest.fixture
async def copied(ward: Any, tmp_path: Path) -> Any:
    """Rosa lies in bed 4 of Ward 3, with an alarm and a reading; .write() writes, .words open, .to is the folder."""
    async with access.work(ward.ctx, "laid a ward") as ctx:
        await access.add_place(ctx, "ward-3", "Ward 3", "ward")
        await access.place_patient(ctx, ward.rosa_id, "ward-3", bed="4")
    async with access.work(acting(ward.ctx, ward.nurse), "typed a reading") as ctx:
        await monitoring.enter_readings(
            ctx,
            monitoring.NewReading(
                ward.rosa_id,
                "systolic",
                178.0,
                "mm[Hg]",
                also=(monitoring.Typed("diastolic", 112.0, "mm[Hg]"),),
                confirmed=True,
            ),
        )
    home = tmp_path / "home"
    ward.to, ward.words = tmp_path / "copies", downtime.init(home, tmp_path / "copies")

    async def write() -> downtime.Wrote:
        return await downtime.write(ward.ctx, home)

    ward.home, ward.write = home, write
    return ward
