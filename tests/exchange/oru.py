"""ORU^R01 messages as monitors, gateways and laboratories send them."""

from __future__ import annotations

from collections.abc import Sequence

SYSTEM = "urn:oid:2.16.840.1.113883.19.5"
NOON = "20261121120000+0000"
HEART_RATE = "147842^MDC_ECG_HEART_RATE^MDC"
SPO2 = "150456^MDC_PULS_OXIM_SAT_O2^MDC"
SYSTOLIC = "150021^MDC_PRESS_BLD_NONINV_SYS^MDC"
DIASTOLIC = "150022^MDC_PRESS_BLD_NONINV_DIA^MDC"
MEAN = "150023^MDC_PRESS_BLD_NONINV_MEAN^MDC"
BPM = "264864^MDC_DIM_BEAT_PER_MIN^MDC"
PERCENT = "262688^MDC_DIM_PERCENT^MDC"
MMHG = "266016^MDC_DIM_MMHG^MDC"
PID = "PID|||4711^^^WARD^MR||Quist^Ada||19500102|F"


def msh(
    control: str = "m1",
    *,
    application: str = "MON",
    facility: str = "ICU",
    type_: str = "ORU^R01^ORU_R01",
    processing: str = "P",
    version: str = "2.6",
    acks: str = "",
    charset: str = "",
    time: str = NOON,
) -> str:
    """acks: MSH-15|MSH-16."""
    accept = acks or "|"
    return (
        f"MSH|^~\\&|{application}|{facility}|BEDSIDE|CLINIC|{time}||{type_}|{control}|{processing}|{version}"
        f"|||{accept}||{charset}"
    )


def obx(
    code: str = HEART_RATE,
    value: str = "80",
    unit: str = BPM,
    *,
    kind: str = "NM",
    status: str = "F",
    at: str = NOON,
    flags: str = "",
    device: str = "",
    place: str = "1.1.1.1",
    number: int = 1,
) -> str:
    """One OBX, its time in OBX-14, its monitor in OBX-18."""
    return f"OBX|{number}|{kind}|{code}|{place}|{value}|{unit}||{flags}|||{status}|||{at}||||{device}"


def oru(*results: str, head: str = "", pid: str = PID, obr: str = "OBR|1|||x^monitoring|||" + NOON) -> bytes:
    """The whole message, segments ended by 0x0D."""
    return "\r".join([head or msh(), pid, obr, *(results or (obx(),)), ""]).encode()


def fields(answer: bytes) -> dict[str, list[list[str]]]:
    """An unframed or framed acknowledgement: segment name to its segments' fields."""
    found: dict[str, list[list[str]]] = {}
    for line in answer.strip(b"\x0b\x1c\r").decode().split("\r"):
        parts = line.split("|")
        found.setdefault(parts[0], []).append(parts)
    return found


def codes(answers: Sequence[bytes]) -> list[str]:
    """MSA-1 of each."""
    return [fields(one)["MSA"][0][1] for one in answers]
