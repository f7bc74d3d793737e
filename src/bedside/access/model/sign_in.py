"""Values of signing in: what a person shows, what they get, and how often they may try."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from bedside.access.model.people import Person


@dataclass(frozen=True, slots=True)
class Proof:
    """What shows that the person is at the keyboard now. secret: the password or PIN, or the passkey's answer as JSON.

    person: who, where the session is nobody's own (a wall); else None, the signed-in one.
    """

    kind: Literal["password", "pin", "passkey"]
    secret: str
    person: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A session was opened. token: goes into the cookie and nowhere else."""

    token: str
    session: str
    person: Person
    lasts: timedelta


@dataclass(frozen=True, slots=True)
class NextStep:
    """The password was right and more is needed. ticket: good once, for 10 minutes, names nobody.

    step: the app's code, or setting the app up; passkey: theirs is the second factor, and says all, so no ticket.
    """

    step: Literal["code", "enrol", "passkey"]
    ticket: str


@dataclass(frozen=True, slots=True)
class Session:
    """A session as its owner sees it. idle: None on a wall, which stays on."""

    id: str
    person: str
    kind: Literal["browser", "display"]
    origin: str
    agent: str
    created: datetime
    seen: datetime
    expires: datetime
    idle: timedelta | None

    def ends(self) -> datetime:
        """When it ends if nothing more is done."""
        return self.expires if self.idle is None else min(self.expires, self.seen + self.idle)


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `burst` at once, refilled evenly, `burst` per `period`."""

    burst: int
    period: timedelta


_MINUTE = timedelta(minutes=1)

LIMITS: dict[str, Limit] = {
    # by account name asked for (there or not), so that nobody is guessed at from many addresses
    "sign-in": Limit(10, 15 * _MINUTE),
    # by network address, so that nobody guesses at many; a whole clinic, at the change of shift, sits behind one
    "sign-in-origin": Limit(300, 15 * _MINUTE),
    "send": Limit(4, 30 * _MINUTE),
    "send-origin": Limit(30, 30 * _MINUTE),
    "code": Limit(5, 15 * _MINUTE),
    "link": Limit(20, 15 * _MINUTE),
    "confirm": Limit(5, 5 * _MINUTE),
    "token": Limit(60, _MINUTE),
    # by address and user name: a device with a wrong password must not shut out the others of its gateway
    "device": Limit(20, 5 * _MINUTE),
    # by person: looking for somebody outside one's care, before emergency access
    "directory": Limit(20, 15 * _MINUTE),
    # by member of staff, and by patient: codes that let a patient in again; by network address: typing one
    "handing-out": Limit(12, 60 * _MINUTE),
    "handed-out": Limit(4, 60 * _MINUTE),
    "recovery": Limit(20, 15 * _MINUTE),
    # by network address: asking to be called
    "call-back": Limit(6, 60 * _MINUTE),
    # by network address: asking to be registered
    "applying": Limit(10, 60 * _MINUTE),
    # by person: letting somebody in, whose account is looked for by their e-mail
    "letting-in": Limit(10, 60 * _MINUTE),
    # by person: registering somebody, who is looked for in the whole clinic first
    "registering": Limit(60, 15 * _MINUTE),
}
"""Site choice, within NIST SP 800-63B §5.2.2 (at most 100 failed tries on one account)."""
