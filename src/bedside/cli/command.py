"""What every command shares: the command itself, the options that all take, and how a refusal is told."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

cli = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

HomeOption = Annotated[
    Path, typer.Option("--home", envvar="BEDSIDE_HOME", help="The directory that holds everything.", show_default=True)
]
PORTS: dict[str, Any] = {"min": 1, "max": 65535}
PortOption = Annotated[int, typer.Option("--port", envvar="BEDSIDE_PORT", help="Port of the web.", **PORTS)]
MqttPortOption = Annotated[int, typer.Option("--mqtt-port", envvar="BEDSIDE_MQTT_PORT", help="Port of MQTT.", **PORTS)]
MllpPortOption = Annotated[
    int | None,
    typer.Option("--mllp-port", envvar="BEDSIDE_MLLP_PORT", min=0, max=65535, help="Port of HL7 v2; 0 shuts it."),
]
MllpHostOption = Annotated[
    str, typer.Option("--mllp-host", envvar="BEDSIDE_MLLP_HOST", help="Address of HL7 v2: plain unless TLS is given.")
]
DatabaseOption = Annotated[
    str | None,
    typer.Option("--database-url", envvar="BEDSIDE_DATABASE_URL", help="A PostgreSQL that others run.", metavar="URL"),
]
NatsOption = Annotated[
    str | None, typer.Option("--nats-url", envvar="BEDSIDE_NATS_URL", help="A NATS that others run.", metavar="URL")
]
HOME = Path(".bedside")


def _version(asked: bool) -> None:
    if not asked:
        return
    with plain_errors():
        from bedside import __version__
        from bedside.foundation import steps

        typer.echo(f"Bedside {__version__}, database {steps.revisions()[-1]}")
    raise typer.Exit


@cli.callback()
def bedside(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Its version, and the database's newest step; ends."
        ),
    ] = False,
) -> None:
    """Bedside: video visits, monitoring and one FHIR record, on your own machine."""


def site(typed: str) -> str:
    """How browsers reach an installation, as it is kept. Raises Invalid: no address, a path in it, plain HTTP."""
    from urllib.parse import urlsplit

    from bedside.foundation.errors import Invalid

    text = typed.strip().rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in {"https", "http"} or not parts.hostname or parts.path:
        raise Invalid("That is no address of a site.", remedy="Write it as https://clinic.example.")
    if parts.scheme == "http" and parts.hostname != "localhost":
        raise Invalid("Browsers give passkeys and cameras to https alone.", remedy="Write it as https://…")
    return text


@contextmanager
def plain_errors() -> Iterator[None]:
    """A refusal is one sentence and its remedy, and exit code 1."""
    from bedside.foundation.errors import BedsideError
    from bedside.foundation.installation import told

    try:
        yield
    except BedsideError as error:
        typer.echo(told(error), err=True)
        raise typer.Exit(1) from None
    except OSError as error:  # a folder that may not be written, a disk that is full: no traceback helps there
        if error.filename is None or error.strerror is None:
            raise
        typer.echo(f"Error: {str(error.filename).removesuffix('.new')}: {error.strerror}.", err=True)
        raise typer.Exit(1) from None


def from_file(ctx: typer.Context, path: Path | None) -> Path | None:
    """The options of a TOML file (`database-url = "…"`) become defaults: the command line and environment win."""
    if path is not None:
        try:
            read = tomllib.loads(path.read_text())
        except tomllib.TOMLDecodeError as error:
            raise typer.BadParameter(f"{path} is not TOML: {error}") from None
        known = {parameter.name for parameter in ctx.command.params}
        named = {name.replace("-", "_"): value for name, value in read.items()}
        if unknown := sorted(set(named) - known):
            raise typer.BadParameter(f"{path} names what {ctx.info_name} does not know: {', '.join(unknown)}")
        ctx.default_map = {**(ctx.default_map or {}), **named}
    return path
