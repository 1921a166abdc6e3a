#!/usr/bin/env python3
"""Processes a photo with a release, in a local AWS on this machine. Nothing is compiled, and no AWS account is needed.

It needs Linux, Python 3.10 or later with venv, and PyPI: it installs the local AWS into the folder .venv beside it. It
shows the photo's thumbnail and its item, writes the thumbnail to the folder out, and ends what it has started.
"""

# It runs before anything is installed, so it uses only Python's standard library. A release has it as `try`.

from __future__ import annotations

import argparse
import importlib.util
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path
from typing import NoReturn

PYTHON = (3, 10)
REQUIREMENTS = "dev/requirements/try.txt"
PHOTO = "tests/photos/ref-5323x8000.jpg"
# Python's name of a processor -> the template of its functions.
TEMPLATES = {"x86_64": "template.yaml", "aarch64": "template-arm64.yaml"}


def main() -> int:
    started = time.time()
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, help="a photo of yours (default: the test photo)")
    parser.add_argument(
        "--release", type=Path, metavar="PATH", default=Path(__file__).resolve().parent,
        help="folder or .tar.gz of a release (default: the folder of this file)",
    )
    arguments = parser.parse_args()
    photo = arguments.photo.resolve() if arguments.photo else None
    if photo and not photo.is_file():
        stop(f"{photo} is no file")
    check_machine()
    if arguments.release.is_file():
        with tempfile.TemporaryDirectory(prefix="release-") as folder:
            return process(unpacked(arguments.release, Path(folder)), photo, started)
    return process(arguments.release.resolve(), photo, started)


def check_machine() -> None:
    if platform.system() != "Linux":
        stop(f"the functions are programs for Linux, and this is {platform.system()}")
    if sys.version_info < PYTHON:
        stop(f"Python {platform.python_version()} is too old: {'.'.join(map(str, PYTHON))} or later is needed")
    if importlib.util.find_spec("ensurepip") is None:  # which Debian packages apart from Python
        stop("Python lacks venv: install the package python3-venv")


def unpacked(archive: Path, folder: Path) -> Path:
    """Unpacks a release; returns its folder, the only one in the archive."""
    try:
        with tarfile.open(archive, "r:gz") as tar:
            for entry in tar.getmembers():
                if not entry.isfile() or entry.name.startswith("/") or ".." in Path(entry.name).parts:
                    stop(f"{archive} is no release: it has {entry.name}, which is not a file inside of its folder")
            tar.extractall(folder)
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:  # of the archive, and of its compression
        stop(f"{archive} is no release: {error}")
    return next(folder.iterdir())


def process(release: Path, photo: Path | None, started: float) -> int:
    template = release / TEMPLATES.get(platform.machine(), platform.machine())
    if not template.is_file() or not (release / REQUIREMENTS).is_file():
        stop(f"{release} is no release with functions for {platform.machine()}, this processor")
    python = environment_of(release)
    result = subprocess.run(
        [
            python, "-m", "photos_dev.local_aws", "with", "--",
            python, "-m", "photos_dev.dist.first_photo", "--started", str(started), template, photo or release / PHOTO,
        ],
        env=os.environ | {"PYTHONPATH": str(release / "dev"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    return result.returncode


def environment_of(release: Path) -> Path:
    """Installs the local AWS beside the release, unless it is there; returns the Python that has it."""
    venv, pins = release / ".venv", (release / REQUIREMENTS).read_text()
    installed, python = venv / "installed", venv / "bin/python"
    if installed.is_file() and installed.read_text() == pins:
        return python
    print(f"installing a local AWS from PyPI into {venv}", flush=True)
    shutil.rmtree(venv, ignore_errors=True)
    run(sys.executable, "-m", "venv", venv)
    pip = (python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
    run(*pip, "--require-hashes", "-r", release / REQUIREMENTS)
    installed.write_text(pins)
    return python


def run(*command: str | Path) -> None:
    if subprocess.run(command).returncode != 0:
        stop(f"`{' '.join(map(str, command))}` failed, see its output above")


def stop(message: str) -> NoReturn:
    sys.exit(f"error: {message}")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit(130)
