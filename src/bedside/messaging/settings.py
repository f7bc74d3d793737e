"""How notices leave this installation."""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import urlsplit

from bedside.foundation.database import Database

SECRET = 16
"""Characters that a secret has at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """demo: notices go to the outbox that anybody can read, and nowhere else.

    smtp: smtp://user:password@host:port or smtps://…, for e-mail; None: e-mail is held. sender: its From address.
    bounces: where mail servers send back what they cannot deliver, with the notice's token after a +; None: to sender.
    sms: the gateway's URL; None: SMS is held. secret: what is sent to it, and what it reports, is signed with it.
    faults: what was set and cannot be used, in words for whoever runs this.
    """

    demo: bool = False
    smtp: str | None = None
    sender: str = "bedside@localhost"
    bounces: str | None = None
    sms: str | None = None
    secret: str = ""
    faults: tuple[str, ...] = ()

    @classmethod
    def of_environment(cls, environment: Mapping[str, str], *, demo: bool = False) -> Settings:
        """From BEDSIDE_SMTP_… and BEDSIDE_SMS_…; what cannot be used is a fault, and that channel is not set up."""
        faults: list[str] = []
        smtp, sms = environment.get("BEDSIDE_SMTP_URL") or None, environment.get("BEDSIDE_SMS_URL") or None
        secret, bounces = environment.get("BEDSIDE_SMS_SECRET", ""), environment.get("BEDSIDE_SMTP_BOUNCES") or None
        if smtp and (urlsplit(smtp).scheme not in {"smtp", "smtps"} or not urlsplit(smtp).hostname):
            faults.append("BEDSIDE_SMTP_URL is none: write smtps://user:password@host.")
            smtp = None
        if bounces and (bounces.count("@") != 1 or len(bounces.partition("@")[0]) > 37 or "+" in bounces):
            faults.append("BEDSIDE_SMTP_BOUNCES is no plain address, as bounces@clinic.example.")
            bounces = None
        if sms and not _safe(sms):
            faults.append("BEDSIDE_SMS_URL must be https (http is for this machine alone).")
            sms = None
        if sms and len(secret) < SECRET:
            faults.append(f"BEDSIDE_SMS_SECRET must have {SECRET} characters or more.")
            sms = None
        return cls(
            demo=demo,
            smtp=smtp,
            sender=environment.get("BEDSIDE_SMTP_FROM") or "bedside@localhost",
            bounces=bounces,
            sms=sms,
            secret=secret if sms else "",
            faults=tuple(faults),
        )

    def leads_out(self, channel: str) -> bool:
        """Whether anything takes what goes by this channel."""
        return self.demo or (self.smtp if channel == "email" else self.sms) is not None


def local(host: str) -> bool:
    """Whether a host's name or address is this machine itself."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _safe(url: str) -> bool:
    parts = urlsplit(url)
    return bool(parts.hostname) and (
        parts.scheme == "https" or (parts.scheme == "http" and local(parts.hostname or ""))
    )


_SETTINGS: weakref.WeakKeyDictionary[Database, Settings] = weakref.WeakKeyDictionary()


def use(database: Database, settings: Settings) -> None:
    """These settings hold for this database, in this process."""
    _SETTINGS[database] = settings


def of(database: Database) -> Settings:
    """The settings of a database; without any, nothing leaves."""
    return _SETTINGS.get(database, Settings())
