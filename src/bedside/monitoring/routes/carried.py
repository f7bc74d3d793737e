"""PUT /devices/{device}/gateway: a gateway says that it is there, and that it carries this device."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from bedside.foundation.errors import BedsideError, Invalid
from bedside.foundation.http import ctx_of
from bedside.monitoring import service
from bedside.monitoring.routes.readings import refusal
from bedside.monitoring.routes.signing_in import device_of

MOST_BYTES = 1024


class Carrier(msgspec.Struct, frozen=True):
    """gateway: the name it gives itself, the same at each of its devices."""

    gateway: str


async def put(request: Request) -> Response:
    """204 once it is noted. Signed in as the device, as for its readings."""
    try:
        known = await device_of(request)
        ctx = ctx_of(request)
        await service.admit(ctx, known)
        body = await request.body()
        try:
            said = msgspec.json.decode(body[: MOST_BYTES + 1], type=Carrier)
        except msgspec.MsgspecError:
            raise Invalid('Send {"gateway": NAME}.', where="gateway") from None
        await service.gateway_heard(ctx, known, said.gateway)
    except BedsideError as error:
        return refusal(error)
    return Response(status_code=204)
