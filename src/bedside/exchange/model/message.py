"""HL7 v2 in its vertical-bar form: charset, separators, header, fields. Parsed by python-hl7 (decision 0016).

What python-hl7 is not asked for: its unescape writes what it cannot read, patients' names among it, into the log.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import hl7

VERSIONS: Final = frozenset({"2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6", "2.7", "2.7.1", "2.8", "2.8.1", "2.8.2"})
MOST_SEGMENTS: Final = 3000
MOST_MARKS: Final = 60_000
"""Separators in one message: a thousand results need some 30,000, and a million would hold up everybody for seconds."""
MOST_HEADER: Final = 4000
"""Bytes of MSH."""
CHARSETS: Final = {
    # table 0211, and what senders write instead; empty is ASCII, of which UTF-8 is the superset
    **{"": "utf-8", "ASCII": "ascii", "UNICODE UTF-8": "utf-8", "UTF-8": "utf-8", "UTF8": "utf-8"},
    **{f"8859/{n}": f"iso8859-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9, 15)},
    **{"UNICODE": "utf-8"},
}
_HEAD: Final = re.compile(rb"MSH([!-/:-@\[-`{-~])([!-/:-@\[-`{-~]{2,5})\1")

Field = tuple[tuple[tuple[str, ...], ...], ...]
"""Repetitions of components of subcomponents, unescaped."""


class Unreadable(ValueError):
    """The message as a whole is not taken. code: AE (content) or AR (type, version, processing, charset).

    condition: of table 0357. where: segment^sequence^field. The text is for the sender, without content.
    """

    def __init__(self, text: str, *, code: str = "AE", condition: str = "102", where: str = "MSH^1") -> None:
        self.code, self.condition, self.where, self.text = code, condition, where, text
        super().__init__(text)


@dataclass(slots=True, frozen=True)
class Header:
    """MSH, as far as it is needed. control: MSH-10. accept, application_answer: MSH-15 and MSH-16."""

    application: str = ""
    facility: str = ""
    to_application: str = ""
    to_facility: str = ""
    time: str = ""
    type: str = ""
    trigger: str = ""
    control: str = ""
    processing: str = ""
    version: str = ""
    accept: str = ""
    application_answer: str = ""
    charset: str = ""
    marks: str = "|^~\\&"

    @property
    def enhanced(self) -> bool:
        """Whether the sender asked for commit acknowledgements (enhanced mode)."""
        return bool(self.accept or self.application_answer)

    @property
    def codec(self) -> str:
        """Python's name of the charset; UTF-8 where it is none that is known."""
        return CHARSETS.get(self.charset.upper(), "utf-8")


class Message:
    """Segments in order, their fields read on demand."""

    def __init__(self, parsed: Any, codec: str) -> None:
        self._parsed, self._codec = parsed, codec
        self._escape = str(parsed.esc)
        marks = parsed.separators
        self._plain: dict[str, str] = {"F": marks[1], "R": marks[2], "S": marks[3], "T": marks[4], "E": self._escape}
        self.names = [str(segment[0]) for segment in parsed]

    def field(self, segment: int, number: int) -> Field:
        """Field `number` of the segment at that place; empty where it is not there."""
        found = self._parsed[segment]
        if number >= len(found):
            return ()
        return tuple(tuple(self._parts(one) for one in _many(repetition)) for repetition in found[number])

    def text(self, segment: int, number: int, component: int = 1) -> str:
        """The first subcomponent of a component of the first repetition, from 1; '' where it is not there."""
        found = self.field(segment, number)
        if not found or len(found[0]) < component or not found[0][component - 1]:
            return ""
        return found[0][component - 1][0].strip()

    def _parts(self, component: Any) -> tuple[str, ...]:
        return tuple(self._unescaped(str(part)) for part in _many(component))

    def _unescaped(self, text: str) -> str:
        if self._escape not in text:
            return text
        pieces = text.split(self._escape)
        # Every second piece stands between two marks; a mark without its second is text.
        if len(pieces) % 2 == 0:
            pieces[-2:] = [pieces[-2] + self._escape + pieces[-1]]
        return "".join(piece if n % 2 == 0 else self._meant(piece) for n, piece in enumerate(pieces))

    def _meant(self, sequence: str) -> str:
        """Of one escape sequence: separators and bytes; highlights, formats and what is not known become a space."""
        if (plain := self._plain.get(sequence)) is not None:
            return plain
        if sequence[:1] == "X":
            try:
                return bytes.fromhex(sequence[1:]).decode(self._codec)
            except ValueError:
                return " "
        return " "


def _many(found: Any) -> list[Any]:
    return [found] if isinstance(found, str) else list(found)


def lines(raw: bytes) -> bytes:
    """Segments ended as they should be; some senders end them with 0x0A or both."""
    return raw.replace(b"\r\n", b"\r").replace(b"\n", b"\r").strip(b"\r \t")


def header(raw: bytes) -> Header:
    """The header of a message, taken leniently: it is needed to answer what is otherwise unreadable.

    Raises Unreadable when there is none.
    """
    first = lines(raw).split(b"\r", 1)[0]
    found = _HEAD.match(first)
    if found is None or b"\x00" in first:
        raise Unreadable("no MSH segment at the start", code="AR", condition="100")
    marks = found[1] + found[2] + b"|^~\\&"[1 + len(found[2]) :]
    if len(first) > MOST_HEADER:
        raise Unreadable("MSH is too long", code="AR", condition="104")
    if len(set(marks)) != len(marks):
        raise Unreadable("separators that are not different", code="AR", condition="102", where="MSH^1^2")
    head = _header(first, "latin-1")
    # A name or number that is not ASCII is answered as it came: read it in its own charset.
    return head if first.isascii() else _header(first, head.codec)


def _header(first: bytes, codec: str) -> Header:
    message = Message(hl7.parse(first.decode(codec, "replace")), codec)

    def of(number: int, component: int = 1) -> str:
        return message.text(0, number, component)

    answer = Header(*(of(n) for n in range(3, 8)))
    return Header(
        *(answer.application, answer.facility, answer.to_application, answer.to_facility, answer.time),
        *(of(9), of(9, 2), of(10), of(11), of(12), of(15).upper(), of(16).upper(), of(18)),
        marks=first.decode(codec, "replace")[3:8],
    )


def parse(raw: bytes, head: Header) -> Message:
    """The whole message. Raises Unreadable."""
    codec = CHARSETS.get(head.charset.upper())
    if codec is None:
        raise Unreadable("this charset is not taken", condition="103", where="MSH^1^18")
    try:
        text = lines(raw).decode(codec)
    except UnicodeDecodeError:
        raise Unreadable(
            "bytes that are not of the charset that MSH-18 names (empty: UTF-8)", where="MSH^1^18"
        ) from None
    if sum(text.count(mark) for mark in head.marks) > MOST_MARKS:
        raise Unreadable(f"more than {MOST_MARKS} separators", condition="104")
    if "\x00" in text:
        raise Unreadable("a NUL character")
    if text.count("\r") >= MOST_SEGMENTS:
        raise Unreadable(f"more than {MOST_SEGMENTS} segments", condition="104")
    text = "\r".join(line for line in text.split("\r") if line.strip())
    return Message(hl7.parse(text), codec)


def check(head: Header, processing: str) -> None:
    """Whether it is of a type that is taken here. processing: the only MSH-11 that is. Raises Unreadable."""
    if not head.control:
        raise Unreadable("MSH-10, the message control id, is missing", condition="101", where="MSH^1^10")
    if len(head.control) > 199 or not head.control.isprintable():
        raise Unreadable("MSH-10 is too long, or no plain text", condition="104", where="MSH^1^10")
    if head.type != "ORU":
        raise Unreadable("only ORU^R01 is taken", code="AR", condition="200", where="MSH^1^9")
    if head.trigger != "R01":
        raise Unreadable("only ORU^R01 is taken", code="AR", condition="201", where="MSH^1^9")
    if head.processing != processing:
        raise Unreadable(
            f"this interface takes processing id {processing} only", code="AR", condition="202", where="MSH^1^11"
        )
    if head.version not in VERSIONS:
        raise Unreadable("versions 2.3 to 2.8.2 are taken", code="AR", condition="203", where="MSH^1^12")
