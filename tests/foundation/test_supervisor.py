"""The supervisor keeps going when the machine does not let it do what it wants."""

from __future__ import annotations

import errno
import signal

import pytest

from bedside.foundation import supervisor
from bedside.foundation.supervisor import Service, Supervisor

pytestmark = pytest.mark.unit


class Child:
    """One that lives until told."""

    pid = 1
    code: int | None = None

    def running(self) -> bool:
        return self.code is None

    def send(self, number: signal.Signals) -> None:
        self.code = -number


class Disk:
    full = False

    def write(self) -> None:
        if self.full:
            raise OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture
def now(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The monotonic clock, to be turned."""
    at = [1000.0]
    monkeypatch.setattr(supervisor.time, "monotonic", lambda: at[0])
    return at


def test_on_a_full_disk_it_tries_until_there_is_room_and_the_others_go_on(now: list[float]) -> None:
    disk, said, noted = Disk(), list[str](), list[int]()

    def start() -> Child:
        disk.write()
        return Child()

    def changed() -> None:
        disk.write()
        noted.append(1)

    watch = Supervisor(said.append, changed)
    other = Service("web", start=Child)
    watch.add(service := Service("worker", start=start))
    watch.add(other)
    assert len(noted) == 2
    disk.full = True
    assert isinstance(service.child, Child)
    service.child.code = 1
    for _ in range(40):
        now[0] += 1
        watch.tend()
    assert service.child is None
    assert other.child is not None
    assert other.child.running()
    assert "worker cannot be started again (No space left on device); trying in 10 s" in said
    disk.full = False
    for _ in range(11):
        now[0] += 1
        watch.tend()
    assert said[-1] == "worker runs again"
    assert len(noted) == 3


def test_what_could_not_be_noted_is_noted_once_there_is_room(now: list[float]) -> None:
    disk, noted = Disk(), list[int]()

    def changed() -> None:
        disk.write()
        noted.append(1)

    watch = Supervisor(lambda _: None, changed)
    watch.add(service := Service("web", start=Child))
    disk.full = True
    assert isinstance(service.child, Child)
    service.child.code = -9
    now[0] += 2
    watch.tend()
    now[0] += 1
    watch.tend()
    assert service.child.running()
    assert len(noted) == 1
    disk.full = False
    watch.tend()
    watch.tend()
    assert len(noted) == 2
