"""The pure parts: reports that mail servers send, numbers, signatures, when to try again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tests.messaging.servers import SECRET, checked

from bedside.messaging.model import bounces, retry, signature
from bedside.messaging.model.numbers import e164
from bedside.messaging.model.templates import TEMPLATES, kind, secret

pytestmark = pytest.mark.unit
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "number"),
    [
        ("+34 600 00 00 00", "+34600000000"),
        ("0034-600.000/000", "+34600000000"),
        ("+1 (212) 555-0100", "+12125550100"),
        ("600000000", None),
        ("+0 600 000 000", None),
        ("+34 6", None),
        ("+34 600 000 000 000 000", None),
        ("+34 six", None),
        ("ann@home.example", None),
        ("", None),
    ],
)
def test_numbers(written: str, number: str | None) -> None:
    assert e164(written) == number


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("5.1.1", "no-such-address"),
        ("5.1.2", "no-such-address"),
        ("5.2.1", "no-such-address"),
        ("5.1.8", "sender"),
        ("5.2.2", "full"),
        ("4.4.7", "timeout"),
        ("5.7.1", "rejected"),
        ("5.6.0", "rejected"),
        ("5.0.0", "unknown"),
        ("550 ann@5.example", "unknown"),
    ],
)
def test_enhanced_codes(code: str, reason: str) -> None:
    assert bounces.reason(code) == reason


def test_a_token_goes_through_an_envelope() -> None:
    token = bounces.new_token()
    back = bounces.sender("bounces@clinic.example", token)
    assert back == f"bounces+{token}@clinic.example"
    assert len(back.partition("@")[0]) <= 64
    assert token != bounces.new_token()


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\xff\xfe\x00",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x",
        b"Content-Type: multipart/report; boundary=x\r\n\r\n--x\r\nContent-Type: message/delivery-status\r\n\r\n",
    ],
)
def test_what_is_no_report_is_none(raw: bytes) -> None:
    found = bounces.read(raw)
    assert found is None or found.state == "delayed"


def test_the_signature_is_what_the_docs_say_and_of_now() -> None:
    made = signature.signed(SECRET, NOW, b"{}")
    assert checked(made, b"{}")
    assert signature.good(SECRET, NOW + timedelta(minutes=5), b"{}", made)
    for secret_, now, body, said in (
        (SECRET, NOW + timedelta(minutes=5, seconds=1), b"{}", made),
        (SECRET, NOW - timedelta(minutes=6), b"{}", made),
        (SECRET, NOW, b"{ }", made),
        ("another secret of it", NOW, b"{}", made),
        ("", NOW, b"{}", signature.signed("", NOW, b"{}")),
        (SECRET, NOW, b"{}", made.upper()),
        (SECRET, NOW, b"{}", "t=1,v1="),
    ):
        assert not signature.good(secret_, now, body, said)


def test_it_is_tried_ever_more_rarely_and_for_so_long() -> None:
    def pause(tries: int, wait: float = 0, urgent: bool = False, after: float = 0) -> float | None:
        now = NOW + timedelta(seconds=after)
        at = retry.again(tries, NOW, now, urgent=urgent, wait=timedelta(seconds=wait))
        return (at - now).total_seconds() if at else None

    assert [pause(n) for n in (1, 2, 3, 8, 60)] == [15, 30, 60, 1800, 1800]
    assert pause(1, wait=600) == 600
    assert pause(1, wait=1801, urgent=True) is None
    assert pause(60, after=86400 - 1799) is None


def test_a_gateway_learns_nothing_of_what_a_notice_is_about() -> None:
    assert {kind(template) for template in (*TEMPLATES, "unknown")} == {"sign-in", "notice", "test"}
    assert secret("access.link")
    assert secret("visits.link")
    assert secret("nobody.wrote-this")
    assert not secret("monitoring.read")
