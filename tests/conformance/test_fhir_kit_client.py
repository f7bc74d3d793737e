"""fhir-kit-client at its everyday work."""

import pytest
from tests.conformance.conftest import Server, run_in_node

pytestmark = pytest.mark.conformance


def test_everyday_work(server: Server) -> None:
    assert run_in_node("fhir_kit_client.mjs", server) == [
        "capabilities",
        "create read update patch history",
        "conditional create and update",
        "batch and transaction",
        "search with paging",
        "delete and refusals",
    ]
