"""A home with another key than its database's is refused before anything runs on it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from bedside import access
from bedside.access.service import keys
from bedside.access.service.fitting import key_fits
from bedside.access.store import credentials
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Unavailable

pytestmark = pytest.mark.engine


async def test_a_second_machine_with_a_key_of_its_own_does_not_start(ctx: Ctx, tmp_path: Path) -> None:
    await key_fits(ctx.database, tmp_path / "first")  # nobody has a second factor yet
    async with access.work(ctx, "added a person") as inner:
        person = await access.add_person(inner, access.NewPerson(name="Test", roles=frozenset({"nurse"})))
        sealed = keys.sealed(tmp_path / "first", "JBSWY3DPEHPK3PXP")
        await credentials.put_secret(inner.sql, person.id, "totp", sealed, datetime.now(UTC))
    await key_fits(ctx.database, tmp_path / "first")
    with pytest.raises(Unavailable, match="does not fit its database") as told:
        await key_fits(ctx.database, tmp_path / "second")
    assert "copy keys/ of the first one's home" in (told.value.remedy or "")
