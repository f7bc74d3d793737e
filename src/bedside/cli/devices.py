"""Devices that send readings."""

from __future__ import annotations

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
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Give a patient a device: prints its MQTT user name, password and topics. It works at once."""
    import asyncio

    with plain_errors():
        from bedside import app
        from bedside.foundation.installation import reach

        with reach(home, database_url, None) as settings:
            made = asyncio.run(app.add_device(settings, patient.removeprefix("Patient/"), kind, label, method))
    if as_json:
        import msgspec

        typer.echo(msgspec.json.encode(made).decode())
        return
    typer.echo(
        f"MQTT user name  {made.username}\n"
        f"password        {made.password}   (told only now)\n"
        f"publish to      {made.topic}\n"
        f"answers on      {made.ack_topic}"
    )
