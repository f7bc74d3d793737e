"""On a real database: base, increment and log; a full disk, a disk that is away, a damaged set; the doctor's words."""

from __future__ import annotations

import errno
import io
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, BinaryIO

import msgspec
import pytest
from tests.foundation.backup.s3_server import BUCKET, Server, server
from typer.testing import CliRunner

from bedside.cli import cli
from bedside.foundation import private
from bedside.foundation.backup import archiver, check, disk, manifest, restore, settings
from bedside.foundation.backup.archive import Archive, explain
from bedside.foundation.backup.basebackup import Taking
from bedside.foundation.backup.keys import RecoveryKey
from bedside.foundation.backup.places import Place
from bedside.foundation.backup.store import MARK, Folder
from bedside.foundation.backup.wal import Receiver
from bedside.foundation.doctor import backups
from bedside.foundation.errors import BedsideError, Conflict, NotFound, Unavailable
from bedside.foundation.home import RESTORING, Home

pytestmark = pytest.mark.engine

KEY = RecoveryKey.make()


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("moto") / "log") as made:
        yield made


both = pytest.mark.parametrize("where", ["folder", "s3"])


@pytest.fixture
def where() -> str:
    return "folder"


@pytest.fixture
def home(tmp_path: Path, where: str, request: pytest.FixtureRequest) -> Iterator[Home]:
    """A home with a running database and one table, told to back up into tmp_path/store, or into an S3-like store."""
    home = Home(tmp_path / "home")
    home.take(demo=True)
    postgres = home.postgres
    postgres.settings["fsync"] = "off"
    postgres.start()
    try:
        postgres.create_database()
        postgres.ask("create table note (n int)")
        private.write(home.path / "keys" / "backup.pem", KEY.signer().pem())
        (home.path / "audit").mkdir()
        (home.path / "audit" / "heads").write_text("1 aa\n2 bb\n3 torn")
        place = Place.typed(str(tmp_path / "store"))
        if where == "s3":
            made: Server = request.getfixturevalue("there")
            keys = made.keys_file(tmp_path / "safe" / "keys")
            place = Place.typed(f"s3://{BUCKET}/{secrets.token_hex(4)}", made.endpoint, keys_file=keys)
        told = settings.Settings(
            to=place.to,
            endpoint=place.endpoint,
            keys_file=place.keys_file,
            recipient=KEY.recipient,
            line="L",
            keep_days=1,
        )
        explain(told.store)
        if place.folder is not None:
            told = msgspec.structs.replace(told, mark=disk.mark(told.store), mount=disk.mount_of(place.folder))
        settings.put(home.path, told)
        yield home
    finally:
        postgres.stop()


def once(home: Home) -> None:
    archiver.once(home, settings.needed(home.path), other=False, tell=lambda _: None)


def back(home: Home, tmp_path: Path, name: str) -> tuple[Home, str, restore.Plan]:
    """Restored, and the notes that came back."""
    plan = restore.plan(restore.Wish(settings.needed(home.path).store, KEY))
    there = Home(tmp_path / name)
    with restore.taken(there, plan):
        restore.lay_down(there, plan, lambda *_: None)
        with restore.played_back(there, plan, lambda *_: None) as (postgres, _):
            notes = postgres.ask("select string_agg(n::text, ',' order by n) from note")
        assert restore.page_faults(there) == ""
        restore.complete(there)
    return there, notes, plan


@both
def test_a_base_an_increment_and_the_home_s_files_come_back(home: Home, tmp_path: Path) -> None:
    home.postgres.ask("insert into note values (1)")
    once(home)
    home.postgres.ask("insert into note values (2)")
    (home.path / "audit" / "heads").write_text("1 aa\n2 bb\n3 whole\n4 dd\n")
    once(home)
    there, notes, plan = back(home, tmp_path, "again")
    assert [one.kind for one in plan.chain] == ["full", "incremental"]
    assert notes == "1,2"
    assert (there.path / "audit" / "heads").read_text() == "1 aa\n2 bb\n3 whole\n4 dd\n"
    assert (there.path / "keys" / "backup.pem").read_text() == KEY.signer().pem()
    assert not (there.path / RESTORING).exists()
    assert settings.needed(there.path).line != "L"
    there.check(demo=True)
    store = settings.needed(home.path).store
    for name in store.names(""):
        with store.reading(name) as kept:
            assert KEY.line.encode() not in kept.read()
    with pytest.raises(Conflict, match="not empty"):
        back(home, tmp_path, "again")


@both
def test_where_others_run_the_database_the_files_alone_are_kept(home: Home, tmp_path: Path) -> None:
    archiver.files_alone(home, settings.needed(home.path))
    plan = restore.plan(restore.Wish(settings.needed(home.path).store, KEY))
    there = Home(tmp_path / "again")
    with restore.taken(there, plan):
        restore.lay_down(there, plan, lambda *_: None)
        restore.complete(there)
    assert (there.path / "keys" / "backup.pem").exists()
    assert not (there.path / "postgres" / "data").exists()
    [told] = backups(home, running=True, own=False)
    assert told.state == "good", "a clinic on a database that others run is not told for ever that it has no backup"
    assert settings.state(home.path).based is not None, "so that the list of first steps knows"


def test_the_files_alone_do_not_fill_the_disk(home: Home) -> None:
    """They are kept every hour, by cron: what has outlived its days goes, the newest never."""
    told = msgspec.structs.replace(settings.needed(home.path), keep_days=0)
    made = [archiver.files_alone(home, told).id for _ in range(3)]
    assert len(set(made)) == 3
    assert [id_ for _, id_ in manifest.ids(told.store)] == made[-1:]
    found = check.listing(told.store, KEY.signer().public)
    assert check.verify(told.store, found, KEY, lambda *_: None)[1] == []
    assert len(told.store.names("L/files")) == sum(len(one.objects) for one in found.sets)


def test_a_segment_that_is_filled_while_it_is_looked_for_is_kept_whole(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last look lists a growing segment, and the receiver fills and renames it before it is read: what the look
    before kept of it ends too soon."""
    once(home)
    lists, real, real_growing = 0, Receiver.whole, Receiver.growing

    def growing(receiver: Receiver) -> Path | None:
        while lists == 0 and real_growing(receiver) is None:
            home.postgres.ask("insert into note values (1)")
            time.sleep(0.1)
        return real_growing(receiver)

    def whole(receiver: Receiver) -> list[Path]:
        nonlocal lists
        lists += 1
        found, now = real(receiver), real_growing(receiver)
        if lists == 2:  # the look before is over
            home.postgres.ask("insert into note values (2)")
        if lists == 3:
            assert now is not None
            home.postgres.ask("select pg_switch_wal()")
            while now.exists():
                time.sleep(0.02)
        return found

    monkeypatch.setattr(Receiver, "whole", whole)
    monkeypatch.setattr(Receiver, "growing", growing)
    once(home)
    monkeypatch.undo()
    assert lists > 3
    assert back(home, tmp_path, "again")[1].split(",")[-1] == "2"


def test_a_log_that_the_server_gave_up_is_followed_by_a_new_base(home: Home, tmp_path: Path) -> None:
    once(home)
    home.postgres.ask("select pg_drop_replication_slot('bedside_backup')")
    home.postgres.ask("insert into note values (7)")
    once(home)
    assert back(home, tmp_path, "again")[1] == "7"


@both
def test_a_receiver_that_was_killed_over_a_new_segment_goes_on(home: Home, tmp_path: Path) -> None:
    once(home)
    spool = archiver.spool_of(home.path, settings.needed(home.path))
    newest = max(path.name.partition(".")[0] for path in spool.iterdir())
    for path in spool.glob("*.partial"):
        path.unlink()
    (spool / f"{int(newest, 16) + 1:024X}.partial").write_bytes(bytes(5 << 20))
    home.postgres.ask("insert into note values (8)")
    once(home)
    assert back(home, tmp_path, "again")[1] == "8"


def test_a_segment_that_is_being_laid_out_is_no_log_yet(tmp_path: Path) -> None:
    receiver = Receiver(Home(tmp_path / "home").postgres, tmp_path, tmp_path / "log")
    assert receiver.growing() is None
    path = tmp_path / f"{5:024X}.partial"
    for size in (0, 6_250_496, manifest.SEGMENT):
        path.touch()
        os.truncate(path, size)
        assert receiver.growing() == (path if size == manifest.SEGMENT else None)


def test_a_set_that_kept_one_being_laid_out_can_be_restored(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    growing, kept = Receiver.growing, list[Path]()

    def too_soon(self: Receiver) -> Path | None:
        """After the switch to the next segment at a base's end nothing is in that yet."""
        if found := growing(self):
            return found
        path = tmp_path / f"{int(self.whole()[-1].name, 16) + 1:024X}.partial"
        path.write_bytes(bytes(6_250_496))
        kept.append(path)
        return path

    monkeypatch.setattr(Receiver, "growing", too_soon)
    home.postgres.ask("insert into note values (9)")
    while not kept:  # once, unless the server wrote something of its own just then
        once(home)
    assert back(home, tmp_path, "again")[1] == "9"


def test_two_sets_of_one_second_have_two_names(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    once(home)
    archive = Archive(home, settings.needed(home.path), None)
    names = []
    monkeypatch.setattr(Taking, "begin", lambda _postgres, _store, name, *_: names.append(name))
    # As if it had begun just now, and the next second too.
    now = datetime.now(UTC)
    archive.sets += [
        msgspec.structs.replace(archive.sets[0], id=f"{now + timedelta(seconds=n):%Y%m%dT%H%M%SZ}") for n in range(2)
    ]
    archive.begin()
    assert names
    assert names[0].split("/")[2] not in {one.id for one in archive.sets}


class Full(Folder):
    """A disk that is full after so many bytes."""

    def __init__(self, root: Path, room: int) -> None:
        super().__init__(root)
        self.room = room

    @contextmanager
    def writing(self, name: str, *, over: bool = False) -> Iterator[BinaryIO]:
        full = self

        class Out(io.RawIOBase):
            def write(self, chunk: object, /) -> int:
                full.room -= len(bytes(chunk))  # type: ignore[call-overload]
                if full.room < 0:
                    raise OSError(errno.ENOSPC, "No space left on device")
                return out.write(bytes(chunk))  # type: ignore[call-overload]

        with super().writing(name, over=over) as out:
            yield Out()  # type: ignore[misc]


@pytest.mark.parametrize("room", [1000, 500_000, 4_500_000])
def test_a_full_disk_is_told_and_leaves_the_backup_before_whole(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    once(home)
    store = Full(tmp_path / "store", room)
    (settings.folder(home.path) / "bases").rename(tmp_path / "bases")  # the next is full, and large
    monkeypatch.setattr(settings.Settings, "store", property(lambda _: store))
    try:
        once(home)
    except Unavailable as error:
        assert "is full. The backups that stood there before are whole." in error.message
    else:
        assert room > 4_000_000
    monkeypatch.undo()
    plain = Folder(tmp_path / "store")
    found = check.listing(plain, KEY.signer().public)
    assert check.verify(plain, found, KEY, lambda *_: None)[1] == []
    assert not list((tmp_path / "store").rglob("*.new"))


def test_a_disk_that_is_away_is_not_replaced_by_its_empty_folder(home: Home, tmp_path: Path) -> None:
    once(home)
    shutil.move(tmp_path / "store", tmp_path / "away")
    (tmp_path / "store").mkdir()
    with pytest.raises(Unavailable, match="is empty: it is not on the disk that was set up"):
        once(home)
    assert list((tmp_path / "store").iterdir()) == []


def test_no_base_is_written_under_a_disk_that_went_away(home: Home, tmp_path: Path) -> None:
    """The process that writes backups looked at the place long ago: the day's base is due, or somebody asks for one."""
    told = settings.needed(home.path)
    receiver = archiver.receiver_of(home, told)
    try:
        while not receiver.see():
            time.sleep(0.1)
        archive = Archive(home, told, receiver)
        shutil.move(tmp_path / "store", tmp_path / "away")
        (tmp_path / "store").mkdir()
        with pytest.raises(Unavailable, match="is empty: it is not on the disk that was set up"):
            archive.begin()
        assert list((tmp_path / "store").iterdir()) == []
    finally:
        receiver.stop()


def test_a_new_disk_is_taken_up_by_one_command_and_the_one_of_before_again(home: Home, tmp_path: Path) -> None:
    """The program runs on; nothing is written to a disk that nobody named, and nothing on the old one is touched."""

    def turned(until: Callable[[], bool]) -> None:
        end = time.monotonic() + 240
        while not until():
            assert time.monotonic() < end, writer.state
            writer._guarded(writer._turn)

    def swap(away: str, back: str | None) -> None:
        shutil.move(tmp_path / "store", tmp_path / away)
        shutil.move(tmp_path / back, tmp_path / "store") if back else (tmp_path / "store").mkdir()

    def command() -> tuple[int, str]:
        done = CliRunner().invoke(cli, ["backup", "new-disk", "--home", str(home.path)])
        return done.exit_code, done.output

    def kept(where: str) -> dict[str, bytes]:
        files = [path for path in (tmp_path / where).rglob("*") if path.is_file()]
        return {path.relative_to(tmp_path / where).as_posix(): path.read_bytes() for path in files}

    (tmp_path / "store" / MARK).unlink()  # as it was set up before there were words on disks
    settings.put(home.path, msgspec.structs.replace(settings.needed(home.path), window=0.1, mark="", mount=""))
    writer = archiver.Archiver(home)
    try:
        turned(lambda: writer.state.until is not None)
        assert (tmp_path / "store" / MARK).read_text().strip() == settings.needed(home.path).mark != ""
        assert "nothing was to be done" in command()[1]
        swap("first", None)
        before = kept("first")
        turned(lambda: writer.state.place == "empty")
        said = [one for one in backups(home, running=True) if one.state == "bad"]
        assert [f"bedside backup new-disk --home {home.path}" in one.remedy for one in said] == [True]
        assert f"bedside backup new-disk --home {home.path}" in writer.state.remedy
        assert list((tmp_path / "store").iterdir()) == []
        assert command()[0] == 0
        turned(lambda: writer.state.until is not None and not writer.state.place)
        assert next(each.state for each in backups(home, running=True)) == "good"
        second = settings.needed(home.path).line
        assert second != "L"
        assert {one.line for one in check.listing(Folder(tmp_path / "store"), KEY.signer().public).sets} == {second}
        assert kept("first") == before
        # A pair that takes turns: the first comes back, and what lies on it stays.
        swap("second", "first")
        turned(lambda: writer.state.place == "other")
        assert kept("store") == before
        assert command()[0] == 0
        turned(lambda: writer.state.until is not None and not writer.state.place)
        found = check.listing(Folder(tmp_path / "store"), KEY.signer().public)
        assert next(one.line for one in found.sets) == "L"
        assert len({one.line for one in found.sets}) == 2
        assert check.verify(Folder(tmp_path / "store"), found, KEY, lambda *_: None)[1] == []
    finally:
        writer._receiver.stop()


def test_a_disk_that_goes_in_the_midst_of_a_backup_is_not_written_under(home: Home, tmp_path: Path) -> None:
    store = settings.needed(home.path).store
    shutil.move(tmp_path / "store", tmp_path / "away")
    (tmp_path / "store").mkdir()
    with pytest.raises(Unavailable), store.writing("L/x") as out:
        out.write(b"x")
    assert list((tmp_path / "store").iterdir()) == []


def test_where_others_run_the_database_nothing_is_written_under_a_disk_that_is_away(home: Home, tmp_path: Path) -> None:
    shutil.move(tmp_path / "store", tmp_path / "away")
    (tmp_path / "store").mkdir()
    with pytest.raises(disk.Elsewhere):
        archiver.files_alone(home, settings.needed(home.path))
    assert list((tmp_path / "store").iterdir()) == []


def test_damage_is_refused_in_words_and_the_next_base_is_full(home: Home, tmp_path: Path) -> None:
    once(home)
    once(home)
    store = Folder(tmp_path / "store")
    found = check.listing(store, KEY.signer().public)
    base = tmp_path / "store" / str(found.sets[0].base.name if found.sets[0].base else "")
    whole = base.read_bytes()
    base.write_bytes(whole[:-1])
    _, problems = check.verify(store, found, None, lambda *_: None)
    assert len(problems) == 1
    assert "base.tar.zst.age holds" in problems[0]
    plan = restore.plan(restore.Wish(store, KEY))
    there = Home(tmp_path / "half")
    with pytest.raises(Conflict, match="damaged"), restore.taken(there, plan):
        restore.lay_down(there, plan, lambda *_: None)
    with pytest.raises(Conflict, match="half restored"):
        there.check(demo=True)
    base.write_bytes(whole)
    newest = tmp_path / "store" / found.sets[1].folder / "manifest"
    newest.write_bytes(newest.read_bytes().replace(b'"n":', b'"n": '))
    archive = Archive(home, settings.needed(home.path), archiver.receiver_of(home, settings.needed(home.path)))
    assert archive.unread
    once(home)
    kinds = [one.kind for one in check.listing(store, KEY.signer().public).sets]
    assert kinds == ["full", "full"]
    assert newest.exists()  # it is evidence


def test_the_doctor_says_how_old_the_backup_is_and_when_it_was_tried(home: Home) -> None:
    def words() -> list[tuple[str, str]]:
        return [(each.state, each.what) for each in backups(home, running=True)]

    assert words()[0] == ("bad", "No backup was made yet.")
    settings.put(home.path, settings.State(line="before", set="A", until=datetime.now(UTC)))
    assert words() == [("bad", f"No backup was made yet in {home.path.parent}/store.")], "that was another place's"
    now = datetime.now(UTC)
    settings.put(home.path, settings.State(set="A", until=now - timedelta(seconds=20)))
    [fresh, untried] = words()
    assert fresh[0] == "good"
    assert untried == ("note", "No restore was ever tried.")
    settings.put(home.path, settings.State(set="A", until=now - timedelta(hours=5), error="The disk is full."))
    settings.put(home.path, settings.Drill(now - timedelta(days=3), True, "A", now, 12, 1, []))
    [old, tried] = words()
    assert old[0] == "bad"
    assert "is 5 h old" in old[1]
    assert tried == ("good", "The last drill was 3 days ago and took 12 s: everything came back.")
    settings.put(home.path, settings.Drill(now - timedelta(days=3), False, "A", now, 12, 1, ["it broke"]))
    assert words()[1][0] == "bad"
    (settings.folder(home.path) / "settings.json").write_text("{")
    assert words()[0][0] == "bad"


def test_a_file_that_may_not_be_read_is_no_backup_without_it(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """One that somebody made as root: left out in silence it would be missing on the worst day."""
    plain = Path.open

    def refused(path: Path, *rest: Any, **more: Any) -> Any:
        if path.name == "heads":
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return plain(path, *rest, **more)

    monkeypatch.setattr(Path, "open", refused)
    with pytest.raises(Unavailable, match="heads may not be read"):
        archiver.files_alone(home, settings.needed(home.path))


def test_another_key_and_a_newer_program_s_backup_are_said_before_anything_is_written(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    archiver.files_alone(home, settings.needed(home.path))
    store = settings.needed(home.path).store
    with pytest.raises(Conflict, match="This recovery key is not the one of the backups in"):
        restore.plan(restore.Wish(store, RecoveryKey.make()))
    monkeypatch.setattr(restore, "__version__", "0.0.9")
    with pytest.raises(Conflict, match=r"newer Bedside \(0\."):
        restore.plan(restore.Wish(store, KEY))


def test_the_folder_above_or_below_is_named(home: Home, tmp_path: Path) -> None:
    archiver.files_alone(home, settings.needed(home.path))
    for wrong in (tmp_path, tmp_path / "store" / "L"):
        with pytest.raises(NotFound) as refused:
            check.listing(Folder(wrong), KEY.signer().public)
        assert refused.value.remedy == f"There is one in {tmp_path / 'store'}: name that folder."
    with pytest.raises(NotFound) as refused:
        check.listing(Folder(tmp_path / "home" / "postgres"), KEY.signer().public)
    assert refused.value.remedy == "Is the right disk connected?"


def test_a_home_that_was_never_told_says_so(tmp_path: Path) -> None:
    real, demo = Home(tmp_path / "real"), Home(tmp_path / "demo")
    real.take(demo=False)
    demo.take(demo=True)
    assert [each.state for each in backups(real, running=False)] == ["bad"]
    assert backups(demo, running=False) == []
    with pytest.raises(BedsideError, match="No backups are set up"):
        settings.needed(real.path)


@pytest.mark.parametrize("where", ["s3"])
def test_a_copy_of_the_home_does_not_write_over_the_first_one_s_backups(home: Home, tmp_path: Path) -> None:
    """A machine's snapshot that was started beside it: both believe that the line is theirs."""
    told = settings.needed(home.path)
    once(home)
    first = Archive(home, told, archiver.receiver_of(home, told))
    receiver = first.receiver
    assert receiver is not None
    while not receiver.see():
        time.sleep(0.1)
    try:
        second = Archive(home, told, receiver)
        home.postgres.ask("insert into note values (1)")
        first.ship()
        home.postgres.ask("insert into note values (2)")
        with pytest.raises(Conflict, match="was written by another program"):
            second.ship()
        first.ship()
    finally:
        receiver.stop()
    assert back(home, tmp_path, "again")[1] == "1,2"


@pytest.mark.parametrize("where", ["s3"])
def test_what_was_not_noted_before_a_kill_is_deleted_with_the_next_base(home: Home) -> None:
    once(home)
    store = settings.needed(home.path).store
    with store.writing("L/wal/left-by-a-kill") as out:
        out.write(b"x")
    once(home)
    assert "L/wal/left-by-a-kill" not in store.names("L")
    found = check.listing(store, KEY.signer().public)
    assert check.verify(store, found, KEY, lambda *_: None)[1] == []


@pytest.mark.parametrize("where", ["s3"])
def test_doctor_says_what_ails_the_store_and_what_to_do(home: Home, there: Server) -> None:
    once(home)
    work = archiver.Archiver(home)
    Path(settings.needed(home.path).keys_file).write_text("[default]\naws_access_key_id=a\naws_secret_access_key=b\n")
    try:
        while work.state.error == "":
            work._guarded(work._turn)
    finally:
        work._receiver.stop()
    [told, _] = backups(home, running=True)
    assert told.state == "bad"
    assert told.values is not None
    assert "refuses the access key" in str(told.values["why"])
    assert "Is the key still valid" in str(told.values["why"])
    assert there.key[1] not in str(told)
