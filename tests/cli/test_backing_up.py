"""`bedside backup init` gives the key away once, and lets nobody put it where it would be lost with what it opens."""

from pathlib import Path

import pytest
from typer.testing import CliRunner

from bedside.cli import cli
from bedside.foundation.backup import settings
from bedside.foundation.backup.keys import RecoveryKey
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
