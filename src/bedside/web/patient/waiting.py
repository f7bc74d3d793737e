"""What <readings-waiting> says, on each page that sends what this browser keeps: handed to it as JSON in data-words."""

from __future__ import annotations

from starlette.requests import Request

from bedside.web.kit import page_of, translator


def waiting_words(request: Request) -> dict[str, str]:
    """For <readings-waiting>: what is kept in this browser. {n}, {value}: filled in there."""
    _ = translator(page_of(request).language)
    return {
        "one": _("1 reading is kept on this phone or computer, not sent yet."),
        "many": _("{n} readings are kept on this phone or computer, not sent yet."),
        "will": _(
            "They are sent by themselves, once each, when a page of the clinic is open and the internet is back."
        ),
        "alone": _("They are sent by themselves, once each, as soon as the internet is back. You may close this page."),
        "unusual": _("{value}: this is unusual. Is it right?"),
        "right": _("Yes, it is right: send it"),
        "drop": _("No, throw it away"),
        "refused": _("{value}: the clinic could not take this reading. Measure again, or type it."),
        "remove": _("Remove it"),
        "sign_in": _("Sign in again, then they are sent."),
    }
