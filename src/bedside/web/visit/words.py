"""What the visit's islands say, in the reader's language: handed to them as JSON in data-words."""

from __future__ import annotations

from starlette.requests import Request

from bedside import visits
from bedside.fhir.texts import fold
from bedside.web.clinician.licence import place_name
from bedside.web.kit import page_of, translator
from bedside.web.kit.places import N_

EVENTS = {
    "asked": N_("Asked for"),
    "handed": N_("Handed over"),
    "taken": N_("Taken"),
    "planned": N_("Planned for another time"),
    "invited": N_("Link sent"),
    "locked": N_("Link closed after wrong answers"),
    "arrived": N_("Said where they are"),
    "joined": N_("Came in"),
    "left": N_("Left"),
    "started": N_("Began"),
    "licence overridden": N_("Went on without a licence"),
    "ended": N_("Ended"),
    "closed empty": N_("Closed, since nobody was there"),
    "cancelled": N_("Cancelled"),
    "note signed": N_("Note signed"),
    "note amended": N_("Note amended"),
}
"""What happened in a visit, as staff read it."""
MOVED = {
    "take": N_("took the visit"),
    "invite": N_("invited the patient"),
    "hand": N_("handed the visit over"),
    "plan": N_("planned the visit for another time"),
    "cancel": N_("cancelled the visit"),
    "override": N_("went on without a licence"),
    "end": N_("ended the visit"),
    "noted": N_("noted a change of the visit"),
    "unnoted": N_("took back that a change of the visit was noted"),
}
"""What staff did with a visit, as a patient reads it on "who looked at my record"."""
DETAILS = (
    N_("patient"),
    N_("clinician"),
    N_("nurse"),
    N_("caregiver"),
    N_("allow"),
    N_("block"),
    N_("override"),
    N_("5 wrong answers"),
)
"""What visits writes beside it that is no person's own words."""


def country_names(language: str) -> dict[str, str]:
    """Every country by its code, as it is called, in the order of the alphabet."""
    named = {one.code: place_name(one.code, language) for one in visits.countries()}
    return dict(sorted(named.items(), key=lambda one: fold(one[1])))


def room_words(request: Request) -> dict[str, str]:
    """For <visit-room>."""
    _ = translator(page_of(request).language)
    return {
        "starting": _("Starting the camera and the microphone"),
        "waiting": _("Waiting for the other side"),
        "connecting": _("Connecting"),
        "connected": _("Connected"),
        "reconnecting": _("The connection is lost; trying again by itself"),
        "elsewhere": _("The visit is open in another window of yours. Close that one to go on here."),
        "over": _("The visit is over"),
        "no_camera_api": _(
            "This app cannot use the camera. Open the link in your phone's own browser: Chrome, Safari or Firefox."
        ),
        "trouble_refused": _(
            "The browser does not let us use the camera or microphone. Tap the lock beside the address to allow them."
        ),
        "trouble_missing": _("No camera was found. You can talk without it."),
        "trouble_busy": _("Another app uses the camera or microphone. Close it and reload this page."),
        "trouble_insecure": _("This address is not secure, so the camera cannot be used."),
        "microphone_on": _("Mute"),
        "microphone_off": _("Unmute"),
        "camera_on": _("Camera off"),
        "camera_off": _("Camera on"),
        "share_on": _("Sharing"),
        "share_off": _("Share"),
        "their_microphone_off": _("microphone off"),
        "their_camera_off": _("camera off"),
        "role_patient": _("patient"),
        "role_clinician": _("clinician"),
        "role_nurse": _("nurse"),
        "role_caregiver": _("caregiver"),
        "you": _("You:"),
        "unread": _("new"),
    }


def check_words(request: Request) -> dict[str, str]:
    """For <device-check>."""
    _ = translator(page_of(request).language)
    return {
        "camera_works": _("The camera works."),
        "microphone_works": _("The microphone works: we can hear you."),
        "speak": _("Say something: the bar should move."),
        "trouble_none": _("No camera was found. You can talk without it."),
        "trouble_refused": _("Not allowed. Tap the lock beside the address to allow it, then check again."),
        "trouble_missing": _("None was found. You can join all the same."),
        "trouble_busy": _("Another app uses it. Close that app, then check again."),
        "connection_good": _("The connection is good."),
        "connection_slow": _("The connection is slow: the picture may stop, the sound should hold."),
        "connection_poor": _("The connection is poor. Go closer to the router, or be ready for a call by telephone."),
        "connection_none": _("No connection to the clinic at this moment."),
    }


def note_words(request: Request) -> dict[str, str]:
    """For <note-pad>."""
    _ = translator(page_of(request).language)
    return {
        "saving": _("Saving"),
        "saved": _("Saved"),
        "not_saved": _("Not saved yet: kept in this browser, trying again"),
    }
