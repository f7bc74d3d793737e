"""An upgrade of the database, and the way back: told, backed up, done, audited. For `serve` and `bedside migrate`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import asyncpg
import msgspec

from bedside import access
from bedside.app.console import operator
from bedside.foundation import migrate as steps
from bedside.foundation import upgrade as upgrades
from bedside.foundation.database import UNREACHABLE, unreachable
from bedside.foundation.errors import BedsideError, Conflict
from bedside.foundation.home import Home
from bedside.foundation.installation import backups_told
from bedside.foundation.settings import Settings
from bedside.foundation.steps import revisions
from bedside.foundation.upgrade import Plan, Upgrade

Say = Callable[[str], None]
UP, BACK = "brought the database up to date", "took the database back to an earlier version"


async def planned(settings: Settings) -> Plan:
    """What is missing. Writes nothing. Raises Conflict: a newer Bedside made the home or the database; Unavailable."""
    Home(settings.home).refuse_newer()
    async with _reading(settings) as connection:
        return await upgrades.plan(connection)


@asynccontextmanager
async def _reading(settings: Settings) -> AsyncIterator[Any]:
    try:
        connection = await asyncpg.connect(settings.database_url, server_settings={"timezone": "UTC"})
    except UNREACHABLE as error:
        raise unreachable(error) from error
    try:
        yield connection
    finally:
        await connection.close()


async def upgrade(
    settings: Settings, say: Say, *, without: str = "", runs: bool = True, ask: Callable[[], None] | None = None
) -> int:
    """Take the missing steps; how many. A database that holds a clinic is backed up before, or nothing is changed.

    without: why no backup is made. runs: whether the running program makes it. ask: asks the person, and ends what it
    was called from where they say no. An empty database and the demo's are not asked. Raises Conflict, Unavailable.
    """
    home = Home(settings.home)
    await steps.refuse_unsafe(settings.database_url)
    plan = await planned(settings)
    if not plan.steps:
        await _audit(settings)
        return 0
    at = plan.standing.revision
    if at is None:
        return await steps.migrate(settings.database_url)
    for line in plan.lines():
        say(line)
    told = settings.own_database and backups_told(home.path)
    if not (told or without or settings.demo):
        raise Conflict(
            f"{len(plan.steps)} steps are missing in this database, and a backup comes first. Nothing was changed.",
            remedy=_first(settings),
        )
    if ask is not None:
        ask()
    one = Upgrade(
        before=at,
        after=revisions()[-1],
        version=plan.standing.version or str((home.made() or {}).get("version", "")),
        began=datetime.now(UTC),
        reason=without,
    )
    if told and not without:
        _back_up(home, say, plan, one, runs=runs)
    if home.made() is not None:
        upgrades.keep(home.path, one)
    begun = datetime.now(UTC)
    done = await steps.migrate(settings.database_url, say)
    one.ended = datetime.now(UTC)
    say(f"Taken in {(one.ended - begun).total_seconds():.1f} s.")
    if one.set:
        _part(home, say, runs=runs)
    if home.made() is not None:
        upgrades.keep(home.path, one)
        await _audit(settings)
    else:
        await _entry(settings, one, UP)
    return done


def _first(settings: Settings) -> str:
    """What to do where no backup can be made."""
    if not settings.own_database:
        return (
            "Its backup is the matter of whoever runs that PostgreSQL. Once they have made one, say so:\n"
            '    bedside migrate --database-url URL --without-backup "WHICH BACKUP, OF WHEN"\n'
            "  or start once with --migrate. The version that ran before starts as it did."
        )
    home = settings.home
    return (
        "Say where backups go, on another disk, then start again or run the second line:\n"
        f"    bedside backup init --to FOLDER --home {home}\n    bedside migrate --home {home}\n"
        f'  Without one: bedside migrate --home {home} --without-backup "WHY", or start once with --migrate.\n'
        "  The version that ran before starts as it did."
    )


def _back_up(home: Home, say: Say, plan: Plan, one: Upgrade, *, runs: bool) -> None:
    from bedside.foundation.backup.before import backed_up

    say(f"A backup comes first, of {plan.size / 1e6:,.0f} MB or of what changed since the last …")
    made = backed_up(home, say, runs=runs)
    one.line, one.set, one.until = made.line, made.id, made.until
    say(
        f"Backup {made.id} ({made.kind}) is whole; what was acknowledged up to "
        f"{made.until:%Y-%m-%d %H:%M:%S} UTC is in it."
    )


def _part(home: Home, say: Say, *, runs: bool) -> None:
    """A set of its own begins after the steps, before the home says that this version made it: the one before stays as
    the version of then left it, bedside.json too, or that version would refuse what it restores."""
    from bedside.foundation.backup.before import backed_up

    try:
        made = backed_up(home, say, runs=runs)
    except BedsideError as error:
        say(f"Note: the steps are taken, but no backup could be made after them: {error.message}")
    else:
        say(f"Backup {made.id} ({made.kind}) after the steps is whole too.")


async def _audit(settings: Settings) -> None:
    """Upgrades whose entry is missing yet, since the process ended before: once each."""
    for one in upgrades.kept(settings.home):
        if not one.audited:
            await _entry(settings, one, UP)
            one.audited = True
            upgrades.keep(settings.home, one)


async def _entry(settings: Settings, one: Upgrade, action: str, said: str = "") -> None:
    async with operator(settings) as ctx:
        words = (f"no backup before: {one.reason}" if one.reason else "", said)
        reason = "; ".join(each for each in words if each) or None
        async with access.work(ctx.with_(reason=reason), action) as inner:
            inner.trail.wrote = True
            inner.trail.entities.append(f"migration/{one.before}..{one.after}")
            if one.set:
                inner.trail.entities.append(f"backup/{one.line}/{one.set}")


async def way_back(settings: Settings, to: str) -> steps.Count | None:
    """What going back to that revision would lose, by words; None: some step cannot go back. Writes nothing."""
    async with _reading(settings) as connection:
        return await steps.losses(connection, to)


async def go_back(settings: Settings, to: str, agreed: steps.Count, say: Say, *, without: str = "") -> int:
    """Take the database back, after a backup; how many steps. agreed: what the person was told and confirmed.

    Raises Conflict: Bedside runs, more would be lost than was said, no backup can be made.
    """
    home = Home(settings.home)
    plan = await planned(settings)
    told = settings.own_database and backups_told(home.path)
    if not (told or without or settings.demo):
        raise Conflict("A backup comes before going back, too. Nothing was changed.", remedy=_first(settings))
    at = plan.standing.revision or ""
    one = Upgrade(before=at, after=to, version="", began=datetime.now(UTC), reason=without, audited=True)
    if told and not without:
        _back_up(home, say, plan, one, runs=False)
    # While there is a place for it in words that both versions read.
    lost = "; ".join(f"{many} {words}" for words, many in agreed.items())
    await _entry(settings, one, BACK, f"lost: {lost}" if lost else "")
    many = await steps.back(settings.database_url, to, agreed, say)
    before = [each.version for each in upgrades.kept(home.path) if each.before == to and each.version]
    if home.made() is not None:
        upgrades.keep(home.path, msgspec.structs.replace(one, ended=datetime.now(UTC)))
        if before:
            home.settled(before[-1])
    return many


async def no_way_but_the_backup(settings: Settings, to: str) -> Conflict:
    """Some step cannot go back: what would be lost by the backup instead, and the command."""
    async with _reading(settings) as connection:
        stuck = await steps.stuck(connection, to)
    made = [each for each in upgrades.kept(settings.home) if each.set and each.before == to and each.until is not None]
    words = [f"Step {stuck[0]} cannot be taken back without losing what was acknowledged."]
    if not made or not (settings.own_database and backups_told(settings.home)):
        return Conflict(
            words[0],
            remedy="The way back is the backup made before that upgrade, restored with the version of then: what was "
            "acknowledged since is not in it. This home knows of none: docs/runbooks/upgrade.md.",
        )
    from bedside.foundation.backup import check
    from bedside.foundation.backup import settings as backup
    from bedside.foundation.backup.rows import rows

    one = made[-1]
    store = backup.needed(settings.home).store
    sets = check.listing(store, backup.signer(settings.home).public).sets
    then = next((each.counts for each in sets if each.line == one.line and each.id == one.set), {})
    now = rows(Home(settings.home).postgres)
    since = [f"{table} {now[table] - many:+,}" for table, many in then.items() if now.get(table, many) != many]
    since += [f"{table} {many:+,}" for table, many in now.items() if table not in then and many]
    assert one.until is not None  # noqa: S101
    return Conflict(
        f"{words[0]} The way back is the backup {one.set} from before the upgrade, with the version of then.",
        remedy=f"What was acknowledged after {one.until:%Y-%m-%d %H:%M:%S} UTC is LOST by it. Rows that came or went "
        f"since: {', '.join(since) or 'none'} (and rows that changed).\n  Stop Bedside, install the version of then"
        f"{f' ({one.version})' if one.version else ''}, and:\n"
        f"    bedside restore --from {store.place} --key KEY_FILE --line {one.line} --home NEW_HOME "
        f"--until {one.until:%Y-%m-%dT%H:%M:%S.%f}Z\n"
        "  This home stays as it is: keep it until what was done since has been entered again.",
    )
