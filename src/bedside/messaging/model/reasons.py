"""Why a notice did not arrive: few known words, each with what it means and what to do. What a server said is never
kept or shown: it repeats addresses.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from bedside.foundation.errors import N_

Reason = Literal[
    "no-address",
    "no-channel",
    "number",
    "no-such-address",
    "full",
    "rejected",
    "name",
    "connection",
    "timeout",
    "broke-off",
    "busy",
    "tls",
    "sign-in",
    "sender",
    "not-understood",
    "unknown",
]


@dataclass(frozen=True, slots=True)
class Words:
    """What happened and what to do, as msgids."""

    what: str
    todo: str


REASONS: dict[Reason, Words] = {
    "no-address": Words(N_("There is neither an e-mail address nor a telephone number."), N_("Ask for one.")),
    "no-channel": Words(
        N_("No way out is set up for this address."),
        N_("Whoever runs the server sets BEDSIDE_SMTP_URL or BEDSIDE_SMS_URL; then send it again."),
    ),
    "number": Words(
        N_("The telephone number is not in international form."),
        N_("Write it with + and the country's number, as +34 600 000 000."),
    ),
    "no-such-address": Words(N_("The address or number does not exist."), N_("Ring them and correct it.")),
    "full": Words(N_("Their mailbox is full."), N_("Ring them; send it again later.")),
    "rejected": Words(
        N_("Their server refused the message."), N_("Ring them; ask your mail provider whether you are blocked.")
    ),
    "name": Words(N_("The server's name was not found."), N_("Check the name in the URL, and this machine's DNS.")),
    "connection": Words(
        N_("The server refused the connection."), N_("Check the port in the URL, and whether a firewall is between.")
    ),
    "timeout": Words(N_("The server did not answer in time."), N_("Check whether a firewall is between.")),
    "broke-off": Words(N_("The server went away in the middle."), N_("Try again; ask whoever runs it.")),
    "busy": Words(N_("The server asked to try later."), N_("It is tried again by itself; ask whoever runs it.")),
    "tls": Words(
        N_("No encrypted connection could be made."),
        N_("Check the server's certificate and the port: smtps:// is 465, smtp:// with STARTTLS is 587."),
    ),
    "sign-in": Words(N_("The server refused our sign-in."), N_("Check user, password or secret.")),
    "sender": Words(
        N_("The server does not let us send from our address."),
        N_("Check BEDSIDE_SMTP_FROM and BEDSIDE_SMTP_BOUNCES: the server must know them as yours."),
    ),
    "not-understood": Words(
        N_("What answered is no such server."), N_("Check scheme, port and path in the URL against its manual.")
    ),
    "unknown": Words(N_("It did not arrive, and nobody says why."), N_("Ring them.")),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one try came to. state: sent (a server took it over), refused (for good), or again.

    wait: the least time before the next try, where the server said so.
    """

    state: Literal["sent", "refused", "again"]
    reason: Reason | None = None
    wait: timedelta = timedelta()


SENT = Outcome("sent")
