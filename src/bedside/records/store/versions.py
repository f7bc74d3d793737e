"""Versions of resources to write, column by column, as unnest and COPY take them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec


class Versions(msgspec.Struct):
    """Versions to write, column by column. patients: ids joined by spaces. bodies: None for a deletion."""

    updated: list[datetime] = []
    rids: list[int] = []
    types: list[str] = []
    ids: list[str] = []
    numbers: list[int] = []
    methods: list[str] = []
    patients: list[str] = []
    bodies: list[bytes | None] = []

    def add(
        self,
        updated: datetime,
        rid: int,
        type_: str,
        id_: str,
        number: int,
        method: str,
        patients: Sequence[str],
        body: bytes | None,
    ) -> None:
        """Append one."""
        self.updated.append(updated)
        self.rids.append(rid)
        self.types.append(type_)
        self.ids.append(id_)
        self.numbers.append(number)
        self.methods.append(method)
        self.patients.append(" ".join(patients))
        self.bodies.append(body)

    def extend(self, other: Versions) -> None:
        """Append all of another's."""
        for mine, theirs in zip(self.columns(), other.columns(), strict=True):
            mine.extend(theirs)

    def columns(self) -> tuple[list[Any], ...]:
        """Each by itself, in the order of the statements' arguments."""
        return self.updated, self.rids, self.types, self.ids, self.numbers, self.methods, self.patients, self.bodies
