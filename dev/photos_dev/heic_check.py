"""Compares what this crate makes of HEICs with libheif's pixels and exiftool's facts: `make heic-check`.

It prints a line for each HEIC, HEIF and HIF: the mean difference and the 99th percentile between samples of the
thumbnail and of libheif's picture, on a scale of 0 to 255. It exits with 1 if a file that libheif decodes has no
thumbnail within the level, unless it is for one of the reasons in REASONS and PECULIAR, or if a fact differs from
exiftool's.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from photos_dev.arguments import number
from photos_dev import exif_check
from photos_dev.benches.install import tools_python
from photos_dev.exif_check import Photo, say
from photos_dev.paths import DEV, REQUIREMENTS, ROOT, environment_with
from photos_dev.problem import Problem, exit_with

SUFFIXES = (".heic", ".heif", ".hif")
ENVIRONMENT = ROOT / "target/heic-check"
TIMEOUT_SECONDS = 120

# The mean difference up to which a thumbnail shows libheif's picture. Of 189 public files that both decode alike, the
# largest is 1.64, and half are below 0.74: the crate shrinks in two steps, and its chroma apart. Shrinking with a box
# instead of Lanczos3 makes 0.6 to 2.1 on five of these photos, a shift by one pixel 2.9 to 9.7, and a wrong range of
# the samples 8.2 to 10.7. A wrong matrix makes 1.2 to 3.2, so it shows in some photos only; the golden tests are finer.
LEVEL = 2.0

# What the message of a refusal says -> why this crate does without.
REASONS = {
    r"of the coding iovl": "overlays",
    r"P and B slices": "pictures with references to others",
    r"\(mini\)": "the short form of small pictures",
}
HIGH_DYNAMIC_RANGE = "PQ or HLG, which libheif leaves as it is"

# SHA-256 of a file -> why it differs from libheif's picture.
PECULIAR = {
    # pillow_heif's guitar_cw90.hif, of a Sony
    "f0d5e88be07b9d70a3715218ca612ccf45b126e5b4b42172dce14a62d2099932": "libheif expands its limited range twice",
    # pillow_heif's invalid_id.heic and Nokia's C005.heic
    "8ab7945a2364fdbf3ecf2815bc1a3d8ee0e80aa1bbbc8c9106e8dced599d5d56": "libheif shows another item than the primary one",
    "8df455f463861613a3fc09327472739663c876af1d8d096f68cc3e16d25edeb8": "libheif shows another item than the primary one",
}


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares HEICs with libheif's pixels and exiftool's facts.")
    parser.add_argument("--level", type=number(0), default=LEVEL, help=f"largest mean difference (default: {LEVEL})")
    parser.add_argument("program", type=Path, metavar="HEIC_PROGRAM", help="the built dev/bench/src/bin/heic.rs")
    parser.add_argument("facts", type=Path, metavar="FACTS_PROGRAM", help="the built photo/examples/facts.rs")
    parser.add_argument("folders", type=Path, nargs="+", metavar="DIR", help="folder of HEICs")
    options = parser.parse_args()
    exif_check.require_exiftool()
    photos = [photo for folder in options.folders for photo in photos_below(folder)]
    python = tools_python("pillow-heif", REQUIREMENTS / "heic.txt", ENVIRONMENT / "venv")
    differs = check_pixels(photos, options, python)
    differs |= check_facts(photos, options.facts)
    return 1 if differs else 0


def photos_below(folder: Path) -> list[Photo]:
    if not folder.is_dir():
        raise Problem(f"there is no folder {folder}: name a folder of HEICs")
    folder = folder.resolve()
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and path.is_file())
    if not paths:
        raise Problem(f"no HEICs below {folder}: their names end in {', '.join(SUFFIXES)}")
    return [Photo(path, str(path.relative_to(folder))) for path in paths]


# ---- pixels ----

# The verdicts, in the order of the summary.
EQUAL, REASON, DIFFERS, REFUSED, ONLY_WE, NEITHER = VERDICTS = (
    "within the level of libheif's picture",
    "for a named reason not",
    "different from libheif's picture",
    "refused, while libheif decodes them",
    "decoded by this crate only",
    "refused by both",
)
BAD = (DIFFERS, REFUSED)


@dataclass
class Line:
    """What became of a photo."""

    name: str
    verdict: str
    text: str
    reason: str | None = None  # the named reason, or the name of this crate's failure where libheif fails too
    mean: float | None = None


@dataclass
class Comparison:
    program: Path
    python: str
    level: float
    thumbnails: Path
    lines: list[Line] = field(default_factory=list)

    def line(self, photo: Photo) -> Line:
        thumbnail = self.thumbnails / f"{hashlib.sha256(str(photo.path).encode()).hexdigest()}.jpg"
        ours = answer([str(self.program), str(photo.path), str(thumbnail)])
        arguments = [] if "refused" in ours else [str(thumbnail), str(ours["scale"])]
        # The module is of this package, in an environment that lacks it.
        compare = [self.python, "-B", "-m", "photos_dev.heic_libheif", str(photo.path), *arguments]
        line = judge(photo.name, ours, answer(compare), self.level)
        thumbnail.unlink(missing_ok=True)
        if line.verdict in BAD and (reason := PECULIAR.get(hashlib.sha256(photo.path.read_bytes()).hexdigest())):
            line.verdict, line.reason = REASON, reason
        return line


def check_pixels(photos: list[Photo], options: argparse.Namespace, python: str) -> bool:
    """Prints a line for each photo, and a summary; returns whether one differs for no named reason."""
    lines = []
    with tempfile.TemporaryDirectory(prefix="heic-check-") as thumbnails:
        comparison = Comparison(options.program, python, options.level, Path(thumbnails))
        pool = ThreadPoolExecutor(os.cpu_count())
        try:
            for line in pool.map(comparison.line, photos):
                lines.append(line)
                print(f"{line.name}  {line.text}{f'  ({line.reason})' if line.verdict == REASON else ''}", flush=True)
                if not sys.stdout.isatty():
                    say(f"\r{len(lines)} of {len(photos)} photos")
        finally:
            pool.shutdown(cancel_futures=True)
    if not sys.stdout.isatty():
        say("\n")
    print("\n".join(["", *summary(lines, options.level), ""]), flush=True)
    return any(line.verdict in BAD for line in lines)


def answer(command: list[str]) -> dict[str, Any]:
    """The line of JSON that a program prints. A program that fails prints none, and has refused the photo."""
    try:
        result = subprocess.run(command, capture_output=True, timeout=TIMEOUT_SECONDS, env=environment_with(DEV))
    except OSError as error:
        raise Problem(f"cannot run {command[0]}: {error.strerror}") from None
    except subprocess.TimeoutExpired:
        return {"refused": "Timeout", "message": f"not done after {TIMEOUT_SECONDS} s"}
    if result.returncode == 0:
        return json.loads(result.stdout)
    complaint = result.stderr.decode(errors="replace").strip().splitlines() or ["no output"]
    return {"refused": "Crash", "message": f"ended with code {result.returncode}: {complaint[-1][:200]}"}


def judge(name: str, ours: dict[str, Any], theirs: dict[str, Any], level: float) -> Line:
    refusal = f"{ours['refused']}: {ours['message']}" if "refused" in ours else None
    if "refused" in theirs:
        complaint = f"libheif: {theirs.get('message', theirs['refused'])}"
        if refusal:
            return Line(name, NEITHER, f"{refusal}; {complaint}", ours["refused"])
        return Line(name, ONLY_WE, f"decoded; {complaint}")
    libheif = f"{theirs['width']}x{theirs['height']} {theirs['bits']} bits"
    if refusal:
        reason = next((reason for said, reason in REASONS.items() if re.search(said, refusal)), None)
        return Line(name, REASON if reason else REFUSED, f"{libheif}  {refusal}", reason)
    if "problem" in theirs:
        return Line(name, DIFFERS, f"{libheif}  {theirs['problem']}")
    mean = theirs["mean"]
    text = f"{libheif}  mean {mean:.2f}  99 % {theirs['most']}"
    if mean <= level:
        return Line(name, EQUAL, text, mean=mean)
    reason = HIGH_DYNAMIC_RANGE if theirs["isHdr"] else None
    return Line(name, REASON if reason else DIFFERS, text, reason, mean)


def summary(lines: list[Line], level: float) -> Iterator[str]:
    counts = Counter(line.verdict for line in lines)
    yield f"{len(lines):>6}  HEICs"
    for verdict in VERDICTS:
        yield f"{counts[verdict]:>6}  {verdict}"
        if verdict in (REASON, NEITHER):
            reasons = Counter(line.reason for line in lines if line.verdict == verdict)
            yield from (f"{count:>10}  {reason}" for reason, count in reasons.most_common())
    means = sorted(line.mean for line in lines if line.mean is not None and line.verdict == EQUAL)
    if means:
        yield f"mean difference of those within {level}: median {means[len(means) // 2]:.2f}, largest {means[-1]:.2f}"
    bad = [line for line in lines if line.verdict in BAD]
    if bad:
        yield "not explained:"
        yield from (f"  {line.name}  {line.text}" for line in bad)


# ---- facts ----


def check_facts(photos: list[Photo], program: Path) -> bool:
    """Prints the comparison with exiftool; returns whether a fact differs."""
    report = exif_check.Report()
    known = [photo for photo in photos if exif_check.is_photo(photo.path)]
    exif_check.compare_all(known, program, report)
    return report.show(20, set()) != 0


if __name__ == "__main__":
    exit_with(main)
