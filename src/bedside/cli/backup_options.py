"""What the backup's commands have in common: where, with which key, and a bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from bedside.foundation.backup.keys import RecoveryKey
    from bedside.foundation.backup.places import Place
    from bedside.foundation.backup.store import Store

KeyOption = Annotated[Path, typer.Option("--key", exists=True, dir_okay=False, help="The file of the recovery key.")]
MaybeKeyOption = Annotated[
    Path | None,
    typer.Option("--key", exists=True, dir_okay=False, help="The recovery key's file."),
]
FromOption = Annotated[
    str | None, typer.Option("--from", help="The folder, or s3://BUCKET/PREFIX; else this home's own.")
]
EndpointOption = Annotated[
    str,
    typer.Option(
        "--endpoint", envvar="BEDSIDE_S3_ENDPOINT", help="Of an S3-like store that is not Amazon's: https://…"
    ),
]
RegionOption = Annotated[
    str, typer.Option("--region", envvar="BEDSIDE_S3_REGION", help="Of that store, if it has any.")
]
StoreKeysOption = Annotated[
    Path | None,
    typer.Option(
        "--store-keys",
        envvar="BEDSIDE_S3_KEYS",
        help="The file (mode 0600) of that store's access key; else BEDSIDE_S3_KEY_ID and BEDSIDE_S3_SECRET.",
    ),
]
OTHERS = """\
This Bedside's database is run by others, so its backup is theirs: only the home's files (keys, the audit's signed
heads) were kept. Let whoever runs it set up pgBackRest, or pg_basebackup with pg_receivewal; docs/runbooks/backup.md
says how, and how the two fit together again."""


def recovery_key(path: Path) -> RecoveryKey:
    from bedside.foundation.backup.keys import RecoveryKey

    return RecoveryKey.read(path.read_text(errors="replace"))


@contextmanager
def bar(what: str) -> Iterator[Callable[[str, int, int], None]]:
    """A progress bar in bytes: what is done, how many, of how many (0: not known)."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn

    words = (TextColumn("{task.description:<18}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*words, TimeRemainingColumn(), transient=True) as progress:
        task = progress.add_task(what, total=None)
        yield lambda name, done, of: progress.update(task, description=name, completed=done, total=of or None)


def apart(place: Place, home: Path) -> bool:
    """Refuse a place inside the home, or that cannot be used; say when it is on the same disk. Whether it refuses to
    write over what another wrote."""
    from bedside.foundation.errors import Conflict, Unavailable

    folder = place.folder
    if folder is None:
        if place.endpoint.startswith("http:"):
            typer.echo("Note: without TLS whoever listens can spoil what is sent, though not read it.", err=True)
        if refuses := place.probe():
            return refuses
        typer.echo(
            "Note: that store cannot refuse to write over what is there. Never run two machines on one home's copy.",
            err=True,
        )
        return False
    if folder == home or home in folder.parents:
        raise Conflict("The backup would lie in the home that it is of.", remedy="Name a folder on another disk.")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / ".bedside"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise Unavailable(
            f"{folder} cannot be written ({error.strerror}).",
            remedy="Is the disk connected, and may the user that Bedside runs as write there?",
        ) from error
    if folder.stat().st_dev == home.stat().st_dev:
        typer.echo(f"Note: {folder} is on the same disk as the clinic. When that disk dies, both are gone.", err=True)
    return False


def store_of(home: Path, given: str | None, endpoint: str, region: str, keys_file: Path | None) -> Store:
    """Where what is asked for lies; how a store is reached stands in the home too, if it is the home's own."""
    from bedside.foundation.backup import settings
    from bedside.foundation.backup.places import Place

    if given is None:
        return settings.needed(home).store
    place = Place.typed(given, endpoint, region, keys_file)
    told = settings.settings(home)
    return told.store if told is not None and told.to == place.to and not endpoint else place.store()
