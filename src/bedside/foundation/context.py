"""Who asks, for what purpose, in which tenant, in which transaction, at what time: the first argument of every face.

No ctx, no data. A ctx is made at a door (HTTP session, token, device message, job) and never inside a room.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from bedside.foundation.clock import Clock
from bedside.foundation.ids import uuid7

if TYPE_CHECKING:
    from bedside.foundation.bus import Bus
    from bedside.foundation.database import Connection, Database

Purpose = Literal["TREAT", "PATRQT", "HOPERAT", "ETREAT", "SYSADMIN", "HPAYMT", "PUBHLTH"]
"""HL7 v3 PurposeOfUse codes: treatment, the patient's own request, operations, emergency treatment, administration."""


class Actor(msgspec.Struct, frozen=True):
    """Who asks. kind says what stands behind id: a person, a backend client, a device, a job, or nobody."""

    kind: Literal["person", "client", "device", "job", "nobody"]
    id: str
    name: str
    roles: frozenset[str] = frozenset()
    """patient, caregiver, clinician, nurse, pharmacist, administrator, privacy-officer, display."""
    reference: str | None = None
    """The FHIR resource that pictures this actor: Patient/…, Practitioner/…, RelatedPerson/…, Device/…"""
    scopes: frozenset[str] = frozenset()
    """SMART scopes of a backend client."""
    session: str | None = None


NOBODY = Actor("nobody", "-", "nobody")


class Trail(msgspec.Struct):
    """What this unit of work touched: becomes its one audit entry. Filled by access.authorise, read by access.work."""

    action: str = ""
    """The entry's event in the words of the patient's page: 'opened the chart', 'searched Observation'."""
    patients: dict[str, set[str]] = msgspec.field(default_factory=dict)
    """Patient id to the actions on them: C R U D E (FHIR audit-event-action)."""
    entities: list[str] = msgspec.field(default_factory=list)
    """References read or written, as many as are useful, without values."""
    refused: str | None = None
    wrote: bool = False
    actor: Actor | None = None
    """Who acted in the end, where that showed only underway: a sign-in, or a person who confirmed at a shared wall."""
    emergency: bool = False
    """Something was let pass by emergency access alone."""
    after_rollback: list[Callable[[], Awaitable[None]]] = msgspec.field(default_factory=list)
    """What must be kept of a refused request: the count of a wrong PIN."""


class Ctx(msgspec.Struct, frozen=True):
    """See the module. Frozen: `with_` makes a changed copy; trail and after_commit are shared by the copies."""

    actor: Actor
    purpose: Purpose
    tenant: int
    clock: Clock
    database: Database
    bus: Bus
    tx: Connection | None = None
    request: str = msgspec.field(default_factory=uuid7)
    origin: str = ""
    """Where the request came from (network address, device, job name): for audit."""
    reason: str | None = None
    """The stated reason, where the purpose needs one (emergency access, override)."""
    trail: Trail = msgspec.field(default_factory=Trail)
    after_commit: list[Callable[[], Awaitable[None]]] = msgspec.field(default_factory=list)

    def with_(self, **changes: Any) -> Ctx:
        """A copy with some fields changed."""
        return msgspec.structs.replace(self, **changes)

    @property
    def sql(self) -> Connection:
        """The open transaction. Raises RuntimeError outside one: a face was called without access.work."""
        if self.tx is None:
            raise RuntimeError("no transaction in this ctx: open one with access.work(ctx)")
        return self.tx

    def then(self, effect: Callable[[], Awaitable[None]]) -> None:
        """Run after the commit; never if it rolls back. For moments (bus messages), not for promises (jobs)."""
        self.after_commit.append(effect)
