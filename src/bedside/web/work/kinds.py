"""The kinds of work, in the order in which they stand: what cannot wait first."""

from __future__ import annotations

from bedside.foundation.errors import N_
from bedside.web.work import care, desk, ending
from bedside.web.work.item import Kind

CLINICIAN = frozenset({"clinician"})
CARE = frozenset({"clinician", "nurse"})
ADMINISTRATOR = frozenset({"administrator"})
PHARMACIST = frozenset({"pharmacist"})
OFFICER = frozenset({"privacy-officer"})
ROLES = CARE | ADMINISTRATOR | PHARMACIST | OFFICER

KINDS = (
    Kind(
        "emergencies",
        N_("Emergency accesses not reviewed"),
        "siren",
        OFFICER,
        desk.emergencies,
        ("/admin/emergencies", N_("Review them")),
    ),
    Kind("officer", N_("Emergency accesses that nobody can review"), "siren", ADMINISTRATOR, desk.no_officer),
    Kind("visits", N_("Visits that wait for you"), "video", CLINICIAN, care.to_take, ("/visits", N_("All visits"))),
    Kind("results", N_("Results not seen yet"), "flask-conical", CLINICIAN, care.results),
    Kind("dispense", N_("To dispense"), "pill", PHARMACIST, desk.to_dispense, ("/pharmacy", N_("Prescriptions"))),
    Kind("messages", N_("Messages to answer"), "message-square", CARE, care.unanswered, ("/messages", N_("Inbox"))),
    Kind("late", N_("Late findings"), "history", CARE, care.late, ("/today#late", N_("Answer them on Today"))),
    Kind("unreached", N_("Not reached"), "mail-x", CARE | ADMINISTRATOR, desk.unreached),
    Kind("refused", N_("Refused by the pharmacy"), "circle-x", CLINICIAN, care.refused),
    Kind("refills", N_("Refills to answer"), "repeat", CLINICIAN, care.refills),
    Kind("notes", N_("Unsigned notes"), "file-pen-line", CARE, care.unsigned),
    Kind("drafts", N_("Unsigned prescriptions"), "signature", CLINICIAN, care.drafts),
    Kind("tasks", N_("My tasks"), "list-todo", CARE, care.tasks),
    Kind("registrations", N_("Asks to be registered"), "user-plus", CARE | ADMINISTRATOR, desk.registrations),
    Kind("calls", N_("Asks to be called"), "phone", CARE, desk.calls),
    Kind(
        "duplicates",
        N_("Registered twice, perhaps"),
        "copy",
        CARE,
        desk.duplicates,
        ("/patients/duplicates", N_("All pairs")),
    ),
    Kind("devices", N_("Devices that need a look"), "radio", CARE, care.devices, ("/devices", N_("Each device"))),
    Kind("ending", N_("Ends soon"), "hourglass", CARE, ending.care),
    Kind("site", N_("Ends soon at the clinic"), "hourglass", ADMINISTRATOR, ending.site, ("/admin", N_("Colleagues"))),
    Kind("licences", N_("Your licence ends"), "hourglass", PHARMACIST, ending.licences),
)
