"""What crosses the face: a stored version, a page of a search, a line of the patient search."""

from datetime import date, datetime
from typing import Any, NamedTuple


class Stored(NamedTuple):
    """One version as it was kept. created: whether this write made the resource. changed: False when the write
    repeated what stood there, and so made no new version. body: compact FHIR JSON, numbers as written. issues: what the
    site wants its writers to be told (OperationOutcome issues)."""

    type: str
    id: str
    version: int
    updated: datetime
    created: bool
    changed: bool
    body: bytes
    issues: tuple[Any, ...] = ()

    @property
    def reference(self) -> str:
        """`Type/id`."""
        return f"{self.type}/{self.id}"

    @property
    def resource(self) -> dict[str, Any]:
        """The resource, decoded anew; decimals are decimal.Decimal, so that their precision stays."""
        from bedside.records.model.json import decode

        return decode(self.body)


class Page(NamedTuple):
    """One page of a search or a history.

    entries: the matches, in order. included: what _include and _revinclude added. total: all matches, when counted.
    next: the cursor of the next page (the `_cursor` parameter), None on the last. ignored: what lenient handling
    left out, as OperationOutcome issues.
    """

    entries: list[dict[str, Any]]
    total: int | None = None
    next: str | None = None
    included: list[dict[str, Any]] = []  # noqa: RUF012  never changed: a page is a value
    ignored: list[Any] = []  # noqa: RUF012


class PatientRow(NamedTuple):
    """A line of the patient search. number: the first identifier, the medical record number where one is marked so."""

    id: str
    name: str
    birth_date: date | None
    number: str | None
    gender: str | None
