"""Backend clients: the token endpoint as SMART Backend Services has it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey
from tests.access.conftest import Browser

from bedside import access
from bedside.access.model import scopes
from bedside.access.routes.token import JWT_BEARER
from bedside.foundation.clock import TurnableClock
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Invalid

pytestmark = pytest.mark.engine
ENDPOINT = "http://localhost:8000/oauth/token"
FORM = {"grant_type": "client_credentials"}


async def add(ctx: Ctx, scope: str = "system/*.cruds", jwks: dict[str, Any] | None = None) -> access.NewClient:
    async with access.work(ctx, "added a client") as inner:
        return await access.add_client(inner, "lab", scope, jwks=jwks)


async def test_a_client_with_a_secret(ctx: Ctx, browser: Browser, clock: TurnableClock) -> None:
    made, http = await add(ctx), browser()
    assert made.client_secret is not None
    answer = await http.post("/oauth/token", data=FORM, auth=(made.client_id, made.client_secret))
    assert answer.status_code == 200
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("bearer", 3600, "system/*.cruds")
    assert answer.headers["cache-control"] == "no-store"
    bearer = {"authorization": f"Bearer {body['access_token']}"}
    said = (await http.get("/who", headers=bearer)).json()
    assert (said["kind"], said["id"], said["scopes"]) == ("client", made.client_id, ["system/*.cruds"])
    clock.turn(timedelta(minutes=59, seconds=59))
    assert (await http.get("/who", headers=bearer)).status_code == 200
    clock.turn(timedelta(seconds=1))
    refused = await http.get("/who", headers=bearer)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"].startswith("Bearer")


async def test_a_client_that_ended_is_out_at_once(ctx: Ctx, browser: Browser) -> None:
    made, http = await add(ctx), browser()
    auth = (made.client_id, made.client_secret or "")
    token = (await http.post("/oauth/token", data=FORM, auth=auth)).json()["access_token"]
    async with access.work(ctx, "ended a client") as inner:
        assert [one.name for one in await access.clients(inner)] == ["lab"]
        await access.end_client(inner, made.client_id)
    assert (await http.get("/who", headers={"authorization": f"Bearer {token}"})).status_code == 401
    assert (await http.post("/oauth/token", data=FORM, auth=auth)).status_code == 401


async def test_what_the_endpoint_refuses(ctx: Ctx, browser: Browser) -> None:
    made, http = await add(ctx, "system/Observation.rs"), browser()
    good = (made.client_id, made.client_secret or "")
    for auth, form, status, error in (
        ((made.client_id, "wrong"), FORM, 401, "invalid_client"),
        (("nobody", "x"), FORM, 401, "invalid_client"),
        (None, FORM, 401, "invalid_client"),
        (good, {}, 400, "unsupported_grant_type"),
        (good, {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (good, FORM | {"scope": "system/Observation.dus"}, 400, "invalid_scope"),
        (good, FORM | {"scope": "system/Patient.r"}, 400, "invalid_scope"),
        (good, FORM | {"scope": "patient/Observation.rs"}, 400, "invalid_scope"),
    ):
        answer = await http.post("/oauth/token", data=form, auth=auth)  # type: ignore[arg-type]
        assert (answer.status_code, answer.json()["error"]) == (status, error), form
    narrowed = await http.post("/oauth/token", data=FORM | {"scope": "system/*.r"}, auth=good)
    assert narrowed.json()["scope"] == "system/Observation.r"


def assertion(client: str, key: RSAKey | ECKey, at: float, **changes: Any) -> str:
    claims = {"iss": client, "sub": client, "aud": ENDPOINT, "exp": int(at) + 240, "jti": str(uuid4())} | changes
    header = {"alg": "RS384" if isinstance(key, RSAKey) else "ES384", "kid": key.kid}
    return jwt.encode(header, {k: v for k, v in claims.items() if v is not None}, key, algorithms=["RS384", "ES384"])


@pytest.mark.parametrize("kind", ["RS384", "ES384"])
async def test_a_client_that_signs(ctx: Ctx, browser: Browser, clock: TurnableClock, kind: str) -> None:
    key = (
        RSAKey.generate_key(2048, auto_kid=True, parameters={"use": "sig"})
        if kind == "RS384"
        else ECKey.generate_key("P-384", auto_kid=True, parameters={"use": "sig"})
    )
    made = await add(ctx, jwks={"keys": [key.as_dict(private=False)]})
    assert made.client_secret is None
    http, now = browser(), clock.now().timestamp()

    async def ask(text: str) -> tuple[int, str]:
        answer = await http.post(
            "/oauth/token", data=FORM | {"client_assertion_type": JWT_BEARER, "client_assertion": text}
        )
        return answer.status_code, answer.json().get("error", "")

    good = assertion(made.client_id, key, now)
    assert await ask(good) == (200, "")
    assert await ask(good) == (401, "invalid_client"), "an assertion is good once"
    other = ECKey.generate_key("P-384", parameters={"use": "sig", "kid": key.kid})
    for text in (
        assertion(made.client_id, key, now, exp=int(now) + 600),
        assertion(made.client_id, key, now, exp=int(now) - 60),
        assertion(made.client_id, key, now, exp=None),
        assertion(made.client_id, key, now, jti=None),
        assertion(made.client_id, key, now, aud="https://elsewhere.example/token"),
        assertion(made.client_id, key, now, iss="someone-else"),
        assertion("nobody", key, now),
        assertion(made.client_id, other, now),
        good[:-6] + "AAAAAA",
        "not.a.jwt",
        "",
    ):
        assert await ask(text) == (401, "invalid_client"), text


async def test_key_sets_that_cannot_serve(ctx: Ctx) -> None:
    private = ECKey.generate_key("P-384").as_dict(private=True)
    for jwks in ({}, {"keys": []}, {"keys": [private]}, {"keys": [{"kty": "oct", "k": "AAAA"}]}):
        with pytest.raises(Invalid):
            await add(ctx, jwks=jwks)


def test_scopes() -> None:
    assert scopes.parse("system/*.cruds system/Patient.rs") == {"system/*.cruds", "system/Patient.rs"}
    for bad in ("system/Observation.dus", "system/Observation.", "user/*.rs", "system/observation.r", "", "system/*"):
        with pytest.raises(Invalid):
            scopes.parse(bad)
    with pytest.raises(Invalid):
        scopes.parse("system/Observation.rs?category=vital-signs")
    for action, letter in scopes.LETTER.items():
        assert scopes.allows({f"system/Observation.{letter}"}, action, "Observation/1")
        assert not scopes.allows({f"system/Observation.{letter}"}, action, "Condition")
        others = "".join(c for c in "cruds" if c != letter)
        assert not scopes.allows({f"system/*.{others}"}, action, "Observation")


async def test_too_many_tries_are_told_to_wait(ctx: Ctx, browser: Browser) -> None:
    http = browser()
    statuses = [(await http.post("/oauth/token", data=FORM, auth=("someone", str(n)))).status_code for n in range(61)]
    assert statuses == [401] * 60 + [429]
