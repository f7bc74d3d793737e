"""The demo's quiet line: what to do next in the story, by who is signed in and where they are. It reads no record."""

from __future__ import annotations

from starlette.requests import HTTPConnection

from bedside.foundation.errors import N_
from bedside.foundation.http import ctx_of

STEPS: tuple[tuple[str | None, str, str], ...] = (
    # role, beginning of the path, what to do
    (None, "/sign-in", N_("Begin as Amina Haddad, the nurse.")),
    (None, "/demo/outbox", N_("Open the link as Rosa Álvarez would; she was born on 14 March 1955.")),
    (None, "/join/", N_("You are Rosa Álvarez, born on 14 March 1955.")),
    (
        "nurse",
        "/wall",
        N_("Within two minutes Rosa Álvarez sends 178/112. Open her tile, acknowledge, invite her to video."),
    ),
    (
        "nurse",
        "/alarms",
        N_("Open the alarm of Rosa Álvarez, acknowledge it, then invite her to video and hand her to Elena Ruiz."),
    ),
    ("nurse", "/visits", N_("The visit is handed over: now be Elena Ruiz, the clinician.")),
    (
        "nurse",
        "/",
        N_("Open the wall. Within two minutes of the start the cuff of Rosa Álvarez sends 178/112: answer her alarm."),
    ),
    (
        "clinician",
        "/visits/",
        N_("In another browser be Rosa Álvarez and join, or open her link in the outbox. Write, sign, prescribe."),
    ),
    ("clinician", "/prescriptions", N_("Once signed, the prescription is at the pharmacy: be Grace Lin.")),
    ("clinician", "/", N_("Open Visits and take the one that Amina Haddad handed to you.")),
    ("pharmacist", "/pharmacy", N_("Accept and dispense. Then be Rosa Álvarez and see who looked.")),
    ("patient", "/home", N_("Join the visit when it is there. Afterwards look under Me: who looked at my record.")),
    ("privacy-officer", "/", N_("Emergency access to a record is told to you here.")),
)


def suggest(connection: HTTPConnection) -> str | None:
    """The msgid of the next step, or None where the story has nothing to say."""
    roles = ctx_of(connection).actor.roles
    path = connection.url.path
    for role, begins, words in STEPS:
        if (role in roles if role else not roles) and path.startswith(begins):
            return words
    return None
