"""Deployment packages of the functions that this project's is compared with."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import distributions, version
from pathlib import Path

from photos_dev.benches.install import install_once, require_node
from photos_dev.paths import REQUIREMENTS, ROOT

HERE = Path(__file__).resolve().parent
COMPARE = ROOT / "target/compare"
PINS = REQUIREMENTS / "peers.txt"
HANDLER = "function.handler"
# Names of distributions, where people write them in another way.
NAMES = {"pillow": "Pillow", "pillow_heif": "pillow-heif"}


@dataclass(frozen=True)
class Package:
    title: str
    versions: str
    runtime: str
    file: Path  # a zip


def pillow() -> Package:
    """The package without boto3, which is in Lambda's own Python. Here, that of the local AWS is used."""
    libraries = install_pillow()
    package = zipped("pillow", libraries, HERE / "pillow_function.py")
    return of_python("Pillow", libraries, package)


def pillow_heif() -> Package:
    """The same package, which reads HEICs too."""
    libraries = install_pillow("pillow-heif")
    package = zipped("pillow-heif", libraries, HERE / "pillow_heif_function.py", HERE / "pillow_function.py")
    return of_python("Pillow-HEIF", libraries, package)


def of_python(title: str, libraries: Path, package: Path) -> Package:
    installed = sorted((one.name, one.version) for one in distributions(path=[str(libraries)]))
    versions = [f"{NAMES.get(name, name)} {number}" for name, number in installed]
    versions += [f"boto3 {version('boto3')}", f"Python {sys.version.split()[0]}"]
    runtime = f"python{sys.version_info.major}.{sys.version_info.minor}"
    return Package(title, ", ".join(versions), runtime, package)


def sharp() -> Package:
    libraries = install_sharp()
    locked = json.loads((HERE / "package-lock.json").read_text())["packages"]
    said = subprocess.run(["node", "--version"], capture_output=True, text=True).stdout
    node = said.strip().removeprefix("v")
    versions = [
        f"sharp {locked['node_modules/sharp']['version']}",
        f"AWS SDK {locked['node_modules/@aws-sdk/client-s3']['version']}",
        f"Node.js {node}",
    ]
    package = zipped("sharp", libraries, HERE / "sharp_function.mjs")
    return Package("sharp", ", ".join(versions), f"nodejs{node.partition('.')[0]}.x", package)


def install_pillow(*others: str) -> Path:
    """Installs Pillow and other packages, with the pins of `make bench`, for the Python that runs this; returns the
    folder."""
    names = ("pillow", *others)
    directory = COMPARE / names[-1]
    directory.mkdir(parents=True, exist_ok=True)
    pins = COMPARE / f"{names[-1]}.txt"
    pins.write_text("".join(map(pinned, names)))
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    where = ["--target", ".", "--upgrade", "--no-compile", "--require-hashes", "--requirement", str(pins)]
    # A zip does not keep the times by which Python compares compiled modules with their sources.
    compiled = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash", "."]
    install_once(directory, pins, [*pip, *where], compiled)
    return directory


def pinned(name: str) -> str:
    """The pins of one package, which may differ from Python to Python."""
    return "".join(re.findall(rf"(?m)^{name}==.*(?:\n +--hash.*)*\n", PINS.read_text()))


def install_sharp() -> Path:
    require_node()
    directory = COMPARE / "sharp"
    directory.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, directory)
    npm = ["npm", "ci", "--engine-strict", "--no-audit", "--no-fund", "--loglevel=error"]
    install_once(directory, HERE / "package-lock.json", npm)
    return directory


def zipped(name: str, libraries: Path, function: Path, *modules: Path) -> Path:
    """A package that is not compressed, as it does not leave this machine."""
    package = COMPARE / f"{name}.zip"
    with zipfile.ZipFile(package, "w") as archive:
        archive.write(function, f"function{function.suffix}")
        for module in modules:
            archive.write(module, module.name)
        for path in files(libraries):
            archive.write(path, path.relative_to(libraries))
    return package


def files(directory: Path) -> Iterator[Path]:
    for folder, _, names in os.walk(directory):
        yield from (Path(folder, name) for name in sorted(names))
