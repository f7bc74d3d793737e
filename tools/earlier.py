"""A database as an earlier Bedside really wrote it, as SQL text for tests: `python -m tools.earlier COMMIT FILE`.

The commit's own program runs its demo with one patient for half a minute, the devices sending; then pg_dump writes the
rows (no schema: the test makes that by the same steps, which never change once they are published). Nothing is edited
afterwards. Its FHIR definitions are built by its own tool; styles are today's.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tools.ports import free_port
from tools.steps import ROOT

PLAYED = """
import subprocess, sys
from pathlib import Path
from bedside.foundation.engines.postgres import binaries
from bedside.foundation.home import Home

postgres = Home(Path(sys.argv[1])).postgres
postgres.start()
try:
    dump = [str(binaries() / "pg_dump"), "--data-only", "--rows-per-insert=100", "--no-comments"]
    dump += ["--exclude-table=foundation.alembic_version", "-f", sys.argv[2], "-d", postgres.dsn()]
    subprocess.run(dump, check=True)
finally:
    postgres.stop()
"""
BUILT = ("web/static", "web/locale/es/LC_MESSAGES")
LIVES = 25.0
"""Seconds for which the clinic lives, its devices sending."""


def tree(commit: str, folder: Path) -> Path:
    """The source of then, in `folder`, to stand first in PYTHONPATH. Raises CalledProcessError without that history."""
    archive = subprocess.run(["git", "archive", commit], cwd=ROOT, check=True, capture_output=True).stdout
    folder.mkdir()
    subprocess.run(["tar", "-x", "-C", folder], input=archive, check=True)
    for each in BUILT:
        shutil.copytree(ROOT / "src/bedside" / each, folder / "src/bedside" / each, dirs_exist_ok=True)
    # The definitions have a form of their own in each version: that of then is built by its own tool.
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    there = {**os.environ, "PYTHONPATH": f"{folder / 'src'}{os.pathsep}{folder}"}
    subprocess.run([sys.executable, "-m", "tools.build_definitions"], cwd=folder, env=there, check=True)
    return folder / "src"


def write(commit: str, to: Path) -> None:
    """Raises CalledProcessError where that program does not run in today's environment."""
    with tempfile.TemporaryDirectory(prefix="bedside-earlier-") as folder:
        source = tree(commit, Path(folder) / "tree")
        home, dumped = Path(folder) / "home", Path(folder) / "rows.sql"
        there = {**os.environ, "PYTHONPATH": str(source)}
        ports = [f"--{name}={free_port()}" for name in ("port", "mqtt-port", "mllp-port")]
        demo = [sys.executable, "-m", "bedside", "demo", f"--home={home}", "--patients=1", *ports]
        clinic = subprocess.Popen(demo, env=there)
        time.sleep(LIVES)
        clinic.send_signal(signal.SIGINT)
        clinic.wait(30)
        subprocess.run([sys.executable, "-c", PLAYED, str(home), str(dumped)], env=there, check=True)
        # psql's own commands and pg_dump's settings of a session are nobody's rows.
        lines = [line for line in dumped.read_text().splitlines() if not line.startswith(("\\", "--", "SET "))]
    head = f"-- By `python -m tools.earlier {commit}`: rows as the program of that commit wrote them. Not edited.\n"
    to.write_text(head + "\n".join(line for line in lines if line) + "\n")


if __name__ == "__main__":
    write(sys.argv[1], Path(sys.argv[2]))
