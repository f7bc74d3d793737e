"""Acknowledgements: ACK^R01 in original and enhanced mode (HL7 v2 chapter 2, 2.9; table 0008)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from bedside.exchange.model.framing import framed
from bedside.exchange.model.message import Header
from bedside.exchange.model.report import Problem

MOST_ERRORS: Final = 40
TABLE: Final = {
    "0": "Message accepted",
    "100": "Segment sequence error",
    "101": "Required field missing",
    "102": "Data type error",
    "103": "Table value not found",
    "104": "Value too long",
    "200": "Unsupported message type",
    "201": "Unsupported event code",
    "202": "Unsupported processing id",
    "203": "Unsupported version id",
    "204": "Unknown key identifier",
    "205": "Duplicate key identifier",
    "207": "Application internal error",
}
"""0357."""
COMMIT: Final = {"AA": "CA", "AE": "CE", "AR": "CR"}


@dataclass(slots=True, frozen=True)
class Verdict:
    """What became of a message. code: AA, AE or AR. kept: whether something of it is stored."""

    code: str
    problems: tuple[Problem, ...] = ()
    kept: bool = False


def answers(head: Header, verdict: Verdict, now: datetime, control: str) -> list[bytes]:
    """The framed acknowledgements, in order; in enhanced mode it may be none.

    control: this answer's own MSH-10; a second answer gets it with '.2'.
    """
    if not head.enhanced:
        return [_one(head, verdict.code, verdict.problems, now, control)]
    found: list[bytes] = []
    applied = _asked(head.application_answer, verdict.code)
    # What was stored in part is safe and will be answered for: the sender need not send it again.
    commit = "CA" if verdict.code == "AE" and verdict.kept and applied else COMMIT[verdict.code]
    if _asked(head.accept, "AA" if commit == "CA" else verdict.code):
        found.append(_one(head, commit, verdict.problems if commit != "CA" else (), now, control))
    if applied and (commit == "CA" or not found):
        found.append(_one(head, verdict.code, verdict.problems, now, f"{control}.2" if found else control))
    return found


def _asked(condition: str, code: str) -> bool:
    """Table 0155: AL always, NE never, ER on error or reject, SU on success; none said is never, in enhanced mode."""
    return condition == "AL" or (condition == "ER" and code != "AA") or (condition == "SU" and code == "AA")


def _one(head: Header, code: str, problems: Sequence[Problem], now: datetime, control: str) -> bytes:
    version = head.version or "2.5"
    stamp = now.astimezone(UTC).strftime("%Y%m%d%H%M%S.%f")[:-3] + "+0000"
    trigger = _escaped(head.trigger or "R01")
    structure = f"ACK^{trigger}^ACK" if version >= "2.4" else "ACK"
    heading = (head.to_application or "BEDSIDE", head.to_facility, head.application, head.facility)
    msh = ["MSH", "^~\\&", *map(_escaped, heading), stamp, "", structure, _escaped(control)]
    msh += [_escaped(head.processing or "P"), _escaped(version)]
    if head.charset and head.codec != "ascii":
        msh += ["", "", "", "", "", _escaped(head.charset)]
    worst = next((one for one in problems if one.severity == "E"), None)
    msa = ["MSA", code, _escaped(head.control), *([_escaped(worst.text)] if worst is not None else [])]
    lines = ["|".join(msh), "|".join(msa), *(_err(one, version) for one in problems[:MOST_ERRORS])]
    if len(problems) > MOST_ERRORS:
        lines.append(_err(Problem(f"{len(problems) - MOST_ERRORS} more", "OBX^1", "102", "I"), version))
    body = "\r".join(lines) + "\r"
    return framed(body.encode(head.codec, "replace"))


def _err(problem: Problem, version: str) -> str:
    name = TABLE.get(problem.condition, "")
    if version < "2.5":
        return f"ERR|{problem.where}^{problem.condition}&{name}&HL70357"
    return f"ERR||{problem.where}|{problem.condition}^{name}^HL70357|{problem.severity}||||{_escaped(problem.text)}"


def _escaped(text: str) -> str:
    """As the text of a field; what would end a segment or a block is left out."""
    plain = text.replace("\\", "\\E\\")
    for mark, letter in (("|", "F"), ("^", "S"), ("&", "T"), ("~", "R")):
        plain = plain.replace(mark, f"\\{letter}\\")
    return "".join(letter for letter in plain if letter.isprintable())
