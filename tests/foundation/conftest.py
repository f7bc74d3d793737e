"""Foundation's tests look at the engine itself: as it is shipped, with every promise."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.conftest import migrated

from bedside.foundation.engines import Postgres


@pytest.fixture(scope="session")
def postgres(engines_home: Path) -> Iterator[Postgres]:
    """The embedded PostgreSQL with the settings that a clinic runs with."""
    with migrated(engines_home / "shipped") as engine:
        yield engine
