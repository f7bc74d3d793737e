"""`bedside handbook` writes a folder that opens without Bedside, and replaces nothing that it did not write."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest
from click.testing import Result
from typer.testing import CliRunner

from bedside.app import handbook
from bedside.cli import cli

pytestmark = pytest.mark.unit


def bedside(to: Path, *more: str) -> Result:
    return CliRunner().invoke(cli, ["handbook", "--to", str(to), *more])


def test_the_folder_is_written_and_written_again(tmp_path: Path) -> None:
    to = tmp_path / "new" / "book"
    done = bedside(to)
    assert (done.exit_code, f"Open {to}/index.html" in done.output) == (0, True), done.output
    assert "When Bedside does not run" in (to / "index.html").read_text()
    assert (to / "es/nurse/downtime.html").is_file()
    assert not list(to.rglob("*.new"))
    (to / "es/nurse/downtime.html").write_text("spoilt")
    (to / "notes.txt").write_text("somebody's own")
    done = bedside(to, "--language", "es")
    assert done.exit_code == 0, done.output
    assert "Cuando Bedside no funciona" in (to / "index.html").read_text()
    assert "spoilt" not in (to / "es/nurse/downtime.html").read_text()
    assert (to / "en/index.html").is_file()
    assert not (to / "es/index.html").exists(), "it was the other language's contents before"
    assert (to / "notes.txt").read_text() == "somebody's own"


def test_a_folder_of_others_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.html").write_text("mine")
    done = bedside(tmp_path)
    assert done.exit_code == 1
    assert "holds something that is no handbook" in done.stderr
    assert "Name a folder that is empty" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.html"]
    done = bedside(tmp_path / "thesis.html")
    assert (done.exit_code, (tmp_path / "thesis.html").read_text()) == (1, "mine")


def test_a_folder_that_cannot_be_written_says_why() -> None:
    done = bedside(Path("/proc/nowhere/book"))
    assert done.exit_code == 1
    assert "cannot be written" in done.stderr
    assert "--to" in done.stderr


def test_a_disk_that_fills_up_leaves_no_piece_behind_and_the_next_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, room = Path.write_bytes, [40]

    def full(path: Path, holds: bytes) -> int:
        room[0] -= 1
        if room[0] < 0:
            real(path, holds[: len(holds) // 2])
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(path, holds)

    to = tmp_path / "book"
    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", full)
        done = bedside(to)
    assert (done.exit_code, "No space left on device" in done.stderr) == (1, True)
    assert not list(to.rglob("*.new"))
    assert not handbook.stands(to)
    assert bedside(to).exit_code == 0
    assert handbook.stands(to)


def test_what_was_interrupted_goes_on_and_no_file_outside_is_touched(tmp_path: Path) -> None:
    to, outside = tmp_path / "book", tmp_path / "outside.html"
    outside.write_text("mine")
    handbook.write(to)
    mark = json.loads((to / handbook.MARK).read_text())
    mark |= {"stamp": "", "files": [*mark["files"], "../outside.html", "gone.html"]}
    (to / handbook.MARK).write_text(json.dumps(mark))
    (to / "gone.html").write_text("of a version before")
    (to / "index.html").unlink()
    assert handbook.keep(to, "en", handbook.Clinic())
    assert (to / "index.html").is_file()
    assert not (to / "gone.html").exists()
    assert outside.read_text() == "mine"
    assert not handbook.keep(to, "en", handbook.Clinic()), "it is as it should be"
