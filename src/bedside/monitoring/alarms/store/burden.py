"""SQL of alarm numbers: how many a rule raised, and what became of them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple

from bedside.foundation.database import Connection


class RuleCount(NamedTuple):
    """A rule's alarms of a span. seen: acknowledged; acted: somebody wrote down what they did; dismissed: called false;
    median, ninetieth: seconds from raised to acknowledged, of those that were. pauses: of all of them together."""

    rule: str
    cause: str
    priority: str
    raised: int
    patients: int
    seen: int
    acted: int
    dismissed: int
    unanswered: int
    median: float | None
    ninetieth: float | None
    pauses: int


class PassedCount(NamedTuple):
    """How often a rule's limit was broken for less than its delay, so that nobody was told."""

    rule: str
    cause: str
    priority: str
    passed: int
    patients: int


async def by_rule(
    sql: Connection, tenant: int, patients: Collection[str] | None, since: datetime, until: datetime
) -> list[RuleCount]:
    """Alarms raised in the span (until not), the rule with most first. patients: None for everybody."""
    rows = await sql.fetch(
        """with told as (
               select *, extract(epoch from acknowledged_at - raised_at) as took,
                      (select count(*) from monitoring.alarm_event e
                       where e.alarm = alarm.id and e.event = 'pause') as paused
               from monitoring.alarm
               where tenant = $1 and pending_until is null and raised_at >= $3 and raised_at < $4
                 and ($2::text[] is null or patient = any($2)))
           select coalesce(finding ->> 'rule', '') as rule, split_part(cause, ':', 1) as cause, priority,
                  count(*) as raised, count(distinct patient) as patients, count(acknowledged_at) as seen,
                  count(acted_at) as acted, count(*) filter (where state = 'false-alarm') as dismissed,
                  count(*) filter (where nobody) as unanswered,
                  percentile_cont(0.5) within group (order by took)::float8 as median,
                  percentile_cont(0.9) within group (order by took)::float8 as ninetieth,
                  sum(paused)::int as pauses
           from told group by 1, 2, 3 order by raised desc, rule""",
        *(tenant, None if patients is None else list(patients), since, until),
    )
    return [RuleCount(**row) for row in rows]


async def passed(
    sql: Connection, tenant: int, patients: Collection[str] | None, since: datetime, until: datetime
) -> list[PassedCount]:
    """What was over within its delay, by rule, the rule with most first. patients: None for everybody."""
    rows = await sql.fetch(
        """select coalesce(finding ->> 'rule', '') as rule, split_part(cause, ':', 1) as cause, priority,
                  count(*) as passed, count(distinct patient) as patients
           from monitoring.alarm
           where tenant = $1 and state = 'passed' and raised_at >= $3 and raised_at < $4
             and ($2::text[] is null or patient = any($2))
           group by 1, 2, 3 order by passed desc, rule""",
        *(tenant, None if patients is None else list(patients), since, until),
    )
    return [PassedCount(**row) for row in rows]
