"""Backups: set up, made now, listed, looked at, tried."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bedside.cli.backup_options import (
    OTHERS,
    EndpointOption,
    FromOption,
    KeyOption,
    MaybeKeyOption,
    RegionOption,
    StoreKeysOption,
    apart,
    bar,
    recovery_key,
    store_of,
)
from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors
from bedside.cli.restoring import report

if TYPE_CHECKING:
    from bedside.foundation.backup.check import Listing
    from bedside.foundation.backup.places import Place
    from bedside.foundation.backup.settings import Settings
    from bedside.foundation.backup.store import Store
    from bedside.foundation.errors import BedsideError

backup = typer.Typer(help="Backups, encrypted, while the program runs on.")
cli.add_typer(backup, name="backup")


@backup.command("init")
def init(
    to: Annotated[
        str | None,
        typer.Option("--to", help="A folder on another disk, a mounted share, or s3://BUCKET/PREFIX; later: as it is."),
    ] = None,
    home: HomeOption = HOME,
    endpoint: EndpointOption = "",
    region: RegionOption = "",
    store_keys: StoreKeysOption = None,
    every_hours: Annotated[
        float | None, typer.Option(min=0.05, help="A new base every so many hours: 24.", show_default=False)
    ] = None,
    full_days: Annotated[
        float | None,
        typer.Option(min=0, help="A full base after so many days, between them what changed: 7.", show_default=False),
    ] = None,
    keep_days: Annotated[
        float | None,
        typer.Option(min=0, help="Every moment of so many days stays restorable: 30.", show_default=False),
    ] = None,
    window: Annotated[
        float | None,
        typer.Option(min=1, max=40, help="Seconds that may be lost when the machine is: 15.", show_default=False),
    ] = None,
    spool: Annotated[
        Path | None, typer.Option(help="For --synchronous: a folder on another, encrypted disk for the incoming log.")
    ] = None,
    synchronous: Annotated[
        bool | None,
        typer.Option(
            "--synchronous/--no-synchronous",
            help="Lose nothing: acknowledge only what is in --spool too, and stand still without it.",
            show_default=False,
        ),
    ] = None,
    also: Annotated[
        list[Path] | None, typer.Option(exists=True, dir_okay=False, help="A file outside the home to keep too.")
    ] = None,
    key_file: Annotated[
        Path | None, typer.Option("--key-file", help="Write the recovery key there instead of printing it.")
    ] = None,
    new_key: Annotated[bool, typer.Option(help="A new recovery key; the old one opens what is there.")] = False,
    new_line: Annotated[bool, typer.Option(help="Begin a line of sets anew: this home is a copy of another.")] = False,
) -> None:
    """Say where backups go, and get the recovery key. Again changes what is named; the rest and the key stay."""
    from bedside.foundation.errors import Conflict, Invalid, NotFound

    with plain_errors():
        from bedside.foundation import private
        from bedside.foundation.backup import disk, settings
        from bedside.foundation.backup.archive import explain
        from bedside.foundation.backup.keys import RecoveryKey
        from bedside.foundation.home import Home

        place = Home(home.absolute())
        if place.made() is None:
            raise NotFound(f"There is no Bedside in {place.path}.", remedy="Start it once, or name a home with --home.")
        old = settings.settings(place.path)
        there = _where(old, to, endpoint, region, store_keys)
        folder = there.to
        before = old or settings.Settings(folder, "", "")
        if synchronous is None:
            synchronous = before.synchronous
        if spool is None and synchronous and before.spool:
            spool = Path(before.spool)
        if synchronous and (spool is None or spool.absolute() == place.path or place.path in spool.absolute().parents):
            raise Invalid("--synchronous needs --spool: a folder on another disk, outside the home.")
        stays = old is not None and old.to == folder and there.folder is not None
        away = _away(place.path, before) if stays else None
        if away is not None and (new_key or new_line):
            raise away
        if away is None:
            conditional = apart(there, place.path)
            explain(there.store(conditional=conditional))
        else:  # days and hours can be changed all the same, and nothing is written under it
            conditional = False
            typer.echo(f"Note: {away.message}\n  {away.remedy}", err=True)
        key = RecoveryKey.make() if old is None or new_key else None
        if key is not None and key_file is not None:
            if key_file.exists():
                raise Conflict(f"{key_file} is there already.", remedy="Name a new file: no key is overwritten.")
            if any(parent in {place.path, there.folder} for parent in key_file.absolute().parents):
                raise Conflict("The key may not lie in the home or beside the backups: it would go with them.")
            private.write(key_file, key.file(folder, datetime.now(UTC)))
        if key is not None:
            private.write(place.path / "keys" / "backup.pem", key.signer().pem())
        moved = old is None or key is not None or old.to != folder or new_line
        told = settings.Settings(
            to=folder,
            endpoint=there.endpoint,
            region=there.region,
            keys_file=there.keys_file,
            conditional=conditional,
            recipient=key.recipient if key else old.recipient if old else "",
            line=settings.new_line() if moved or old is None else old.line,
            every_hours=before.every_hours if every_hours is None else every_hours,
            full_days=before.full_days if full_days is None else full_days,
            keep_days=before.keep_days if keep_days is None else keep_days,
            window=before.window if window is None else window,
            synchronous=synchronous,
            spool=str(spool.absolute()) if spool else "",
            also=tuple(str(each.absolute()) for each in also) if also else before.also,
            mark=before.mark if away else disk.mark(there.store()) if there.folder else "",
            mount=before.mount if away else disk.mount_of(there.folder) if there.folder else "",
        )
        if told.spool:
            Path(told.spool).mkdir(mode=0o700, parents=True, exist_ok=True)
        settings.put(place.path, told)
        if moved:
            settings.put(place.path, settings.State())
    if key is not None and key_file is None:
        typer.echo("The recovery key. It is shown this once: print it, keep it in a safe, away from this machine.\n")
        typer.echo(key.file(folder, datetime.now(UTC)))
    elif key is not None:
        typer.echo(f"The recovery key is in {key_file}. Move it off this machine, and print it.")
    typer.echo(
        f"Backups go to {folder}: the log every {told.window:g} s, a base every {told.every_hours:g} h; "
        f"the last {told.keep_days:g} days stay restorable."
    )
    if told.also:
        typer.echo(f"Kept with the home: {', '.join(told.also)}.")
    if (old is None and synchronous) or (
        old is not None and (old.to, old.spool, old.synchronous) != (told.to, told.spool, told.synchronous)
    ):
        typer.echo("Stop Bedside and start it again, so that it takes up the new settings.")
    elif old is not None:
        typer.echo("That holds from now on.")
    elif place.running() is None:
        typer.echo("They begin when Bedside is started; `bedside backup` makes one now.")
    else:
        typer.echo("The first one has begun: `bedside backup list` shows it when it is done.")


def _where(old: Settings | None, to: str | None, endpoint: str, region: str, store_keys: Path | None) -> Place:
    """As it is typed; what is not said of a place that was set up before stays. Raises Invalid."""
    from bedside.foundation.backup.places import Place
    from bedside.foundation.errors import Invalid

    if to is None:
        if old is None:
            raise Invalid("Say where backups go.", remedy="bedside backup init --to FOLDER (on another disk).")
        to = old.to
    typed = Place.typed(to, endpoint, region, store_keys)
    if old is None or typed.to != old.to:
        return typed
    return Place(typed.to, typed.endpoint or old.endpoint, typed.region or old.region, typed.keys_file or old.keys_file)


def _away(home: Path, told: Settings) -> BedsideError | None:
    """Why the disk of before cannot be written to now."""
    from bedside.foundation.backup import disk
    from bedside.foundation.errors import Unavailable

    try:
        disk.look(home, told)
    except Unavailable as error:
        return error
    return None


@backup.callback(invoke_without_command=True)
def now(
    ctx: typer.Context,
    to: Annotated[str | None, typer.Option("--to", help="Another place than usual: a stick, say.")] = None,
    home: HomeOption = HOME,
    endpoint: EndpointOption = "",
    region: RegionOption = "",
    store_keys: StoreKeysOption = None,
    database_url: DatabaseOption = None,
) -> None:
    """Make a backup now. The program may run."""
    if ctx.invoked_subcommand is not None:
        return
    with plain_errors():
        import msgspec

        from bedside.foundation.backup import check, disk, settings
        from bedside.foundation.backup.places import Place
        from bedside.foundation.home import Home

        place = Home(home.absolute())
        told = settings.needed(place.path)
        usual = to is None or Place.typed(to).to == told.to
        if to is not None and not usual:
            there = Place.typed(to, endpoint, region, store_keys)
            told = msgspec.structs.replace(
                told,
                to=there.to,
                endpoint=there.endpoint,
                region=there.region,
                keys_file=there.keys_file,
                conditional=apart(there, place.path),
                mark="",
            )
        elif Place.typed(told.to).folder is not None:
            told = disk.adopted(place.path, told)
            apart(Place.typed(told.to), place.path)
        begun = time.monotonic()
        if database_url is not None:
            from bedside.foundation.backup.archiver import files_alone

            files_alone(place, told)
            typer.echo(OTHERS)
            return
        if place.running() is not None and usual:
            _asked(place.path)
        else:
            _self_made(place, told, other=not usual)
        found = check.listing(told.store, settings.signer(place.path).public)
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
    from bedside.foundation.backup.asked import asked
    from bedside.foundation.errors import Unavailable
    from bedside.foundation.home import Home

    def runs() -> None:
        if Home(home).running() is None:
            raise Unavailable("Bedside has stopped meanwhile.", remedy="Run the same command again.")

    with bar("Waiting") as show:
        asked(home, lambda done, total: show("Database" if total else "Waiting", done, total), runs)


def _self_made(place: object, told: Settings, *, other: bool) -> None:
    """This process makes it, on the running database or on one that runs as long as this."""
    from bedside.foundation.backup.archiver import once
    from bedside.foundation.home import Home
    from bedside.foundation.installation import reach

    assert isinstance(place, Home)  # noqa: S101
    with reach(place.path), bar("Database") as show:
        done = 0

        def tell(many: int) -> None:
            nonlocal done
            done += many
            show("Database", done, 0)

        once(place, told, other=other, tell=tell)


def _listing(home: Path, store: Store, key: Path | None) -> Listing:
    from bedside.foundation.backup import check, settings

    public = recovery_key(key).signer().public if key else settings.signer(home).public
    return check.listing(store, public)


@backup.command("list")
def list_(
    home: HomeOption = HOME,
    place: FromOption = None,
    key: MaybeKeyOption = None,
    endpoint: EndpointOption = "",
    region: RegionOption = "",
    store_keys: StoreKeysOption = None,
) -> None:
    """What is kept, and which moments can be restored."""
    with plain_errors():
        store = store_of(home.absolute(), place, endpoint, region, store_keys)
        found = _listing(home.absolute(), store, key)
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
def verify(
    home: HomeOption = HOME,
    place: FromOption = None,
    key: MaybeKeyOption = None,
    endpoint: EndpointOption = "",
    region: RegionOption = "",
    store_keys: StoreKeysOption = None,
) -> None:
    """Read every object and compare its hash; with --key open each too. Exit code 1 when something is damaged."""
    with plain_errors():
        from bedside.foundation.backup import check, settings

        store = store_of(home.absolute(), place, endpoint, region, store_keys)
        state = settings.state(home.absolute()) if place is None else None  # before: the program writes on
        found = _listing(home.absolute(), store, key)
        with bar("Verifying") as show:
            done = 0

            def tell(many: int, total: int) -> None:
                nonlocal done
                done += many
                show("Verifying", done, total)

            many, problems = check.verify(store, found, recovery_key(key) if key else None, tell)
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
        plan = restore.plan(restore.Wish(told.store, recovery_key(key), line=told.line))
        with bar("Restoring") as show:
            made, restored = drill(home.absolute(), plan, show, place)
    if restored is not None:
        report(restored)
    for each in made.words:
        typer.echo(each, err=True)
    typer.echo(
        f"Drill of {made.set}: "
        + (f"good, {made.seconds:.1f} s, {made.bytes / 1e6 / made.seconds:,.0f} MB/s." if made.good else "FAILED.")
    )
    if not made.good:
        raise typer.Exit(1)
