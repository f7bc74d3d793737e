"""A notice sent at once from the console, to see whether the way out works."""

from __future__ import annotations

import asyncio
from datetime import datetime

from bedside.foundation.ids import uuid7
from bedside.messaging.model import bounces
from bedside.messaging.model.notice import Sent
from bedside.messaging.model.reasons import Outcome
from bedside.messaging.model.templates import words
from bedside.messaging.service import mail, sms
from bedside.messaging.service.sending import TEST
from bedside.messaging.settings import Settings


async def try_out(chosen: Settings, to: str, now: datetime, clinic: str, language: str = "en") -> Outcome:
    """One try of the real way out, to an e-mail address or a number; no database, nothing kept."""
    email = "@" in to
    subject, text = words(TEST, language).filled({})
    channel = "email" if email else "phone"
    token = bounces.new_token() if email else None
    notice = Sent(uuid7(), "", TEST, channel, to, subject, text, now, "waiting", language=language, token=token)
    if not chosen.leads_out(channel) or chosen.demo:
        return Outcome("refused", "no-channel")
    if email:
        return await asyncio.to_thread(mail.sent, chosen, notice, clinic)
    return await sms.sent(chosen, notice, clinic, now)
