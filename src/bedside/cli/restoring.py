"""The restore, and what came back."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bedside.cli.backup_options import (
    OTHERS,
    EndpointOption,
    KeyOption,
    RegionOption,
    StoreKeysOption,
    bar,
    recovery_key,
)
from bedside.cli.command import cli, plain_errors

if TYPE_CHECKING:
    from bedside.app import Restored


def report(done: Restored) -> None:
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
    place: Annotated[str, typer.Option("--from", help="The folder of the backups, or s3://BUCKET/PREFIX.")],
    key: KeyOption,
    home: Annotated[Path, typer.Option("--home", help="An empty or new folder: the clinic's new home.")],
    until: Annotated[
        str | None, typer.Option(help="The state at this moment: 2026-11-29T12:00:00Z. Else the newest there is.")
    ] = None,
    line: Annotated[str | None, typer.Option(help="Of this line alone (bedside backup list).")] = None,
    also_wal: Annotated[
        Path | None, typer.Option("--spool", exists=True, file_okay=False, help="The --spool of a synchronous backup.")
    ] = None,
    database_url: Annotated[
        str | None,
        typer.Option(
            "--database-url", help="An empty database that others run: the clinic's goes there.", metavar="URL"
        ),
    ] = None,
    endpoint: EndpointOption = "",
    region: RegionOption = "",
    store_keys: StoreKeysOption = None,
) -> None:
    """Put a clinic back together from its backup, in a new home. Afterwards start Bedside on it."""
    from bedside.foundation.errors import Invalid

    with plain_errors():
        from bedside.app import restore_home
        from bedside.foundation.backup import restore
        from bedside.foundation.backup.places import Place
        from bedside.foundation.home import Home

        moment = None
        if until is not None:
            try:
                moment = datetime.fromisoformat(until)
            except ValueError as error:
                raise Invalid(f"{until} is no moment.", remedy="Write it so: 2026-11-29T12:00:00Z.") from error
            if moment.tzinfo is None:
                raise Invalid(f"{until} names no zone.", remedy="Write it so: 2026-11-29T12:00:00Z (Z is UTC).")
        store = Place.typed(place, endpoint, region, store_keys).store()
        plan = restore.plan(restore.Wish(store, recovery_key(key), moment, line, also_wal))
        with bar("Restoring") as show:
            done = restore_home(Home(home.absolute()), plan, show, database=database_url)
    report(done)
    for each in done.problems:
        typer.echo(each, err=True)
    start = "demo" if plan.last.demo else "serve"
    speed = plan.plain / 1e6 / max(done.seconds, 0.01)
    there = " --database-url …" if database_url else ""
    typer.echo(
        f"Restored into {home}{' and that database' if there else ''} in {done.seconds:.1f} s ({speed:,.0f} MB/s). "
        f"Start it: bedside {start} --home {home}{there}"
    )
    if plan.last.kind == "files":
        typer.echo(OTHERS)
    if done.problems:
        raise typer.Exit(1)
