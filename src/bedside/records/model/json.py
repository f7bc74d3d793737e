"""FHIR JSON in and out without losing a digit: decimals travel as decimal.Decimal."""

from decimal import Decimal
from typing import Any

import msgspec

_DECODER = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")


def decode(body: bytes) -> dict[str, Any]:
    """A JSON object. Raises ValueError (msgspec.DecodeError) for anything else."""
    return _DECODER.decode(body)


def encode(resource: Any) -> bytes:
    """Compact JSON, UTF-8, numbers as they were written."""
    return _ENCODER.encode(resource)
