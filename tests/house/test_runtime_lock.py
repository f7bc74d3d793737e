"""What running needs is in runtime.lock: with everything else of .venv out of reach, the demo starts and answers.

The lock of the tests brings more, and once hid that running needed one of its distributions.
"""

from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from tools.clinic import Clinic

pytestmark = pytest.mark.engine

ROOT = Path(__file__).resolve().parents[2]

REFUSE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {beyond!r}:
            raise ModuleNotFoundError(f"{{name}} is not in requirements/runtime.lock", name=name)

sys.meta_path.insert(0, Refuse())
"""


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def beyond_the_lock() -> set[str]:
    """The modules that no distribution of runtime.lock holds."""
    lines = (ROOT / "requirements" / "runtime.lock").read_text().splitlines()
    locked = {canonical(line.partition("==")[0].partition("[")[0]) for line in lines if line[:1].isalnum()}
    ours = locked | {"bedside", "pip", "setuptools"}
    return {
        module
        for module, distributions in packages_distributions().items()
        if not {canonical(each) for each in distributions} & ours
    }


def test_the_demo_runs_with_what_the_lock_holds(tmp_path: Path) -> None:
    beyond = beyond_the_lock()
    assert {"pytest", "playwright"} <= beyond
    (tmp_path / "sitecustomize.py").write_text(REFUSE.format(beyond=beyond))
    clinic = Clinic(tmp_path / "home", patients=4, before=tmp_path)
    clinic.start()
    clinic.stop()
