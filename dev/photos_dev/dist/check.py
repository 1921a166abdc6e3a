"""Builds the commit again as somebody else would, and compares the release with that in dist: `make dist-check`.

The other build has another folder, another home, its own Python environment and its own folder of crates.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from photos_dev.dist.reproducible import output
from photos_dev.dist.seal import SUMS
from photos_dev.paths import ROOT
from photos_dev.problem import Problem, exit_with

DIST = ROOT / "dist"


def main() -> int:
    if changed := output("git", "status", "--porcelain").strip():
        raise Problem(f"only a commit can be built again, and these files are not committed:\n{changed}")
    with tempfile.TemporaryDirectory(prefix="again-") as folder:
        again = rebuilt(Path(folder).resolve())
        first, second = sums(DIST), sums(again)
    differing = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    if differing:
        raise Problem(f"the second build differs in {len(differing)} of {len(first)} files: {', '.join(differing)}")
    print(f"the same bytes in both builds: {len(first)} files")
    return 0


def rebuilt(folder: Path) -> Path:
    """The release of a clone of this commit, built in a folder."""
    home, checkout = folder / "home-of-another", folder / "elsewhere/checkout"
    cargo_home = folder / "crates-of-another"
    linked(Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo"), cargo_home)
    home.mkdir()
    subprocess.run(["git", "clone", "--quiet", ROOT, checkout], check=True)
    mine = ("CARGO_TARGET_DIR", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "VIRTUAL_ENV")
    environment = {name: value for name, value in os.environ.items() if name not in mine} | {
        "HOME": str(home),
        "CARGO_HOME": str(cargo_home),
        "RUSTUP_HOME": os.environ.get("RUSTUP_HOME") or str(Path.home() / ".rustup"),
        "PIP_CACHE_DIR": output(sys.executable, "-m", "pip", "cache", "dir").strip(),
    }
    if subprocess.run(["make", "--no-print-directory", "dist"], cwd=checkout, env=environment).returncode != 0:
        raise Problem("the clone could not be built, see the output above")
    return checkout / "dist"


def linked(cargo_home: Path, other: Path) -> None:
    """Another folder for cargo, in which the crates need not be downloaded again."""
    other.mkdir()
    for entry in cargo_home.iterdir():
        if entry.name != "registry":
            (other / entry.name).symlink_to(entry)
    (other / "registry").mkdir()
    for name in ("cache", "index"):
        if (cargo_home / "registry" / name).is_dir():
            (other / "registry" / name).symlink_to(cargo_home / "registry" / name)


def sums(folder: Path) -> dict[str, str]:
    """The checksum of each file of a release, and of its archive."""
    lines = (folder / SUMS).read_text().splitlines()
    lines += [line for path in folder.glob("*.tar.gz.sha256") for line in path.read_text().splitlines()]
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


if __name__ == "__main__":
    exit_with(main)
