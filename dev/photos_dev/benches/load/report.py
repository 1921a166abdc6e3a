"""The report of the comparison: a table, a chart, and all figures as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from photos_dev.benches.install import say
from photos_dev.benches.load import chart, prices
from photos_dev.benches.load.costs import AT_ONCE, Measured
from photos_dev.benches.load.packages import COMPARE
from photos_dev.benches.machine import processor
from photos_dev.paths import DOCS

# Shares above which the machine was not quiet.
OTHERS = 0.05
DRIFT = 0.1

COLUMNS = (
    "CPU time, s",
    "times this project's",
    "CPU time a photo, ms",
    "batch, s",
    "largest process, MB",
    "all processes, MB",
    "thumbnails",
    "items",
    "cold start, CPU ms",
    "cold start, ms",
    "$ a million photos",
)


@dataclass(frozen=True)
class Way:
    title: str
    cost: Measured | str  # or the reason why it is missing
    is_ours: bool = False


@dataclass(frozen=True)
class Run:
    ways: list[Way]
    photos: int
    directory: Path | None
    others: float  # share of the machine's CPU that other processes used
    drift: float  # of this project's CPU time, from the beginning to the end

    @property
    def ours(self) -> Measured:
        return next(way.cost for way in self.ways if way.is_ours and isinstance(way.cost, Measured))

    def measured(self) -> Iterator[tuple[Way, Measured]]:
        for way in self.ways:
            if isinstance(way.cost, Measured):
                yield way, way.cost


def write(run: Run) -> None:
    text = "\n".join([
        *table(run), "", circumstances(run), "", *notes(run), "", *servers(run), noise(run),
    ]) + "\n"
    subtitle = f"{photos(run)}, {AT_ONCE} at a time; {processor()}, {os.cpu_count()} cores"
    DOCS.mkdir(exist_ok=True)
    (DOCS / "load.md").write_text(text)
    (DOCS / "load.svg").write_text(chart.costs(list(bars(run)), subtitle))
    (COMPARE / "compare.json").write_text(json.dumps(as_json(run), indent=2) + "\n")
    print(text, end="")
    say("written to docs/load.md, docs/load.svg and target/compare/compare.json")


def bars(run: Run) -> Iterator[chart.Bar]:
    for way, cost in run.measured():
        yield chart.Bar(
            name=way.title,
            workers=workers(cost),
            is_ours=way.is_ours,
            cpu_s=cost.batch.cpu_s,
            times=cost.cpu_ms / run.ours.cpu_ms,
            memory_mb=cost.batch.together_mb,
            dollars=cost.dollars,
        )


def table(run: Run) -> Iterator[str]:
    yield f"| | {' | '.join(COLUMNS)} |"
    yield "|---|" + "---:|" * len(COLUMNS)
    for way in run.ways:
        title = f"**{way.title}**" if way.is_ours else way.title
        if isinstance(way.cost, str):
            yield f"| {title} | missing: {way.cost.replace('|', ' ')} |" + " |" * (len(COLUMNS) - 1)
        else:
            yield f"| {title} | {' | '.join(cells(way.cost, run.ours))} |"


def cells(cost: Measured, ours: Measured) -> list[str]:
    batch = cost.batch
    return [
        f"{batch.cpu_s:.1f}",
        f"{cost.cpu_ms / ours.cpu_ms:.1f}",
        f"{cost.cpu_ms:.0f}",
        f"{batch.seconds:.1f}",
        f"{batch.largest_mb:.0f}",
        f"{batch.together_mb:.0f}",
        str(batch.thumbnails),
        "" if batch.items is None else str(batch.items),
        f"{cost.cold_start.cpu_ms:.0f}",
        f"{cost.cold_start.wall_ms:.0f}",
        f"{cost.dollars:.2f}",
    ]


def circumstances(run: Run) -> str:
    return (
        f"`{command(run)}` on {datetime.now(timezone.utc):%Y-%m-%d}: {photos(run)}, {AT_ONCE} at a time, on "
        f"{processor()}, {os.cpu_count()} cores, which the local AWS and the uploads share. CPU time is that "
        "of the processes that make the thumbnails, once warm, with their calls to AWS. Memory is the peak "
        "of the largest process, and of all added up. A batch is done when its last thumbnail and item "
        "exist. A cold start is from exec until the process waits for work; in Lambda, the median of several."
    )


def photos(run: Run) -> str:
    which = "from a folder" if run.directory else "of 5323x8000 pixels made from the test photo"
    return f"{run.photos} photos {which}"


def command(run: Run) -> str:
    return "make load-compare PHOTOS_DIR=DIR" if run.directory else "make load-compare"


def notes(run: Run) -> Iterator[str]:
    for way, cost in run.measured():
        yield f"- {way.title}: {workers(cost)} ({cost.versions})."
    yield (
        "- The ways with Thumbnailator read no EXIF and write no items. The heap of a JVM is at most a quarter "
        f"of the {prices.SERVER_GB} GB of a {prices.SERVER}, the JVM's default there. If that is not enough, the "
        "threads wait for the garbage collection."
    )
    yield (
        f"- Dollars in Lambda: the CPU time at {prices.VCPU_MB} MB, which is one vCPU, at "
        f"${prices.LAMBDA_GB_SECOND:.10f} a GB-second, and ${prices.LAMBDA_MILLION_REQUESTS:.2f} a million "
        "requests. Lambda also bills the waits for S3 and DynamoDB: `make cost` includes them."
    )
    yield (
        f"- Dollars of a server: its CPU time on a {prices.SERVER} ({prices.SERVER_VCPUS} vCPUs, "
        f"${prices.SERVER_HOUR} an hour) that is never idle. Idle time would have to be paid too."
    )
    yield "- All prices are AWS's in us-east-1 as of 2026-11. S3 and DynamoDB cost extra in every way."


def workers(cost: Measured) -> str:
    if len(cost.parts) > 1:
        return ", ".join(part.name for part in cost.parts)
    return f"one process, {AT_ONCE} threads" if cost.server else f"{cost.batch.processes} processes"


def servers(run: Run) -> Iterator[str]:
    for way, cost in run.measured():
        if not cost.server:
            continue
        server = cost.server
        growth = server.most_heap_mb / server.idle_heap_mb
        yield (
            f"- {way.title}: the server takes {server.idle_cpu:.0%} of the machine's CPU when idle, "
            f"{server.mean_cpu:.0%} during the batch and {server.most_cpu:.0%} at most. Its heap, which "
            f"holds nothing else, grows from {server.idle_heap_mb:.0f} to {server.most_heap_mb:.0f} MB "
            f"({growth:.0f} times), and its memory from {server.idle_memory_mb:.0f} to "
            f"{server.most_memory_mb:.0f} MB."
        )
        if len(cost.parts) > 1:
            parts = [f"{part.name} {part.cpu_s:.1f} s and {part.memory_mb:.0f} MB" for part in cost.parts]
            yield f"- {way.title}, by program: {', '.join(parts)}."


def noise(run: Run) -> str:
    is_quiet = run.others <= OTHERS and abs(run.drift) <= DRIFT
    return (
        f"- The machine was {'quiet' if is_quiet else 'not quiet'}: other processes used {run.others:.0%} of its "
        f"CPU, and this project's CPU time changed by {run.drift:+.0%} from the beginning to the end."
    )


def as_json(run: Run) -> dict[str, Any]:
    return {
        "command": command(run),
        "at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "processor": processor(),
        "cores": os.cpu_count(),
        "photos": run.photos,
        "at_once": AT_ONCE,
        "others": run.others,
        "drift": run.drift,
        "ways": {
            way.title: {"missing": way.cost} if isinstance(way.cost, str) else way.cost.as_json()
            for way in run.ways
        },
    }
