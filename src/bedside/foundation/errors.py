"""What can go wrong, said once; each door renders it in its caller's format (page, OperationOutcome, NAK).

No message carries health data or a personal value: the message is shown, logged and sent.
"""

from __future__ import annotations

from collections.abc import Callable


def N_(text: str) -> str:  # noqa: N802 - gettext's own name for "translate later"
    """Marks a msgid where it is written down; the page that shows it translates it."""
    return text


def listed(value: object, words: Callable[[str], str] = str) -> object:
    """A value as it stands in a message: several with commas between them, each word by words; a number as it is."""
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(words(str(one)) for one in value)
    return words(value) if isinstance(value, str) else value


class BedsideError(Exception):
    """Something Bedside refuses or cannot do.

    status: the HTTP status that fits. code: a FHIR issue-type code (hl7.org/fhir/R4/valueset-issue-type.html).
    where: the element, field or line concerned, in the caller's own terms. remedy: what the caller can do.
    message and remedy are English and msgids of the catalogue: what changes in them stands as %(name)s and comes in
    values, so that a page can say both in the reader's language (web/kit/errors.py). Every other door keeps English.
    """

    status = 500
    code = "exception"

    def __init__(self, message: str, *, where: str | None = None, remedy: str | None = None, **values: object) -> None:
        self.msgid, self.remedy_msgid, self.values = message, remedy, values
        plain = {name: listed(value) for name, value in values.items()}
        self.message = message % plain if values else message
        self.remedy = remedy % plain if values and remedy else remedy
        self.where = where
        super().__init__(self.message)


class Invalid(BedsideError):
    """The input breaks a rule."""

    status, code = 400, "invalid"


class Unprocessable(BedsideError):
    """The input is well formed but breaks a business rule."""

    status, code = 422, "business-rule"


class SignInNeeded(BedsideError):
    """Nobody is signed in, or the token is bad."""

    status, code = 401, "login"


class Forbidden(BedsideError):
    """Somebody is, and may not."""

    status, code = 403, "forbidden"


class NotFound(BedsideError):
    """No such thing, or none that the asker may know of."""

    status, code = 404, "not-found"


class Gone(BedsideError):
    """It was here and was deleted."""

    status, code = 410, "deleted"


class Conflict(BedsideError):
    """The state does not allow it, or another writer was first."""

    status, code = 409, "conflict"


class PreconditionFailed(BedsideError):
    """If-Match or a conditional did not hold."""

    status, code = 412, "conflict"


class TooLarge(BedsideError):
    """More than is taken at once."""

    status, code = 413, "too-long"


class TooMany(BedsideError):
    """Slow down. retry_after in seconds."""

    status, code = 429, "throttled"

    def __init__(self, message: str, *, retry_after: int = 60, where: str | None = None) -> None:
        super().__init__(
            message, where=where, remedy=N_("Wait %(seconds)s seconds and try again."), seconds=retry_after
        )
        self.retry_after = retry_after


class Unavailable(BedsideError):
    """An engine is away or full; nothing was kept, try again."""

    status, code = 503, "transient"
