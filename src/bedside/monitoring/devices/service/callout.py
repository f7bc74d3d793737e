"""The door of the wire: NATS asks here about everyone who connects (auth callout), so a new device is live at once.

A device gets a user of its own that may publish its own readings and waveforms and hear its own acknowledgements,
nothing else. MQTT inside NATS needs no further permission for that (tried on 2.15.1: with acknowledgements published
outside JetStream they arrive at QoS 0, also for a subscription at QoS 1).
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
from typing import Any, Final

import nkeys
import orjson
import structlog
from nats.aio.msg import Msg

from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError
from bedside.foundation.ids import uuid7
from bedside.monitoring.devices.service.sign_in import Refused, judge
from bedside.monitoring.devices.service.technical import note
from bedside.monitoring.devices.store import devices as store

SUBJECT: Final = "$SYS.REQ.USER.AUTH"
ACCOUNT: Final = "BEDSIDE"
"""The NATS account everybody of Bedside is in."""
AT_ONCE: Final = 4
"""Sign-ins judged at the same time: a storm after a restart must leave connections of the pool to the readings."""
log = structlog.get_logger("bedside.monitoring")


def _packed(raw: bytes) -> bytes:
    return base64.urlsafe_b64encode(raw).rstrip(b"=")


def _signed(keys: Any, claims: dict[str, Any]) -> str:
    body = _packed(b'{"typ":"JWT","alg":"ed25519-nkey"}') + b"." + _packed(orjson.dumps(claims))
    return (body + b"." + _packed(keys.sign(body))).decode()


def _claims(token: bytes) -> dict[str, Any]:
    """What the server says. It came on the system's own subject in our own account, where no device may publish."""
    middle = token.split(b".")[1]
    found: dict[str, Any] = orjson.loads(base64.urlsafe_b64decode(middle + b"=" * (-len(middle) % 4)))
    return found


class Callout:
    """Answers for devices. ctx: the ingest process's own, outside a transaction; seed: the account's nkey seed."""

    def __init__(self, ctx: Ctx, seed: bytes) -> None:
        self._ctx = ctx
        self._keys = nkeys.from_seed(bytearray(seed))
        self._issuer = self._keys.public_key.decode()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._tasks: set[asyncio.Task[None]] = set()
        self._subscription: Any = None

    async def start(self) -> None:
        """From now on. Several ingest processes share the questions."""
        self._subscription = await self._ctx.bus.client.subscribe(SUBJECT, queue="callout", cb=self._ask)

    async def stop(self) -> None:
        """Answer nobody any more."""
        if self._subscription is not None:
            with contextlib.suppress(Exception):
                await self._subscription.unsubscribe()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask(self, message: Msg) -> None:
        task = asyncio.create_task(self._answer(message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, message: Msg) -> None:
        claims = _claims(message.data)
        asked = claims["nats"]
        try:
            async with self._places:
                answer: dict[str, Any] = {"jwt": await self._user(asked)}
        except Refused as refusal:
            # The server writes this to its log; the device hears only "not authorised".
            answer = {"error": refusal.kind}
            await self._note(refusal, asked)
        except Exception as error:  # the database is away: nobody comes in, the device tries again
            log.warning("a device could not be judged", kind=type(error).__name__)
            answer = {"error": "unavailable"}
        now = int(self._ctx.clock.now().timestamp())
        response = {
            "jti": uuid7(),
            "iat": now,
            "iss": self._issuer,
            "sub": asked["user_nkey"],
            "aud": asked["server_id"]["id"],
            "nats": {**answer, "type": "authorization_response", "version": 2},
        }
        with contextlib.suppress(Exception):  # the link went: the device tries again
            await message.respond(_signed(self._keys, response).encode())

    async def _user(self, asked: dict[str, Any]) -> str:
        options, client = asked["connect_opts"], asked["client_info"]
        name, password = str(options.get("user", "")), str(options.get("pass", ""))
        async with self._ctx.database.transaction() as sql:
            found = await judge(self._ctx.with_(tx=sql), name, await store.secret_of(sql, name), password)
            now = self._ctx.clock.now()
            # The kind of connection in the user's own claims is not enforced by 2.15.1, so it is here.
            if client.get("type") != "mqtt":
                raise Refused("wrong-door", name)
            client_id = str(client.get("mqtt_id", ""))
            if client_id and await store.bind_client(sql, client_id, found["number"], now) != found["number"]:
                raise Refused("client-id-taken", name)
        user: dict[str, Any] = {
            "jti": uuid7(),
            "iat": int(now.timestamp()),
            "iss": self._issuer,
            "sub": asked["user_nkey"],
            "aud": ACCOUNT,
            "name": name,
            "nats": {
                "pub": {"allow": [f"devices.{name}.readings", f"devices.{name}.waveforms"]},
                "sub": {"allow": [f"devices.{name}.acks"]},
                "subs": 16,
                "data": -1,
                "payload": -1,
                "type": "user",
                "version": 2,
            },
        }
        if found["expires_at"] is not None:
            user["exp"] = int(found["expires_at"].timestamp())
        return _signed(self._keys, user)

    async def _note(self, refusal: Refused, asked: dict[str, Any]) -> None:
        log.info("a device was refused", why=refusal.kind)
        if refusal.until is not None:  # noted when it began: a note for each try would never let it end
            return
        try:
            async with self._ctx.database.transaction() as sql:
                host = str(asked["client_info"].get("host", ""))
                await note(self._ctx.with_(tx=sql), refusal.kind, refusal.device, host=host)
        except (BedsideError, OSError):
            log.warning("a refusal could not be recorded", why=refusal.kind)
