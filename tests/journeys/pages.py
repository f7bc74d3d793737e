"""Every page, once: what test_every_page.py visits, `make screenshots` takes and bench_pages weighs."""

from __future__ import annotations

from dataclasses import dataclass

NURSE, CLINICIAN, PHARMACIST = "Amina Haddad", "Elena Ruiz", "Grace Lin"
ADMINISTRATOR, PRIVACY_OFFICER = "Pat Morgan", "Inês Costa"
PATIENT = "Rosa Álvarez"
"""Whose pressure rises in the first two minutes. She speaks Spanish."""
STAFF_WIDTHS, WALL_WIDTHS = (360, 1440), (1440, 1920)


@dataclass(frozen=True)
class Page:
    """One page. who: the name on the demo's sign-in button, None for nobody.

    path: may hold a name in braces, which scene.py knows. shows: a pattern of the heading that must be there, so that
    an error page never passes for the page. light: whether a patient meets it on the way into a visit, so that its
    weight is limited.
    """

    name: str
    path: str
    who: str | None
    shows: str
    widths: tuple[int, ...] = STAFF_WIDTHS
    light: bool = False


PAGES: tuple[Page, ...] = (
    Page("sign-in", "/sign-in", None, "Sign in", light=True),
    Page("sign-in-help", "/sign-in/help", None, "Help with signing in", light=True),
    Page("code-of-clinic", "/sign-in/again", None, "I have a code from the clinic", light=True),
    Page("call-me", "/sign-in/call-me", None, "Ask to be called", light=True),
    Page("become-patient", "/register", None, "Become a patient", light=True),
    Page("help", "/help", None, "Help", light=True),
    Page("help-contents", "/help", NURSE, "Help"),
    Page("help-find", "/help/find?q=code", None, "Find in the handbook"),
    Page("help-chapter", "/help/patient/getting-in", None, "Getting in", light=True),
    Page("help-patient", "/help/patient/visit", PATIENT, "Una videovisita"),
    Page("help-staff", "/help/nurse/alarms", NURSE, "Alarms"),
    Page("help-integrator", "/help/integrator/devices", None, "Devices"),
    Page("kit", "/kit", None, "The kit"),
    Page("not-found", "/nowhere", None, "There is nothing here"),
    Page("outbox", "/demo/outbox", None, "Outbox"),
    # the patient
    Page("home", "/home", PATIENT, PATIENT.split(maxsplit=1)[0], light=True),
    Page("readings", "/readings", PATIENT, "Mediciones|Readings"),
    Page("send", "/readings/send", PATIENT, ""),
    Page("send-pressure", "/readings/send/blood-pressure", PATIENT, "Presión arterial"),
    Page("send-glucose", "/readings/send/glucose", PATIENT, ""),
    Page("measure", "/readings/measure", PATIENT, "medir"),
    Page("measure-pressure", "/readings/measure/blood-pressure", PATIENT, "Presión arterial"),
    Page("rest", "/readings/rest", PATIENT, ""),
    Page("messages", "/messages", PATIENT, "Mensajes"),
    Page("write", "/messages/new", PATIENT, "Escribir a la clínica"),
    Page("conversation", "/messages/{thread}", PATIENT, "Un medicamento"),
    Page("me", "/me", PATIENT, PATIENT),
    Page("who-looked", "/me/who-looked", PATIENT, "Quién"),
    Page("caregivers", "/me/caregivers", PATIENT, "dejo"),
    Page("told", "/told", PATIENT, "leer"),
    Page("medicines", "/medicines", PATIENT, "Medicamentos"),
    Page("account", "/account", PATIENT, "Mi cuenta"),
    # the way into a visit
    Page("join", "{join}", None, "", light=True),
    Page("join-dead", "/join/nothing", None, "", light=True),
    Page("where", "/visit/{waiting}", PATIENT, "", light=True),
    Page("planned", "/visit/{planned}", PATIENT, "vídeo", light=True),
    Page("calendar-patient", "/calendar", PATIENT, "calendario"),
    Page("check", "/visit/{visit}/check", PATIENT, "", light=True),
    Page("room", "/visit/{visit}/room", PATIENT, CLINICIAN, light=True),
    Page("visit-over", "/visit/over", None, "The visit is over"),
    # staff
    Page("today", "/today", CLINICIAN, r"\d"),
    Page("work", "/work", CLINICIAN, "Work list"),
    Page("work-nurse", "/work", NURSE, "Work list"),
    Page("work-administrator", "/work", ADMINISTRATOR, "Work list"),
    Page("work-officer", "/work", PRIVACY_OFFICER, "Work list"),
    Page("work-kind", "/work/results", CLINICIAN, "Results not seen yet"),
    Page("note", "/notes/{note}", NURSE, "A medicine"),
    Page("result", "/results/{result}", CLINICIAN, "Electrolytes"),
    Page("patients", "/patients?q=a", CLINICIAN, "Patients"),
    Page("register", "/patients/new", NURSE, "Register a patient"),
    Page("patient-sign-in", "/patients/{patient}/invite", NURSE, "Sign-in of"),
    Page("known", "/patients/{patient}/known", NURSE, "What is known of"),
    Page("details", "/patients/{patient}/details", NURSE, "Details of"),
    Page("care", "/patients/{patient}/care", NURSE, "Care of"),
    Page("desk-caregivers", "/patients/{patient}/caregivers", NURSE, "Whom .* lets in"),
    Page("let-in", "/patients/{patient}/let-in", CLINICIAN, "Let .* in again"),
    Page("calls", "/patients/calls", NURSE, "Who asks to be called"),
    Page("call", "/patients/calls/{call}", CLINICIAN, "Call for"),
    Page("waiting", "/patients/waiting", NURSE, "Who asks to be registered"),
    Page("answer", "/patients/waiting/{request}", NURSE, "Request of"),
    Page("duplicates", "/patients/duplicates", CLINICIAN, "Registered twice"),
    Page("duplicate", "/patients/duplicates/{twice}", CLINICIAN, "One person or two"),
    Page("chart", "/patients/{patient}", CLINICIAN, PATIENT),
    Page("type-reading", "/patients/{patient}/reading", NURSE, "Type a reading"),
    Page("paper", "/patients/{patient}/paper", NURSE, "From paper"),
    Page("type-pressure", "/patients/{patient}/reading/blood-pressure", NURSE, "Blood pressure"),
    Page("limits", "/patients/{patient}/limits", CLINICIAN, "Limits of"),
    Page("targets", "/patients/{patient}/targets", CLINICIAN, "Targets of"),
    Page("overlay", "/patients/{patient}/overlay?show=blood-pressure&show=weight&span=all", CLINICIAN, "Overlay of"),
    Page("waveforms", "/patients/{patient}/waveforms", NURSE, "Waveforms of"),
    Page("devices", "/devices", NURSE, "Devices"),
    Page("add-device", "/devices/new", NURSE, "Add a device"),
    Page("device", "/devices/{device}", NURSE, ""),
    Page("held-devices", "/patients/{patient}/devices", NURSE, "Devices of"),
    Page("glucose", "/patients/{patient}/glucose", NURSE, "Glucose report of"),
    Page("alarms", "/alarms?all=1", NURSE, "Alarms"),
    Page("alarm", "/alarms/{alarm}", NURSE, ""),
    Page("alarm-numbers", "/alarms/numbers?days=30&rule=systolic-raised&limit=135", NURSE, "Alarms in numbers"),
    Page("wall", "/wall", NURSE, "Wall", widths=WALL_WIDTHS),
    Page("emergency", "/emergency/{patient}", "Samuel Okafor", ""),
    Page("staff-account", "/account", CLINICIAN, "My account"),
    Page("duties", "/duties", CLINICIAN, "My duties"),
    Page("inbox", "/messages", NURSE, "Messages"),
    Page("inbox-patient", "/messages?patient={patient}", NURSE, PATIENT),
    Page("answer-message", "/messages/{thread}", NURSE, "A medicine"),
    Page("write-to-patient", "/patients/{patient}/messages/new", CLINICIAN, "Write to"),
    Page("out-of-office", "/messages/away", CLINICIAN, "Out of office"),
    Page("visits", "/visits", CLINICIAN, "Visits"),
    Page("visit-planned", "/visits/{planned}", CLINICIAN, "Visit"),
    Page("calendar", "/calendar", CLINICIAN, "My visits in my calendar"),
    Page("invite", "/patients/{patient}/visit", CLINICIAN, "Invite to video"),
    Page("visit-waiting", "/visits/{waiting}", CLINICIAN, "Visit"),
    Page("visit", "/visits/{visit}", CLINICIAN, PATIENT),
    Page("prescribe", "/patients/{patient}/prescribe?q=a", CLINICIAN, "Prescribe"),
    Page("sign", "/prescriptions/{draft}", CLINICIAN, "Amlodipine"),
    Page("prescription", "/prescriptions/{prescription}", CLINICIAN, "Chlorthalidone"),
    Page("prescription-paper", "/prescriptions/{prescription}/print", CLINICIAN, ""),
    Page("pharmacy", "/pharmacy", PHARMACIST, "Prescriptions"),
    Page("pharmacy-one", "/pharmacy/{prescription}", PHARMACIST, "Chlorthalidone"),
    Page("people", "/admin", ADMINISTRATOR, ""),
    Page("people-invited", "/admin?state=invited", ADMINISTRATOR, "Colleagues"),
    Page("clinic", "/admin/clinic", ADMINISTRATOR, "The clinic"),
    Page("first-steps", "/admin/start", ADMINISTRATOR, "First steps"),
    Page("notices", "/admin/notices", ADMINISTRATOR, "Notices"),
    Page("not-reached", "/notices", NURSE, "Not reached"),
    Page("places", "/admin/places", ADMINISTRATOR, "Wards and programmes"),
    Page("closing", "/admin/places/virtual-ward/close", ADMINISTRATOR, "Close"),
    Page("staff-list", "/admin/people/import", ADMINISTRATOR, "Add many colleagues"),
    Page("colleague", "/admin/people/{colleague}", ADMINISTRATOR, CLINICIAN),
    Page("leaving", "/admin/people/{colleague}/leave", ADMINISTRATOR, "End the account of"),
    Page("hours", "/admin/hours", ADMINISTRATOR, ""),
    Page("promise", "/admin/messages", ADMINISTRATOR, "Answers to messages"),
    Page("rota", "/admin/rota", ADMINISTRATOR, "On-call timetable"),
    Page("rota-plan", "/admin/rota/virtual-ward", ADMINISTRATOR, "On-call plan"),
    Page("functions", "/admin/functions", ADMINISTRATOR, "Functions"),
    Page("retention", "/admin/retention", ADMINISTRATOR, "How long data are kept"),
    Page("status", "/admin/status", ADMINISTRATOR, "How the installation stands"),
    Page("audit", "/admin/audit", PRIVACY_OFFICER, ""),
    Page("emergencies", "/admin/emergencies", PRIVACY_OFFICER, "Emergency accesses"),
)
