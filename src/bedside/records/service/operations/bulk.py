"""`$export` and `$import`: what is asked for is kept as a job, and the answer says where to look (Bulk Data, STU 2)."""

from bedside import access
from bedside.foundation.context import Ctx
from bedside.records.model import bulk as model
from bedside.records.model.operation import Call, Reply
from bedside.records.model.refusals import refuse
from bedside.records.service import bulk, import_job


async def export(ctx: Ctx, call: Call) -> Reply:
    """An export of the level on which it is called. Raises Refused, Forbidden, NotFound, TooMany."""
    bulk.of_a_client(ctx)
    _in_the_background(call)
    level: model.Level = "system" if call.type is None else "patient" if call.id is None else "group"
    wish = model.wish(level, call.id, call.given.all_pairs(), strict=call.strict, posted=call.posted)
    return _accepted(call, await bulk.ask_export(ctx, wish, call.asked))


async def import_(ctx: Ctx, call: Call) -> Reply:
    """An import of the NDJSON that streams in, or of what the operator put into the home. Raises as `export` does.

    ctx: without a transaction.
    """
    _in_the_background(call)
    if call.content is not None:
        return _accepted(call, await import_job.ask_posted(ctx, call.asked, call.content))
    async with access.work(ctx, "asked for an import") as inner:
        return _accepted(call, await import_job.ask_named(inner, call.asked, call.given))


def _in_the_background(call: Call) -> None:
    if not call.background:
        raise refuse("required", "Prefer", "This is done in the background: send Prefer: respond-async.", status=400)


def _accepted(call: Call, id_: str) -> Reply:
    return Reply(b"", 202, {"content-location": f"{call.base}/bulk/{id_}"})
