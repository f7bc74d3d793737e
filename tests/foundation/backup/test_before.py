"""The backup before an upgrade: where none comes about, why and the way on are said, and nobody waits for ever."""

from __future__ import annotations

import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bedside.cli import cli
from bedside.foundation.backup import asked, before, settings
from bedside.foundation.backup.settings import State
from bedside.foundation.errors import Conflict
from bedside.foundation.home import Home

pytestmark = pytest.mark.unit


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Home:
    made = Home(tmp_path / "home")
    made.take(demo=False)
    done = CliRunner().invoke(cli, ["backup", "init", "--to", str(tmp_path / "store"), "--home", str(made.path)])
    assert done.exit_code == 0, done.output
    monkeypatch.setattr(asked, "STUCK", 0.3)
    return made


def once_asked(home: Home) -> str:
    """What a backup is asked for by, as soon as one is."""
    while not (wish := settings.wanted(home.path)):
        time.sleep(0.02)
    return wish


def refused(home: Home) -> Conflict:
    with pytest.raises(Conflict, match="The backup could not be made: ") as told:
        before.backed_up(home, lambda _: None, runs=True)
    assert "Nothing was changed" in (told.value.remedy or "")
    assert f"bedside migrate --home {home.path} --without-backup" in (told.value.remedy or "")
    return told.value


def test_a_disk_that_is_away_is_said(home: Home) -> None:
    settings.put(home.path, State(error="The disk is away.", tried=datetime.now(UTC) + timedelta(hours=1)))
    assert "The disk is away." in refused(home).message


def test_a_fault_of_yesterday_is_none(home: Home) -> None:
    settings.put(home.path, State(error="The disk was away.", tried=datetime.now(UTC) - timedelta(days=1)))

    def answer() -> None:
        wish = once_asked(home)
        time.sleep(2 * asked.STUCK)  # the fault of yesterday stands for longer than one of today might
        settings.put(home.path, State(answered=wish, answer="What is wrong now."))

    thread = threading.Thread(target=answer)
    thread.start()
    assert "What is wrong now." in refused(home).message
    thread.join()


def test_a_process_that_does_not_answer_is_not_waited_for(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asked, "MUTE", 0.3)
    (settings.folder(home.path) / "state.json").unlink(missing_ok=True)
    assert "does not answer" in refused(home).message


def test_a_backup_that_is_damaged_is_none(home: Home) -> None:
    """Answered, and yet nothing lies there."""

    def answer() -> None:
        settings.put(home.path, State(answered=once_asked(home)))

    thread = threading.Thread(target=answer)
    thread.start()
    assert "There is no Bedside backup" in refused(home).message
    thread.join()
