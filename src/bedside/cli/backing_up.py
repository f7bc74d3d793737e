"""Backups: set up, made now, listed, looked at, tried; and the restore."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

if TYPE_CHECKING:
    from bedside.app import Restored
    from bedside.foundation.backup.check import Listing
    from bedside.foundation.backup.keys import RecoveryKey
    from bedside.foundation.backup.settings import Settings

backup = typer.Typer(help="Backups, encrypted, while the program runs on.")
cli.add_typer(backup, name="backup")

KeyOption = Annotated[Path, typer.Option("--key", exists=True, dir_okay=False, help="The file of the recovery key.")]
MaybeKeyOption = Annotated[
    Path | None,
    typer.Option("--key", exists=True, dir_okay=False, help="The recovery key's file."),
]
FromOption = Annotated[
    Path | None,
    typer.Option("--from", exists=True, file_okay=False, help="The folder; else this home's own."),
]
OTHERS = """\
This Bedside's database is run by others, so its backup is theirs: only the home's files (keys, the audit's signed
heads) were kept. Let whoever runs it set up pgBackRest, or pg_basebackup with pg_receivewal; docs/runbooks/backup.md
says how, and how the two fit together again."""


def _key(path: Path) -> RecoveryKey:
    from bedside.foundation.backup.keys import RecoveryKey

    return RecoveryKey.read(path.read_text(errors="replace"))


@contextmanager
def _bar(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar in bytes: what is done, how many, of how many (0: not known)."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    words = (TextColumn("{task.description:<18}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*words, TimeRemainingColumn(), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda name, done, of: progress.update(task, description=name, completed=done, total=of or None)


def _apart(folder: Path, home: Path) -> None:
    """Refuse a place inside the home; say when it is on the same disk."""
    from bedside.foundation.errors import Conflict, Unavailable

    if folder == home or home in folder.parents:
        raise Conflict("The backup would lie in the home that it is of.", remedy="Name a folder on another disk.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".bedside"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Unavailable(f"{folder} cannot be written ({error.strerror}).", remedy="Is the disk connected?") from error
    if folder.stat().st_dev == home.stat().st_dev:
        typer.echo(f"Note: {folder} is on the same disk as the clinic. When that disk dies, both are gone.", err=True)


@backup.command("init")
def init(
    to: Annotated[Path, typer.Option("--to", help="A folder on another disk, or a mounted share.")],
    home: HomeOption = HOME,
    every_hours: Annotated[float, typer.Option(min=0.05, help="A new base every so many hours.")] = 24,
    full_days: Annotated[float, typer.Option(min=0, help="A full base after so many days; between: what changed.")] = 7,
    keep_days: Annotated[float, typer.Option(min=0, help="Every moment of so many days stays restorable.")] = 30,
    window: Annotated[float, typer.Option(min=1, max=40, help="Seconds that may be lost when the machine is.")] = 15,
    spool: Annotated[
        Path | None, typer.Option(help="For --synchronous: a folder on another, encrypted disk for the incoming log.")
    ] = None,
    synchronous: Annotated[
        bool, typer.Option(help="Lose nothing: acknowledge only what is in --spool too, and stand still without it.")
    ] = False,
    also: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="A file outside the home to keep too.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="Write the recovery key there instead of printing it.")
    ] = None,
    new_key: Annotated[bool, typer.Option(help="A new recovery key; the old one opens what is there.")] = False,
) -> None:
    """Say where backups go, and get the recovery key. Again changes the settings; the key stays."""
    from bedside.foundation.errors import Conflict, Invalid, NotFound

    with plain_errors():
        from bedside.foundation import private
        from bedside.foundation.backup import settings
        from bedside.foundation.backup.archive import explain
        from bedside.foundation.backup.keys import RecoveryKey
        from bedside.foundation.home import Home

        place, folder = Home(home.absolute()), to.absolute()
        if place.made() is None:
            raise NotFound(f"There is no Bedside in {place.path}.", remedy="Start it once, or name a home with --home.")
        if synchronous and (spool is None or spool.absolute() == place.path or place.path in spool.absolute().parents):
            raise Invalid("--synchronous needs --spool: a folder on another disk, outside the home.")
        _apart(folder, place.path)
        old = settings.settings(place.path)
        key = RecoveryKey.make() if old is None or new_key else None
        if key is not None and key_file is not None:
            if key_file.exists():
                raise Conflict(f"{key_file} is there already.", remedy="Name a new file: no key is overwritten.")
            if any(parent in {place.path, folder} for parent in key_file.absolute().parents):
                raise Conflict("The key may not lie in the home or beside the backups: it would go with them.")
            private.write(key_file, key.file(str(folder), datetime.now(UTC)))
        if key is not None:
            private.write(place.path / "keys" / "backup.pem", key.signer().pem())
        moved = old is None or key is not None or old.to != str(folder)
        told = settings.Settings(
            to=str(folder),
            recipient=key.recipient if key else old.recipient if old else "",
            line=settings.new_line() if moved or old is None else old.line,
            every_hours=every_hours,
            full_days=full_days,
            keep_days=keep_days,
            window=window,
            synchronous=synchronous,
            spool=str(spool.absolute()) if spool else "",
            also=tuple(str(each.absolute()) for each in also or ()),
        )
        explain(told.store)
        if told.spool:
            Path(told.spool).mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.put(place.path, told)
        if moved:
            settings.put(place.path, settings.State())
    if key is not None and key_file is None:
        typer.echo("The recovery key. It is shown this once: print it, keep it in a safe, away from this machine.\n")
        typer.echo(key.file(str(folder), datetime.now(UTC)))
    elif key is not None:
        typer.echo(f"The recovery key is in {key_file}. Move it off this machine, and print it.")
    typer.echo(
        f"Backups go to {folder}: the log every {window:g} s, a base every {every_hours:g} h; "
        f"the last {keep_days:g} days stay restorable."
    )
    if old is not None or synchronous:
        typer.echo("Stop Bedside and start it again, so that it takes up the new settings.")
    elif place.running() is None:
        typer.echo("They begin when Bedside is started; `bedside backup` makes one now.")
    else:
        typer.echo("The first one has begun: `bedside backup list` shows it when it is done.")


@backup.callback(invoke_without_command=True)
def now(
    ctx: typer.Context,
    to: Annotated[Path | None, typer.Option("--to", help="Another folder than usual: a stick, say.")] = None,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Make a backup now. The program may run."""
    if ctx.invoked_subcommand is not None:
        return
    with plain_errors():
        import msgspec

        from bedside.foundation.backup import settings
        from bedside.foundation.home import Home

        place = Home(home.absolute())
        told = settings.needed(place.path)
        folder = to.absolute() if to else Path(told.to)
        _apart(folder, place.path)
        begun = time.monotonic()
        if database_url is not None:
            from bedside.foundation.backup.archiver import files_alone

            files_alone(place, msgspec.structs.replace(told, to=str(folder)))
            typer.echo(OTHERS)
            return
        if place.running() is not None and str(folder) == told.to:
            _asked(place.path)
        else:
            _self_made(place, msgspec.structs.replace(told, to=str(folder)), other=str(folder) != told.to)
        found = _listing(place.path, folder, None)
        mine = [one for one in found.sets if one.line == told.line]
        newest, seconds = mine[-1], time.monotonic() - begun
        plain = sum(each.plain for each in newest.objects)
        size = sum(each.size for each in newest.objects)
    typer.echo(
        f"Backup {newest.id} ({newest.kind}) is whole: {plain / 1e6:,.0f} MB in {size / 1e6:,.0f} MB, {seconds:.1f} s, "
        f"{plain / 1e6 / max(seconds, 0.01):,.0f} MB/s. Restorable up to {newest.until:%Y-%m-%d %H:%M:%S} UTC."
    )


def _asked(home: Path) -> None:
    """The running program makes it."""
    from bedside.foundation.backup import settings
    from bedside.foundation.errors import Unavailable
    from bedside.foundation.home import Home

    wish = settings.ask(home)
    with _bar("Waiting") as show:
        while (state := settings.state(home)).answered != wish:
            if Home(home).running() is None:
                raise Unavailable("Bedside has stopped meanwhile.", remedy="Run the same command again.")
            show("Database" if state.total else "Waiting", state.done, state.total)
            time.sleep(0.2)
    if state.answer:
        raise Unavailable(
            state.answer, remedy="Nothing else was touched; when that is mended, run the same command again."
        )


def _self_made(place: object, told: Settings, *, other: bool) -> None:
    """This process makes it, on the running database or on one that runs as long as this."""
    from bedside.foundation.backup.archiver import once
    from bedside.foundation.home import Home
    from bedside.foundation.installation import reach

    assert isinstance(place, Home)  # noqa: S101
    with reach(place.path), _bar("Database") as show:
        done = 0

        def tell(many: int) -> None:
            nonlocal done
            done += many
            show("Database", done, 0)

        once(place, told, other=other, tell=tell)


def _listing(home: Path, folder: Path | None, key: Path | None) -> Listing:
    from bedside.foundation.backup import check, settings
    from bedside.foundation.backup.store import Folder

    public = _key(key).signer().public if key else settings.signer(home).public
    return check.listing(Folder(folder or Path(settings.needed(home).to)), public)


@backup.command("list")
def list_(home: HomeOption = HOME, folder: FromOption = None, key: MaybeKeyOption = None) -> None:
    """What is kept, and which moments can be restored."""
    with plain_errors():
        found = _listing(home.absolute(), folder, key)
    line = ""
    for one in found.sets:
        if one.line != line:
            line = one.line
            typer.echo(f"line {line}")
            typer.echo(f"  {'set':<18}{'kind':<13}{'restorable from (UTC)':<23}{'to (UTC)':<21}{'MB kept':>9}")
        size = sum(each.size for each in one.objects) / 1e6
        span = f"{one.ended:%Y-%m-%d %H:%M:%S}    {one.until:%Y-%m-%d %H:%M:%S}"
        typer.echo(f"  {one.id:<18}{one.kind:<13}{span}{size:>11,.1f}")
    for each in found.problems:
        typer.echo(each, err=True)
    if found.problems:
        raise typer.Exit(1)


@backup.command("verify")
def verify(home: HomeOption = HOME, folder: FromOption = None, key: MaybeKeyOption = None) -> None:
    """Read every object and compare its hash; with --key open each too. Exit code 1 when something is damaged."""
    with plain_errors():
        from bedside.foundation.backup import check, settings
        from bedside.foundation.backup.store import Folder

        store = Folder(folder or Path(settings.needed(home.absolute()).to))
        state = settings.state(home.absolute()) if folder is None else None  # before: the program writes on
        found = _listing(home.absolute(), folder, key)
        with _bar("Verifying") as show:
            done = 0

            def tell(many: int, total: int) -> None:
                nonlocal done
                done += many
                show("Verifying", done, total)

            many, problems = check.verify(store, found, _key(key) if key else None, tell)
        newest = max((one.n for one in found.sets if state and one.id == state.set), default=0)
        if state is not None and newest < state.n:
            problems.append(f"The newest manifest is older than what this home had written ({newest} after {state.n}).")
    for each in problems:
        typer.echo(each, err=True)
    typer.echo(f"{len(found.sets)} sets, {many} objects, {done / 1e6:,.0f} MB: " + ("DAMAGED" if problems else "whole"))
    if problems:
        raise typer.Exit(1)


@backup.command("drill")
def drill_(
    key: KeyOption,
    home: HomeOption = HOME,
    place: Annotated[
        Path | None,
        typer.Option("--in", exists=True, file_okay=False, help="Where there is room, for as long as it takes."),
    ] = None,
) -> None:
    """Restore the newest backup beside the running clinic, look at it, throw it away; doctor tells the result."""
    with plain_errors():
        from bedside.app import drill
        from bedside.foundation.backup import restore, settings

        told = settings.needed(home.absolute())
        plan = restore.plan(restore.Wish(told.store, _key(key), line=told.line))
        with _bar("Restoring") as show:
            made, restored = drill(home.absolute(), plan, show, place)
    if restored is not None:
        _report(restored)
    for each in made.words:
        typer.echo(each, err=True)
    typer.echo(
        f"Drill of {made.set}: "
        + (f"good, {made.seconds:.1f} s, {made.bytes / 1e6 / made.seconds:,.0f} MB/s." if made.good else "FAILED.")
    )
    if not made.good:
        raise typer.Exit(1)


def _report(done: Restored) -> None:
    """What came back."""
    moment = "before the base was made" if done.newest is None else f"{done.newest:%Y-%m-%d %H:%M:%S.%f} UTC"
    typer.echo(f"Whatever was acknowledged up to {done.until:%Y-%m-%d %H:%M:%S} UTC is there. Last write: {moment}.")
    rows = sum(now for _, now in done.counts.values())
    right = "" if done.problems else "; every page and every hash is right"
    typer.echo(f"{len(done.counts)} tables, {rows:,} rows{right}.")
    for note in done.notes:
        typer.echo(note)
    if done.put_aside:
        typer.echo(f"{done.put_aside} signed heads of the audit are from after that moment: put aside beside the file.")
    if done.migrations:
        typer.echo(f"This Bedside is newer than the backup: {done.migrations} steps are taken when it starts.")
    report = done.audit
    whole = "NOT WHOLE" if report.problems else "whole"
    typer.echo(f"The audit: {report.entries} entries in {report.seals} seals, {report.heads} signed heads: {whole}.")


@cli.command("restore")
def restore_(
    folder: Annotated[Path, typer.Option("--from", exists=True, file_okay=False, help="The folder of the backups.")],
    key: KeyOption,
    home: Annotated[Path, typer.Option("--home", help="An empty or new folder: the clinic's new home.")],
    until: Annotated[
        str | None, typer.Option(help="The state at this moment: 2026-11-29T12:00:00Z. Else the newest there is.")
    ] = None,
    line: Annotated[str | None, typer.Option(help="Of this line alone (bedside backup list).")] = None,
    also_wal: Annotated[
        Path | None, typer.Option("--spool", exists=True, file_okay=False, help="The --spool of a synchronous backup.")
    ] = None,
    database_url: DatabaseOption = None,
) -> None:
    """Put a clinic back together from its backup, in a new home. Afterwards start Bedside on it."""
    from bedside.foundation.errors import Invalid, Unprocessable

    with plain_errors():
        from bedside.app import restore_home
        from bedside.foundation.backup import restore
        from bedside.foundation.backup.store import Folder
        from bedside.foundation.home import Home

        if database_url is not None:
            raise Unprocessable(
                "A base backup cannot be restored through a database's address.",
                remedy="Restore that database with the tool it was backed up with; docs/runbooks/backup.md says how.",
            )
        moment = None
        if until is not None:
            try:
                moment = datetime.fromisoformat(until)
            except ValueError as error:
                raise Invalid(f"{until} is no moment.", remedy="Write it so: 2026-11-29T12:00:00Z.") from error
            if moment.tzinfo is None:
                raise Invalid(f"{until} names no zone.", remedy="Write it so: 2026-11-29T12:00:00Z (Z is UTC).")
        plan = restore.plan(restore.Wish(Folder(folder), _key(key), moment, line, also_wal))
        with _bar("Restoring") as show:
            done = restore_home(Home(home.absolute()), plan, show)
    _report(done)
    for each in done.problems:
        typer.echo(each, err=True)
    start = "demo" if plan.last.demo else "serve"
    speed = plan.plain / 1e6 / max(done.seconds, 0.01)
    typer.echo(
        f"Restored into {home} in {done.seconds:.1f} s ({speed:,.0f} MB/s). Start it: bedside {start} --home {home}"
    )
    if plan.last.kind == "files":
        typer.echo(OTHERS)
    if done.problems:
        raise typer.Exit(1)
