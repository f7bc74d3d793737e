"""The gateway of a home or a ward."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bedside.cli.command import cli, plain_errors


@cli.command()
def gateway(
    to: Annotated[str, typer.Option("--to", envvar="BEDSIDE_GATEWAY_TO", help="Bedside's address: https://…")],
    cards: Annotated[
        Path,
        typer.Option(exists=True, dir_okay=False, help="What `bedside device add --json` printed, a line each device."),
    ],
    home: Annotated[Path, typer.Option("--home", help="Where what waits is kept.")] = Path(".bedside-gateway"),
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port for devices.")] = 8765,
    rate: Annotated[float, typer.Option(min=0.1, max=10_000, help="Messages a second passed on, at most.")] = 200,
    most_mb: Annotated[int, typer.Option("--most-mb", min=1, help="MB that may wait.")] = 2000,
    ca: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="The authority of Bedside's certificate (PEM).")
    ] = None,
) -> None:
    """Take readings from devices, keep them on disk, and pass them on to Bedside once it can be reached."""
    with plain_errors():
        from bedside.gateway import Wish, run

        typer.echo(f"Devices hand in at http://{host}:{port}/devices/…/readings; it goes on to {to}. Ctrl-C stops it.")
        run(Wish(to, cards, home, host, port, rate, most_mb * 1_000_000, ca))
