"""Waveforms as WFDB records: a text header and a signal file of format 16.

Sources: WFDB Applications Guide, header(5) and signal(5) (physionet.org/physiotools/wag). One record for each device
and sampling frequency. What was sampled with the lead off reads "no sample" (-32768), and is told in the comments.
"""

from __future__ import annotations

import io
import zipfile
from array import array
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from bedside.monitoring.ingest.model.pack import SECOND
from bedside.monitoring.waves.model.message import NO_SAMPLE
from bedside.monitoring.waves.model.strip import Strip, Track

UNITS = {"mm[Hg]": "mmHg", "1": "NU", "%": "percent"}
"""UCUM to what WFDB writes; no spaces are allowed there."""


def archive(strip: Strip) -> bytes:
    """A zip with each record's header and signal file. Names and texts say no more of the patient than the id."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, header, signals in records(strip.tracks):
            zipped.writestr(f"{name}.hea", header)
            zipped.writestr(f"{name}.dat", signals)
    return made.getvalue()


def records(tracks: Iterable[Track]) -> list[tuple[str, str, bytes]]:
    """Name, header and signal file of each record."""
    groups: dict[tuple[str, float], list[Track]] = {}
    for track in tracks:
        groups.setdefault((track.device, track.hz), []).append(track)
    return [_record(f"{_word(device)}_{hz:.0f}hz", group) for (device, hz), group in groups.items()]


def _word(text: str) -> str:
    return "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in text)


def _record(name: str, tracks: Sequence[Track]) -> tuple[str, str, bytes]:
    length = max(len(track.raw) for track in tracks)
    columns = [_whole(track, length) for track in tracks]
    frames = array("h", bytes(2 * length * len(columns)))
    for place, column in enumerate(columns):
        frames[place :: len(columns)] = column
    start = datetime.fromtimestamp(tracks[0].start / SECOND, UTC)
    clock = f"{start:%H:%M:%S}.{start.microsecond // 1000:03d} {start:%d/%m/%Y}"
    lines = [f"{name} {len(columns)} {tracks[0].hz:.10g} {length} {clock}"]
    lines += [_signal(name, track, column) for track, column in zip(tracks, columns, strict=True)]
    lines.append("# Times are UTC, of the device's clock.")
    for track in tracks:
        for first, last in track.off:
            lines.append(f"# {track.lead.name}: lead off, samples {first} to {last}")
    return name, "\n".join(lines) + "\n", frames.tobytes()


def _whole(track: Track, length: int) -> array[int]:
    return track.good + array("h", [NO_SAMPLE]) * (length - len(track.raw))


def _signal(name: str, track: Track, column: array[int]) -> str:
    """physical = (raw - baseline) / gain. The baseline is a whole number there: where o is no whole number of steps,
    the last half step of the offset is lost, the raw values never."""
    unit = UNITS.get(track.unit, track.unit)
    checksum = (sum(column) + 0x8000) % 0x10000 - 0x8000
    gain = f"{1 / track.k:.10g}({round(-track.o / track.k)})/{unit}"
    return f"{name}.dat 16 {gain} 16 0 {column[0]} {checksum} 0 {track.lead.name}"
