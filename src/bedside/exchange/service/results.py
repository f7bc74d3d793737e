"""Results become readings: landed by monitoring in the message's transaction; what replaces or removes supersedes.

A correction has the moment of what it corrects, and a reading's identity is (device, metric, time). So what was sent
first is withdrawn, stays in the history, and what replaces it lands under the monitor's next revision.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final

from bedside import access, monitoring
from bedside.exchange import store
from bedside.exchange.model.interface import Interface
from bedside.exchange.model.report import PatientResults, Problem, Report, Result
from bedside.exchange.service.patients import Found, find
from bedside.foundation.context import Ctx
from bedside.foundation.errors import Conflict

REASONS: Final = {
    "replaces": "corrected by the system that sent it",
    "removes": "taken back by the system that sent it",
    "final": "the final result differs from the preliminary one",
}

GIVEN: Final = "staff gave this monitor to another patient at that time: not charted"


class _NotLanded(Exception):
    """What was to replace a result could not be stored; the text is the reason."""


@dataclass(slots=True, frozen=True)
class Source:
    """A monitor at one patient's bed."""

    monitor: str
    site: str
    who: str
    patient: str | None


@dataclass(slots=True, frozen=True)
class Moment:
    """What is one Observation: a metric (or the pressures) of one source at one µs."""

    source: Source
    device: str
    family: str
    time: int

    @property
    def key(self) -> tuple[str, str, int]:
        return self.device, self.family, self.time


@dataclass(slots=True)
class Charting:
    """One message's way into the record. kept: results that are held now."""

    ctx: Ctx
    interface: Interface
    received: int
    problems: list[Problem] = field(default_factory=list)
    kept: int = 0
    moments: dict[Moment, list[tuple[str, Result]]] = field(default_factory=dict)
    """Per moment (metric, result), in the order sent."""

    async def chart(self, report: Report) -> None:
        """All of it that can be taken. What cannot stands in problems; the rest is kept."""
        self.problems += report.problems
        for one in report.patients:
            if one.results:
                await self._sort(one)
        standing = await store.standing(self.ctx.sql, self.ctx.tenant, [moment.key for moment in self.moments])
        plain: list[tuple[Moment, int, str, Result]] = []
        changes: list[tuple[Moment, list[tuple[str, Result]]]] = []
        for moment, results in self.moments.items():
            revision, status = standing.get(moment.key, (0, ""))
            if status == "removed" and not any(result.meaning == "replaces" for _, result in results):
                self._refuse(results, "this result was deleted: a correction (C) is needed to bring it back", "204", 11)
            elif status == "preliminary" or any(result.meaning in {"replaces", "removes"} for _, result in results):
                changes.append((moment, results))
            else:
                plain += [(moment, revision, metric, result) for metric, result in results]
        await self._land(plain)
        for moment, results in changes:
            await self._change(moment, results)

    async def _sort(self, group: PatientResults) -> None:
        found = await find(self.ctx, self.interface, group.person)
        if found.problem is not None:
            self.problems.append(found.problem)
            if found.problem.severity == "E":
                if found.contradiction:
                    await monitoring.note_trouble(
                        self.ctx, "interface-patient", self.interface.name, patient=found.patient
                    )
                return
        if found.patient is not None:
            await access.authorise(self.ctx, found.patient, "C", what="Observation")
        charted = [(monitoring.charted_name(result.name), result) for result in group.results]
        for name, result in charted:
            if name is None:
                self.problems.append(Problem("a code that is not charted here", result.at(3), "103", "W"))
        known = [(name, result) for name, result in charted if name is not None]
        await self._place(found, known)

    async def _place(self, found: Found, results: Iterable[tuple[str, Result]]) -> None:
        devices: dict[Source, str] = {}
        for name, result in results:
            source = Source(result.monitor, result.site, found.who, found.patient)
            if source not in devices:
                devices[source] = await self._device(source, 0)
            moment = Moment(source, devices[source], monitoring.shown_with(name)[0], result.time)
            self.moments.setdefault(moment, []).append((name, result))
        if found.patient is None and devices:
            for source, device in devices.items():
                # The end of the number: enough for those who know whom they admitted, and no more.
                why = f"{self.interface.name}, {source.monitor}: a number that ends in {found.who[-4:]}"
                await monitoring.note_trouble(self.ctx, "interface-waiting", device, why=why)

    async def _device(self, source: Source, revision: int) -> str:
        """The monitoring device that stands for a source; made, or given to its patient, where that is due."""
        ctx, interface = self.ctx, self.interface
        parts = (interface.number, source.monitor, source.site, source.who, revision)
        rows = await store.sources(ctx.sql, ctx.tenant, *parts)
        exact = next((row["device"] for row in rows if row["patient"] == source.patient), None)
        if exact is not None:
            return str(exact)
        await store.hold_source(ctx.sql, ctx.tenant, "\n".join(map(str, parts)))
        rows = await store.sources(ctx.sql, ctx.tenant, *parts)
        for row in rows:
            if row["patient"] == source.patient:
                return str(row["device"])
        waiting = next((row["device"] for row in rows if row["patient"] is None), None)
        if waiting is not None and source.patient is not None:
            try:
                async with ctx.sql.transaction():
                    await monitoring.give_source(ctx, waiting, source.patient)
                await store.found_source(ctx.sql, ctx.tenant, waiting, source.patient)
                return str(waiting)
            except Conflict:
                pass  # a person gave what waited to somebody else: that stands, and this patient gets another device
        label = f"{interface.name}: {source.monitor}" + (f", {source.site}" if source.site else "")
        if source.patient is None:
            label += f" ({source.who.splitlines()[0]})"
        label += f", correction {revision}" if revision else ""
        # What is measured apart (a cuff every quarter of an hour) and what was corrected is not sent without pause.
        kind = interface.kind if not source.site and revision == 0 else "interface"
        device = await monitoring.add_source(ctx, kind, label[:200], source.patient)
        await store.add_source(ctx.sql, ctx.tenant, *parts, source.patient, device)
        return device

    async def _land(self, plain: list[tuple[Moment, int, str, Result]]) -> None:
        by_device: dict[str, list[tuple[monitoring.Measured, Moment, Result]]] = {}
        for moment, revision, metric, result in plain:
            device = moment.device if revision == 0 else await self._device(moment.source, revision)
            by_device.setdefault(device, []).append((_measured(metric, result), moment, result))
        await self._leave_to_others(by_device)
        if not by_device:
            return
        sent = {device: [one[0] for one in columns] for device, columns in by_device.items()}
        refused = await monitoring.land_measured(self.ctx, sent, self.received)
        for device, columns in by_device.items():
            for place, (_, moment, result) in enumerate(columns):
                if (reason := refused[device].get(place)) is not None:
                    self.problems.append(Problem(reason, result.at(5)))
                    continue
                self.kept += 1
                if result.meaning == "preliminary":
                    await self._stands(moment, 0, "preliminary")

    async def _leave_to_others(self, by_device: dict[str, list[tuple[monitoring.Measured, Moment, Result]]]) -> None:
        """Staff may have given a monitor to another patient than PID-3 says: then nobody gets these results."""
        of: dict[str, list[str]] = {}
        for device, columns in by_device.items():
            if (patient := columns[0][1].source.patient) is not None:
                of.setdefault(patient, []).append(device)
        for patient, devices in of.items():
            sent = {device: [one[0] for one in by_device[device]] for device in devices}
            for device, places in (await monitoring.anothers(self.ctx, sent, patient)).items():
                columns = by_device[device]
                self.problems += [Problem(GIVEN, columns[place][2].at(18), "204") for place in sorted(places)]
                by_device[device] = [one for place, one in enumerate(columns) if place not in places]
                if not by_device[device]:
                    del by_device[device]

    async def _change(self, moment: Moment, results: list[tuple[str, Result]]) -> None:
        """Supersede what stands at a moment by what these results say of it.

        One transaction at a time: a second correction must find the revision that the first made.
        """
        if moment.source.patient is None:
            self._refuse(results, "the patient is not known here yet: send this again once they are", "204", 11)
            return
        await store.hold_source(self.ctx.sql, self.ctx.tenant, moment.device)
        standing = await store.standing(self.ctx.sql, self.ctx.tenant, [moment.key])
        revision, status = standing.get(moment.key, (0, ""))
        family = monitoring.shown_with(moment.family)
        device = moment.device if revision == 0 else await self._device(moment.source, revision)
        held = {one.metric: one for one in await monitoring.measured_at(self.ctx, device, family, moment.time)}
        stands, done = dict(held), 0
        reason, finals = "final", True
        for metric, result in results:
            if result.meaning == "removes":
                if stands.pop(metric, None) is None:
                    self._refuse([(metric, result)], "there is no such result to take back", "204", 3)
                    continue
                reason = "removes"
            else:
                taken, refused = monitoring.charted([_measured(metric, result)], self.received)
                if refused:
                    self.problems.append(Problem(refused[0], result.at(5)))
                    continue
                stands[metric] = taken[0]
                reason = "replaces" if result.meaning == "replaces" else reason
                finals = finals and result.meaning != "preliminary"
            done += 1
        if not done:
            return
        wrong = await self._unfit(stands)
        if wrong is not None:
            self._refuse(results, wrong, "102", 5)
            return
        if stands != held:
            try:
                # What cannot land must not leave a gap behind: the old value is withdrawn with it, or not at all.
                async with self.ctx.sql.transaction():
                    revision = await self._replace(moment, revision, device, held, stands, REASONS[reason])
            except _NotLanded as error:
                self._refuse(results, str(error), "204", 5)
                return
        self.kept += done
        if not stands:
            await self._stands(moment, revision, "removed")
        elif reason == "replaces" or status == "replaced" or stands != held:
            await self._stands(moment, revision, "replaced" if finals else "preliminary")
        elif status == "preliminary" and finals:
            await self._stands(moment, revision, "final")

    async def _replace(
        self,
        moment: Moment,
        revision: int,
        device: str,
        held: dict[str, monitoring.Measured],
        stands: dict[str, monitoring.Measured],
        reason: str,
    ) -> int:
        """Withdraw what is held of a moment and land what is to stand. Returns its revision. Raises _NotLanded."""
        if held:
            await monitoring.withdraw_measured(self.ctx, device, next(iter(held)), moment.time, reason)
            revision += 1
        if stands:
            target = moment.device if revision == 0 else await self._device(moment.source, revision)
            sent = {target: list(stands.values())}
            if (patient := moment.source.patient) is not None and (await monitoring.anothers(self.ctx, sent, patient))[
                target
            ]:
                raise _NotLanded(GIVEN)
            if refused := (await monitoring.land_measured(self.ctx, sent, self.received))[target]:
                raise _NotLanded(next(iter(refused.values())))
        return revision

    async def _unfit(self, stands: dict[str, monitoring.Measured]) -> str | None:
        """Why these values of one moment cannot stand together: a diastolic that is not below its systolic."""
        if not stands:
            return None
        _, refused = monitoring.charted(list(stands.values()), self.received)
        return next(iter(refused.values()), None)

    async def _stands(self, moment: Moment, revision: int, status: str) -> None:
        now = self.ctx.clock.now()
        await store.set_standing(self.ctx.sql, self.ctx.tenant, moment.key, revision, status, now)

    def _refuse(self, results: list[tuple[str, Result]], text: str, condition: str, element: int) -> None:
        self.problems += [Problem(text, result.at(element), condition) for _, result in results]


def _measured(metric: str, result: Result) -> monitoring.Measured:
    value = result.value
    if value is None:
        raise ValueError("a removal measures nothing")
    return monitoring.Measured(metric, value, result.unit, result.time)
