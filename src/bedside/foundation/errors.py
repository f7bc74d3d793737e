"""What can go wrong, said once; each door renders it in its caller's format (page, OperationOutcome, NAK).

No message carries health data or a personal value: the message is shown, logged and sent.
"""


class BedsideError(Exception):
    """Something Bedside refuses or cannot do.

    status: the HTTP status that fits. code: a FHIR issue-type code (hl7.org/fhir/R4/valueset-issue-type.html).
    where: the element, field or line concerned, in the caller's own terms. remedy: what the caller can do.
    """

    status = 500
    code = "exception"

    def __init__(self, message: str, *, where: str | None = None, remedy: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.remedy = remedy


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
        super().__init__(message, where=where, remedy=f"Wait {retry_after} seconds and try again.")
        self.retry_after = retry_after


class Unavailable(BedsideError):
    """An engine is away or full; nothing was kept, try again."""

    status, code = 503, "transient"
