"""The WebSocket of a gateway: each message a SenML pack, or by another subprotocol waveforms, each answered, in order,
once it is durable.

One link is one device, with that device's own credentials: a gateway opens one for each that it carries, so that the
revocation, the limit and the holder of one touch no other (docs/decisions/0015-doors.md).
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import structlog
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketDisconnect

from bedside.foundation.context import Ctx
from bedside.foundation.errors import BedsideError, Forbidden, Invalid, TooMany
from bedside.foundation.http import ctx_of
from bedside.monitoring import service
from bedside.monitoring.devices.service.devices import microseconds
from bedside.monitoring.devices.service.sign_in import Known
from bedside.monitoring.ingest.model import senml
from bedside.monitoring.ingest.model.taken import NotAPack, Told
from bedside.monitoring.ingest.service.answers import answer, malformed
from bedside.monitoring.routes.readings import beside, refusal_body
from bedside.monitoring.routes.signing_in import CHALLENGE, MOST_BYTES, device_of
from bedside.monitoring.waves.model import message
from bedside.monitoring.waves.service.landing import WaveArrival
from bedside.monitoring.waves.service.landing import answer as waves_answer

SUBPROTOCOL: Final = "senml.bedside.v1"
WAVES: Final = "waveforms.bedside.v1"
"""On a link of its own, so that readings do not wait behind waveforms."""
WAITING: Final = 64
"""Messages heard and not answered yet: after that nothing more is read, and TCP holds the gateway back."""
LOOK_EVERY: Final = 2.0
"""Seconds between looking whether the device may stay."""
IDLE: Final = 900.0
"""Seconds without a message, after which the link is taken for dead."""
MOST_LINKS: Final = 8
"""Of one device, in one process."""
GONE_AWAY, POLICY, TOO_BIG, FAULT, LATER = 1001, 1008, 1009, 1011, 1013
"""Close codes: RFC 6455, section 7.4.1, and IANA's registry. A server that stops says 1012 (foundation.serving)."""

_links: Counter[str] = Counter()
log = structlog.get_logger("bedside.monitoring")


class _Closed(Exception):
    """The link ends: code and reason as they go to the other side."""

    def __init__(self, code: int, reason: str) -> None:
        super().__init__(reason)
        self.code, self.reason = code, reason


async def link(socket: WebSocket) -> None:
    """From the handshake to the close."""
    try:
        known = await device_of(socket)
        offered = socket.scope.get("subprotocols", ())
        spoken = next((one for one in (SUBPROTOCOL, WAVES) if one in offered), None)
        if spoken is None:
            raise Invalid(f"The subprotocols here are {SUBPROTOCOL} and {WAVES}.", where="Sec-WebSocket-Protocol")
        if _links[known.name] >= MOST_LINKS:
            raise TooMany("This device has too many links open.", retry_after=5)
    except BedsideError as error:
        await _deny(socket, error)
        return
    _links[known.name] += 1
    try:
        await socket.accept(subprotocol=spoken)
        await _serve(socket, ctx_of(socket), known, _stored if spoken == SUBPROTOCOL else _drawn)
    except _Closed as end:
        with contextlib.suppress(Exception):
            await socket.close(end.code, end.reason)
    except (WebSocketDisconnect, RuntimeError, OSError):
        pass  # the gateway went away: what was not answered it sends again
    finally:
        _links[known.name] -= 1
        if not _links[known.name]:
            del _links[known.name]


async def _deny(socket: WebSocket, error: BedsideError) -> None:
    """The handshake's own answer, where the server can give one; else it is 403."""
    if "websocket.http.response" not in socket.scope.get("extensions", {}):
        await socket.close(POLICY)
        return
    response = Response(refusal_body(error), error.status, media_type="application/json")
    if error.status == 401:
        response.headers["www-authenticate"] = CHALLENGE
    if isinstance(error, TooMany):
        response.headers["retry-after"] = str(error.retry_after)
    await socket.send_denial_response(response)


Store = Callable[[Ctx, Known, list[str | bytes]], Awaitable[list[bytes]]]
"""What a subprotocol does with messages: the answer to each, all of them true."""


async def _serve(socket: WebSocket, ctx: Ctx, known: Known, store: Store) -> None:
    """Until one side ends it: three tasks, the first to end ends all. Raises _Closed, WebSocketDisconnect."""
    heard: asyncio.Queue[str | bytes] = asyncio.Queue(WAITING)
    tasks = [
        asyncio.create_task(_hear(socket, heard)),
        asyncio.create_task(_land(socket, ctx, known, heard, store)),
        asyncio.create_task(_look(ctx, known)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _hear(socket: WebSocket, heard: asyncio.Queue[str | bytes]) -> None:
    while True:
        try:
            message = await asyncio.wait_for(socket.receive(), IDLE)
        except TimeoutError:
            raise _Closed(GONE_AWAY, "idle") from None
        if message["type"] == "websocket.disconnect":
            return
        text = message.get("text")
        payload: str | bytes = text if text is not None else message.get("bytes") or b""
        if len(payload) > MOST_BYTES:
            raise _Closed(TOO_BIG, f"a message may have {MOST_BYTES >> 20} MB")
        await heard.put(payload)


async def _land(socket: WebSocket, ctx: Ctx, known: Known, heard: asyncio.Queue[str | bytes], store: Store) -> None:
    """What waits lands together, in one transaction, and is answered message by message."""
    while True:
        payloads = [await heard.get()]
        while not heard.empty():
            payloads.append(heard.get_nowait())
        try:
            await service.admit(ctx, known, len(payloads))
            answers = await store(ctx, known, payloads)
        except TooMany as error:
            raise _Closed(LATER, f"more than this device may send; wait {error.retry_after} s") from error
        except Forbidden as error:
            raise _Closed(POLICY, "revoked or expired") from error
        except BedsideError as error:
            raise _Closed(LATER, "nothing was kept of what is not answered; try again") from error
        except Exception as error:
            # No more of the error than its kind: its text may hold readings.
            log.warning("a link's readings could not be stored", kind=type(error).__name__)
            raise _Closed(FAULT, "a fault here") from error
        for one in answers:
            await socket.send_text(one.decode())


async def _stored(ctx: Ctx, known: Known, payloads: list[str | bytes]) -> list[bytes]:
    """The acknowledgement of each message, all of them true."""
    received = microseconds(ctx.clock.now())
    answers: list[bytes | None] = []
    packs: list[Told] = []
    for payload in payloads:
        try:
            packs.append(await beside(len(payload), partial(_pack, payload, received)))
        except (senml.NotSenml, UnicodeError) as error:
            why = str(error) if isinstance(error, senml.NotSenml) else "this is not JSON"
            await service.malformed(ctx, known, why)
            answers.append(malformed(why))
        else:
            answers.append(None)
    receipts = iter(await service.receive(ctx, known, packs) if packs else [])
    return [answer(next(receipts)) if one is None else one for one in answers]


async def _drawn(ctx: Ctx, known: Known, payloads: list[str | bytes]) -> list[bytes]:
    """The same of waveforms."""
    received = microseconds(ctx.clock.now())
    answers: list[bytes | None] = []
    arrivals: list[WaveArrival] = []
    for payload in payloads:
        try:
            if isinstance(payload, str):
                raise NotAPack("not CBOR")
            arrivals.append(WaveArrival(known.name, message.decode(payload, received)))
        except NotAPack as error:
            await service.malformed(ctx, known, str(error))
            answers.append(malformed(str(error)))
        else:
            answers.append(None)
    receipts = iter(await service.receive_waves(ctx, known, arrivals) if arrivals else [])
    return [waves_answer(next(receipts)) if one is None else one for one in answers]


def _pack(payload: str | bytes, received: int) -> Told:
    if isinstance(payload, str):
        return Told(senml.decode(payload.encode(), received, "json"))
    return Told(senml.decode(payload, received, "cbor"))


async def _look(ctx: Ctx, known: Known) -> None:
    while True:
        await asyncio.sleep(LOOK_EVERY)
        try:
            stays = await service.welcome(ctx, known)
        except BedsideError:
            continue  # the database is away: nothing is stored meanwhile either
        if not stays:
            raise _Closed(POLICY, "revoked, expired or sending too much")
