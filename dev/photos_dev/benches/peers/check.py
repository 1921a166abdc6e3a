"""Lists figures that are slower or larger than the committed ones: `make bench-check`.

Times are compared as ratios to the floor of the same run (decoding at an eighth and encoding, see run.py), as a
faster or busier machine changes both alike. docs/figures.json has the committed figures; UPDATE=1 replaces them.
"""

from __future__ import annotations

import argparse
import json
import statistics
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from photos_dev.benches import heics, latency, measure
from photos_dev.benches.machine import processor
from photos_dev.benches.install import BENCH, say
from photos_dev.benches.load.lambdas import the_photos
from photos_dev.benches.load.waits import PUBLISHED
from photos_dev.benches.peers.run import build, json_lines
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import DOCS, ROOT
from photos_dev.problem import Problem, exit_with

FIGURES = DOCS / "figures.json"
ROUNDS = 3
RUNS = 10
# HEICs of a phone in a round.
HEICS = 12
# Allowed growth. From run to run, a figure varies by less, even on a busy machine.
ALLOWED = {"floors": 0.10, "MB": 0.08, "times the ideal": 0.10}
# Least allowed growth of a time: of a short time, a tenth means nothing.
LEAST_FLOORS = 0.05


@dataclass(frozen=True)
class Figure:
    name: str
    value: float
    unit: str  # a key of ALLOWED


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="local", help="cargo profile (default: local)")
    parser.add_argument("--update", action="store_true", help="replace docs/figures.json")
    parser.add_argument("packages", type=Path, help="folder of the packages that `make release` builds")
    options = parser.parse_args()
    floor_ms, thumbnails = of_thumbnails(options.profile)
    figures = [*thumbnails, *of_functions(options.packages, floor_ms)]
    print(f"floor {floor_ms:.1f} ms CPU, {processor()}")
    slower = compare(figures, committed())
    if options.update:
        FIGURES.write_text(json.dumps({figure.name: round(figure.value, 3) for figure in figures}, indent=2) + "\n")
        say(f"written to {FIGURES.relative_to(ROOT)}")
    elif slower:
        raise Problem(f"worse than docs/figures.json: {', '.join(slower)}")
    return 0


def committed() -> dict[str, float]:
    return json.loads(FIGURES.read_text()) if FIGURES.exists() else {}


def of_thumbnails(profile: str) -> tuple[float, list[Figure]]:
    """The floor in ms, and the thumbnails in floors: medians of rounds in which the ways take turns."""
    program = build(profile)["thumbnails"]
    times: dict[str, list[float]] = {"floor": [], "best": [], "fast": []}
    for number in range(1, ROUNDS + 1):
        for way, of_way in times.items():
            directory = BENCH / "check" / way
            directory.mkdir(parents=True, exist_ok=True)
            command = [program, way, str(directory), str(RUNS), str(measure.PHOTO)]
            lines = list(json_lines(command, BENCH / f"check-{way}.log"))
            of_way.append(next(line["cpuMs"] for line in lines if "photo" in line))
        say(f"thumbnails: round {number} of {ROUNDS}")
    floor = statistics.median(times["floor"])
    ratios = {way: statistics.median(times[way]) / floor for way in ("best", "fast")}
    return floor, [Figure(f"a thumbnail, {way}", ratio, "floors") for way, ratio in ratios.items()]


def of_functions(packages: Path, floor_ms: float) -> list[Figure]:
    """Figures of the functions in the local AWS."""
    aws = Clients(endpoint())
    with measure.deployed(aws, "check", packages) as (functions, outputs):
        say("functions: thumbnail")
        thumbnail = measure.thumbnail_figures(aws, outputs, functions, ROUNDS)
        say("functions: upload-url")
        upload_url = measure.upload_url_figures(aws, outputs, functions)
        say("functions: HEICs")
        phone, large = of_heics(aws, outputs, functions)
        say("functions: waiting")
        uploads = the_photos(None)
        waiting = list(latency.of_function(aws, outputs, functions, uploads, (latency.TOGETHER,), (PUBLISHED.title,)))
    times = {
        "a cold start": thumbnail.start.cpu_ms,
        "the first photo of a process": thumbnail.first_ms,
        "a photo": thumbnail.photo_ms,
        f"a photo of an event of {measure.BATCH}": thumbnail.batch_ms,
        f"{measure.BATCH} upload URLs": upload_url.call_ms,
        "a HEIC of 12 megapixels": phone[0],
        "a HEIC of 200 megapixels": large[0],
    }
    memory = {
        "peak memory, a photo": thumbnail.photo_mb,
        f"peak memory, an event of {measure.BATCH}": thumbnail.batch_mb,
        "peak memory, upload URLs": upload_url.call_mb,
        "peak memory, a HEIC of 12 megapixels": phone[1],
        "peak memory, a HEIC of 200 megapixels": large[1],
    }
    sizes = {f"the package of {name}": measure.package_mb(packages, name) for name in ("thumbnail", "upload-url")}
    return [
        *(Figure(name, ms / floor_ms, "floors") for name, ms in times.items()),
        *(Figure(name, mb, "MB") for name, mb in (memory | sizes).items()),
        *(Figure(f"{run.way} that waits, cores: {run.cores}", run.ratio, "times the ideal") for run in waiting),
    ]


def of_heics(aws: Clients, outputs: dict[str, str], functions: Path) -> Iterator[tuple[float, float]]:
    """CPU ms and peak MB of a phone's HEIC and of a large one, each in a process of its own."""
    bootstrap = functions / "thumbnail/bootstrap"
    environment = measure.silent_environment(aws, outputs)
    made = heics.made()
    for photo, count in ((made.phone, HEICS), (made.large, 1)):
        records = measure.upload_photos(aws, outputs["OriginalsBucketName"], photo, count)
        yield measure.photo_cost(bootstrap, environment, records, 1, ROUNDS)


def compare(figures: list[Figure], before: dict[str, float]) -> list[str]:
    """Prints all figures; returns the names of those that are worse than allowed."""
    worse = []
    print(f"{'':38}{'committed':>10}{'now':>10}{'change':>10}")
    for figure in figures:
        then = before.get(figure.name)
        if then is None:
            print(f"{figure.name:38}{'-':>10}{figure.value:10.2f}  {figure.unit}, new")
            continue
        change = figure.value / then - 1
        allowed = max(ALLOWED[figure.unit], LEAST_FLOORS / then if figure.unit == "floors" else 0)
        verdict = "WORSE" if change > allowed else "better" if change < -allowed else ""
        print(f"{figure.name:38}{then:10.2f}{figure.value:10.2f}{change:+10.1%}  {figure.unit} {verdict}".rstrip())
        if verdict == "WORSE":
            worse.append(figure.name)
    return worse


if __name__ == "__main__":
    exit_with(on_local_aws(main))
