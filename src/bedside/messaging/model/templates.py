"""The words of every notice, in each language. Nothing of health stands in one: who reads over a shoulder learns that
there is something at the clinic, and no more (45 CFR 164.312(e); hazard: a diagnosis on a lock screen).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_NAMED = re.compile(r"\{(\w+)\}")
# What may be put into a notice at all: what lets somebody in, and who of the clinic asks for them.
ALLOWED = frozenset({"link", "code", "minutes", "name"})


@dataclass(frozen=True, slots=True)
class Words:
    """One language's subject and text, with {names} of ALLOWED."""

    subject: str
    text: str

    def filled(self, data: Mapping[str, str | int]) -> tuple[str, str]:
        """With the data put in. A name that was not given is left out; others in data are not used."""

        def put(match: re.Match[str]) -> str:
            return str(data.get(match[1], "")) if match[1] in ALLOWED else ""

        return _NAMED.sub(put, self.subject), _NAMED.sub(put, self.text).strip()


OTHER = {
    "en": Words(
        "Something for you at the clinic", "There is something for you at the clinic. Sign in to see it. {link}"
    ),
    "es": Words("Algo para usted en la clínica", "Hay algo para usted en la clínica. Entre para verlo. {link}"),
}
"""For a template that nobody wrote words for."""

TEMPLATES: dict[str, dict[str, Words]] = {
    "access.link": {
        "en": Words(
            "Your sign-in code",
            "Your code is {code}. Or open this link on the device you want to use: {link}\n"
            "Good for {minutes} minutes, once. If you did not ask, do nothing.",
        ),
        "es": Words(
            "Su código para entrar",
            "Su código es {code}. O abra este enlace en el dispositivo que quiera usar: {link}\n"
            "Sirve {minutes} minutos, una vez. Si no lo ha pedido, no haga nada.",
        ),
    },
    "access.recover": {
        "en": Words(
            "Set a new password",
            "Set a new password here: {link}\n"
            "Good for {minutes} minutes, once. If you did not ask, tell your administrator.",
        ),
        "es": Words(
            "Ponga una contraseña nueva",
            "Ponga una contraseña nueva aquí: {link}\n"
            "Sirve {minutes} minutos, una vez. Si no lo ha pedido, avise a administración.",
        ),
    },
    "access.invitation": {
        "en": Words(
            "Your account at the clinic",
            "Welcome, {name}. Choose how you sign in: {link}\nThe link is good for 7 days.",
        ),
        "es": Words(
            "Su cuenta en la clínica",
            "Bienvenido, {name}. Elija cómo entrar: {link}\nEl enlace sirve 7 días.",
        ),
    },
    "access.register": {
        "en": Words(
            "Confirm your e-mail",
            "Somebody, you we hope, asked to become a patient of the clinic with this address. Confirm it here: "
            "{link}\nGood for 24 hours. If it was not you, do nothing: what was typed is deleted then.",
        ),
        "es": Words(
            "Confirme su correo",
            "Alguien, esperamos que usted, ha pedido ser paciente de la clínica con esta dirección. Confírmela aquí: "
            "{link}\nSirve 24 horas. Si no ha sido usted, no haga nada: lo escrito se borra entonces.",
        ),
    },
    "access.help": {
        "en": Words(
            "Somebody cannot sign in",
            "{name} asked for help with signing in. Ring them on the number you have, make sure that it is them, then "
            "send a new invitation.",
        ),
        "es": Words(
            "Alguien no puede entrar",
            "{name} ha pedido ayuda para entrar. Llame al número que tiene, compruebe que es esa persona y envíe una "
            "invitación nueva.",
        ),
    },
    "access.printed-code": {
        "en": Words(
            "A printed code was used",
            "{name} began anew with a printed code: what they signed in with before works no longer. If that was not "
            "them, ring them now and end the account.",
        ),
        "es": Words(
            "Se usó un código impreso",
            "{name} ha empezado de nuevo con un código impreso: aquello con lo que entraba ya no sirve. Si no fue esa "
            "persona, llámela ahora y cierre la cuenta.",
        ),
    },
    "access.code-handed-out": {
        "en": Words(
            "A sign-in code was handed out for you",
            "{name} of the clinic handed out a code by which you set up anew how you sign in. If you were not there, "
            "and nobody rang you, ring the clinic now.",
        ),
        "es": Words(
            "Se entregó un código para que usted entre",
            "{name}, de la clínica, ha entregado un código con el que usted vuelve a poner cómo entra. Si no estaba "
            "allí y nadie le llamó, llame ahora a la clínica.",
        ),
    },
    "access.came-in-again": {
        "en": Words(
            "You came in again",
            "You signed in by a code of the clinic. What you signed in with before works no longer, and nobody else is "
            "signed in as you. If that was not you, ring the clinic now.",
        ),
        "es": Words(
            "Ha vuelto a entrar",
            "Ha entrado con un código de la clínica. Aquello con lo que entraba antes ya no sirve, y nadie más está "
            "dentro con su nombre. Si no fue usted, llame ahora a la clínica.",
        ),
    },
    "access.care": {
        "en": Words("A patient is in your care", "A colleague gave a patient into your care. Sign in to see whom."),
        "es": Words("Un paciente a su cargo", "Un compañero ha puesto un paciente a su cargo. Entre para ver quién."),
    },
    "access.let-in": {
        "en": Words(
            "Somebody lets you see their page",
            "Somebody you know lets you see their page at the clinic. Sign in as you always do.",
        ),
        "es": Words(
            "Alguien le deja ver su página",
            "Alguien que usted conoce le deja ver su página en la clínica. Entre como siempre.",
        ),
    },
    "access.roles-changed": {
        "en": Words(
            "Roles were changed",
            "An administrator changed what {name} may do at the clinic. If nobody should have, look at their account.",
        ),
        "es": Words(
            "Se cambiaron funciones",
            "Administración ha cambiado lo que {name} puede hacer en la clínica. Si nadie debía, mire su cuenta.",
        ),
    },
    "access.begun-anew": {
        "en": Words(
            "A sign-in begins anew",
            "At the server's console the sign-in of {name} was begun anew: what they signed in with before works no "
            "longer. If nobody agreed to that, end the account now.",
        ),
        "es": Words(
            "Una entrada empieza de nuevo",
            "En la consola del servidor se ha empezado de nuevo la entrada de {name}: aquello con lo que entraba ya no "
            "sirve. Si nadie lo acordó, cierre la cuenta ahora.",
        ),
    },
    "access.emergency": {
        "en": Words(
            "Emergency access was used",
            "{name} opened a record by emergency access. The reason stands in the audit. Please review it.",
        ),
        "es": Words(
            "Se usó el acceso de emergencia",
            "{name} abrió una historia por acceso de emergencia. El motivo está en la auditoría. Revíselo, por favor.",
        ),
    },
    "access.licence-ends": {
        "en": Words("A licence of yours ends", "A licence of yours ends soon. Sign in, and tell the administration."),
        "es": Words("Termina una licencia suya", "Pronto termina una licencia suya. Entre, y avise a administración."),
    },
    "access.licences-end": {
        "en": Words("A licence ends", "{name}: a licence ends soon. See which at the list of colleagues."),
        "es": Words("Termina una licencia", "{name}: pronto termina una licencia. Vea cuál en la lista del equipo."),
    },
    "access.address-changed": {
        "en": Words(
            "Where we reach you was changed",
            "Your e-mail address or telephone number at the clinic was changed. If that was not your wish, ring us.",
        ),
        "es": Words(
            "Se cambió dónde le avisamos",
            "Se cambió su correo o su teléfono en la clínica. Si no era su deseo, llámenos.",
        ),
    },
    "messaging.message": {
        "en": Words("The clinic has written to you", "There is a message for you at the clinic. Sign in to read it."),
        "es": Words("La clínica le ha escrito", "Hay un mensaje para usted en la clínica. Entre para leerlo."),
    },
    "messaging.written": {
        "en": Words("A message waits for an answer", "A message came in. Sign in to read and answer it."),
        "es": Words("Un mensaje espera respuesta", "Ha llegado un mensaje. Entre para leerlo y responder."),
    },
    "messaging.urgent": {
        "en": Words("A message to read now", "A message marked urgent came in. Sign in now."),
        "es": Words("Un mensaje para leer ahora", "Ha llegado un mensaje marcado como urgente. Entre ahora."),
    },
    "messaging.late": {
        "en": Words("An answer is late", "A message waits for longer than was promised. Sign in to answer it."),
        "es": Words("Una respuesta se retrasa", "Un mensaje espera más de lo prometido. Entre para responder."),
    },
    "messaging.nobody": {
        "en": Words(
            "A message that nobody reads",
            "A patient's message waits, and the patient is in nobody's care any more. See who left, and ring the team.",
        ),
        "es": Words(
            "Un mensaje que nadie lee",
            "El mensaje de un paciente espera y ya nadie lo tiene a su cuidado. Mire quién se fue y llame al equipo.",
        ),
    },
    "messaging.handed": {
        "en": Words("A conversation was handed to you", "A conversation was handed to you. Sign in to answer it."),
        "es": Words("Le han pasado una conversación", "Le han pasado una conversación. Entre para responder."),
    },
    "messaging.test": {
        "en": Words("A test", "This is a test: notices of your clinic arrive here. There is nothing to do."),
        "es": Words("Una prueba", "Esto es una prueba: los avisos de su clínica llegan aquí. No hay nada que hacer."),
    },
    "visits.link": {
        "en": Words("Your video visit", "The clinic is waiting for you by video. Open this link to join: {link}"),
        "es": Words("Su visita por vídeo", "La clínica le espera por vídeo. Abra este enlace para entrar: {link}"),
    },
    "visits.planned": {
        "en": Words(
            "A video visit is planned",
            "The clinic has planned a video visit with you. See when, put it into your calendar, and join by this "
            "link: {link}",
        ),
        "es": Words(
            "Hay una visita por vídeo prevista",
            "La clínica ha previsto una visita por vídeo con usted. Vea cuándo, póngala en su calendario y entre por "
            "este enlace: {link}",
        ),
    },
    "visits.cancelled": {
        "en": Words("A video visit was cancelled", "A video visit that was planned does not take place."),
        "es": Words("Se anuló una visita por vídeo", "Una visita por vídeo prevista no tendrá lugar."),
    },
    "visits.link-locked": {
        "en": Words(
            "A visit link was locked",
            "Somebody typed wrong details five times on a visit link. Ring the patient.",
        ),
        "es": Words(
            "Se bloqueó un enlace de visita",
            "Alguien escribió datos erróneos cinco veces en un enlace. Llame al paciente.",
        ),
    },
    "visits.handed": {
        "en": Words("A visit was handed to you", "A patient was handed to you. Sign in to see who and why."),
        "es": Words("Le han pasado una visita", "Le han pasado un paciente. Entre para ver quién y por qué."),
    },
    "visits.moved": {
        "en": Words(
            "A video visit of yours has another time",
            "{name} moved a video visit that is yours. Sign in to see when it is.",
        ),
        "es": Words(
            "Una visita por vídeo suya tiene otra hora",
            "{name} ha cambiado la hora de una visita por vídeo suya. Entre para ver cuándo es.",
        ),
    },
    "visits.called-off": {
        "en": Words(
            "A video visit of yours was cancelled", "{name} cancelled a video visit that is yours. Sign in to see why."
        ),
        "es": Words(
            "Se anuló una visita por vídeo suya", "{name} ha anulado una visita por vídeo suya. Entre para ver por qué."
        ),
    },
    "orders.handed": {
        "en": Words("Work was handed to you", "Open work of a colleague was handed to you. Sign in to see what."),
        "es": Words("Le han pasado trabajo", "Le han pasado trabajo pendiente de un colega. Entre para ver cuál."),
    },
    "prescribing.refused": {
        "en": Words("A pharmacy has answered", "A pharmacy could not do what you asked. Sign in to see why."),
        "es": Words("Una farmacia ha respondido", "Una farmacia no pudo hacer lo pedido. Entre para ver por qué."),
    },
    "prescribing.handed": {
        "en": Words("Requests were handed to you", "Requests of patients were handed to you. Sign in to answer them."),
        "es": Words("Le han pasado peticiones", "Le han pasado peticiones de pacientes. Entre para responderlas."),
    },
    "monitoring.waiting": {
        "en": Words("An alarm waits for you", "An alarm waits for your answer. Sign in now."),
        "es": Words("Una alarma le espera", "Una alarma espera su respuesta. Entre ahora."),
    },
    "monitoring.handed": {
        "en": Words("An alarm was handed to you", "An alarm was handed to you. Sign in to see who and why."),
        "es": Words("Le han pasado una alarma", "Le han pasado una alarma. Entre para ver quién y por qué."),
    },
    "monitoring.read": {
        "en": Words(
            "Something for you to read", "There is something for you to read in Bedside, and what to do. Sign in now."
        ),
        "es": Words(
            "Algo para que lo lea", "Hay algo para que lo lea en Bedside, y qué hacer. Entre ahora, por favor."
        ),
    },
    "monitoring.check-device": {
        "en": Words(
            "Please check what the clinic lent you",
            "Is it charged, switched on and near its usual place? Sign in to see what to check.",
        ),
        "es": Words(
            "Revise, por favor, lo que le prestó la clínica",
            "¿Está cargado, encendido y cerca de su sitio? Entre para ver qué revisar.",
        ),
    },
    "monitoring.deaf": {
        "en": Words(
            "No readings come in", "No device can reach Bedside now. Sign in, and look after patients otherwise."
        ),
        "es": Words("No llegan lecturas", "Ningún aparato llega a Bedside ahora. Entre, y atienda por otros medios."),
    },
    "monitoring.outage": {
        "en": Words(
            "Many devices send nothing", "They fell silent together. Sign in to see which, and look after patients."
        ),
        "es": Words(
            "Muchos aparatos no envían nada", "Callaron a la vez. Entre para ver cuáles, y atienda a los pacientes."
        ),
    },
    "monitoring.unanswered": {
        "en": Words("An alarm has no answer", "Nobody has answered an alarm. Sign in now."),
        "es": Words("Una alarma sin respuesta", "Nadie ha respondido a una alarma. Entre ahora."),
    },
}

URGENT = frozenset(
    {
        "access.link",
        "access.recover",
        "access.emergency",
        "access.printed-code",
        "access.code-handed-out",
        "access.came-in-again",
        "access.begun-anew",
        "access.address-changed",
        "messaging.urgent",
        "visits.link",
        "visits.link-locked",
        "visits.handed",
        "monitoring.unanswered",
        "monitoring.deaf",
        "monitoring.outage",
    }
)
"""What quiet hours never hold up: what somebody asked for and waits for, a visit that begins, and what nobody else
answers. An alarm's own notice is urgent by its priority (hazard H98)."""


def words(template: str, language: str) -> Words:
    """A template's words in a language, else in English."""
    found = TEMPLATES.get(template, OTHER)
    return found.get(language[:2], found["en"])


def secret(template: str) -> bool:
    """Whether its text lets somebody in: forgotten once it went or failed, and never sent a second time."""
    return any(
        name in one.subject + one.text
        for one in TEMPLATES.get(template, OTHER).values()
        for name in ("{link}", "{code}")
    )


def kind(template: str) -> str:
    """What a gateway is told that a notice is: sign-in, test or notice. No more: it could tell of somebody's health."""
    if template == "messaging.test":
        return "test"
    return "sign-in" if template.startswith("access.") and secret(template) else "notice"


def subject(template: str, language: str) -> str:
    """What a notice is called on pages about notices."""
    return words(template, language).subject
