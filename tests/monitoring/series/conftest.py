"""Every test of the series runs twice: what a reading is must not hang on where it stands."""

from collections.abc import Iterator

import pytest
from tests.monitoring.series.keeping import Keeping


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Where there is a database, and the module has no own mind."""
    if "ctx" in metafunc.fixturenames and not hasattr(metafunc.module, "kept"):
        metafunc.parametrize("kept", [False, True], ids=["packs", "chunks"], indirect=True)


@pytest.fixture(autouse=True)
def kept(request: pytest.FixtureRequest) -> Iterator[None]:
    """Whether packs are put into chunks as soon as they have landed."""
    Keeping.chunks = getattr(request, "param", False)
    yield
    Keeping.chunks = False
