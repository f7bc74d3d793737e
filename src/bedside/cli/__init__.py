"""The `bedside` command: each module holds the commands of one thing, and each only asks app for what it runs."""

# fmt: off
# Importing a module adds its commands; the order is that of `bedside --help`.
from bedside.cli import running, init, upkeep, people, clients, trail, importing, exporting, reindexing, devices  # noqa: F401, I001, RUF100
from bedside.cli import interfaces, gateway, backing_up, backup_disk, restoring, downtime, handbook, notices, migrating  # noqa: F401, I001, RUF100
# fmt: on
from bedside.cli.command import cli

__all__ = ["cli", "main"]


def main() -> None:
    """Entry point."""
    cli()
