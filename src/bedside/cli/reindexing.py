"""Bring the record's search index up to date."""

from __future__ import annotations

from typing import Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors


@cli.command()
def reindex(
    again: Annotated[bool, typer.Option("--again", help="From the start, though it was done before.")] = False,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Let searches find what an earlier Bedside wrote, as they find what this one writes.

    A worker does it by itself after an upgrade. It works beside the running program, may be stopped and run again.
    """
    import asyncio
    import time

    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    with plain_errors():
        from bedside.app import reindex_records
        from bedside.foundation.installation import reach

        columns = (TextColumn("Indexing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        begun = time.monotonic()
        with reach(home, database_url, None) as settings, Progress(*columns, transient=True) as progress:
            task = progress.add_task("", total=None)

            def tell(done: int, total: int) -> None:
                progress.update(task, completed=done, total=total)

            found = asyncio.run(reindex_records(settings, tell, again=again))
        seconds = time.monotonic() - begun
    typer.echo(f"{found.done:,} resources looked at, {found.renewed:,} indexed anew ({seconds:.1f} s).")
