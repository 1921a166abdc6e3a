"""Builds a release into the folder dist: `make dist`.

Its packages are built for each architecture whose Rust target is installed. A release needs no compiler: its templates
name the packages, and `try` runs them in a local AWS.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from photos_dev.dist.crates import linked_crates
from photos_dev.dist.licences import licences
from photos_dev.dist.plain import plain_template, size_of
from photos_dev.dist.reproducible import TARGETS, commit_time, environment, output
from photos_dev.dist.sbom import sbom
from photos_dev.dist.seal import SUMS, seal
from photos_dev.dist.template import binaries, package_name, release_template, template_name
from photos_dev.local_aws.package import zipped
from photos_dev.paths import ROOT, TEMPLATE
from photos_dev.problem import Problem, exit_with

# What a release takes unchanged from the checkout: `try` finds it there in the same places.
TAKEN = (
    "LICENSE-APACHE",
    "LICENSE-MIT",
    "samconfig.toml",
    "dev/photos_dev/__init__.py",
    "dev/photos_dev/paths.py",
    "dev/photos_dev/problem.py",
    "dev/photos_dev/local_aws/*.py",
    "dev/photos_dev/stack/__init__.py",
    "dev/photos_dev/stack/run_photo.py",
    "dev/photos_dev/dist/__init__.py",
    "dev/photos_dev/dist/first_photo.py",
    "dev/requirements/try.txt",
    "tests/photos/ATTRIBUTION.md",
    "tests/photos/ref-5323x8000.jpg",
)
# And what has another name there.
RENAMED = {"dev/photos_dev/dist/try_release.py": "try", "dev/photos_dev/dist/README.txt": "README.txt"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the release, which is replaced")
    parser.add_argument(
        "--functions", type=Path, metavar="DIR", help="folder of functions that are built, ARCHITECTURE/NAME/bootstrap"
    )
    arguments = parser.parse_args()
    functions = given(arguments.functions) if arguments.functions else built()
    assemble(arguments.folder, functions)
    for path in sorted(arguments.folder.iterdir()):
        if path.is_file():
            print(f"{path.stat().st_size:>10,}  {arguments.folder.name}/{path.name}")
    print(f"\nTo try it: make try RELEASE={arguments.folder}")
    return 0


def given(functions: Path) -> dict[str, Path]:
    found = {name: functions / name for name in TARGETS if (functions / name).is_dir()}
    if not found:
        raise Problem(f"{functions} has no folder {' or '.join(TARGETS)}")
    return found


def built() -> dict[str, Path]:
    """Builds the functions for each architecture that this machine can build for; returns the folder of each."""
    folders = {}
    for architecture, target in TARGETS.items():
        if not Path(output("rustc", "--print=target-libdir", f"--target={target}").strip()).is_dir():
            print(f"{architecture} is left out: the Rust target {target} is not installed (rustup target add {target})")
            continue
        folders[architecture] = ROOT / "target/dist" / architecture
        result = subprocess.run(
            [
                "cargo", "lambda", "build", "--release", "--locked", "--skip-target-check",
                "--arm64" if architecture == "arm64" else "--x86-64", "--lambda-dir", folders[architecture],
            ],
            cwd=ROOT,
            env=environment(),
        )
        if result.returncode != 0:
            raise Problem(f"the functions could not be built for {architecture}, see the output above")
    return folders


def assemble(folder: Path, functions: dict[str, Path]) -> Path:
    """Writes all files of a release of built functions, NAME/bootstrap for each architecture; returns its archive."""
    if folder.is_dir() and any(folder.iterdir()) and not (folder / SUMS).is_file():
        raise Problem(f"{folder} holds something else than a release: remove it, or name another folder")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    time, template = commit_time(), TEMPLATE.read_text()
    for architecture, built in functions.items():
        for binary in binaries(template):
            (folder / package_name(binary, architecture)).write_bytes(package(built / binary / "bootstrap"))
        (folder / template_name(architecture)).write_text(release_template(template, architecture))
        (folder / f"functions-{architecture}.cdx.json").write_text(sbom(architecture, time))
    (folder / "template.json").write_text(plain_text())
    # Of both architectures, wherever it is built, because a release has this file once.
    crates = {(crate.name, crate.version): crate for architecture in TARGETS for crate in linked_crates(architecture)}
    (folder / "THIRD-PARTY-LICENSES.txt").write_text(licences([crates[key] for key in sorted(crates)]))
    take(folder)
    return seal(folder, time)


def plain_text() -> str:
    """The plain template without a space: a request to CloudFormation holds one of 51,200 bytes, S3 one of 1 MB."""
    text = json.dumps(plain_template(TEMPLATE), separators=(",", ":")) + "\n"
    print(f"template.json has {size_of(text)}")
    return text


def package(bootstrap: Path) -> bytes:
    """A function's package, the same bytes for the same code."""
    try:
        return zipped("bootstrap", bootstrap.read_bytes(), zipfile.ZIP_DEFLATED)
    except FileNotFoundError:
        raise Problem(f"{bootstrap} does not exist: build the function first") from None


def take(folder: Path) -> None:
    """Copies the files that a release takes from the checkout."""
    names = {path.relative_to(ROOT).as_posix() for pattern in TAKEN for path in ROOT.glob(pattern)}
    for name, there in ({name: name for name in names} | RENAMED).items():
        (folder / there).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, folder / there)
    os.chmod(folder / "try", 0o755)


if __name__ == "__main__":
    sys.stdout.reconfigure(line_buffering=True)
    exit_with(main)
