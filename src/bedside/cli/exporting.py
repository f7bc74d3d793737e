"""Write the record into a folder of FHIR files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors


@cli.command("export")
def export_(
    path: Annotated[Path, typer.Argument(help="An empty or new folder; `bedside import` reads it again.")],
    types: Annotated[
        list[str] | None, typer.Option("--type", help="Only this resource type; may be given several times.")
    ] = None,
    since: Annotated[
        str | None, typer.Option(help="Only what changed after this instant: 2026-01-31T00:00:00Z.")
    ] = None,
    patients: Annotated[bool, typer.Option("--patients", help="Only what belongs to a patient.")] = False,
    group: Annotated[str | None, typer.Option(help="Only what belongs to the patients of this Group.")] = None,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Write the record into a folder as FHIR NDJSON, as it stands now: one resource a line, files by type."""
    import asyncio
    import time

    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    with plain_errors():
        from bedside import records
        from bedside.app import export_records
        from bedside.foundation.installation import reach

        pairs = [("_type", one) for one in types or ()] + ([("_since", since)] if since else [])
        level: Literal["system", "patient", "group"] = "group" if group else "patient" if patients else "system"
        wish = records.export_wish(level, group, pairs, strict=True, posted=False)
        columns = (TextColumn("Exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        begun = time.monotonic()
        with reach(home, database_url, None) as settings, Progress(*columns, transient=True) as progress:
            task = progress.add_task("", total=None)

            def tell(done: int, total: int) -> None:
                progress.update(task, advance=done, total=max(total, done + int(progress.tasks[0].completed)))

            counts = asyncio.run(export_records(settings, path, wish, tell))
        seconds = time.monotonic() - begun
    table = Table("Type", "resources", box=None)
    for kind in sorted(counts):
        table.add_row(kind, f"{counts[kind]:,}")
    Console().print(table)
    total = counts.total()
    typer.echo(f"{total:,} resources in {seconds:.1f} s ({total / max(seconds, 0.001):,.0f} a second) into {path}")
