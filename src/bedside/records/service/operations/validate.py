"""`$validate`: what is wrong with a resource, by R4 and by profiles; nothing is kept."""

from functools import partial
from typing import Any

from bedside import access
from bedside.fhir import structure
from bedside.fhir.issues import Issue, outcome
from bedside.fhir.profiles import CORE, BadProfile, Known, Profile, check, profile_of, published
from bedside.fhir.terminology import Codes
from bedside.foundation.aside import aside
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict
from bedside.records.model.json import decode, encode
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import Refused, refuse
from bedside.records.service import reading, terms
from bedside.records.service.registry import refuse_governed
from bedside.records.store import terms as store

MODES = frozenset({"create", "update", "delete", "profile"})
MOST_PROFILES = 50
"""That one call may lead to."""


async def validate(ctx: Ctx, call: Call) -> Reply:
    """An OperationOutcome, 200 whatever it says. Raises Refused for a call that cannot be understood."""
    call.given.only("resource", "mode", "profile")
    mode = call.given.text("mode")
    if mode is not None and mode not in MODES:
        raise refuse("value", "mode", "The mode is create, update, delete or profile.", status=400)
    if mode in ("update", "delete") and call.id is None:
        raise refuse("required", "mode", f"{mode} is asked of an instance: Type/[id]/$validate.", status=400)
    resource = call.given.object("resource")
    if resource is None or mode == "delete":
        if call.id is None:
            raise refuse("required", "resource", "A resource is needed.", status=400)
        resource = decode((await reading.read(ctx, str(call.type), call.id)).body)
    else:
        await _authorise(ctx, str(call.type))
    issues = _addressed(call, resource, mode)
    if mode in ("create", "update", "delete"):
        issues += _governed(resource, call.id)
    if mode != "delete":
        issues += await aside(partial(structure.validate, resource, warnings=True))
        issues += await _by_profiles(ctx, resource, call.given.texts("profile"))
    return Reply(encode(outcome(_each_once(issues))))


async def _authorise(ctx: Ctx, type_: str) -> None:
    """Whoever may do anything with the type may ask whether one is well made."""
    for action in "CU":
        if await access.may(ctx, None, action, what=type_):
            return
    await access.authorise(ctx, None, "R", what=type_)


def _addressed(call: Call, resource: dict[str, Any], mode: str | None) -> list[Issue]:
    type_, id_ = resource.get("resourceType"), resource.get("id")
    if type_ != call.type:
        return [Issue("error", "value", "resourceType", f"This address takes a {call.type}.")]
    if mode == "update" and id_ != call.id:
        return [Issue("error", "value", f"{type_}.id", "The resource's id must be the address's.")]
    return []


def _governed(resource: dict[str, Any], id_: str | None) -> list[Issue]:
    type_ = str(resource.get("resourceType"))
    try:
        refuse_governed({"id": id_, **resource, "resourceType": type_}, room=None, where=type_)
    except Conflict as conflict:
        return [Issue("error", "business-rule", type_, f"{conflict.message} {conflict.remedy or ''}".strip())]
    return []


def _each_once(issues: list[Issue]) -> list[Issue]:
    """A profile repeats what R4 wants; one finding of a kind at a place is enough."""
    found: dict[tuple[str, str, str], Issue] = {}
    for one in issues:
        what = "" if one.code == "required" else one.diagnostics
        found.setdefault((one.code, one.expression, what), one)
    return list(found.values())


async def _by_profiles(ctx: Ctx, resource: dict[str, Any], asked: list[str]) -> list[Issue]:
    meta = resource.get("meta")
    said = meta.get("profile") if isinstance(meta, dict) else None
    stated = [one for one in said if isinstance(one, str)] if isinstance(said, list) else []
    wanted = dict.fromkeys(one.partition("|")[0] for one in (*asked, *stated))
    explicit = {one.partition("|")[0] for one in asked}
    issues: list[Issue] = []
    for url in wanted:
        if url == f"{CORE}{resource.get('resourceType')}":
            continue  # the type itself
        library = _Library(ctx)
        profile = await library.profile(url)
        if profile is None:
            severity: Any = "error" if url in explicit else "warning"
            remedy = "Put its StructureDefinition into the record."
            issues.append(Issue(severity, "not-found", "", f"The profile {url} is not known here. {remedy}"))
            continue
        known = await library.known(profile)
        issues += library.faults
        issues += await aside(partial(check, resource, profile, known))
    return issues


class _Library:
    """The profiles and codes that one check leads to: what comes with Bedside, else what the record holds."""

    def __init__(self, ctx: Ctx) -> None:
        self.ctx = ctx
        self.faults: list[Issue] = []

    async def profile(self, url: str) -> Profile | None:
        """A profile by its URL."""
        found = published.profile(url)
        if found is not None:
            return found
        body = await store.by_url(self.ctx.sql, self.ctx.tenant, "StructureDefinition", url)
        if body is None:
            return None
        try:
            return profile_of(decode(body))
        except (BadProfile, ValueError, KeyError, TypeError) as error:
            what = str(error) if isinstance(error, BadProfile) else "an element of it is not as R4 has it"
            raise refuse("not-supported", "profile", f"This profile cannot be used: {what}.", status=422) from None

    async def known(self, first: Profile) -> Known:
        """The profile, what it is derived from and refers to, and the codes of their value sets."""
        profiles, waiting = {first.url: first}, [first]
        while waiting and len(profiles) < MOST_PROFILES:
            one = waiting.pop()
            further = one.profiles()
            if not one.whole and not _of_r4(one.base):
                further.add(one.base)
            for url in sorted(further - profiles.keys()):
                found = await self.profile(url)
                if found is not None:
                    profiles[url] = found
                    waiting.append(found)
                elif url == one.base:
                    what = f"{url}, from which this profile is derived, is not known here: not checked"
                    self.faults.append(Issue("warning", "not-found", "", what))
        for url in {url for one in profiles.values() for node in one.root.every() for url in node.targets}:
            target = published.profile(url.partition("|")[0])
            if target is not None:
                profiles.setdefault(target.url, target)
        sets = {url for one in profiles.values() for url in one.value_sets()}
        return Known(profiles, {url: await self._codes(url) for url in sorted(sets)})

    async def _codes(self, url: str) -> Codes | None:
        found = published.codes(url)
        if found is not None:
            return found
        try:
            return await terms.expansion(self.ctx, url, "valueSet")
        except Refused:
            return None


def _of_r4(url: str) -> bool:
    return url.startswith(CORE) and url.removeprefix(CORE)[:1].isupper()
