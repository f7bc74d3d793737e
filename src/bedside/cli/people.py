"""Who works here."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli, plain_errors

if TYPE_CHECKING:
    from bedside.access import staff_list

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


@person.command("anew")
def person_anew(
    email: Annotated[str, typer.Argument(help="Of a colleague who lost everything.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is done.")] = False,
    public_url: Annotated[
        str | None, typer.Option(envvar="BEDSIDE_PUBLIC_URL", help="How browsers reach it: https://…")
    ] = None,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Begin anew for a colleague whom nobody else can let in: what they signed in with stops working, and their
    one-time link is printed here. They and the administrators are told, and the audit keeps it."""
    import asyncio
    from dataclasses import replace

    with plain_errors():
        from bedside.app import begin_anew
        from bedside.foundation.installation import reach

        if not yes:
            typer.confirm(
                f"Their password, passkeys and second factor stop working at once. Begin anew for {email}",
                default=False,
                abort=True,
            )
        with reach(home, database_url, None) as settings:
            reached = replace(settings, public_url=public_url) if public_url else settings
            name, link = asyncio.run(begin_anew(reached, email))
    typer.echo(f"{name} sets up a passkey, or a password and a second factor, here, once, within an hour:\n{link}")


@person.command("template")
def person_template() -> None:
    """Print a list to fill in, for `bedside person import`."""
    from bedside.access import staff_list

    typer.echo(staff_list.template(), nl=False)


@person.command("import")
def person_import(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV: see `bedside person template`.")],
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask before it is written.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object; with --yes.")] = False,
    public_url: Annotated[
        str | None, typer.Option(envvar="BEDSIDE_PUBLIC_URL", help="How browsers reach it: https://…")
    ] = None,
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Add many colleagues at once and print their links. Shows what each row would do before anything is written; rows
    that are wrong are left out, and who is here already stays as they are. Exit code 1 if a row is wrong."""
    import asyncio
    from dataclasses import replace

    if as_json and not yes:
        raise typer.BadParameter("--json asks nothing: give --yes.")
    with plain_errors():
        from bedside.app import add_staff, look_at_staff
        from bedside.foundation.installation import reach

        data = file.read_bytes()
        with reach(home, database_url, None) as settings:
            reached = replace(settings, public_url=public_url) if public_url else settings
            preview = asyncio.run(look_at_staff(reached, data))
            new, wrong = preview.of("new"), preview.of("wrong")
            if not as_json:
                _rows(preview)
            if new and not yes:
                typer.confirm(f"Import these {len(new)}", default=False, abort=True)
            added = asyncio.run(add_staff(reached, data)) if new else []
    if as_json:
        import orjson

        faults = [
            {"line": one.row.line, "column": fault.where, "error": fault.message, "remedy": fault.remedy}
            for one in wrong
            for fault in one.row.faults
        ]
        people = [{"name": one.person.name, "email": one.person.email, "link": one.link} for one in added]
        here = len(preview.of("here"))
        typer.echo(orjson.dumps({"added": people, "here": here, "wrong": faults}).decode())
    elif added:
        typer.echo("Each link is good once, for 7 days; whoever has it sets up the sign-in:")
        for one in added:
            typer.echo(f"{one.person.name}\t{one.person.email}\t{one.link}")
    if wrong:
        raise typer.Exit(1)


def _rows(preview: staff_list.Preview) -> None:
    """What each row would do, the wrong ones first."""
    for one in preview.of("wrong"):
        for fault in one.row.faults:
            typer.secho(f"line {one.row.line}, {fault.where}: {fault.message} {fault.remedy or ''}", fg="red", err=True)
    for one in preview.rows:
        if one.note:
            typer.echo(f"line {one.row.line}, {one.row.name}: {one.note % dict(one.values)}")
    counts = {state: len(preview.of(state)) for state in ("new", "here", "wrong")}
    typer.echo(f"{counts['new']} new, {counts['here']} here already, {counts['wrong']} wrong.")
