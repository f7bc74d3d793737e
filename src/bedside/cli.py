"""The `bedside` command: every subcommand in one place, each only asking app for what it runs."""

import typer

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)


@cli.callback()
def bedside() -> None:
    """Bedside: video visits, monitoring and one FHIR record, on your own machine."""


def main() -> None:
    """Entry point."""
    cli()
