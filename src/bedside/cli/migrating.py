"""`bedside migrate`: the database to this version, and back to an earlier one, told and backed up before."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

if TYPE_CHECKING:
    from bedside.foundation.home import Home
    from bedside.foundation.settings import Settings


@cli.command("migrate")
def migrate_(
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Only say what is missing, and about how long it takes.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing.")] = False,
    without_backup: Annotated[
        str, typer.Option("--without-backup", metavar="WHY", help="Make no backup before; the reason is kept.")
    ] = "",
    back_to: Annotated[
        str, typer.Option("--back-to", metavar="REVISION", help="Take the database back, for the version of then.")
    ] = "",
) -> None:
    """Bring the database to this version, after a backup; doing it twice does nothing, killed it goes on."""
    with plain_errors():
        from bedside import app
        from bedside.foundation.home import Home
        from bedside.foundation.installation import reach

        place = Home(home.absolute())
        place.refuse_newer()
        running = place.running()
        with reach(home, database_url, None) as settings:
            if back_to:
                _back(settings, place, back_to, running=running is not None, yes=yes, why=without_backup, plan=plan)
                return
            if plan:
                told = asyncio.run(app.planned(settings))
                typer.echo("\n".join(told.lines()) if told.steps else "Already up to date.")
                return

            def ask() -> None:
                if not yes and sys.stdin.isatty():
                    typer.confirm("Go on?", default=True, abort=True)

            # An older program that runs may not know backups yet: then this one makes it.
            runs = "backup" in (running or {}).get("processes", {})
            steps = asyncio.run(app.upgrade(settings, typer.echo, without=without_backup, runs=runs, ask=ask))
            if steps and place.made() is not None:
                place.settled()
    typer.echo(f"{steps} steps taken." if steps else "Already up to date.")


def _back(settings: Settings, place: Home, to: str, *, running: bool, yes: bool, why: str, plan: bool) -> None:
    from bedside import app
    from bedside.foundation.errors import Conflict
    from bedside.foundation.upgrade import kept

    if running and settings.own_database and not plan:
        raise Conflict(f"Bedside runs on {place.path}.", remedy="Stop it first: nobody may write while it goes back.")
    lost = asyncio.run(app.way_back(settings, to))
    if lost is None:
        raise asyncio.run(app.no_way_but_the_backup(settings, to))
    if lost:
        typer.echo(f"Back at {to} these would be LOST, since the version of then has no place for them:")
        for words, many in lost.items():
            typer.echo(f"  {many:>8,} {words}")
        typer.echo("Everything else that was acknowledged stays.")
    else:
        typer.echo(f"Nothing would be lost: whatever was acknowledged has its place at {to}.")
    if plan:
        return
    if not yes and not sys.stdin.isatty():
        raise Conflict("Nobody is there who could confirm it.", remedy="Say --yes as well, once you have read it.")
    if not yes:
        typer.confirm("Go back?", default=False, abort=True)
    steps = asyncio.run(app.go_back(settings, to, lost, typer.echo, without=why))
    known = [each.version for each in kept(place.path) if each.before == to and each.version]
    typer.echo(
        f"{steps} steps taken back. Now start the version of then{f' ({known[-1]})' if known else ''}: started with "
        "this one, the steps would be taken again."
    )
    if not known and place.made() is not None:
        typer.echo(
            f"Which version that was this home does not know. An older one will refuse it until `version` in "
            f"{place.path / 'bedside.json'} names that one."
        )
