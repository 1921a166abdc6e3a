"""Compares the cost of three renditions with that of the thumbnail alone, by this crate and by its peers: `make
bench-renditions`. Each makes the three of one decoding. It prints a table.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from photos_dev.arguments import whole
from photos_dev.benches.install import BENCH
from photos_dev.benches.machine import processor
from photos_dev.benches.peers import run
from photos_dev.benches.peers.run import Way
from photos_dev.problem import exit_with

# Rounds in which the ways take turns.
ROUNDS = 3
SETS = {
    "the thumbnail": {"rust": ["best"], "sharp": [], "pillow": ["thumbnail"]},
    "and fit=1600, fit=400": {name: ["three-jpegs"] for name in ("rust", "sharp", "pillow")},
    "and both as WebP": {name: ["three-webps"] for name in ("rust", "sharp", "pillow")},
}
TITLES = {"rust": "this crate", "sharp": "sharp", "pillow": "Pillow, thumbnail"}


def main() -> int:
    parser = argparse.ArgumentParser(description="Compares the cost of three renditions with that of one.")
    parser.add_argument("--runs", type=whole(1), default=10, help="runs in a round (default: 10)")
    parser.add_argument("--profile", default="local", help="cargo profile (default: local)")
    parser.add_argument("photos", type=Path, nargs="+", metavar="PHOTO", help="a JPEG")
    options = parser.parse_args()
    photos = [photo.absolute() for photo in options.photos]
    BENCH.mkdir(parents=True, exist_ok=True)
    ways = [
        Way(f"{peer}-{number}", TITLES[peer], peer, arguments, made)
        for number, (made, peers) in enumerate(SETS.items())
        for peer, arguments in peers.items()
    ]
    programs = run.build(options.profile)
    runners = run.install(programs["thumbnails"], ways)
    for _ in range(ROUNDS):
        for way in ways:
            if not way.missing:
                run.measure(way, runners[way.peer], photos, options.runs)
    print("\n".join(table(ways, len(photos))))
    print(f"\nmake bench-renditions on {processor()}, {os.cpu_count()} cores: the lowest of {ROUNDS} rounds.")
    return 0


def table(ways: list[Way], photos: int) -> list[str]:
    lines = ["| CPU, ms | " + " | ".join(SETS) + " | times the thumbnail alone |", "|---|" + "---:|" * (len(SETS) + 1)]
    for peer, title in TITLES.items():
        of_peer = [way for way in ways if way.peer == peer]
        if missing := [way.missing for way in of_peer if way.missing]:
            lines.append(f"| {title} | {missing[0]} |" + " |" * len(SETS))
            continue
        # A round after another: the photos of each follow one another.
        least = [min(sum(way.cpu_ms[start : start + photos]) / photos for start in range(0, len(way.cpu_ms), photos)) for way in of_peer]
        ratios = ", ".join(f"{ms / least[0]:.2f}" for ms in least[1:])
        lines.append(f"| {title} | " + " | ".join(f"{ms:.0f}" for ms in least) + f" | {ratios} |")
    return lines


if __name__ == "__main__":
    exit_with(main)
