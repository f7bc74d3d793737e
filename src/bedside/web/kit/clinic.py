"""What every page says of the clinic it belongs to."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import HTTPConnection


@dataclass(frozen=True, slots=True)
class Clinic:
    """The clinic in its pages' header and footer. app sets `app.state.clinic`; None where nobody has said yet."""

    name: str = "Bedside"
    telephone: str | None = None
    emergency: str | None = None
    """The place's emergency number, as dialled: "112", "911"."""
    zone: str = "UTC"
    """IANA name of the clinic's time zone."""
    country: str = "US"
    """ISO 3166-1 alpha-2: where the clinic is established."""
    language: str = "en"
    units: str = "metric"
    """metric or us: what a person who chose none sees."""
    self_registration: bool = False
    """Whether people may ask at /register to be taken in."""


def clinic_of(connection: HTTPConnection) -> Clinic:
    """The clinic of this request: of its state (a tenant's own) or of the app's."""
    own = getattr(connection.state, "clinic", None)
    if isinstance(own, Clinic):
        return own
    ours = getattr(connection.app.state, "clinic", None) if "app" in connection.scope else None
    return ours if isinstance(ours, Clinic) else Clinic()
