"""`bedside handbook`: the handbook as a folder of pages, for when nothing runs."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bedside.cli.command import cli, plain_errors


class Language(StrEnum):
    """What the handbook's frame speaks."""

    en = "en"
    es = "es"


@cli.command("handbook")
def handbook(
    to: Annotated[Path, typer.Option("--to", help="The folder: empty, not there yet, or written by this command.")],
    language: Annotated[Language, typer.Option("--language", help="What it opens in; it holds both.")] = Language.en,
) -> None:
    """Write the handbook as pages that open from a file, with no server: for the day on which nothing runs."""
    with plain_errors():
        from bedside.app import handbook as book

        pages = book.write(to.absolute(), language.value)
    typer.echo(f"{pages} pages written. Open {to.absolute() / 'index.html'} in any browser.")
    typer.echo("Copy the folder to where you can read it without this machine, and write it anew after an upgrade.")
