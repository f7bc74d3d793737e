"""For how long data are kept: an administrator tries it out, then lets it hold."""

import re
from typing import Any

import pytest

from bedside import access, monitoring
from bedside.access.testing import acting, someone
from bedside.web import admin

pytestmark = pytest.mark.engine
PAGE = "/admin/retention"


@pytest.fixture
def clinic(ward: Any) -> Any:
    """The ward with the administrator's pages too."""
    plain = ward.app_of

    def app_of(person: access.Person) -> Any:
        app = plain(person)
        app.router.routes.extend(admin.ROUTES)
        return app

    ward.app_of = app_of
    return ward


async def test_an_administrator_looks_ahead_and_then_sets_it(clinic: Any) -> None:
    pat = await someone(clinic.ctx, "administrator", name="Pat Morgan")
    async with clinic.as_(pat) as client:
        text = (await client.get(PAGE)).text
        assert "Thinned to hours: never" in text
        assert "Let it hold" not in text
        form = {"thin_days": "120", "delete_days": "3650"}
        ahead = await client.post(f"{PAGE}/readings", data={**form, "do": "preview"})
        assert "0 readings would be thinned" in ahead.text
        assert "Let it hold" in ahead.text
        async with access.work(acting(clinic.ctx, pat), "looked") as ctx:
            assert (await monitoring.retention(ctx, "readings")).n == 0
        for wrong in ({"thin_days": "10"}, {"thin_days": "x"}, {"delete_days": "100"}, {"reason": ""}):
            refused = await client.post(f"{PAGE}/readings", data={**form, "reason": "by law", "do": "set", **wrong})
            assert refused.status_code == 400, wrong
        kept = await client.post(f"{PAGE}/readings", data={**form, "reason": "by law of the state", "do": "set"})
        assert kept.status_code == 303
        after = (await client.get(PAGE)).text
        assert "after 120 days" in after
        assert "by law of the state" in after
        assert (await client.post(f"{PAGE}/moods", data={"do": "preview"})).status_code == 400


async def test_nobody_else_may(clinic: Any) -> None:
    async with clinic.as_(clinic.nurse) as client:
        assert (await client.get(PAGE)).status_code == 403
        assert (await client.post(f"{PAGE}/readings", data={"do": "preview"})).status_code == 403


async def test_notices_have_a_policy_of_their_own(clinic: Any) -> None:
    pat = await someone(clinic.ctx, "administrator", name="Pat Morgan")
    async with clinic.as_(pat) as client:
        text = (await client.get(PAGE)).text
        assert re.search(r'id="notices".*?Deleted: after 730 days', text, re.DOTALL)
        for wrong in ("30", "x"):
            refused = await client.post(
                f"{PAGE}/notices", data={"delete_days": wrong, "reason": "too many", "do": "set"}
            )
            assert refused.status_code == 400
        ahead = await client.post(f"{PAGE}/notices", data={"delete_days": "100", "do": "preview"})
        assert "0 notices would be deleted." in ahead.text
        form = {"delete_days": "", "reason": "a court asked for all", "do": "set"}
        assert (await client.post(f"{PAGE}/notices", data=form)).status_code == 303
        assert re.search(r'id="notices".*?Deleted: never', (await client.get(PAGE)).text, re.DOTALL)
