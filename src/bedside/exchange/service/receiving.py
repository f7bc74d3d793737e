"""One block from the wire to its acknowledgement: known sender, once by its key, charted, committed, answered."""

from __future__ import annotations

import hashlib
import traceback
from zoneinfo import ZoneInfo

import asyncpg
import structlog

from bedside import access, monitoring
from bedside.exchange import store
from bedside.exchange.model.answer import Verdict, answers
from bedside.exchange.model.framing import Block
from bedside.exchange.model.interface import Interface
from bedside.exchange.model.message import Header, Unreadable, check, header, parse
from bedside.exchange.model.report import Problem, read
from bedside.exchange.model.times import EPOCH, SECOND
from bedside.exchange.service.interfaces import sender
from bedside.exchange.service.results import Charting
from bedside.foundation.context import Actor, Ctx
from bedside.foundation.errors import Unavailable
from bedside.foundation.ids import uuid7

MOST_TOLD = 20
LATER = Problem("could not be stored now: send it again later", "MSH^1", "207")
log = structlog.get_logger("bedside.exchange")


async def receive(ctx: Ctx, block: Block, peer: str) -> list[bytes]:
    """What to answer, framed, in order: after the commit, so that AA and CA are true. Raises nothing.

    ctx: the process's own, outside a transaction. peer: the sender's address.
    """
    try:
        head = header(block.message)
    except Unreadable as error:
        head = Header()
        verdict = await _stranger(ctx, peer, Problem(error.text, error.where, error.condition))
        return _answers(ctx, head, verdict)
    except Exception as error:
        _fault(error)
        return _answers(ctx, Header(), Verdict("AR", (LATER,)))
    try:
        return await ctx.database.attempt(lambda: _once(ctx, head, block, peer))
    except (Unavailable, OSError, TimeoutError, asyncpg.InterfaceError) as error:
        log.warning("a message could not be stored yet", kind=type(error).__name__)
    except Exception as error:
        _fault(error)
        await _tell(ctx, "interface-fault", head.application or peer, fault=type(error).__name__)
    return _answers(ctx, head, Verdict("AR", (LATER,)))


async def _once(ctx: Ctx, head: Header, block: Block, peer: str) -> list[bytes]:
    async with ctx.database.connection() as sql:
        interface = await sender(ctx.with_(tx=sql), head.application, head.facility, peer)
    if interface is None:
        text = "MSH-3 and MSH-4 from this address are no interface here"
        return _answers(ctx, head, await _stranger(ctx, peer, Problem(text, "MSH^1^3", "207")))
    actor = Actor("job", f"hl7:{interface.name}", f"HL7 interface {interface.name}", roles=frozenset({"system"}))
    named = ctx.with_(actor=actor, purpose="TREAT", origin=f"mllp {peer}", request=uuid7())
    async with access.work(named, "took in measurements that another system sent") as work:
        work.trail.entities.append(f"interface/{interface.name}")
        return await _taken(work, interface, head, block)


async def _taken(ctx: Ctx, interface: Interface, head: Header, block: Block) -> list[bytes]:
    if not block.whole:
        problem = Problem(block.why, "MSH^1", "102")
        await _note(ctx, interface, [problem])
        return _answers(ctx, head, Verdict("AR", (problem,)))
    try:
        check(head, interface.processing)
    except Unreadable as error:
        return await _unread(ctx, interface, head, error)
    key = (head.application, head.facility, head.control)
    digest = hashlib.blake2b(block.message, digest_size=32).digest()
    before = await store.claim(ctx.sql, ctx.tenant, key, interface.number, digest, ctx.clock.now())
    if before is not None:
        if before["digest"] == digest:
            return [bytes(one) for one in before["answer"] or ()]
        await monitoring.note_trouble(ctx, "interface-reused", interface.name)
        text = "MSH-10 was used before, for another message"
        return _answers(ctx, head, Verdict("AE", (Problem(text, "MSH^1^10", "205"),)))
    received = (ctx.clock.now() - EPOCH).total_seconds()
    charting = Charting(ctx, interface, round(received * SECOND))
    try:
        report = read(parse(block.message, head), head, ZoneInfo(interface.zone), charting.received)
    except Unreadable as error:
        await store.release(ctx.sql, ctx.tenant, key)
        return await _unread(ctx, interface, head, error)
    await charting.chart(report)
    problems = tuple(sorted(charting.problems, key=lambda one: "EWI".index(one.severity)))
    await _note(ctx, interface, problems)
    # A message of which not one result is of a code that is charted here is no success.
    nothing = report.seen > 0 and charting.kept == 0
    code = "AE" if nothing or any(one.severity == "E" for one in problems) else "AA"
    said = _answers(ctx, head, Verdict(code, problems, kept=charting.kept > 0))
    if code == "AA" or charting.kept:
        await store.answered(ctx.sql, ctx.tenant, key, said)
    else:
        await store.release(ctx.sql, ctx.tenant, key)  # nothing was kept: it may be put right and sent again
    return said


async def _unread(ctx: Ctx, interface: Interface, head: Header, error: Unreadable) -> list[bytes]:
    problem = Problem(error.text, error.where, error.condition)
    await _note(ctx, interface, [problem])
    return _answers(ctx, head, Verdict(error.code, (problem,)))


async def _note(ctx: Ctx, interface: Interface, problems: list[Problem] | tuple[Problem, ...]) -> None:
    """Where staff look for what went wrong, without the content."""
    for kind, severities, many in (("interface-refused", "E", MOST_TOLD), ("interface-uncharted", "WI", MOST_TOLD)):
        told = [one for one in problems if one.severity in severities and one.where[:3] != "PID"]
        told += [one for one in problems if one.severity == "E" == severities and one.where[:3] == "PID"]
        if told:
            refused = [{"index": one.where, "reason": one.text} for one in told[:many]]
            await monitoring.note_trouble(ctx, kind, interface.name, refused=refused)


async def _stranger(ctx: Ctx, peer: str, problem: Problem) -> Verdict:
    await _tell(ctx, "interface-stranger", peer, host=peer)
    return Verdict("AR", (problem,))


async def _tell(ctx: Ctx, kind: str, source: str, **detail: str) -> None:
    """In a transaction of its own; where the database is away the log has it."""
    try:
        async with ctx.database.transaction() as sql:
            await monitoring.note_trouble(ctx.with_(tx=sql), kind, source, **detail)
    except Exception as error:
        log.warning("trouble with an interface could not be noted", trouble=kind, kind=type(error).__name__)


def _answers(ctx: Ctx, head: Header, verdict: Verdict) -> list[bytes]:
    return answers(head, verdict, ctx.clock.now(), uuid7().replace("-", "")[:18])


def _fault(error: Exception) -> None:
    # Kind and place only: its text may hold what the message holds.
    last = traceback.extract_tb(error.__traceback__)[-1]
    log.error("a message could not be taken", kind=type(error).__name__, place=f"{last.filename}:{last.lineno}")
