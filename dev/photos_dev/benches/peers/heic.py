"""Compares cost and quality of a HEIC's thumbnail by this crate and by its peers: `make bench-heic`.

The peers are those of run.py that read HEIC, and libheif, whose decoding alone is the unit. It writes
docs/bench-heic.md. A peer that reads no HEIC is listed there with its own words.

This crate is built as for AWS: HEVC's decoder is in Rust, so link-time optimisation saves a fifth of its time.
"""

from __future__ import annotations

import argparse
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from photos_dev.arguments import whole
from photos_dev.benches import heics
from photos_dev.benches.install import Missing, say
from photos_dev.benches.machine import processor
from photos_dev.benches.peers import run
from photos_dev.benches.peers.run import UNQUIET, Runner, Way
from photos_dev.paths import DOCS
from photos_dev.problem import Problem, exit_with

REPORT = DOCS / "bench-heic.md"
# Rounds in which the ways take turns.
ROUNDS = 3
# A HEIC of 200 megapixels takes as long as 16 of a phone.
LARGE_RUNS = 1


@dataclass
class Compared:
    """What the ways make of a HEIC."""

    photo: Path
    runs: int
    ways: list[Way]
    spread: float = 0  # how much more the first way took in one round than in another

    @property
    def present(self) -> list[Way]:
        return [way for way in self.ways if not way.missing]


def ways(profile: str) -> list[Way]:
    return [
        Way("libheif", "libheif, decoding alone", "libheif", [],
            "decoding to planes at full size, in one thread; no thumbnail"),
        Way("best", "this crate", "rust", ["best"],
            f"cargo's profile `{profile}`; `RESAMPLING` does not count for a HEIC"),
        Way("pillow-thumbnail", "Pillow, thumbnail", "pillow", ["thumbnail"],
            "the steps of `thumbnail`: full decode, then `resize` with Lanczos in two steps"),
        Way("pillow-full", "Pillow, full", "pillow", ["full"], "full decode, then `resize` with Lanczos"),
        Way("sharp", "sharp", "sharp", [], "`resize`, one thread, no cache"),
        Way("pyvips", "pyvips", "pyvips", [], "`thumbnail_buffer`, one thread, no cache, 4:2:0"),
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares a HEIC's thumbnail with those of other thumbnailers.")
    parser.add_argument("--runs", type=whole(1), default=10, help="thumbnails of a phone's HEIC (default: 10)")
    parser.add_argument("--profile", default="release", help="cargo profile (default: release)")
    options = parser.parse_args()
    photos = heics.made()
    shutil.rmtree(run.THUMBNAILS, ignore_errors=True)
    programs = run.build(options.profile)
    runners = run.install(programs["thumbnails"], ways(options.profile))
    if isinstance(missing := runners["libheif"], Missing):
        raise Problem(f"libheif cannot be installed: {missing}")
    phone = compare(Compared(photos.phone, options.runs, ways(options.profile)), runners)
    run.score(programs["quality"], phone.ways, [photos.phone])
    large = compare(Compared(photos.large, min(options.runs, LARGE_RUNS), ways(options.profile)), runners)
    report = "\n".join(lines(phone, large)) + "\n"
    REPORT.write_text(report)
    print(report, end="")
    say(f"written to docs/{REPORT.name}")
    return 0


def compare(compared: Compared, runners: dict[str, Runner]) -> Compared:
    """Measures the ways in turns. The lowest times of the rounds count, as they are the least disturbed."""
    for _ in range(ROUNDS):
        for way in compared.present:
            run.measure(way, runners[way.peer], [compared.photo], compared.runs)
    times = compared.ways[0].cpu_ms
    compared.spread = max(times) / min(times) - 1
    for way in compared.present:
        way.cpu_ms, way.wall_ms = [min(way.cpu_ms)], [min(way.wall_ms)]
    return compared


# ---- the report ----


def lines(phone: Compared, large: Compared) -> Iterator[str]:
    for compared in (phone, large):
        yield from [*section(compared), ""]
    yield (
        f"`make bench-heic` on {processor()}, {os.cpu_count()} cores, from the HEIC in memory to the thumbnail in memory: "
        f"the lowest times of {ROUNDS} rounds in which the ways take turns. CPU time is that of all threads. Memory is the "
        "peak of the whole process, with its runtime. PSNR, SSIM and SSIMULACRA2 say how similar the thumbnail is to "
        "libheif's full decode shrunk with Lanczos3."
    )
    yield ""
    yield from run.notes(phone.present)
    yield from failures(phone.ways)
    yield from doubts(phone, large)


def section(compared: Compared) -> Iterator[str]:
    megabytes = compared.photo.stat().st_size / 1e6
    yield f"## {compared.photo.name}"
    yield ""
    yield f"{megabytes:.1f} MB, in tiles of 512x512, coded by x265; {run.times(compared.runs)} a round:"
    yield ""
    yield from run.table(compared.present, "times libheif's")


def failures(compared: list[Way]) -> Iterator[str]:
    """The ways that make no thumbnail of a HEIC, and what they say."""
    yield from (f"- {way.title} makes no thumbnail: {way.missing}." for way in compared if way.missing)


def doubts(*of: Compared) -> Iterator[str]:
    for compared in of:
        if compared.spread > UNQUIET:
            yield (
                f"- The machine was not quiet: with {compared.photo.name}, libheif took up to {compared.spread:.0%} more in "
                "one round than in another."
            )


if __name__ == "__main__":
    exit_with(main)
