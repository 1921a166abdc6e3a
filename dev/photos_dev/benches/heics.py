"""The HEICs of the benches, which are made of the test photo once."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from photos_dev.benches.install import BENCH, Missing, peers_python, say
from photos_dev.paths import DEV, PHOTO, ROOT, environment_with
from photos_dev.problem import Problem

MAKER = Path(__file__).resolve().parent / "make_heics.py"
# 12 megapixels, as most phones take them, and 200, as some do.
PHONE, LARGE = "4032x3024", "16320x12240"
# What writes the golden HEICs of the crate.
WRITER = ROOT / "photo/tests/golden"


@dataclass(frozen=True)
class Heics:
    phone: Path  # beside it lies libheif's whole picture, a PPM
    large: Path


def made() -> Heics:
    directory = BENCH / f"heics-{digest()}"
    if not directory.exists():
        make(directory)
    return Heics(directory / f"{PHONE}.heic", directory / f"{LARGE}.heic")


def digest() -> str:
    sources = [PHOTO, MAKER, *sorted((WRITER / "kinds").glob("he*.py"))]
    return hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:12]


def make(directory: Path) -> None:
    """The folder appears only when its files are whole."""
    try:
        python = peers_python()
    except Missing as missing:
        raise Problem(f"cannot make HEICs: {missing}") from None
    say(f"making HEICs from {PHOTO.name}")
    unfinished = directory.with_suffix(".new")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    command = [python, "-B", "-m", f"photos_dev.benches.{MAKER.stem}", str(PHOTO), str(unfinished), PHONE, LARGE]
    if subprocess.run(command, env=environment_with(DEV, WRITER)).returncode != 0:
        raise Problem(f"cannot make HEICs from {PHOTO.name}, see the output above")
    unfinished.rename(directory)
