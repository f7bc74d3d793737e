"""Devices that send readings."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

device = typer.Typer(no_args_is_help=True, help="Devices that send readings.")
cli.add_typer(device, name="device")


@device.command("add")
def device_add(
    patient: Annotated[str, typer.Option(help="The id of the patient who holds it.")],
    kind: Annotated[
        str,
        typer.Option(
            help="blood-pressure, heart-rate, pulse-oximeter, thermometer, scale, glucose-meter or monitor.",
        ),
    ],
    label: Annotated[str, typer.Option(help="What people call it.")] = "",
    method: Annotated[
        str | None, typer.Option(help="cuffless, where it measures pressure without a cuff: it raises no alarm.")
    ] = None,
    expires: Annotated[
        str | None,
        typer.Option(help="When its credentials end: 2027-01-31 (the day's beginning, UTC) or 2027-01-31T18:00-05:00."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Give a patient a device: prints its user name, password and topics. It works at once."""
    ends = _moment(expires)
    import asyncio

    with plain_errors():
        from bedside import app
        from bedside.foundation.installation import reach

        with reach(home, database_url, None) as settings:
            made = asyncio.run(app.add_device(settings, patient.removeprefix("Patient/"), kind, label, method, ends))
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(made).decode())
        return
    typer.echo(
        f"user name       {made.username}\n"
        f"password        {made.password}   (told only now)\n"
        f"publish to      {made.topic}\n"
        + (f"waveforms to    devices/{made.device}/waveforms\n" if kind == "monitor" else "")
        + f"answers on      {made.ack_topic}"
    )


@device.command("revoke")
def device_revoke(
    name: Annotated[str, typer.Argument(metavar="DEVICE", help="Its user name.")],
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """End a device's credentials, for good: open connections are cut off within seconds, what it sends is refused."""
    import asyncio

    with plain_errors():
        from bedside import app
        from bedside.foundation.installation import reach

        with reach(home, database_url, None) as settings:
            asyncio.run(app.revoke_device(settings, name))
    typer.echo(f"{name} is revoked.")


def _moment(text: str | None) -> datetime | None:
    """A date, or a time with its zone, that is still to come."""
    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is neither a date nor a time: 2027-01-31.") from None
    if found.tzinfo is None:
        if len(text) > len("2027-01-31"):
            raise typer.BadParameter("A time needs its zone: 2027-01-31T18:00Z.")
        found = found.replace(tzinfo=UTC)
    if found <= datetime.now(UTC):
        raise typer.BadParameter(f"{text} is past.")
    return found
