"""Each rule of the house is broken on purpose in a small tree, and the tool that keeps it must say so.

The tree is made here and checked by the repository's own .importlinter, so that a contract which was loosened or left
out is found by the violation it no longer sees.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tools import house

pytestmark = pytest.mark.unit

ROOT = Path(__file__).resolve().parents[2]

CLEAN = {
    "__init__": "",
    "__main__": "from bedside.cli import main\n",
    "cli": "from bedside import app\n\n\ndef main() -> None:\n    app.web()\n",
    "app": (
        "from bedside.access import routes\nfrom bedside.monitoring import routes as readings\n"
        "from bedside.monitoring import settings, subscribers\n"
    ),
    "web.__init__": "",
    "web.clinician": "from bedside import monitoring, records\nfrom bedside.monitoring.events import ALARM\n",
    "foundation.__init__": "",
    "foundation.bus": "",
    "foundation.database": "QUERY = 'select current_setting($1)'\n",
    "foundation.errors": "",
    "foundation.http": "",
    "foundation.jobs": "",
    "foundation.engines": "",
    "fhir.__init__": "",
    "fhir.dates": "",
    "access.__init__": "from bedside.access.service import authorise\n",
    "access.model": "from bedside.fhir import dates\nfrom bedside.foundation import errors\n",
    "access.routes": "from bedside.access import service\n",
    "access.service": "from bedside.access import store\n\nauthorise = store\n",
    "access.store": "from bedside.foundation import database\n\nREAD = 'select name from access.person'\n",
    "access.testing": "from bedside import access\nfrom bedside.access import model\n",
    "records.__init__": "from bedside import access\n",
    "records.service": "",
    "records.testing": "from bedside.access import testing\n",
    "monitoring.__init__": "from bedside import records\nfrom bedside.monitoring.devices import service\n",
    "monitoring.events": "ALARM = 'monitoring.alarm'\n\n\ndef live(who):\n    return f'monitoring.live.{who}'\n",
    "monitoring.routes": "",
    "monitoring.settings": "",
    "monitoring.subscribers": "from bedside.monitoring.alarms import service\n",
    "monitoring.devices.__init__": "",
    "monitoring.devices.service": "",
    "monitoring.devices.store": "",
    "monitoring.alarms.__init__": "",
    "monitoring.alarms.model": "",
    "monitoring.alarms.service": (
        "from bedside.monitoring import events\nfrom bedside.monitoring.devices import service\n\n\n"
        "async def tell(bus, patient, device):\n"
        "    await bus.publish(events.live(patient), {})\n"
        "    await bus.publish(f'{events.ALARM}.1.{patient}', {})\n"
        "    await bus.publish(f'devices.{device}.acks', {})\n"
    ),
    "visits.__init__": "from bedside import monitoring\n",
    "visits.service": (
        "from bedside import records\n\nrecords.govern(records.Governed('Encounter', 'visits', None, 'end'))\n\n\n"
        "async def end(ctx):\n    await records.write_governed(ctx, {}, room='visits')\n"
    ),
    "prescribing.__init__": "",
    "prescribing.service": "",
}


def grow(root: Path, modules: dict[str, str]) -> None:
    """Write modules into root/src/bedside, whole or one more beside those that stand."""
    for name, text in modules.items():
        path = root / "src" / "bedside" / f"{name.replace('.', '/')}.py"
        package = path.with_suffix("")
        if package.is_dir():
            path = package / "__init__.py"
        path.parent.mkdir(parents=True, exist_ok=True)
        for folder in path.relative_to(root / "src").parents:
            if folder.name:
                (root / "src" / folder / "__init__.py").touch()
        path.write_text(text)


def lint(root: Path, config: Path = ROOT / ".importlinter") -> tuple[int, str]:
    """lint-imports over root/src with the repository's contracts: its exit code and what it printed, lines unbroken."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache", "--no-logo", "--config", config],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{root / 'src'}{os.pathsep}{ROOT}", "COLUMNS": "400"},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    grow(tmp_path, CLEAN)
    return tmp_path


def test_clean_tree_passes(tree: Path) -> None:
    code, said = lint(tree)
    assert code == 0, said
    assert "0 broken" in said
    assert house.breaches(tree) == []


IMPORTS: list[tuple[str, dict[str, str], str]] = [
    (
        "Rooms look downhill only",
        {"records.service": "from bedside import visits\n"},
        "records is not allowed to import",
    ),
    ("Rooms look downhill only", {"visits.service": "from bedside import prescribing\n"}, "bedside.visits"),
    ("Rooms look downhill only", {"foundation.bus": "from bedside import access\n"}, "bedside.foundation"),
    ("Rooms look downhill only", {"fhir.dates": "from bedside.foundation import errors\n"}, "bedside.fhir"),
    ("Rooms look downhill only", {"access.service": "from bedside import web\n"}, "bedside.access"),
    ("Rooms look downhill only", {"surgery.__init__": ""}, "bedside.surgery"),
    (
        "A room is entered by its face",
        {"visits.service": "from bedside.records import service\n"},
        "bedside.visits.service -> bedside.records.service (line 1): records is entered by its face",
    ),
    (
        "A room is entered by its face",
        {"web.clinician": "\nfrom bedside.access.model import x\n"},
        "(line 2): access is entered by its face, not by access.model",
    ),
    ("A room is entered by its face", {"cli": "from bedside.access import routes\n"}, "only app takes access.routes"),
    (
        "A room is entered by its face",
        {"web.clinician": "from bedside.monitoring import settings\n"},
        "only app takes monitoring.settings",
    ),
    (
        "A room is entered by its face",
        {"records.service": "from bedside.access import testing\n"},
        "access.testing is for tests",
    ),
    (
        "A room is entered by its face",
        {"access.service": "from bedside import access\n"},
        "a module inside access imports the room's own face",
    ),
    (
        "A room is entered by its face",
        {"visits.service": "from bedside.monitoring.alarms import service\n"},
        "monitoring is entered by its face, not by monitoring.alarms",
    ),
    ("Inside a room", {"access.store": "from bedside.access import service\n"}, "bedside.access.store"),
    ("Inside a room", {"access.model": "from bedside.access import store\n"}, "bedside.access.model"),
    ("Inside a room", {"monitoring.events": "from bedside.monitoring import routes\n"}, "bedside.monitoring.events"),
    ("Inside a room", {"access.service": "from bedside.access import testing\n"}, "bedside.access.service"),
    (
        "Inside a room",
        {"monitoring.devices.store": "from bedside.monitoring.devices import service\n"},
        "bedside.monitoring.devices.store",
    ),
    (
        "Routes and subscribers never touch a store",
        {"access.routes": "from bedside.access import store\n"},
        "bedside.access.routes",
    ),
    (
        "Routes and subscribers never touch a store",
        {"monitoring.subscribers": "from bedside.monitoring.devices import store\n"},
        "bedside.monitoring.subscribers",
    ),
    (
        "Monitoring looks downhill",
        {"monitoring.devices.service": "from bedside.monitoring.alarms import model\n"},
        "bedside.monitoring.devices",
    ),
    (
        "Every room and every module of a room has its place",
        {"surgery.__init__": ""},
        "bedside.surgery: neither a tier nor in the rooms",
    ),
    (
        "Every room and every module of a room has its place",
        {"access.passkeys": ""},
        "bedside.access.passkeys: a room holds only",
    ),
    (
        "Every room and every module of a room has its place",
        {"monitoring.alarms.ladder": ""},
        "bedside.monitoring.alarms.ladder: a room holds only",
    ),
    ("fhir and every model import no", {"access.model": "import asyncpg\n"}, "asyncpg"),
    ("fhir and every model import no", {"fhir.dates": "import starlette.requests\n"}, "starlette"),
    (
        "fhir and every model import no",
        {"monitoring.alarms.model": "from bedside.foundation import errors\n", "foundation.errors": "import nats\n"},
        "bedside.monitoring.alarms.model",
    ),
    (
        "fhir and every model import no",
        {"access.model": "from bedside.foundation import jobs\n"},
        "bedside.foundation.jobs",
    ),
    (
        "No circles anywhere",
        {"web.clinician": "from bedside.web import wall\n", "web.wall": "from bedside.web import clinician\n"},
        "bedside.web",
    ),
    ("No module is named", {"access.service.utils": ""}, "bedside.access.service.utils"),
    ("No module is named", {"web.base": ""}, "bedside.web.base"),
]


@pytest.mark.parametrize(
    ("contract", "planted", "said"), IMPORTS, ids=[f"{n:02}-{next(iter(p))}" for n, (_, p, _) in enumerate(IMPORTS)]
)
def test_a_planted_import_breaks_its_contract(tree: Path, contract: str, planted: dict[str, str], said: str) -> None:
    if "access.service.utils" in planted:
        (tree / "src/bedside/access/service.py").unlink()
        planted = {**planted, "access.service.__init__": CLEAN["access.service"]}
    grow(tree, planted)
    code, output = lint(tree)
    assert code == 1
    assert any(line.startswith(contract) and line.endswith("BROKEN") for line in output.splitlines()), output
    _, _, findings = output.partition("Broken contracts")
    assert said in findings, output


HOUSE: list[tuple[dict[str, str], str]] = [
    (
        {"records.store": "Q = 'select 1 from access.person'\n"},
        "src/bedside/records/store.py:1: records names access.person",
    ),
    (
        {"records.store": "def q(n):\n    return f'select * from {n} join monitoring.pack p on true'\n"},
        "store.py:2: records",
    ),
    (
        {"monitoring.alarms.store": "Q = '''insert into\n  access.audit values (1)'''\n"},
        "monitoring names access.audit",
    ),
    ({"foundation.database": "Q = 'delete from records.resource'\n"}, "foundation names records.resource"),
    ({"access.service": "Q = 'select id from access.person'\n"}, "access/service.py:1: SQL outside a store"),
    ({"web.clinician": "Q = 'SELECT 1'\n"}, "SQL outside a store"),
    ({"cli": "def f(c):\n    c.execute(f'update {c}.x set y = 1')\n"}, "cli.py:2: SQL outside a store"),
    ({"demo.clinic": "Q = 'with recent as (select 1) insert into a.b values (1)'\n"}, "SQL outside a store"),
    ({"visits.service": "def f(bus):\n    bus.publish('monitoring.live.1', {})\n"}, "visits publishes 'monitoring.…'"),
    ({"visits.service": "def f(bus, s):\n    bus.publish(s, {})\n"}, "service.py:2: say the subject's first word"),
    ({"access.service": "def f(bus, d):\n    bus.publish(f'devices.{d}.acks', {})\n"}, "access publishes 'devices.…'"),
    (
        {"web.clinician": "from bedside.monitoring import events\n\n\ndef f(b):\n    b.publish(events.live('p'), 1)\n"},
        "web publishes 'monitoring.…'",
    ),
    (
        {"prescribing.service": "from bedside import records\n\nrecords.Governed('Encounter', 'prescribing')\n"},
        "Encounter is governed by",
    ),
    (
        {"prescribing.service": "async def f(records, c):\n    await records.write_governed(c, {}, room='visits')\n"},
        "prescribing writes what visits governs",
    ),
]


@pytest.mark.parametrize(("planted", "said"), HOUSE, ids=[f"{n:02}-{next(iter(p))}" for n, (p, _) in enumerate(HOUSE)])
def test_a_planted_breach_is_found(tree: Path, planted: dict[str, str], said: str) -> None:
    grow(tree, planted)
    found = [str(breach) for breach in house.breaches(tree)]
    assert any(said in line for line in found), found


def test_a_migration_names_its_own_room_only(tree: Path) -> None:
    versions = tree / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions / "0001_foundation.py").write_text("S = 'create schema access'\nT = 'grant select on access.x to y'\n")
    (versions / "0005_monitoring_alarms.py").write_text("T = 'create table monitoring.alarm (id uuid)'\n")
    assert house.breaches(tree) == []
    (versions / "0006_messaging.py").write_text(
        "T = 'create table messaging.notice (p uuid references access.person)'\n"
    )
    assert [str(breach) for breach in house.breaches(tree)] == [
        "migrations/versions/0006_messaging.py:1: messaging's migration names access.person"
    ]


@pytest.mark.parametrize(
    "text",
    [
        "select a patient",
        "Select from the list",
        "with food twice a day",
        "update the record",
        "created by",
        "delete",
        "with_hold as written",
        "create an account",
    ],
)
def test_prose_is_no_statement(text: str) -> None:
    assert not house.is_statement(text)


def test_docstrings_may_speak_of_tables(tree: Path) -> None:
    grow(
        tree,
        {"visits.service": '"""select from monitoring.pack: as others do"""\n\nX = 1\n"""insert into access.x"""\n'},
    )
    assert house.breaches(tree) == []


def test_a_drawer_in_typescript_or_tests_is_found(tree: Path) -> None:
    (tree / "tests").mkdir()
    (tree / "tests" / "helpers.py").write_text("")
    (tree / "src/bedside/web/utils.island.ts").write_text("")
    assert [breach.file for breach in house.breaches(tree)] == ["src/bedside/web/utils.island.ts", "tests/helpers.py"]


def test_a_document_names_what_is_there(tree: Path) -> None:
    (tree / "docs").mkdir()
    (tree / "docs" / "hazards.md").write_text("| H1 | `src/bedside/app.py` |\n| H2 | tests/gone/test_it.py |\n")
    assert [str(breach) for breach in house.breaches(tree)] == [
        "docs/hazards.md:2: names tests/gone/test_it.py, which is not there"
    ]


def test_main_tells_by_its_exit_code(
    tree: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run: Callable[[], int] = house.main
    monkeypatch.setattr(sys, "argv", ["house", str(tree)])
    assert run() == 0
    shutil.copy(ROOT / "tools" / "dependencies.py", tree / "src/bedside/web/manager.py")
    assert run() == 1
    assert "manager.py:1" in capsys.readouterr().out
