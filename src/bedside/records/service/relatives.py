"""Whom a patient lets in, as the record knows them: a RelatedPerson for each patient, active while a grant stands."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bedside import access
from bedside.fhir import consents, references
from bedside.foundation.context import Ctx
from bedside.records.model import rows as indexing
from bedside.records.model.json import decode
from bedside.records.store import reading as store

TYPE = "RelatedPerson"


async def account_of(ctx: Ctx, actor: references.Reference, patient: str) -> str | None:
    """The account that a Consent's actor is: of a RelatedPerson of that patient its own, else what the reference names,
    as programs write it that know the account alone. None: a RelatedPerson of somebody else."""
    if actor.type != TYPE or actor.id is None:
        return actor.id
    known = await standing(ctx, actor.id)
    account = consents.account_of(known) if known is not None else None
    if known is None or account is None:
        return actor.id
    return account if (known.get("patient") or {}).get("reference") == f"Patient/{patient}" else None


async def changed(ctx: Ctx, pairs: Iterable[tuple[str, str]]) -> list[dict[str, Any]]:
    """Of these patients and people the RelatedPersons that the grants of now make others than they stand there."""
    found = []
    for patient, person in sorted(pairs):
        known = await standing(ctx, consents.related_id(patient, person))
        if known is None:
            continue  # a program's own Consent, of an account without one
        fresh = consents.settled(known, await access.caregivers.ends(ctx, patient, person))
        if fresh != known:
            found.append(fresh)
    return found


async def standing(ctx: Ctx, id_: str) -> dict[str, Any] | None:
    """What stands there, for a write that has been allowed. None: nothing, or it was deleted."""
    row = await store.current(ctx.sql, ctx.tenant, indexing.rid(TYPE, id_))
    if row is None or row["body"] is None:
        return None
    read: dict[str, Any] = decode(row["body"])
    read.pop("meta", None)
    return read
