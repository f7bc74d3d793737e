"""Conditional reads: whether the asker has this version already (hl7.org/fhir/R4/http.html#cread)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from bedside.fhir import dates
from bedside.records.model.refusals import refuse
from bedside.records.model.stored import Stored


def moment(text: str | None, where: str) -> datetime | None:
    """An HTTP date, or a FHIR instant as a bundle's entry has it. Raises Refused."""
    if text is None:
        return None
    try:
        found = dates.span(text).low if text[:4].isdecimal() else parsedate_to_datetime(text)
    except (ValueError, TypeError, OverflowError):
        raise refuse("value", where, "This is no date of HTTP.", status=400) from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def is_known(one: Stored, tags: str | None, since: datetime | None) -> bool:
    """Whether nothing new is there. The tags decide where there are any (RFC 9110, 13.1.3)."""
    if tags is not None:
        return any(tag.strip().removeprefix("W/") in (f'"{one.version}"', "*") for tag in tags.split(","))
    # An HTTP date has whole seconds, and Last-Modified told no more: who must be sure uses the ETag.
    return since is not None and one.updated.replace(microsecond=0) <= since
