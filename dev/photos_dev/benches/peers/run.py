"""Compares cost and quality of thumbnails by this crate and by its peers, other programs: `make bench`.

It installs the peers into target/bench, lets each make a thumbnail of each photo (a quarter of the sides, IJG
quality 90, upright), scores the thumbnails, and writes docs/bench.md, docs/bench.svg and docs/frontier.svg. A
peer that cannot be installed is listed as missing.

A runner is a program beside this file, or dev/bench/src/bin/thumbnails.rs. It is called as

    runner [WAY] DIRECTORY RUNS PHOTO...

and processes all photos in one process: it makes a first thumbnail that does not count, then RUNS thumbnails of
each photo, from the JPEG in memory to the thumbnail in memory. The last one goes to DIRECTORY under the photo's
name. For each photo it prints a line, {"photo": name, "cpuMs": per thumbnail, "wallMs": per thumbnail}, with the
CPU time of all its threads. The last line is {"versions": text, "peakMemoryMb": of the process}. A peer works
with one thread if it has an option for that.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from photos_dev.arguments import whole
from photos_dev.benches import charts
from photos_dev.benches.install import (
    BENCH,
    THUMBNAILATOR,
    Missing,
    install_once,
    install_thumbnailator,
    peers_python,
    require_node,
    say,
)
from photos_dev.benches.machine import processor
from photos_dev.paths import DEV, DOCS, ROOT, environment_with
from photos_dev.problem import Problem, exit_with

HERE = Path(__file__).resolve().parent
THUMBNAILS = BENCH / "thumbnails"
# What the ways are that are not those of a peer.
KINDS = {"floor": "floor", "libheif": "floor", "best": "crate", "fast": "crate"}
# Change of the floor's cost, from the beginning to the end, above which the machine was not quiet.
UNQUIET = 0.1


@dataclass
class Way:
    """A way to make thumbnails."""

    name: str
    title: str
    peer: str
    arguments: list[str]
    note: str
    missing: str | None = None
    versions: str = ""
    peak_mb: float = 0
    cpu_ms: list[float] = field(default_factory=list)  # of each photo
    wall_ms: list[float] = field(default_factory=list)
    scores: dict[str, dict[str, float]] = field(default_factory=dict)  # by photo

    def mean(self, score: str) -> float:
        return statistics.mean(scores[score] for scores in self.scores.values())

    @property
    def cpu(self) -> float:
        return statistics.mean(self.cpu_ms)

    @property
    def kind(self) -> str:
        return KINDS.get(self.name, "peer")


def ways() -> list[Way]:
    return [
        Way("floor", "floor", "rust", ["floor"],
            "decoding at 1/8, which is little more than Huffman decoding (`djpeg -scale 1/8`), and "
            "encoding a thumbnail, with libjpeg-turbo: every thumbnail of this size needs that"),
        Way("best", "this crate, `best`", "rust", ["best"], "`RESAMPLING=best`"),
        Way("fast", "this crate, `fast`", "rust", ["fast"], "`RESAMPLING=fast`"),
        Way("sharp", "sharp", "sharp", [], "`resize`, one thread, no cache"),
        Way("pyvips", "pyvips", "pyvips", [], "`thumbnail_buffer`, one thread, no cache, 4:2:0"),
        Way("pillow-draft", "Pillow, draft", "pillow", ["draft"],
            "`draft` at the thumbnail's size, then `resize` with Lanczos"),
        Way("pillow-thumbnail", "Pillow, thumbnail", "pillow", ["thumbnail"],
            "the steps of `thumbnail`: `draft` at twice the size or more, then `resize` with Lanczos"),
        Way("pillow-full", "Pillow, full", "pillow", ["full"],
            "full decode, then `resize` with Lanczos"),
        Way("image-thumbnail", "image, thumbnail (4:4:4)", "rust", ["image-thumbnail"],
            "full decode, then `thumbnail_exact`; its encoder only has 4:4:4"),
        Way("image", "image, Lanczos3 (4:4:4)", "rust", ["image"],
            "full decode, then `resize_exact` with Lanczos3; its encoder only has 4:4:4"),
        Way("thumbnailator", "Thumbnailator", "thumbnailator", [],
            "`scale(0.25)`; a JVM with its defaults, after five thumbnails to warm up"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares this crate with other thumbnailers.")
    parser.add_argument("--runs", type=whole(1), default=10, help="thumbnails per photo (default: 10)")
    parser.add_argument("--profile", default="local", help="cargo profile (default: local)")
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO", help="a JPEG")
    options = parser.parse_args()
    options.photos = [photo.absolute() for photo in options.photos]
    check(options.photos)
    BENCH.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(THUMBNAILS, ignore_errors=True)

    programs = build(options.profile)
    compared = ways()
    drift = compare(compared, install(programs["thumbnails"], compared), options.photos, options.runs)
    score(programs["quality"], compared, options.photos)
    if not compared[1].scores:
        raise Problem(f"this crate made no thumbnails: {compared[1].missing}")
    write(compared, options, drift)
    return 0


def check(photos: list[Path]) -> None:
    names = [photo.name for photo in photos]
    for photo in photos:
        if not photo.is_file():
            raise Problem(f"there is no file {photo}: name a JPEG")
        if names.count(photo.name) > 1:
            raise Problem(f"several photos are called {photo.name}: rename them, each needs its own name")


# ---- the programs ----


def build(profile: str) -> dict[str, str]:
    """The programs in Rust, by their names."""
    command = ["cargo", "build", "--message-format=json-render-diagnostics", "--profile", profile]
    command += ["--package", "bench", "--bins"]
    say("building the programs in Rust")
    result = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise Problem("the programs in Rust could not be built, see cargo's output above")
    messages = map(json.loads, result.stdout.splitlines())
    return {
        message["target"]["name"]: message["executable"]
        for message in messages if message.get("executable")
    }


Runner = list[str] | Missing


def install(thumbnails: str, compared: list[Way]) -> dict[str, Runner]:
    """The command of the runner of each peer of these ways, or the reason why there is none."""
    installers: dict[str, Callable[[], list[str]]] = {
        "rust": lambda: [thumbnails],
        "sharp": install_sharp,
        "pyvips": lambda: install_python("vips"),
        "pillow": lambda: install_python("pillow"),
        "libheif": lambda: install_python("libheif"),
        "thumbnailator": compile_thumbnailator,
    }
    runners: dict[str, Runner] = {}
    for peer in dict.fromkeys(way.peer for way in compared):
        try:
            runners[peer] = installers[peer]()
        except Missing as missing:
            runners[peer] = missing
    return runners


def install_sharp() -> list[str]:
    require_node()
    directory = BENCH / "sharp"
    directory.mkdir(exist_ok=True)
    for name in ["package.json", "package-lock.json", "sharp.mjs"]:  # node looks for modules beside the program
        shutil.copy(HERE / name, directory)
    npm = ["npm", "ci", "--engine-strict", "--no-audit", "--no-fund", "--loglevel=error"]
    install_once(directory, HERE / "package-lock.json", npm)
    return ["node", str(directory / "sharp.mjs")]


def install_python(runner: str) -> list[str]:
    return [peers_python(), "-B", "-m", f"photos_dev.benches.peers.{runner}"]


def compile_thumbnailator() -> list[str]:
    install_thumbnailator()
    directory = BENCH / "thumbnailator"
    directory.mkdir(exist_ok=True)
    source = HERE / "Thumbnailator.java"
    install_once(directory, source, ["javac", "-cp", str(THUMBNAILATOR), "-d", ".", str(source)])
    return ["java", "-cp", f"{THUMBNAILATOR}:{directory}", "Thumbnailator"]


# ---- the comparison ----


def compare(compared: list[Way], runners: dict[str, Runner], photos: list[Path], runs: int) -> float:
    """Measures each way, and the first one again at the end; returns by how much its cost has changed."""
    for way in compared:
        measure(way, runners[way.peer], photos, runs)
    floor = compared[0]
    again = dataclasses.replace(floor, cpu_ms=[], wall_ms=[])
    measure(again, runners[again.peer], photos, runs)
    drift = again.cpu / floor.cpu - 1
    floor.cpu_ms += again.cpu_ms
    floor.wall_ms += again.wall_ms
    return drift


def measure(way: Way, runner: Runner, photos: list[Path], runs: int) -> None:
    if isinstance(runner, Missing):
        way.missing = str(runner)
        return say(f"{way.name}: missing: {runner}")
    # The floor's thumbnail is not scored, only its encoding counts.
    directory = BENCH / "floor" if way.kind == "floor" else THUMBNAILS / way.name
    directory.mkdir(parents=True, exist_ok=True)
    command = [*runner, *way.arguments, str(directory), str(runs), *map(str, photos)]
    log = BENCH / f"{way.name}.log"
    try:
        for line in json_lines(command, log):
            if "photo" in line:
                way.cpu_ms.append(line["cpuMs"])
                way.wall_ms.append(line["wallMs"])
                done = f"{len(way.cpu_ms)} of {len(photos)}"
                say(f"{way.name}: {done}: {line['photo']} {line['cpuMs']:.0f} ms")
            else:
                way.versions, way.peak_mb = line["versions"], line["peakMemoryMb"]
    except Missing as missing:
        if way.kind != "peer":
            raise Problem(f"{way.name}: {missing}") from None
        way.missing = str(missing)
        shutil.rmtree(directory)
        say(f"{way.name}: missing: {missing}")


def json_lines(command: list[str], log: Path) -> Iterator[dict[str, Any]]:
    with log.open("w+", errors="replace") as errors:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            # The runners in Python are modules of this package, in an environment that lacks it.
            env=environment_with(DEV),
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            assert process.stdout
            for line in process.stdout:
                yield json.loads(line)
            if process.wait() != 0:
                said = log.read_text(errors="replace").strip().splitlines() or ["no output"]
                code = process.returncode
                raise Missing(f"it ended with code {code}: {said[-1].strip()[:200]}")
        finally:
            process.kill()
            process.wait()


def score(quality: str, compared: list[Way], photos: list[Path]) -> None:
    by_name = {way.name: way for way in compared}

    def of_photo(photo: Path) -> list[dict[str, Any]]:
        command = [quality, str(THUMBNAILS), str(photo)]
        return list(json_lines(command, BENCH / f"quality-{photo.name}.log"))

    pool = ThreadPoolExecutor(os.cpu_count())
    try:
        for number, lines in enumerate(pool.map(of_photo, photos), 1):
            say(f"quality: {number} of {len(photos)}: {photos[number - 1].name}")
            for line in lines:
                way = by_name[line["way"]]
                if "error" in line:
                    way.missing = f"{line['photo']}: {line['error']}"
                else:
                    way.scores[line["photo"]] = line
    except Missing as missing:
        raise Problem(f"the thumbnails cannot be scored: {missing}") from None
    finally:
        pool.shutdown(cancel_futures=True)


# ---- the report ----

METRICS = {"psnr": ("PSNR", ".2f"), "ssim": ("SSIM", ".4f"), "ssimulacra2": ("SSIMULACRA2", ".2f")}


def write(compared: list[Way], options: argparse.Namespace, drift: float) -> None:
    report = "\n".join([
        *table(compared), "", circumstances(options), "", *notes(compared), "",
        *losses(compared), *doubts(options.photos, drift),
    ]) + "\n"
    floor = compared[0].cpu
    present = [way for way in compared if not way.missing]
    subtitle = f"Quarter-size JPEG of quality 90; {means(options)}; {processor()}"
    bars = [
        charts.Bar(
            plain(way.title), way.versions.partition(",")[0], way.kind,
            way.cpu, way.cpu / floor, way.peak_mb,
        )
        for way in sorted(present, key=lambda way: way.cpu)
    ]
    dots = [
        charts.Dot(plain(way.title), way.kind, way.cpu / floor, way.mean("ssimulacra2"))
        for way in present if way.scores
    ]
    DOCS.mkdir(exist_ok=True)
    (DOCS / "bench.md").write_text(report)
    (DOCS / "bench.svg").write_text(charts.costs(bars, subtitle))
    (DOCS / "frontier.svg").write_text(charts.frontier(dots, subtitle))
    print(report, end="")
    say("written to docs/bench.md, docs/bench.svg and docs/frontier.svg")


def table(compared: list[Way], unit: str = "floors") -> Iterator[str]:
    """The figures of each way; the unit of CPU time is the first one's."""
    scores = ["bytes", "PSNR, dB", "SSIM", "SSIMULACRA2"] if any(way.scores for way in compared) else []
    columns = [f"CPU time, {unit}", "CPU time, ms", "wall time, ms", "peak memory, MB", *scores]
    yield f"| | {' | '.join(columns)} |"
    yield "|---|" + "---:|" * len(columns)
    for way in compared:
        title = f"**{way.title}**" if way.kind == "crate" else way.title
        if way.missing:
            yield f"| {title} | missing: {way.missing.replace('|', ' ')} |" + " |" * (len(columns) - 1)
            continue
        cells = [
            f"{way.cpu / compared[0].cpu:.2f}", f"{way.cpu:.0f}",
            f"{statistics.mean(way.wall_ms):.0f}", f"{way.peak_mb:.0f}",
        ]
        if way.scores:
            cells.append(f"{way.mean('bytes'):.0f}")
            cells += [format(way.mean(key), spec) for key, (_, spec) in METRICS.items()]
        else:
            cells += [""] * len(scores)
        yield f"| {title} | {' | '.join(cells)} |"


def circumstances(options: argparse.Namespace) -> str:
    return (
        f"{means(options).capitalize()}, from the JPEG in memory to the thumbnail in memory, on "
        f"{processor()}, {os.cpu_count()} cores. CPU time is that of all threads. Memory is the peak "
        "of the whole process, with its runtime. PSNR, SSIM and SSIMULACRA2 say how similar the "
        "thumbnail is to the full decode shrunk with Lanczos3."
    )


def means(options: argparse.Namespace) -> str:
    count = len(options.photos)
    photos = f"each of {count} photos" if count > 1 else f"{options.photos[0].name}"
    return f"means of {times(options.runs)} of {photos}"


def times(runs: int) -> str:
    return f"{runs} runs" if runs > 1 else "one run"


def notes(compared: list[Way]) -> Iterator[str]:
    for way in compared:
        versions = f" ({way.versions})" if way.versions else ""
        yield f"- {way.title}: {way.note}{versions}."


def losses(compared: list[Way]) -> Iterator[str]:
    """Photos of which this crate's best thumbnail is worse than Thumbnailator's."""
    by_name = {way.name: way for way in compared}
    best, peer = by_name["best"], by_name["thumbnailator"]
    if peer.missing:
        return
    for key, (metric, spec) in METRICS.items():
        pairs = {
            photo: (scores[key], peer.scores[photo][key]) for photo, scores in best.scores.items()
        }
        below = [
            f"{photo} ({mine:{spec}} to {its:{spec}})"
            for photo, (mine, its) in pairs.items() if mine < its
        ]
        on = f"on {len(below)} of {len(pairs)}: {', '.join(below)}" if below else "on no photo"
        yield f"- `best` is below Thumbnailator's {metric} {on}."


def doubts(photos: list[Path], drift: float) -> Iterator[str]:
    profiled = sum(b"ICC_PROFILE\0" in photo.read_bytes() for photo in photos)
    if profiled:
        yield (
            f"- Photos with a colour profile: {profiled}. Thumbnailator converts them to sRGB, while all "
            "others keep the profile. The scores count that as damage."
        )
    if abs(drift) > UNQUIET:
        yield f"- The machine was not quiet: the cost of the floor changed by {drift:+.0%} during the run."


def plain(title: str) -> str:
    return title.replace("`", "")


if __name__ == "__main__":
    exit_with(main)
