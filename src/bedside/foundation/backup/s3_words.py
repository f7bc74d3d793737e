"""What an S3-like store answered, in words for whoever looks after the clinic. No word of it holds a key."""

from __future__ import annotations

from botocore.exceptions import ClientError, SSLError

from bedside.foundation.errors import Unavailable

REFUSED = frozenset({"AccessDenied", "InvalidAccessKeyId", "SignatureDoesNotMatch", "ExpiredToken", "InvalidToken"})
FULL = frozenset({"QuotaExceeded", "XMinioStorageFull", "StorageFull", "InsufficientStorage", "EntityTooLarge"})
SKEWED = "RequestTimeTooSkewed"
WHOLE = "What was kept before is whole, and it goes on by itself."


def code(error: Exception) -> str:
    """The store's own name for what is wrong, "" for none."""
    return str(error.response.get("Error", {}).get("Code", "")) if isinstance(error, ClientError) else ""


def status(error: Exception) -> int:
    """Of HTTP; 0 where there was no answer."""
    if not isinstance(error, ClientError):
        return 0
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def refused(error: Exception) -> bool:
    """Whether the key was."""
    return code(error) in REFUSED or status(error) in {401, 403}


def told(error: Exception, place: str) -> Unavailable:
    """For the log, the status page and doctor."""
    what, number = code(error), status(error)
    if what == SKEWED:
        return Unavailable(
            f"{place} refuses: this machine's clock and the store's differ.", remedy="Set the clock (timedatectl)."
        )
    if what in FULL or number == 507:
        return Unavailable(
            f"{place} is full ({what or number}). The backups that stood there before are whole.",
            remedy="Enlarge it there, or keep fewer days: bedside backup init --keep-days N.",
        )
    if refused(error):
        return Unavailable(
            f"{place} refuses the access key ({what or number}).",
            remedy="Is the key still valid, and may it read, write, list and delete there? A new one in its file is "
            "taken up by itself; one in the environment wants Bedside started again.",
        )
    if what == "NoSuchBucket":
        return Unavailable(f"{place}: there is no such bucket.", remedy="Make it there, or mend --to and --endpoint.")
    if isinstance(error, SSLError):
        return Unavailable(
            f"{place}: its certificate is not believed.",
            remedy="If it is signed by an authority of your own, name that one's file in AWS_CA_BUNDLE.",
        )
    if number:
        return Unavailable(f"{place} does not serve us now ({what or number}).", remedy=WHOLE)
    return Unavailable(f"{place} cannot be reached ({type(error).__name__}).", remedy=f"Look at the network. {WHOLE}")
