"""CPU time and memory of processes, read from the kernel while they run."""

from __future__ import annotations

import ctypes
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

TICK = 1 / os.sysconf("SC_CLK_TCK")
LIBC = ctypes.CDLL(None)
LOOK_SECONDS = 0.2


@dataclass(frozen=True)
class Usage:
    """CPU time and memory of one process so far."""

    parent: int
    cpu: float  # s
    memory: float  # MB at this moment
    peak: float  # MB, the most so far


@dataclass(frozen=True)
class Look:
    """All watched processes at one moment."""

    at: float  # s
    cpu: float  # s so far
    memory: float  # MB


class Watch:
    """Looks at processes five times a second, from a thread of its own, between `with` and its end."""

    def __init__(self, find: Callable[[], Iterable[int]]) -> None:
        self.find = find
        self.before: dict[int, Usage] = {}
        self.latest: dict[int, Usage] = {}
        self.looks: list[Look] = []
        self.together_mb = 0.0
        self.is_over = threading.Event()
        self.thread = threading.Thread(target=self._look_on, daemon=True)

    def __enter__(self) -> Watch:
        self.before = self._find()
        self._look()
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.is_over.set()
        self.thread.join()
        self._look()

    @property
    def cpu(self) -> float:
        """CPU seconds of the processes while they were watched."""
        return sum(self._taken(pid) for pid in self.latest)

    @property
    def largest_mb(self) -> float:
        """Highest peak memory of a process."""
        return max((usage.peak for usage in self.latest.values()), default=0.0)

    @property
    def processes(self) -> int:
        """Number of processes that used CPU time."""
        return sum(self._taken(pid) >= TICK for pid in self.latest)

    def shares(self) -> list[float]:
        """Share of all cores that the processes used between each look and the next."""
        cores = os.cpu_count() or 1
        return [
            (after.cpu - before.cpu) / (after.at - before.at) / cores
            for before, after in zip(self.looks, self.looks[1:])
            if after.at > before.at
        ]

    def _look_on(self) -> None:
        while not self.is_over.wait(LOOK_SECONDS):
            self._look()

    def _find(self) -> dict[int, Usage]:
        return {pid: usage for pid in self.find() if (usage := usage_of(pid))}

    def _look(self) -> None:
        alive = self._find()
        for pid in self.latest.keys() - alive.keys():
            if self.latest[pid].parent in alive:  # the parent's CPU time includes that of its ended children
                del self.latest[pid]
        self.latest |= alive
        memory = sum(usage.memory for usage in alive.values())
        self.looks.append(Look(time.monotonic(), self.cpu, memory))
        self.together_mb = max(self.together_mb, sum(usage.peak for usage in alive.values()))

    def _taken(self, pid: int) -> float:
        before = self.before.get(pid)
        return self.latest[pid].cpu - (before.cpu if before else 0)


def usage_of(pid: int) -> Usage | None:
    """Usage of a process; None if it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        status = Path(f"/proc/{pid}/status").read_text()
        # proc(5): fields 16 and 17 are the CPU time of children that have ended.
        children = (int(stat[13]) + int(stat[14])) * TICK
        return Usage(
            int(stat[1]), cpu_seconds(pid) + children, megabytes(status, "VmRSS"), megabytes(status, "VmHWM")
        )
    except (OSError, IndexError):
        return None


def cpu_seconds(pid: int) -> float:
    """CPU seconds of all threads, ended ones included, to the nanosecond."""
    clock = ctypes.c_int()
    error = LIBC.clock_getcpuclockid(pid, ctypes.byref(clock))
    if error:
        raise OSError(error, os.strerror(error))
    return time.clock_gettime(clock.value)


class Machine:
    """Use of all cores from now on."""

    def __init__(self, own: int) -> None:
        """`own` is the process whose use, with that of its descendants, is not others' use."""
        self.own = own
        self.times, self.taken = processor_times(), self._taken()

    def others(self) -> float:
        """Share of the time that other processes used."""
        total, idle = (now - first for now, first in zip(processor_times(), self.times))
        taken = (self._taken() - self.taken) / TICK
        return max(0.0, 1 - (idle + taken) / total)

    def _taken(self) -> float:
        return sum(usage.cpu for pid in family(self.own) if (usage := usage_of(pid)))


def processor_times() -> tuple[int, int]:
    """All and idle time in ticks. proc(5): user, nice, system, idle, iowait, irq, softirq, steal."""
    times = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    return sum(times), times[3] + times[4]


def megabytes(status: str, name: str) -> float:
    """A value of /proc/PID/status in MB. Raises IndexError if the process has ended, as its values are then gone."""
    return int(status.split(f"{name}:")[1].split()[0]) / 1024


def functions(name: str, endpoint: str) -> Iterator[int]:
    """The processes of a Lambda function of one local AWS, and their children, which inherit its name."""
    wanted = {f"AWS_LAMBDA_FUNCTION_NAME={name}".encode(), f"AWS_ENDPOINT_URL={endpoint}".encode()}
    for path in Path("/proc").glob("[0-9]*/environ"):
        try:
            environment = path.read_bytes()
        except OSError:  # the process has ended, or is another user's
            continue
        if wanted <= set(environment.split(b"\0")):
            yield int(path.parent.name)


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            parent = int(path.read_text().rpartition(")")[2].split()[1])
        except (OSError, IndexError):
            continue
        children.setdefault(parent, []).append(int(path.parent.name))
    found = [pid]
    for member in found:  # the list grows on the way
        found += children.get(member, [])
    return found
