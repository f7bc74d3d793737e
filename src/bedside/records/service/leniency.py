"""Lenient searches: a condition whose codes cannot be listed here is left out, and the answer says so."""

import msgspec

from bedside.fhir.issues import Issue
from bedside.fhir.query import Condition, Query
from bedside.foundation.context import Ctx
from bedside.records.model.refusals import Refused
from bedside.records.service import terms


async def answerable(ctx: Ctx, query: Query) -> Query:
    """The query without the conditions whose value set, code system or list is not here, each told in `ignored`."""
    kept: list[Condition] = []
    told: list[Issue] = []
    for one in query.filters:
        try:
            for type_ in query.types:
                await terms.resolved(ctx, type_, [one])
        except Refused as error:
            told += [msgspec.structs.replace(issue, severity="warning") for issue in error.issues]
        else:
            kept.append(one)
    if not told:
        return query
    return msgspec.structs.replace(query, filters=tuple(kept), ignored=(*query.ignored, *told))
