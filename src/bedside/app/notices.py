"""What an operator asks about notices: does the way out work, how do they stand, and what a mail server sent back."""

from __future__ import annotations

import os
from datetime import timedelta
from urllib.parse import urlsplit

from bedside import access, messaging
from bedside.app.console import operator
from bedside.foundation.clock import SystemClock
from bedside.foundation.doctor import Finding, age, good
from bedside.foundation.settings import Settings
from bedside.messaging import settings as messaging_settings

LATE = timedelta(minutes=5)
"""A notice that is due waits for seconds; one that is retried, longer: somebody should know."""


async def try_notice(to: str) -> list[Finding]:
    """One notice to an address or number by the real configuration of this environment; each step in words."""
    chosen = messaging_settings.Settings.of_environment(os.environ)
    found = [Finding("bad", each) for each in chosen.faults]
    url = urlsplit((chosen.smtp if "@" in to else chosen.sms) or "")
    kind = "e-mail" if "@" in to else "SMS"
    outcome = await messaging.try_out(chosen, to, SystemClock().now(), "Bedside")
    if outcome.reason is None:
        by = f"{url.hostname}{f':{url.port}' if url.port else ''}"
        return [*found, good(f"{by} took the {kind} for {to} over. Look whether it arrived.")]
    words = messaging.REASONS[outcome.reason]
    if outcome.reason == "no-channel":
        remedy = f"{words.todo} If they stand in a file (secrets.env), read it first: set -a; . FILE; set +a"
        return [*found, Finding("bad", f"No way out for {kind} is set up in this environment.", remedy)]
    return [*found, Finding("bad", f"{kind} by {url.hostname}: {words.what}", words.todo)]


async def look_at_notices(settings: Settings) -> list[Finding]:
    """Whether anything is set up, when a notice last went out, how many wait and how many are work for a person."""
    if settings.demo:
        return [good("Notices go to the demo's outbox.")]
    chosen = messaging_settings.Settings.of_environment(os.environ)
    found = [Finding("bad", each) for each in chosen.faults]
    ways = [name for name, there in (("e-mail (SMTP)", chosen.smtp), ("SMS (by URL)", chosen.sms)) if there is not None]
    if ways:
        found.append(good(f"Notices leave by {' and '.join(ways)}. Try it: bedside doctor --send-test YOUR@ADDRESS"))
    else:
        what = "Nothing is set up in this environment by which notices leave: BEDSIDE_SMTP_URL, BEDSIDE_SMS_URL."
        found.append(Finding("note", what, "docs/notices.md"))
    async with operator(settings) as ctx, access.work(ctx, "looked how notices stand", readonly=True) as inner:
        stands, now = await messaging.standing(inner), inner.clock.now()
    if stands.last is None:
        found.append(Finding("note", "No notice has gone out yet."))
    else:
        found.append(good(f"The last notice went out {age(now - stands.last)} ago."))
    if stands.oldest is not None and now - stands.oldest > LATE:
        what = f"Notices that wait to go out: {stands.waiting}, the oldest for {age(now - stands.oldest)}."
        found.append(Finding("bad", what, "Is the worker running? Read logs/worker.log, then try --send-test."))
    elif stands.waiting:
        found.append(good(f"Notices on their way: {stands.waiting}."))
    if stands.failing:
        what = f"Notices that did not arrive or were not opened: {stands.failing}."
        found.append(Finding("note", what, "See whom to ring at /admin/notices."))
    return found


async def notice_came_back(settings: Settings, raw: bytes, to: str) -> str:
    """A message to the bounces' address; what it was (messaging.bounce)."""
    async with operator(settings) as ctx:
        return await messaging.bounce(ctx, raw, to)
