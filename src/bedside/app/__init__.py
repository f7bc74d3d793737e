"""Composition root: the only place that knows every room; builds the web, worker and ingest processes.

rooms: what each room gives (a room that lands adds its line there). web: the application. processes: what runs.
console: what an operator asks from the command line.
"""

from bedside.app.backups import Restored, drill, restore_home
from bedside.app.console import (
    add_client,
    add_device,
    add_interface,
    add_person,
    end_interface,
    export_records,
    import_records,
    list_interfaces,
    parked_jobs,
    reindex_records,
    release_jobs,
    revoke_device,
    verify_audit,
)
from bedside.app.processes import Bedside

__all__ = [
    "Bedside",
    "Restored",
    "add_client",
    "add_device",
    "add_interface",
    "add_person",
    "drill",
    "end_interface",
    "export_records",
    "import_records",
    "list_interfaces",
    "parked_jobs",
    "reindex_records",
    "release_jobs",
    "restore_home",
    "revoke_device",
    "verify_audit",
]
