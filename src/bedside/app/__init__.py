"""Composition root: the only place that knows every room; builds the web, worker and ingest processes.

rooms: what each room gives (a room that lands adds its line there). web: the application. processes: what runs.
console: what an operator asks from the command line. founding: a clinic's first start. upgrading: forward and back.
"""

from bedside.app.backups import Restored, drill, restore_home
from bedside.app.console import (
    add_client,
    add_device,
    add_interface,
    add_person,
    add_staff,
    begin_anew,
    end_interface,
    export_records,
    import_records,
    list_interfaces,
    look_at_staff,
    parked_jobs,
    reindex_records,
    release_jobs,
    revoke_device,
    verify_audit,
)
from bedside.app.founding import Founded, found, founded, link_again
from bedside.app.notices import look_at_notices, notice_came_back, try_notice
from bedside.app.processes import Bedside
from bedside.app.upgrading import go_back, no_way_but_the_backup, planned, upgrade, way_back

__all__ = [
    "Bedside",
    "Founded",
    "Restored",
    "add_client",
    "add_device",
    "add_interface",
    "add_person",
    "add_staff",
    "begin_anew",
    "drill",
    "end_interface",
    "export_records",
    "found",
    "founded",
    "go_back",
    "import_records",
    "link_again",
    "list_interfaces",
    "look_at_notices",
    "look_at_staff",
    "no_way_but_the_backup",
    "notice_came_back",
    "parked_jobs",
    "planned",
    "reindex_records",
    "release_jobs",
    "restore_home",
    "revoke_device",
    "try_notice",
    "upgrade",
    "verify_audit",
    "way_back",
]
