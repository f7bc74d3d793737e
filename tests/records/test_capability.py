"""What the server says of its search is what it answers."""

import pytest

from bedside.fhir.definitions import search_parameters
from bedside.fhir.grammar import OF_THE_WHOLE, parse
from bedside.records.model import served
from bedside.records.routes import capability

pytestmark = pytest.mark.unit

SAMPLE = {"date": "2026", "number": "1", "quantity": "1", "reference": "Patient/1"}


def test_offers_what_is_answered() -> None:
    (rest,) = capability.statement("http://here/fhir/R4")["rest"]
    assert len(rest["compartment"]) == 5
    offered = {one["type"]: one for one in rest["resource"]}
    for type_, said in offered.items():
        if type_ == "AuditEvent":
            continue
        known = search_parameters(type_)
        named = {one["name"] for one in said["searchParam"]}
        assert named == {*known, *OF_THE_WHOLE} - {"near"}
        for name in named - set(OF_THE_WHOLE):
            parameter = known[name]
            values = [SAMPLE.get(one.type, "x") for one in parameter.components] or [SAMPLE.get(parameter.type, "x")]
            (found,) = parse(type_, [(name, "$".join(values))]).filters
            assert served.served(found)
        for include in said["searchInclude"][:5]:
            assert parse(type_, [("_include", include)]).includes
        for include in said["searchRevInclude"][:5]:
            assert all(map(served.includes, parse(type_, [("_revinclude", include)]).revincludes))
