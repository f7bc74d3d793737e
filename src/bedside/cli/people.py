"""Who works here."""

from __future__ import annotations

from typing import Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

person = typer.Typer(no_args_is_help=True, help="Who works here.")
cli.add_typer(person, name="person")


@person.command("add")
def person_add(
    name: Annotated[str, typer.Argument(help="As colleagues and patients read it.")],
    email: Annotated[str, typer.Option(help="Where notices go; also the name to sign in with.")],
    role: Annotated[
        str, typer.Option(help="administrator, clinician, nurse, pharmacist or privacy-officer.")
    ] = "administrator",
    public_url: Annotated[
        str | None, typer.Option(envvar="BEDSIDE_PUBLIC_URL", help="How browsers reach it: https://…")
    ] = None,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Add a colleague and print their one-time link: so the first administrator comes in."""
    import asyncio
    from dataclasses import replace

    with plain_errors():
        from bedside.app import add_person
        from bedside.foundation.errors import Invalid
        from bedside.foundation.installation import reach

        if role not in {"administrator", "clinician", "nurse", "pharmacist", "privacy-officer"}:
            raise Invalid("There is no such role.", where=role)
        if "@" not in email:
            raise Invalid("That is no e-mail address.", where=email)
        with reach(home, database_url, None) as settings:
            reached = replace(settings, public_url=public_url) if public_url else settings
            link = asyncio.run(add_person(reached, name, email, role))
    typer.echo(f"{name} sets up a passkey, or a password and a second factor, here, once, within 7 days:\n{link}")
