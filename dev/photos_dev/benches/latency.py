"""Measures how long photos take if each call to AWS waits as it would there: `make latency`.

The function runs before the local AWS, behind a proxy that makes each call wait (slow_proxy.py). It handles 24 photos in
three ways: events of one photo after another, one event of 24, and events of one photo of which eight a core are at work
at a time, as Lambda Managed Instances send them; on one core and on two. Writes docs/latency.md and docs/latency.svg.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from photos_dev.benches import measure
from photos_dev.benches.install import say
from photos_dev.benches.latency_chart import chart
from photos_dev.benches.load.lambdas import the_photos
from photos_dev.benches.load.waits import INJECTED_MS, Call
from photos_dev.benches.machine import processor
from photos_dev.benches.measure import BATCH
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import DOCS, ROOT
from photos_dev.problem import exit_with

# The names of the calls for slow_proxy.py.
NAMES = {Call.GET: "GET", Call.PUT: "PUT", Call.ITEM: "UpdateItem"}
DELAYS = {title: {NAMES[call]: ms for call, ms in waits.items()} for title, waits in INJECTED_MS.items()}
# Lambda's default for each vCPU: AWS Lambda Developer Guide, "Rust runtime for Lambda Managed Instances".
POLLERS = 8
ALONE, TOGETHER, POLLED = "events of 1", f"an event of {BATCH}", f"events of 1, {POLLERS} a core at a time"
# The most times the ideal that is allowed where photos overlap, by cores.
TARGETS = {1: 1.15, 2: 1.4}
ROUNDS = 3
STEPS = ("waitMs", "fetchMs", "inspectMs", "renderMs", "storeMs", "commitMs")


@dataclass(frozen=True)
class Run:
    """24 photos in one way."""

    delays: str
    way: str
    cores: int
    wall_ms: float
    cpu_ms: float
    peak_mb: float
    steps: dict[str, float]  # mean ms of a photo

    @property
    def waiting_ms(self) -> float:
        """What a photo waits for its calls."""
        return sum(DELAYS[self.delays].values())

    @property
    def ideal_ms(self) -> float:
        """Photos that overlap take as long as the longer of all work, shared by the cores, and the waiting of one. Those
        that follow one another take both."""
        if self.way == ALONE:
            return self.cpu_ms + BATCH * self.waiting_ms
        return max(self.cpu_ms / self.cores, self.waiting_ms)

    @property
    def ratio(self) -> float:
        return self.wall_ms / self.ideal_ms


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, help="folder of the packages that `make release` builds")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folder of JPEGs (default: made from the test photo)")
    options = parser.parse_args()
    runs = measured(options.packages, options.photos)
    lines = [*tables(runs), "", f"`make latency` on {processor()}, the best of {ROUNDS} runs."]
    (DOCS / "latency.md").write_text("\n".join(lines) + "\n")
    (DOCS / "latency.svg").write_text(chart(bars(runs), processor()))
    print("\n".join(lines))
    say("written to docs/latency.md and docs/latency.svg")
    return 0


def measured(packages: Path, photos: Path | None) -> list[Run]:
    aws = Clients(endpoint())
    with measure.deployed(aws, "latency", packages) as (functions, outputs):
        return list(of_function(aws, outputs, functions, the_photos(photos)))


def of_function(
    aws: Clients,
    outputs: dict[str, str],
    functions: Path,
    uploads: list[Path],
    ways: tuple[str, ...] = (ALONE, TOGETHER, POLLED),
    waits: tuple[str, ...] = tuple(DELAYS),
) -> Iterator[Run]:
    """The quickest of some runs of each kind, as it is the least disturbed."""
    bootstrap = functions / "thumbnail/bootstrap"
    environment = measure.silent_environment(aws, outputs)
    bucket = outputs["OriginalsBucketName"]
    kept = enumerate(uploads)
    records = [measure.record_of(aws, bucket, f"latency/{n:02}.jpg", photo.read_bytes()) for n, photo in kept]
    for delays in waits:
        with slow_aws(aws.endpoint, DELAYS[delays]) as slow:
            of_slow = environment | {"AWS_ENDPOINT_URL": slow}
            for cores in sorted({1, min(2, os.cpu_count() or 1)}):
                for way in ways:
                    of_way = [one(bootstrap, of_slow, records, delays, way, cores) for _ in range(ROUNDS)]
                    best = min(of_way, key=lambda run: run.wall_ms)
                    say(f"{delays}, {cores} core(s), {way}: {best.wall_ms / 1000:.2f} s, {best.ratio:.2f}")
                    yield best


@contextmanager
def slow_aws(fast: str, delays: dict[str, float]) -> Iterator[str]:
    """The endpoint of the local AWS behind a proxy."""
    command = [sys.executable, "-m", "photos_dev.benches.slow_proxy", fast, json.dumps(delays)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as proxy:
        assert proxy.stdin and proxy.stdout
        yield f"http://127.0.0.1:{int(proxy.stdout.readline())}"
        proxy.stdin.close()


def one(
    bootstrap: Path, environment: dict[str, str], records: list[dict[str, Any]], delays: str, way: str, cores: int
) -> Run:
    pollers = POLLERS * cores if way == POLLED else 1
    events = list(measure.notifications(records, BATCH if way == TOGETHER else 1))
    if pollers > 1:
        environment = environment | {"AWS_LAMBDA_MAX_CONCURRENCY": str(pollers)}
    with tempfile.TemporaryFile() as log, measure.running(bootstrap, environment, log, cores) as function:
        for _ in range(pollers):
            function.wait_until_idle()
        at_start, started = function.cpu_ms(), time.monotonic()
        function.handle_all(events)
        wall_ms = (time.monotonic() - started) * 1000
        usage = function.cpu_ms() - at_start, function.peak_mb()
        log.seek(0)
        lines = [json.loads(line) for line in log.read().splitlines()]
    made = [line for line in lines if line.get("outcome") == "ready"]
    assert len(made) == len(records), f"{len(made)} photos of {len(records)} are ready"
    steps = {step: statistics.mean(line.get(step, 0) for line in made) for step in STEPS}
    return Run(delays, way, cores, wall_ms, *usage, steps)


# ---- what is printed ----


def tables(runs: list[Run]) -> Iterator[str]:
    yield f"| waits | cores | {BATCH} photos as | s | CPU, s | times the ideal | at most | peak memory, MB |"
    yield "|---|---:|---|---:|---:|---:|---:|---:|"
    for run in runs:
        target = "" if run.way == ALONE else f"{TARGETS[run.cores]:.2f}"
        yield (
            f"| {run.delays} | {run.cores} | {run.way} | {run.wall_ms / 1000:.2f} | {run.cpu_ms / 1000:.2f} | "
            f"{run.ratio:.2f} | {target} | {run.peak_mb:.0f} |"
        )
    yield ""
    yield "Where a photo's time goes, in ms on average:"
    yield ""
    yield f"| waits | cores | {BATCH} photos as | " + " | ".join(f"`{step}`" for step in STEPS) + " |"
    yield "|---|---:|---|" + "---:|" * len(STEPS)
    for run in runs:
        cells = " | ".join(f"{run.steps[step]:.0f}" for step in STEPS)
        yield f"| {run.delays} | {run.cores} | {run.way} | {cells} |"


def bars(runs: list[Run]) -> Iterator[tuple[str, float, float]]:
    """Name, time and ideal in ms of a photo."""
    for run in runs:
        cores = f"{run.cores} core" + ("s" if run.cores > 1 else "")
        yield f"{run.way}, {cores}, {run.delays}", run.wall_ms / BATCH, run.ideal_ms / BATCH


if __name__ == "__main__":
    exit_with(on_local_aws(main))
