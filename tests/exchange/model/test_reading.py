"""ORU^R01 read: values, times, codes, monitors; whatever comes, nothing is made up."""

import itertools
import random
import time
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import hl7
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.exchange.fuzz import messages, survives_framing
from tests.exchange.oru import DIASTOLIC, HEART_RATE, NOON, fields, msh, obx, oru

from bedside.exchange.model import codes, times
from bedside.exchange.model.answer import Verdict, answers
from bedside.exchange.model.message import Header, Unreadable, check, header, parse
from bedside.exchange.model.report import Problem, Report, read

pytestmark = pytest.mark.unit

MADRID = ZoneInfo("Europe/Madrid")
RECEIVED = round(datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp() * 1_000_000)


def report(message: bytes) -> Report:
    head = header(message)
    return read(parse(message, head), head, MADRID, RECEIVED)


def first(result: str) -> tuple[float | None, str]:
    (found,) = report(oru(result)).patients[0].results
    return found.value, found.unit


def refused(result: str) -> tuple[str, str]:
    found = report(oru(result))
    assert found.patients[0].results == []
    (problem,) = found.problems
    return problem.where, problem.condition


@pytest.mark.parametrize(
    ("result", "value"),
    [
        (obx(value="80"), 80),
        (obx(value="+80.50"), 80.5),
        (obx(value=".5"), 0.5),
        (obx(kind="SN", value="^80"), 80),
        (obx(kind="SN", value="=^80"), 80),
        (obx(status=""), 80),
        (obx(status="R"), 80),
        (obx("8867-4^Heart rate^LN", "80", "/min"), 80),
        (obx("HR^pulse^99ACME^8867-4^Heart rate^LN", "80", "bpm"), 80),
        (obx("MDC_ECG_HEART_RATE^^MDC"), 80),
    ],
)
def test_a_number_is_taken(result: str, value: float) -> None:
    assert first(result)[0] == value


@pytest.mark.parametrize(
    ("result", "where", "condition"),
    [
        (obx(kind="SN", value=">^80"), "OBX^1^5", "102"),
        (obx(kind="SN", value="^80^-^90"), "OBX^1^5", "102"),
        (obx(kind="ST", value="80"), "OBX^1^2", "102"),
        (obx(kind="", value="80"), "OBX^1^2", "101"),
        (obx(value="eighty"), "OBX^1^5", "102"),
        (obx(value="1e308"), "OBX^1^5", "102"),
        (obx(value="NaN"), "OBX^1^5", "102"),
        (obx(value="８０"), "OBX^1^5", "102"),
        (obx(value="80~81"), "OBX^1^5", "102"),
        (obx(unit=""), "OBX^1^6", "101"),
        (obx(status="Q"), "OBX^1^11", "103"),
        (obx(at="20261121"), "OBX^1^14", "102"),
        (obx(at="20261321120000"), "OBX^1^14", "102"),
        (obx("147842^MDC_PULS_OXIM_SAT_O2^MDC"), "OBX^1^3", "103"),
        (obx("150456^MDC_ECG_HEART_RATE^MDC"), "OBX^1^3", "103"),
        (obx("147842^MDC_SOMETHING_ELSE^MDC"), "OBX^1^3", "103"),
        (obx("8867-4^Heart rate"), "OBX^1^3", "103"),
        (obx(flags="INV"), "OBX^1^8", "102"),
        (obx(flags="N~DEMO"), "OBX^1^8", "102"),
    ],
)
def test_what_is_no_measurement_is_named(result: str, where: str, condition: str) -> None:
    assert refused(result) == (where, condition)


def test_what_says_nothing_is_no_error() -> None:
    found = report(oru(obx(value="", kind=""), obx(status="X"), obx(value="", status="F")))
    assert (found.problems, found.seen) == ([], 0)


def test_no_time_anywhere() -> None:
    found = report(oru(obx(at=""), obr="OBR|1"))
    assert [(one.where, one.condition) for one in found.problems] == [("OBX^1^14", "101")]


def test_segments_that_are_missing() -> None:
    assert [one.where for one in report("\r".join([msh(), obx()]).encode()).problems] == ["OBX^1", "PID^1"]
    assert [one.where for one in report("\r".join([msh(), "PID|||1^^^A"]).encode()).problems] == ["OBX^1"]


def test_several_patients_in_one_message() -> None:
    more = "\r".join(["PID|||582206^^^WARD&1.2.3&ISO", "OBR|1||||||" + NOON, obx(value="90")])
    found = report(oru(obx(), more))
    assert [one.person.identifiers for one in found.patients] == [
        (("WARD", "4711"),),
        (("WARD", "582206"), ("1.2.3", "582206")),
    ]
    assert [[x.value for x in one.results] for one in found.patients] == [[80], [90]]


def test_prt_names_the_monitor_of_a_newer_version() -> None:
    found = report(oru(obx(), "PRT|1|UC||EQUIP||||||PUMP-9^ACME", obx(value="81")))
    assert [x.monitor for x in found.patients[0].results] == ["PUMP-9^ACME", "PUMP-9^ACME"]


def test_other_line_ends_and_separators() -> None:
    plain = report(oru()).patients
    assert report(oru().replace(b"\r", b"\n")).patients == plain
    assert report(oru().replace(b"\r", b"\r\n")).patients == plain
    odd = oru().replace(b"^~\\&", b"$%?#").replace(b"^", b"$")
    assert report(odd.replace(b"|", b"!")).patients == plain


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("20261121130000", "2026-11-21T12:00:00+00:00"),
        ("202611211300", "2026-11-21T12:00:00+00:00"),
        ("20261121130000.1234567", "2026-11-21T12:00:00.123456+00:00"),
        ("20260701130000", "2026-07-01T11:00:00+00:00"),
        ("20261121173000+0530", "2026-11-21T12:00:00+00:00"),
        # The hour that comes twice: the nearer to the receipt, which is after both.
        ("20261025023000", "2026-10-25T01:30:00+00:00"),
    ],
)
def test_times(text: str, utc: str) -> None:
    micro = times.instant(text, MADRID, RECEIVED)
    assert (times.EPOCH + times.timedelta(microseconds=micro)).isoformat() == utc


@pytest.mark.parametrize("text", ["20260329023000", "2026", "20261121126000", "20261121120000+2500", "x", ""])
def test_no_times(text: str) -> None:
    with pytest.raises(times.NoTime):
        times.instant(text, MADRID, RECEIVED)


@pytest.mark.parametrize(
    ("sent", "meant"),
    [
        ("a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f"),
        ("\\X41C3A9\\", "Aé"),
        ("\\H\\x\\N\\", "x"),
        ("\\.sp99999999\\x", "x"),
        ("lone\\mark", "lone\\mark"),
        ("\\XZZ\\x", "x"),
    ],
)
def test_escapes(sent: str, meant: str) -> None:
    message = oru(pid=f"PID|||1^^^A||{sent}")
    assert parse(message, header(message)).text(1, 5) == meant


def test_what_is_sent_back_is_escaped_and_read_by_others() -> None:
    head = header(oru(head=msh("a\\F\\b\\S\\c", application="M\\T\\N")))
    assert head.control == "a|b^c"
    (answer,) = answers(head, Verdict("AE", (Problem("only A^B|C", "OBX^1"),)), times.EPOCH, "own1")
    theirs = hl7.parse(answer.strip(b"\x0b\x1c\r").decode())
    assert theirs.unescape(str(theirs.segment("MSA")[2])) == "a|b^c"
    assert str(theirs.segment("ERR")[8]) == "only A\\S\\B\\F\\C"
    assert fields(answer)["MSH"][0][4] == "M\\T\\N"


@pytest.mark.parametrize(("charset", "codec"), [("8859/1", "latin-1"), ("UNICODE UTF-8", "utf-8"), ("", "utf-8")])
def test_a_control_id_is_echoed_in_its_charset(charset: str, codec: str) -> None:
    head = header(oru(head=msh("núm-1", charset=charset)).decode().encode(codec))
    (answer,) = answers(head, Verdict("AA"), times.EPOCH, "own")
    assert "|AA|núm-1".encode(codec) in answer


@pytest.mark.parametrize("mark", ["^", "&", "~", "|", "\\X41\\"])
def test_a_message_of_separators_holds_nobody_up(mark: str) -> None:
    begun = time.process_time()
    for message in (oru(obx(value=mark * 200_000)), oru(pid=f"PID|||1{mark * 200_000}"), msh(mark * 200_000).encode()):
        with pytest.raises(Unreadable):
            head = header(message)
            check(head, "P")
            parse(message, head)
    assert time.process_time() - begun < 1


def test_more_errors_than_an_answer_holds() -> None:
    many = tuple(Problem("no", f"OBX^{n}") for n in range(100))
    (answer,) = answers(Header(control="1", version="2.5"), Verdict("AE", many), times.EPOCH, "own")
    assert len(fields(answer)["ERR"]) == 41
    assert "60 more" in answer.decode()


def test_the_table() -> None:
    assert codes.coded([("150301", "MDC_PRESS_CUFF_SYS", "MDC")]) == codes.Coded("systolic", "")
    assert codes.unit_of(["264864", "MDC_DIM_BEAT_PER_MIN"]) == "/min"
    assert codes.unit_of(["mg/dL"]) == "mg/dL"
    assert codes.unit_of(["", ""]) is None
    assert DIASTOLIC != HEART_RATE


def tried(message: bytes) -> None:
    """Read it as the door does: Unreadable or a report, soon, with finite numbers and an answer."""
    begun = time.process_time()
    head = Header()
    try:
        head = header(message)
        check(head, "P")
        found = read(parse(message, head), head, MADRID, RECEIVED)
        for one in found.patients:
            assert all(x.value is None or abs(x.value) < 1e15 for x in one.results)
    except Unreadable as error:
        found = Report(problems=[Problem(error.text, error.where, error.condition)])
    for answer in answers(head, Verdict("AE", tuple(found.problems)), times.EPOCH, "own"):
        assert answer.startswith(b"\x0b")
        assert answer.endswith(b"\x1c\r")
        assert b"\x0b" not in answer[1:-2]
        assert b"\x1c" not in answer[1:-2]
    assert time.process_time() - begun < 1


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=300).map(lambda tail: b"MSH|^~\\&|" + tail))
def test_anything_after_a_header(message: bytes) -> None:
    tried(message)


def test_mutated_messages() -> None:
    dice = random.Random(7)
    for message in itertools.islice(messages(7), 1500):
        tried(message)
        survives_framing(dice, message[:4000])
