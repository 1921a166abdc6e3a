"""Measures how a photo's cost grows with its megapixels and with the photos of its event: `make growth`.

The function processes photos of 1 to 200 megapixels, made of tiles of the test photo, then events of 1 to 48 photos
of the test photo's size, with the local AWS. Writes docs/growth.svg and docs/growth.md.
"""

from __future__ import annotations

import argparse
import statistics
from pathlib import Path
from typing import Any

from photos_dev.benches import measure
from photos_dev.benches.install import Missing, say
from photos_dev.benches.load import packages, pictures
from photos_dev.benches.load.growth_chart import Point, chart
from photos_dev.benches.machine import processor
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients, deploy
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import DOCS, FUNCTIONS, PHOTO, ROOT
from photos_dev.problem import Problem, exit_with

BOOTSTRAP = FUNCTIONS / "thumbnail/bootstrap"
KEPT = ROOT / "target/growth"
MEGAPIXELS = (1, 2, 5, 10, 20, 40, 80, 120, 160, 200)
RECORDS = (1, 2, 4, 8, 12, 24, 48)
# CPU time of all runs of a size: long enough that the clock's ticks do not matter.
CPU_MS = 2500
ESTIMATED_MS_A_MEGAPIXEL = 3


def main() -> int:
    argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args()
    aws = Clients(endpoint())
    outputs = deploy(aws.endpoint, "growth", FUNCTIONS, {}, {})
    bucket = outputs["OriginalsBucketName"]
    environment = measure.silent_environment(aws, outputs)
    by_megapixels = [of_size(aws, bucket, environment, megapixels) for megapixels in MEGAPIXELS]
    records = measure.upload_photos(aws, bucket)
    by_records = [of_event(environment, records, count) for count in RECORDS]
    write(by_megapixels, by_records)
    return 0


def of_size(aws: Clients, bucket: str, environment: dict[str, str], megapixels: int) -> Point:
    photo = tiled(megapixels)
    record = measure.record_of(aws, bucket, f"growth/{megapixels}.jpg", photo.read_bytes())
    runs = max(3, CPU_MS // (ESTIMATED_MS_A_MEGAPIXEL * megapixels))
    events = [event for _ in range(runs) for event in measure.notifications([record], 1)]
    cpu, memory = measure.cost(BOOTSTRAP, environment, events)
    say(f"{megapixels} megapixels: {cpu / runs:.0f} ms CPU, {memory:.0f} MB")
    return Point(megapixels, cpu / runs, memory)


def of_event(environment: dict[str, str], records: list[dict[str, Any]], count: int) -> Point:
    cpu, memory = measure.cost(BOOTSTRAP, environment, measure.notifications(records, count))
    say(f"{count} photos an event: {cpu / len(records):.0f} ms CPU a photo, {memory:.0f} MB")
    return Point(count, cpu / len(records), memory)


def tiled(megapixels: int) -> Path:
    """A photo of so many megapixels in the test photo's shape, made of tiles or a cut-out of it."""
    KEPT.mkdir(parents=True, exist_ok=True)
    photo = KEPT / f"{megapixels}.jpg"
    if photo.exists():
        return photo
    try:
        pictures.tiled(packages.install_pillow(), PHOTO, megapixels, photo)
    except Missing as missing:
        raise Problem(f"cannot make the photos: {missing}") from None
    return photo


def write(by_megapixels: list[Point], by_records: list[Point]) -> None:
    megapixels = [point.at for point in by_megapixels]
    costs = [point.cpu_ms for point in by_megapixels]
    rate = statistics.linear_regression(megapixels, costs)
    fit = statistics.correlation(megapixels, costs)
    whole = [point.cpu_ms for point in by_records]
    lines = [
        *table("megapixels", "CPU time a photo, ms", by_megapixels),
        "",
        *table("photos an event", "CPU time a photo, ms", by_records),
        "",
        f"CPU time grows linearly, by {rate.slope:.2f} ms a megapixel from {rate.intercept:.0f} ms (r² = {fit * fit:.4f}). "
        f"In an event, a photo costs between {min(whole):.0f} and {max(whole):.0f} ms, however many there are.",
        "",
        f"`make growth` on {processor()}. The photos are "
        "baseline JPEGs, as detailed as the test photo. Memory is the peak of the process.",
    ]
    (DOCS / "growth.md").write_text("\n".join(lines) + "\n")
    (DOCS / "growth.svg").write_text(chart(by_megapixels, by_records, processor()))
    print("\n".join(lines))
    say("written to docs/growth.md and docs/growth.svg")


def table(what: str, cost: str, points: list[Point]) -> list[str]:
    return [
        f"| {what} | {' | '.join(f'{point.at}' for point in points)} |",
        f"|---|{'---:|' * len(points)}",
        f"| {cost} | {' | '.join(f'{point.cpu_ms:.0f}' for point in points)} |",
        f"| peak memory, MB | {' | '.join(f'{point.memory_mb:.0f}' for point in points)} |",
    ]


if __name__ == "__main__":
    exit_with(on_local_aws(main))
