"""What a file is, by what it holds and never by its name. Pure. Hazard H129."""

from __future__ import annotations

import re
import unicodedata

from bedside.foundation.errors import Invalid, TooLarge

MOST = 10 * 1024 * 1024
"""Bytes of one file."""
MANY = 3
"""Files of one message."""
_BEGINS = (
    (b"%PDF-", "application/pdf", "pdf"),
    (b"\xff\xd8\xff", "image/jpeg", "jpg"),
    (b"\x89PNG\r\n\x1a\n", "image/png", "png"),
)
_ENDS = {"application/pdf": b"%%EOF", "image/jpeg": b"\xff\xd9", "image/png": b"IEND\xaeB`\x82"}
_TAIL = 2048
"""Bytes from the end in which a whole file says that it ends: some programs write a little after it."""


def media_of(data: bytes) -> str:
    """The media type of a whole PDF, JPEG or PNG. Raises Invalid for everything else, TooLarge."""
    if len(data) > MOST:
        raise TooLarge("A file has at most %(most)s MB.", where="files", most=MOST >> 20)
    if not data:
        raise Invalid("This file is empty.", where="files")
    for begins, media, _ in _BEGINS:
        if data.startswith(begins):
            if _ENDS[media] not in data[-_TAIL:]:
                raise Invalid("This file is cut off or damaged.", where="files", remedy="Choose it again.")
            return media
    raise Invalid(
        "Only PDF, JPEG and PNG files can be sent.", where="files", remedy="Take a photo of it, or save it as a PDF."
    )


def name_of(given: str, media: str) -> str:
    """The file's name as it is shown and saved: no path, no control or direction signs, with what it really is at its
    end."""
    ending = next(end for _, kind, end in _BEGINS if kind == media)
    bare = re.split(r"[\\/]", given)[-1]
    kept = "".join(c for c in unicodedata.normalize("NFC", bare) if unicodedata.category(c)[0] not in "CZ" or c == " ")
    stem = re.sub(r"\.(pdf|jpe?g|png)$", "", kept.strip(), flags=re.IGNORECASE).strip(" .\"'")[:80]
    return f"{stem or 'file'}.{ending}"
