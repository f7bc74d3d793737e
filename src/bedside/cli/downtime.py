"""`bedside downtime`: the sealed copies that are read while nothing runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

downtime = typer.Typer(no_args_is_help=True, help="Sealed copies of wards, to be read while nothing runs.")
cli.add_typer(downtime, name="downtime")


@downtime.command("init")
def init(
    to: Annotated[Path, typer.Option("--to", help="The folder, best on a disk that the wards reach without this one.")],
    home: HomeOption = HOME,
) -> None:
    """Say where the copies go, and get the words that open them. Doing it again makes new words."""
    with plain_errors():
        from bedside.app import downtime as copies
        from bedside.foundation.errors import NotFound
        from bedside.foundation.home import Home

        place = Home(home.absolute())
        if place.made() is None:
            raise NotFound(
                f"There is no Bedside in {place.path}.", remedy="Run `bedside init`, or name it with --home."
            )
        words = copies.init(place.path, to)
    typer.echo(f"A running Bedside writes the copies to {to.absolute()} from now on, every five minutes.")
    typer.echo("The words that open them. Write them down for every ward; they are not shown again:")
    typer.echo(f"\n  {words}\n")
    typer.echo("Beside them, in the folder handbook, lies what to do while nothing runs; it is not sealed.")
    typer.echo(
        "Half a minute later open a copy once on each ward's machine, so that nobody does it for the first time on the "
        "worst day."
    )


@downtime.command("write")
def write(home: HomeOption = HOME, database_url: DatabaseOption = None) -> None:
    """Write the copies now."""
    import asyncio

    with plain_errors():
        from bedside.app import downtime as copies
        from bedside.app.console import operator
        from bedside.foundation.errors import Unavailable
        from bedside.foundation.installation import reach

        async def now() -> copies.Wrote:
            async with operator(settings) as ctx:
                return await copies.write(ctx, settings.home)

        with reach(home, database_url, None) as settings:
            try:
                done = asyncio.run(now())
            except OSError as error:
                raise Unavailable(f"The copies cannot be written: {error.strerror}.") from error
    typer.echo(f"{done.files} copies written, {done.patients} patients.")
