"""Backend clients: programs that use the FHIR interface."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

client = typer.Typer(no_args_is_help=True, help="Backend clients: programs that use the FHIR interface.")
cli.add_typer(client, name="client")


@client.command("add")
def client_add(
    name: Annotated[str, typer.Argument(help="What it is called in the audit.")],
    scope: Annotated[str, typer.Option(help='SMART scopes, for example "system/*.cruds".')],
    jwks: Annotated[
        Path | None, typer.Option(exists=True, dir_okay=False, help="Its public keys; then it signs and has no secret.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Register a backend client, valid at once. Its secret is shown this once."""
    import asyncio

    import orjson

    with plain_errors():
        from bedside.app import add_client
        from bedside.foundation.errors import Invalid
        from bedside.foundation.installation import reach

        try:
            keys = orjson.loads(jwks.read_bytes()) if jwks else None
        except orjson.JSONDecodeError:
            raise Invalid("The key file is no JSON.", where=str(jwks)) from None
        with reach(home, database_url, None) as settings:
            made = asyncio.run(add_client(settings, name, scope, keys))
    if as_json:
        typer.echo(orjson.dumps(made).decode())
        return
    typer.echo(f"client id      {made['client_id']}")
    typer.echo(f"client secret  {made['client_secret'] or 'none: it signs with its key'}")
    typer.echo(f"scope          {made['scope']}")
