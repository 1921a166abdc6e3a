"""Builds the commit again as somebody else would, and compares the release with that in dist: `make dist-check`.

The other build has another folder, another home, its own Python environment and its own folder of crates.
"""

from __future__ import annotations

import argparse
import os
import shutil
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
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--folder", type=Path, metavar="PATH",
        help="folder of the other build, which is kept, so that a check can go on (default: a temporary one)",
    )
    folder = parser.parse_args().folder
    if changed := output("git", "status", "--porcelain").strip():
        raise Problem(f"only a commit can be built again, and these files are not committed:\n{changed}")
    other = (folder or Path(tempfile.mkdtemp(prefix="again-"))).resolve()
    try:
        first, second = sums(DIST), sums(built_in(other))
    finally:
        if not folder:
            shutil.rmtree(other, ignore_errors=True)
    differing = sorted(name for name in first.keys() | second.keys() if first.get(name) != second.get(name))
    if differing:
        raise Problem(f"the second build differs in {len(differing)} of {len(first)} files: {', '.join(differing)}")
    print(f"the same bytes in both builds: {len(first)} files")
    return 0


def built_in(folder: Path) -> Path:
    """The release of a clone of this commit, built in a folder."""
    home, cargo_home, checkout = folder / "home", folder / "crates-of-another", folder / "elsewhere/checkout"
    home.mkdir(parents=True, exist_ok=True)
    linked(Path(os.environ.get("CARGO_HOME") or Path.home() / ".cargo"), cargo_home)
    if not checkout.exists():
        subprocess.run(["git", "clone", "--quiet", "--no-checkout", ROOT, checkout], check=True)
    subprocess.run(["git", "fetch", "--quiet", ROOT, "HEAD"], cwd=checkout, check=True)
    subprocess.run(["git", "reset", "--quiet", "--hard", "FETCH_HEAD"], cwd=checkout, check=True)
    mine = ("CARGO_TARGET_DIR", "PYTHONPATH", "MAKEFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "VIRTUAL_ENV")
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
    """Another folder for cargo, in which the crates are unpacked again, but need not be downloaded."""
    (other / "registry").mkdir(parents=True, exist_ok=True)
    for name in ("registry/cache", "registry/index", "config.toml"):
        if (cargo_home / name).exists() and not (other / name).exists():
            (other / name).symlink_to(cargo_home / name)


def sums(folder: Path) -> dict[str, str]:
    """The checksum of each file of a release, and of its archive."""
    lines = (folder / SUMS).read_text().splitlines()
    lines += [line for path in folder.glob("*.tar.gz.sha256") for line in path.read_text().splitlines()]
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


if __name__ == "__main__":
    exit_with(main)
