"""Notices: what a mail server sends back."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from bedside.cli.command import HOME, DatabaseOption, HomeOption, cli

notice = typer.Typer(no_args_is_help=True, help="Notices to people, as a mail server sees them.")
cli.add_typer(notice, name="notice")

LARGEST = 8 << 20
LATER = 75
"""sysexits.h's EX_TEMPFAIL: the mail server keeps the message and tries again."""


@notice.callback()
def notices() -> None:
    """Notices to people, as a mail server sees them."""


@notice.command()
def bounce(
    to: Annotated[
        str, typer.Option("--to", help="To whom it was delivered, as the mail server says ($RECIPIENT in Postfix).")
    ] = "",
    home: HomeOption = HOME,
    database_url: DatabaseOption = None,
) -> None:
    """Take one message that came to BEDSIDE_SMTP_BOUNCES from standard input, and note whether a notice came back.

    For a mail server's pipe. Exit code 0 whatever it was; 75 where Bedside could not be reached, so that the mail
    server keeps it and tries again.
    """
    import asyncio

    from bedside.foundation.errors import BedsideError
    from bedside.foundation.installation import reach, told

    raw = sys.stdin.buffer.read(LARGEST)
    try:
        from bedside.app import notice_came_back

        with reach(home, database_url, None) as settings:
            came = asyncio.run(notice_came_back(settings, raw, to))
    except BedsideError as error:
        typer.echo(told(error), err=True)
        raise typer.Exit(LATER) from None
    said = {
        "bounced": "A notice came back: it is noted.",
        "delivered": "A notice arrived: it is noted.",
        "delayed": "A notice is delayed: nothing to note.",
        "unknown": "A report, but of no notice of this installation.",
    }
    typer.echo(said.get(came, "No report of a mail server: left alone."))
