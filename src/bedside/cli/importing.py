"""Take FHIR files into the record."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors


@cli.command("import")
def import_(
    path: Annotated[Path, typer.Argument(exists=True, help="A FHIR bundle, an NDJSON file, or a folder of them.")],
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Keep the resources of FHIR files in the record. Twice is harmless; what is refused is listed with its reason."""
    import asyncio
    import time

    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    with plain_errors():
        from bedside.app import import_records
        from bedside.foundation.installation import reach

        size = path.stat().st_size if path.is_file() else sum(f.stat().st_size for f in path.rglob("*.*json*"))
        columns = (TextColumn("Importing"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
        begun = time.monotonic()
        with reach(home, database_url, None) as settings, Progress(*columns, transient=True) as progress:
            task = progress.add_task("", total=size)
            report = asyncio.run(import_records(settings, path, lambda n: progress.advance(task, n)))
        seconds = time.monotonic() - begun
    console = Console()
    table = Table("Type", "new", "changed", "unchanged", "kept by a room already", box=None)
    counts = (report.made, report.changed, report.same, report.elsewhere)
    for kind in sorted(set[str]().union(*counts)):
        table.add_row(kind, *(f"{one[kind]:,}" for one in counts))
    console.print(table)
    for one in report.refused:
        typer.echo(f"refused: {one.file}, entry {one.at}, {one.what}: {'; '.join(one.issues[:5])}", err=True)
    typer.echo(
        f"{report.kept:,} resources of {report.files} files in {seconds:.1f} s "
        f"({report.kept / max(seconds, 0.001):,.0f} a second), {len(report.refused):,} refused"
    )
    if report.refused:
        raise typer.Exit(1)
