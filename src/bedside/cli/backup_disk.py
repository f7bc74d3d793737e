"""A new disk in the place of the one that backups went to."""

from __future__ import annotations

import typer

from bedside.cli.backing_up import backup
from bedside.cli.backup_options import apart
from bedside.cli.command import HOME, HomeOption, plain_errors


@backup.command("new-disk")
def new_disk(home: HomeOption = HOME) -> None:
    """Take up the disk that lies in the place of the one before: a new one, or one of a pair that take turns."""
    with plain_errors():
        import msgspec

        from bedside.foundation.backup import disk, settings
        from bedside.foundation.backup.archive import explain
        from bedside.foundation.backup.places import Place
        from bedside.foundation.errors import Invalid
        from bedside.foundation.home import Home

        place = Home(home.absolute())
        told = settings.needed(place.path)
        there = Place.typed(told.to)
        if there.folder is None:
            raise Invalid("These backups go to a store, not to a disk.", remedy="bedside backup init --to …")
        try:
            disk.look(place.path, told)
        except disk.Elsewhere as error:
            if error.found == "away":
                raise
        else:
            typer.echo(f"{there.folder} is on the disk that is in use: nothing was to be done.")
            return
        apart(there, place.path)
        explain(there.store())
        found = msgspec.structs.replace(
            told, mark=disk.mark(there.store()), mount=disk.mount_of(there.folder), line=settings.new_line()
        )
        settings.put(place.path, settings.State())
        settings.put(place.path, found)
    typer.echo(f"Backups go to the disk at {there.folder} from now on; the key is the one of before.")
    if place.running() is None:
        typer.echo("They begin when Bedside is started; `bedside backup` makes one now.")
    else:
        typer.echo("The first one begins within a minute: `bedside backup list` shows it when it is done.")
