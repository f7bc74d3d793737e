"""@medplum/core, the client of the best-known open TypeScript server, at its everyday work."""

import pytest
from tests.conformance.conftest import Server, run_in_node

pytestmark = pytest.mark.conformance


def test_everyday_work(server: Server) -> None:
    assert run_in_node("medplum.mjs", server) == [
        "create read update patch history",
        "conditional create and update",
        "batch",
        "search with paging",
        "delete and refusals",
    ]
