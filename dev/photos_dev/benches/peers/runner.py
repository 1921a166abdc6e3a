"""The common part of the runners in Python, whose interface run.py describes."""

from __future__ import annotations

import json
import math
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path


def quarter(side: int) -> int:
    return max(1, math.floor(side * 0.25 + 0.5))


def run(make: Callable[[bytes], bytes], versions: str, arguments: list[str]) -> None:
    directory, runs, *photos = arguments
    for number, path in enumerate(map(Path, photos)):
        photo = path.read_bytes()
        if number == 0:
            make(photo)  # work that a process does once is not a photo's cost
        cpu, wall = time.process_time(), time.perf_counter()
        for _ in range(int(runs)):
            thumbnail = make(photo)
        cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
        cpu_ms, wall_ms = (seconds * 1000 / int(runs) for seconds in (cpu, wall))
        (Path(directory) / path.name).write_bytes(thumbnail)
        say({"photo": path.name, "cpuMs": cpu_ms, "wallMs": wall_ms})
    status = Path("/proc/self/status").read_text()
    peak_memory_mb = int(status.split("VmHWM:")[1].split()[0]) / 1024
    versions += f", Python {platform.python_version()}"
    say({"versions": versions, "peakMemoryMb": peak_memory_mb})


def say(line: dict[str, object]) -> None:
    json.dump(line, sys.stdout)
    print(flush=True)
