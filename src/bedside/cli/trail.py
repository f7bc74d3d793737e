"""The audit: who came near which record."""

from __future__ import annotations

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

audit = typer.Typer(no_args_is_help=True, help="The audit: who came near which record.")
cli.add_typer(audit, name="audit")


@audit.command("verify")
def audit_verify(home: HomeOption = HOME, database_url: DatabaseOption = None) -> None:
    """Check that no byte of the audit was changed and nothing cut; exit code 1 if it was. Safe while it runs."""
    import asyncio

    from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    with plain_errors():
        from bedside.app import verify_audit
        from bedside.foundation.installation import reach

        columns = (SpinnerColumn(), TextColumn("{task.completed:,} entries checked"), TimeElapsedColumn())
        with reach(home, database_url, None) as settings, Progress(*columns, transient=True) as progress:
            task = progress.add_task("", total=None)
            report = asyncio.run(verify_audit(settings, lambda n: progress.update(task, completed=n)))
    for problem in (*report.problems, *report.warnings):
        typer.echo(problem, err=True)
    typer.echo(
        f"{report.entries} entries in {report.seals} seals, {report.unsealed} waiting for theirs, "
        f"{report.heads} signed heads: " + ("NOT WHOLE" if report.problems else "whole")
    )
    if report.problems:
        raise typer.Exit(1)
