"""A file is what it holds, whatever its name says."""

from __future__ import annotations

import pytest

from bedside.foundation.errors import Invalid, TooLarge
from bedside.messaging.threads.model.files import MOST, media_of, name_of

pytestmark = pytest.mark.unit

PDF = b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n%%EOF\n"
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20 + b"IEND\xaeB`\x82"
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 20 + b"\xff\xd9"


@pytest.mark.parametrize(("data", "media"), [(PDF, "application/pdf"), (PNG, "image/png"), (JPEG, "image/jpeg")])
def test_what_it_holds(data: bytes, media: str) -> None:
    assert media_of(data) == media


@pytest.mark.parametrize(
    "data", [b"", b"MZ\x90\0", b"<svg onload='x()'/>", b"<html>%PDF-1.7 %%EOF", PNG[:-8], PDF[:20]]
)
def test_what_is_refused(data: bytes) -> None:
    with pytest.raises(Invalid) as refused:
        media_of(data)
    assert refused.value.where == "files"


def test_too_large() -> None:
    with pytest.raises(TooLarge):
        media_of(PDF + b"\0" * MOST)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("../../etc/passwd", "passwd.pdf"),
        ("C:\\fakepath\\Lab result.PDF", "Lab result.pdf"),
        ("photo.jpg.exe", "photo.jpg.exe.pdf"),
        ("invoice\u202efdp.exe", "invoicefdp.exe.pdf"),
        ("a\r\nset-cookie: b", "aset-cookie: b.pdf"),
        ("", "file.pdf"),
        ("análisis.pdf", "análisis.pdf"),
    ],
)
def test_its_name_says_what_it_is(given: str, shown: str) -> None:
    assert name_of(given, "application/pdf") == shown
