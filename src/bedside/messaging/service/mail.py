"""One e-mail by SMTP, and what came of it. Blocks: run it in a thread, outside any transaction."""

from __future__ import annotations

import smtplib
import socket
import ssl
from contextlib import suppress
from email.message import EmailMessage
from urllib.parse import unquote, urlsplit

from bedside.messaging import settings
from bedside.messaging.model import bounces
from bedside.messaging.model.notice import Sent
from bedside.messaging.model.reasons import SENT, Outcome, Reason

WAITS = 15
"""Seconds for each answer of the server."""


class _NoTls(Exception):
    """The password would have gone in the clear."""


def sent(chosen: settings.Settings, notice: Sent, signed: str) -> Outcome:
    """Hand it to the mail server. Never raises: what went wrong is the outcome."""
    try:
        message = _message(chosen, notice, signed)
    except ValueError:  # what was typed as an address can stand in no header
        return Outcome("refused", "no-such-address")
    server = None
    try:
        server = _connected(chosen.smtp or "")
        back = bounces.sender(chosen.bounces, notice.token) if chosen.bounces and notice.token else chosen.sender
        server.send_message(message, from_addr=back, to_addrs=[notice.address or ""])
    except smtplib.SMTPNotSupportedError:
        # A server without any sign-in; or one that takes no address beyond ASCII, of which this one is.
        return Outcome("again", "sign-in") if server is None else Outcome("refused", "no-such-address")
    except Exception as error:
        return _outcome(error)
    finally:
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()
    return SENT


def _message(chosen: settings.Settings, notice: Sent, signed: str) -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = chosen.sender, notice.address, notice.subject
    # The same in every try: a reader's program shows one that came twice once.
    message["Message-ID"] = f"<{notice.id}@{chosen.sender.partition('@')[2]}>"
    # No absence notes back (RFC 3834).
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"{notice.text}\n\n{signed}".strip())
    return message


def _connected(smtp: str) -> smtplib.SMTP:
    url = urlsplit(smtp)
    tls = ssl.create_default_context()
    host, port = url.hostname or "localhost", url.port
    if url.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(host, port or 465, timeout=WAITS, context=tls)
    else:
        server = smtplib.SMTP(host, port or 587, timeout=WAITS)
    try:
        server.ehlo_or_helo_if_needed()
        if url.scheme == "smtp" and server.has_extn("starttls"):
            server.starttls(context=tls)
        elif url.scheme == "smtp" and url.username and not settings.local(host):
            raise _NoTls
        if url.username:
            server.login(unquote(url.username), unquote(url.password or ""))
    except BaseException:
        server.close()
        raise
    return server


SOFT = range(400, 500)
GREETING = 220


def _outcome(error: Exception) -> Outcome:
    """For good is only what concerns the reader's address or the message; what is wrong with the server or with our
    place in it may be repaired, and is tried again."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        [(code, said), *_] = error.recipients.values()
        if code in SOFT:
            return Outcome("again", "busy")
        reason = bounces.reason(_text(said))
        return Outcome("refused", "no-such-address" if reason == "unknown" else reason)
    if isinstance(error, smtplib.SMTPSenderRefused):
        return Outcome("again", "busy" if error.smtp_code in SOFT else "sender")
    if isinstance(error, smtplib.SMTPDataError):
        if error.smtp_code in SOFT:
            return Outcome("again", "busy")
        reason = bounces.reason(_text(error.smtp_error))
        return Outcome("refused", "rejected" if reason == "unknown" else reason)
    return Outcome("again", _ours(error))


def _ours(error: Exception) -> Reason:
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return "busy" if error.smtp_code in SOFT else "sign-in"
    if isinstance(error, _NoTls | ssl.SSLError):
        return "tls"
    if isinstance(error, smtplib.SMTPServerDisconnected | ConnectionResetError | BrokenPipeError):
        return "broke-off"
    if isinstance(error, smtplib.SMTPResponseException):
        return "busy" if error.smtp_code in SOFT else "not-understood"
    if isinstance(error, socket.gaierror):
        return "name"
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionRefusedError):
        return "connection"
    return "timeout" if isinstance(error, OSError) and not isinstance(error, smtplib.SMTPException) else "unknown"


def _text(said: bytes | str) -> str:
    return said.decode("ascii", "replace") if isinstance(said, bytes) else said
