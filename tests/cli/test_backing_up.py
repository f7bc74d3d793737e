"""`bedside backup init` gives the key away once, and lets nobody put it where it would be lost with what it opens."""

import os
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from bedside.cli import cli
from bedside.foundation.backup import asked, disk, settings
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.store import MARK
from bedside.foundation.home import Home

pytestmark = pytest.mark.unit


@pytest.fixture
def home(tmp_path: Path) -> Path:
    made = Home(tmp_path / "home")
    made.take(demo=False)
    return made.path


def said(home: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(cli, ["backup", "init", *words, "--home", str(home)])
    return done.exit_code, done.output


def test_the_key_is_shown_once_and_is_nowhere_in_the_home(home: Path, tmp_path: Path) -> None:
    code, out = said(home, "--to", str(tmp_path / "store"))
    key = RecoveryKey.read(out)
    assert code == 0
    assert settings.needed(home).recipient == key.recipient
    assert settings.signer(home).sign(b"x") == key.signer().sign(b"x")
    kept = [*home.rglob("*"), *(tmp_path / "store").rglob("*")]
    assert not [path for path in kept if path.is_file() and key.line.encode() in path.read_bytes()]
    line = settings.needed(home).line
    code, out = said(home, "--to", str(tmp_path / "store"), "--keep-days", "7")
    assert (code, "AGE-SECRET-KEY" in out) == (0, False)
    told = settings.needed(home)
    assert (told.keep_days, told.line, told.recipient) == (7, line, key.recipient)


def test_a_key_file_is_private_and_overwrites_none(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "safe" / "key"
    assert said(home, "--to", str(tmp_path / "store"), "--key-file", str(file))[0] == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert RecoveryKey.read(file.read_text()).recipient == settings.needed(home).recipient
    code, out = said(home, "--to", str(tmp_path / "store"), "--key-file", str(file), "--new-key")
    assert (code, "is there already" in out) == (1, True)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--to", "{home}/backups"), "would lie in the home"),
        (("--to", "{tmp}/store", "--key-file", "{tmp}/store/key"), "The key may not lie"),
        (("--to", "{tmp}/store", "--key-file", "{home}/key"), "The key may not lie"),
        (("--to", "{tmp}/store", "--synchronous"), "needs --spool"),
        (("--to", "{tmp}/store", "--synchronous", "--spool", "{home}/spool"), "needs --spool"),
    ],
)
def test_what_would_not_help_on_the_worst_day_is_refused(
    home: Path, tmp_path: Path, words: tuple[str, ...], told: str
) -> None:
    code, out = said(home, *(word.format(home=home, tmp=tmp_path) for word in words))
    assert code == 1
    assert told in out
    assert settings.settings(home) is None
    assert not (home / "keys" / "backup.pem").exists()


def test_a_backup_by_hand_is_not_waited_for_for_ever(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that writes backups cannot even begin, since its disk is away: it never takes up the wish."""
    assert said(home, "--to", str(tmp_path / "store"))[0] == 0
    monkeypatch.setattr(asked, "STUCK", 0.3)
    monkeypatch.setattr(Home, "running", lambda _: {"pid": 1, "port": 1})
    tried = datetime.now(UTC) + timedelta(hours=1)
    settings.put(home, settings.State(error="The disk is away.", remedy="Connect it.", tried=tried))
    done = CliRunner().invoke(cli, ["backup", "--home", str(home)])
    assert done.exit_code == 1
    assert "The disk is away." in done.output
    assert "Connect it." in done.output


def test_an_address_of_a_store_is_checked_and_never_holds_a_key(home: Path) -> None:
    for place in ("s3://", "s3://key:secret@bucket/x", "gs://bucket"):
        code, out = said(home, "--to", place)
        assert code == 1
        assert "secret" not in out
    assert settings.settings(home) is None


def test_init_again_changes_what_is_named_and_nothing_else(home: Path, tmp_path: Path) -> None:
    """Nobody remembers a year later what else the first line said: certificates must not fall out of the backup."""
    code, out = said(home, "--keep-days", "7")
    assert (code, "Say where backups go." in out) == (1, True)
    cert, spool = tmp_path / "cert.pem", tmp_path / "spool"
    cert.write_text("x")
    first = ("--to", str(tmp_path / "store"), "--also", str(cert), "--synchronous", "--spool", str(spool))
    assert said(home, *first, "--window", "5")[0] == 0
    before = settings.needed(home)
    code, out = said(home, "--keep-days", "14")
    assert (code, str(cert) in out) == (0, True)
    assert settings.needed(home) == msgspec.structs.replace(before, keep_days=14)
    assert said(home, "--no-synchronous")[0] == 0
    assert not settings.needed(home).synchronous


def away(home: Path, tmp_path: Path) -> Path:
    """The folder under the mount, its disk gone."""
    assert said(home, "--to", str(tmp_path / "store"))[0] == 0
    shutil.move(tmp_path / "store", tmp_path / "away")
    (tmp_path / "store").mkdir()
    settings.put(home, msgspec.structs.replace(settings.needed(home), mount=str(tmp_path / "store")))
    return tmp_path / "store"


def test_no_command_writes_under_a_disk_that_is_away(home: Path, tmp_path: Path) -> None:
    """`init --keep-days` wrote the words there by which the place was known: from then on backups went under it."""
    under = away(home, tmp_path)
    code, out = said(home, "--keep-days", "14")
    assert (code, f"nothing is mounted at {under}" in out) == (0, True)
    assert settings.needed(home).keep_days == 14
    for words in (("init", "--new-line"), ("init", "--new-key"), ("init", "--to", str(under), "--new-line"), ()):
        done = CliRunner().invoke(cli, ["backup", *words, "--home", str(home)])
        assert done.exit_code == 1, words
        assert "The backup's disk is away" in done.output
    done = CliRunner().invoke(cli, ["backup", "new-disk", "--home", str(home)])
    assert (done.exit_code, "Connect it" in done.output) == (1, True)
    assert list(under.iterdir()) == []


def test_what_stands_in_the_place_of_the_disk_is_told_apart(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    under = away(home, tmp_path)
    found = list[str]()
    monkeypatch.setattr(os.path, "ismount", lambda _: True)
    for name in (None, "holiday.jpg"):
        if name:
            (under / name).touch()
        with pytest.raises(disk.Elsewhere, match="Nothing is written there") as refused:
            disk.look(home, settings.needed(home))
        found.append(refused.value.found)
    assert found == ["empty", "other"]


def test_a_disk_that_several_homes_share_is_known_to_each(home: Path, tmp_path: Path) -> None:
    assert said(home, "--to", str(tmp_path / "store"))[0] == 0
    other = Home(tmp_path / "other")
    other.take(demo=False)
    assert said(other.path, "--to", str(tmp_path / "store"))[0] == 0
    assert settings.needed(home).mark == settings.needed(other.path).mark != ""
    disk.look(home, settings.needed(home))


def test_a_disk_of_before_there_were_words_gets_one_and_no_other_does(home: Path, tmp_path: Path) -> None:
    """As an upgrade finds it: known by its README alone."""
    assert said(home, "--to", str(tmp_path / "store"))[0] == 0
    (tmp_path / "store" / MARK).unlink()
    before = msgspec.structs.replace(settings.needed(home), mark="", mount="")
    settings.put(home, before)
    shutil.move(tmp_path / "store", tmp_path / "away")
    (tmp_path / "store").mkdir()
    with pytest.raises(disk.Elsewhere):
        disk.adopted(home, before)
    assert (list((tmp_path / "store").iterdir()), settings.needed(home)) == ([], before)
    (tmp_path / "store").rmdir()
    shutil.move(tmp_path / "away", tmp_path / "store")
    told = disk.adopted(home, before)
    assert told == settings.needed(home)
    assert told.mark == (tmp_path / "store" / MARK).read_text().strip() != ""
    assert told.mount == disk.mount_of(tmp_path / "store")
    assert disk.adopted(home, told) == told
