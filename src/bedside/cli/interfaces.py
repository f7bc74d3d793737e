"""Other systems that send HL7 v2 (MLLP)."""

from __future__ import annotations

from typing import Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

interface = typer.Typer(no_args_is_help=True, help="Other systems that send HL7 v2 (MLLP).")
cli.add_typer(interface, name="interface")


@interface.command("add")
def interface_add(
    name: Annotated[str, typer.Argument(help="What staff will read where it makes trouble.")],
    application: Annotated[str, typer.Option(help="MSH-3, its first component.")],
    authority: Annotated[
        list[str],
        typer.Option(
            help="AUTHORITY=SYSTEM, as often as needed: an assigning authority of PID-3 (namespace or OID; nothing "
            "where none is sent) and the system of that number in Patient.identifier."
        ),
    ],
    facility: Annotated[str, typer.Option(help="MSH-4, its first component.")] = "",
    zone: Annotated[str, typer.Option(help="Of times without an offset, for example Europe/Madrid.")] = "UTC",
    sender: Annotated[
        list[str] | None, typer.Option("--from", help="Addresses or networks that it sends from; else this machine.")
    ] = None,
    kind: Annotated[
        str, typer.Option(help="monitor: sends every value every 2 minutes at least, silence alarms; else interface.")
    ] = "interface",
    processing: Annotated[str, typer.Option(help="The MSH-11 that is taken: P, T or D.")] = "P",
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Let another system send; it may at once."""
    import asyncio

    import msgspec

    with plain_errors():
        from bedside import app, exchange
        from bedside.foundation.installation import reach

        pairs = [word.partition("=") for word in authority]
        wish = exchange.NewInterface(
            name=name,
            application=application,
            facility=facility,
            authorities={key: system for key, _, system in pairs},
            zone=zone,
            kind=kind,
            processing=processing,
            **({"addresses": tuple(sender)} if sender else {}),
        )
        with reach(home, database_url, None) as settings:
            made = asyncio.run(app.add_interface(settings, wish))
    if as_json:
        typer.echo(msgspec.json.encode(made).decode())
        return
    typer.echo(f"{made.name} may send: MSH-3 {made.application}, MSH-4 {made.facility or 'empty'}, MSH-11 {processing}")
    typer.echo(f"from           {', '.join(made.addresses)}")
    for key, system in made.authorities.items():
        typer.echo(f"PID-3          {key or 'no authority'} is {system}")
    typer.echo(f"times          {made.zone} where they have no offset")


@interface.command("list")
def interface_list(
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON array.")] = False,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Who may send, and when each was last heard."""
    import asyncio

    import msgspec

    with plain_errors():
        from bedside import app
        from bedside.foundation.installation import reach

        with reach(home, database_url, None) as settings:
            found = asyncio.run(app.list_interfaces(settings))
    if as_json:
        typer.echo(msgspec.json.encode(found).decode())
        return
    for one in found:
        heard = f"{one.last_at:%Y-%m-%d %H:%M} UTC" if one.last_at else "never"
        typer.echo(f"{one.name}  {one.application}/{one.facility}  from {', '.join(one.addresses)}  last heard {heard}")
    if not found:
        typer.echo("No system may send HL7 v2. Add one: bedside interface add --help")


@interface.command("end")
def interface_end(
    name: Annotated[str, typer.Argument()], home: HomeOption = HOME, database_url: DatabaseOption = None
) -> None:
    """It may not send any more. What it sent stays."""
    import asyncio

    with plain_errors():
        from bedside import app
        from bedside.foundation.installation import reach

        with reach(home, database_url, None) as settings:
            asyncio.run(app.end_interface(settings, name))
    typer.echo(f"{name} may not send any more.")
