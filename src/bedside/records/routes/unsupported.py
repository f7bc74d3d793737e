"""A body that cannot be read here."""

from bedside.foundation.errors import BedsideError


class Unsupported(BedsideError):
    """The body is in a format that is not read here."""

    status, code = 415, "not-supported"
