"""The downtime copy: what it says, that nothing of it can be read without its words, and that it opens from a file."""

from __future__ import annotations

import base64
import json
import re
from datetime import timedelta
from html import unescape
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bedside import access, visits
from bedside.access.testing import acting, someone
from bedside.app import downtime
from bedside.foundation import sealed
from bedside.foundation.errors import Forbidden
from bedside.web.downtime import sheet

pytestmark = pytest.mark.engine


def opened(file: Path, words: str) -> str:
    """By the letter of the standards, not by our code's own way back."""
    told = dict(re.findall(r'data-(\w+)="([^"]*)"', file.read_text()))
    box = base64.b64decode(told["box"])
    key = sealed.lock(words, base64.b64decode(told["salt"]), int(told["rounds"])).key
    return AESGCM(key).decrypt(box[:12], box[12:], unescape(told["label"]).encode()).decode()


async def test_it_says_what_is_needed_at_the_bed(copied: Any) -> None:
    done = await copied.write()
    assert (done.files, done.patients) == (2, 1)
    file = copied.to / "ward-3.html"
    assert file.stat().st_mode & 0o077 == 0
    plain = opened(file, copied.words.lower().replace("-", " "))
    for said in ("Bed 4", "Rosa Núñez", "2 Mar 1951", "B-1042", "Hypertension", "178/112", "Not recorded: ask."):
        assert said in plain, said
    assert "Cancer" not in plain, "it was entered in error"
    assert re.search(r"sheet WARD-3-\d{4}-\d{4}-01", plain)
    outside = file.read_text()
    for secret in ("Rosa", "Hypertension", "1951", "178"):
        assert secret not in re.sub(r'data-box="[^"]*"', "", outside), secret
    assert "http" not in re.sub(r'http-equiv="[^"]*"', "", outside), "it asks nobody for anything"


async def test_other_words_or_a_changed_time_open_nothing(copied: Any) -> None:
    await copied.write()
    file = copied.to / "ward-3.html"
    with pytest.raises(InvalidTag):
        opened(file, sealed.new_words())
    label = json.loads(unescape(re.search(r'data-label="([^"]*)"', file.read_text())[1]))  # type: ignore[index]
    file.write_text(file.read_text().replace(label["at"], "2031-01-01T00:00:00+00:00"))
    with pytest.raises(InvalidTag):
        opened(file, copied.words)
    before = copied.words
    copied.words = downtime.init(copied.home, copied.to)
    await copied.write()
    assert "Rosa" in opened(file, copied.words)
    with pytest.raises(InvalidTag):
        opened(file, before)


async def test_a_ward_that_is_no_more_leaves_no_copy_and_other_files_stay(copied: Any) -> None:
    await copied.write()
    (copied.to / "notes.html").write_text("<p>somebody's own</p>")
    (copied.to / "gone.html").write_text((copied.to / "ward-3.html").read_text())
    await copied.write()
    found = sorted(one.name for one in copied.to.iterdir())
    assert found == ["clinic.html", "handbook", "notes.html", "ward-3.html"]


async def test_the_handbook_lies_beside_the_copies_and_is_written_once(copied: Any) -> None:
    await copied.write()
    page = copied.to / "handbook" / "en" / "nurse" / "downtime.html"
    assert "When nothing runs" in page.read_text()
    before = page.stat()
    await copied.write()
    assert 'href="handbook/en/nurse/downtime.html"' in (copied.to / "ward-3.html").read_text()
    assert (page.stat().st_ino, page.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


async def test_a_handbook_that_cannot_be_written_keeps_nobody_from_the_copies(copied: Any) -> None:
    (copied.to / "handbook").write_text("somebody's own")
    await copied.write()
    done = await copied.write()
    assert (done.files, (copied.to / "handbook").read_text()) == (2, "somebody's own")
    assert "handbook/" not in (copied.to / "ward-3.html").read_text()


async def test_nobody_but_bedside_itself_writes_them(copied: Any) -> None:
    copied.ctx = acting(copied.ctx, await someone(copied.ctx, "administrator", name="Pat Morgan"))
    with pytest.raises(Forbidden):
        await copied.write()


async def test_the_audit_names_whom_each_copy_holds(copied: Any) -> None:
    await copied.write()
    async with access.work(copied.ctx, "looked at the audit") as ctx:
        lines = [one for one in await access.audit_lines(ctx) if one.action == "wrote the downtime copy"]
    assert [one.patients for one in lines] == [(copied.rosa_id,)], "that of the clinic holds nobody"


async def test_it_says_who_is_seen_when(copied: Any) -> None:
    """At the time that a visit is planned for, not that at which somebody asked; what is weeks away is no page's."""
    doctor, now = await someone(copied.ctx, "clinician", name="Dr. Ines Vidal"), copied.ctx.clock.now()
    async with access.work(copied.ctx, "another patient") as ctx:
        await access.relate(ctx, person=doctor.id, patient=copied.rosa_id, kind="care", source="test")
        await access.relate(ctx, person=doctor.id, patient=copied.ben_id, kind="care", source="test")
    await someone(copied.ctx, "patient", name="Ben Nunez", patient=copied.ben_id)
    async with access.work(acting(copied.ctx, doctor), "asked") as ctx:
        await visits.ask(ctx, copied.rosa_id, "Wound", planned=(now + timedelta(hours=20), 20))
        await visits.ask(ctx, copied.ben_id, "Diabetes", planned=(now + timedelta(days=20), 20))
    await copied.write()
    ward, clinic = (opened(copied.to / f"{name}.html", copied.words) for name in ("ward-3", "clinic"))
    for plain in (ward, clinic):
        row = re.search(r"<tr><td[^>]*>([^<]+)</td><th scope=\"row\">Rosa Núñez</th>(?:(?!</tr>).)*Wound", plain)
        assert row is not None
        assert row[1] == "22 Nov 2026 08:00"
        assert "Dr. Ines Vidal" in row[0]
        assert "Diabetes" not in plain


async def test_no_patient_is_left_out_silently(copied: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    doctor = await someone(copied.ctx, "clinician", name="Dr. Ines Vidal")
    await someone(copied.ctx, "patient", name="Ben Nunez", patient=copied.ben_id)
    for patient, ahead in ((copied.rosa_id, 2), (copied.ben_id, 3)):
        async with access.work(copied.ctx, "care") as ctx:
            await access.relate(ctx, person=doctor.id, patient=patient, kind="care", source="test")
        async with access.work(acting(copied.ctx, doctor), "asked") as ctx:
            at = ctx.clock.now() + timedelta(hours=ahead)
            await visits.ask(ctx, patient, "Wound", planned=(at, 20))
    monkeypatch.setattr(sheet, "PATIENTS", 1)
    await copied.write()
    plain = opened(copied.to / "clinic.html", copied.words)
    assert ("Nunez, Ben" in plain or "Ben Nunez" in plain, "Rosa" in plain) == (False, True), "the nearest stay"
    assert "1 patient more has an open visit" in plain
    assert "more has an open visit" not in opened(copied.to / "ward-3.html", copied.words)
