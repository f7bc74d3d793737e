"""The site's virus scan: a seam. Nothing is built in; what is put here sees every content before anything shows it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

from bedside.records.model.refusals import refuse


class Scanner(NamedTuple):
    """A site's virus scan. name: as doctor shows it. scan: the media type and the bytes, to a reason to refuse or None.

    It sees every content before anything shows it; while it answers, nothing is kept. What it raises is a refusal too:
    what could not be looked at does not pass.
    """

    name: str
    scan: Callable[[str, AsyncIterator[bytes]], Awaitable[str | None]]


_scanners: list[Scanner] = []


def scan_by(scanner: Scanner) -> None:
    """Have every content looked at before it is kept. Twice by one name: the last holds."""
    _scanners[:] = [*(one for one in _scanners if one.name != scanner.name), scanner]


def scanners() -> list[str]:
    """The names of those that look."""
    return [one.name for one in _scanners]


async def pass_(media: str, parts: Callable[[], AsyncIterator[bytes]], where: str) -> None:
    """Raise Refused when one of them does not let the content pass."""
    for one in _scanners:
        reason = await one.scan(media, parts())
        if reason is not None:
            raise refuse("security", where, f"{one.name} does not let this content pass: {reason}")
