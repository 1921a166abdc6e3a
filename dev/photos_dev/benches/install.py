"""Installs the programs that this project is compared with, once, below target/."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
from pathlib import Path

from photos_dev import check_tools
from photos_dev.paths import REQUIREMENTS, ROOT
from photos_dev.problem import Problem

BENCH = ROOT / "target/bench"
# The file of Debian's libthumbnailator-java.
THUMBNAILATOR = Path("/usr/share/java/thumbnailator.jar")


class Missing(Exception):
    """The reason why something cannot be compared, for the user."""


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def install_once(directory: Path, pins: Path, *commands: list[str]) -> None:
    """Runs the commands in the directory, unless they were run with the same pins before."""
    done = directory / "installed.txt"
    if done.exists() and done.read_bytes() == pins.read_bytes():
        return
    say(f"installing {directory.name} into {directory.relative_to(ROOT)}")
    log = directory.parent / f"{directory.name}.log"
    with log.open("wb") as output:
        for command in commands:
            result = subprocess.run(
                command, cwd=directory, stdout=output, stderr=subprocess.STDOUT
            )
            if result.returncode != 0:
                name = Path(command[0]).name
                raise Missing(f"{name} failed, see {log.relative_to(ROOT)}")
    shutil.copy(pins, done)


def python_with(pins: Path, directory: Path) -> str:
    """The Python of an environment that has what is pinned."""
    directory.mkdir(parents=True, exist_ok=True)
    python = str(directory / "bin/python")
    pip = [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--requirement", str(pins)]
    install_once(directory, pins, [sys.executable, "-m", "venv", "."], pip)
    return python


def tools_python(name: str, pins: Path, directory: Path) -> str:
    """The Python of an environment for a tool, without which nothing can be done."""
    try:
        return python_with(pins, directory)
    except Missing as missing:
        raise Problem(f"{name} cannot be installed: {missing}") from None


def peers_python() -> str:
    """The Python of the peers that are written in it."""
    return python_with(REQUIREMENTS / "peers.txt", BENCH / "venv")


def require_node() -> None:
    if not shutil.which("node") or not shutil.which("npm"):
        raise Missing("Node.js or npm is missing: install Node.js 20.9 or later")


def install_thumbnailator() -> None:
    if not THUMBNAILATOR.exists() or not shutil.which("javac"):
        install_debian("default-jdk-headless", "libthumbnailator-java")


def install_debian(*packages: str) -> None:
    """Installs Debian packages, which must not start a service."""
    with contextlib.redirect_stdout(sys.stderr):
        try:
            check_tools.install(list(packages))
        except SystemExit as reason:
            raise Missing(str(reason).removeprefix("error: ")) from None
