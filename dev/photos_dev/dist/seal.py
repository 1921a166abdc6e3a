"""Writes the checksums of a release's files, and packs the release as one file: `make dist`.

The release workflow seals the release again, once it has the packages of both architectures. It uses only Python's
standard library.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import sys
import tarfile
from pathlib import Path

from photos_dev.paths import ROOT
from photos_dev.problem import Problem, exit_with

SUMS = "SHA256SUMS"
# What is made in a release's folder, and not a part of it.
MADE = {".venv", "out", "__pycache__"}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="folder of the release")
    parser.add_argument("--time", type=int, required=True, metavar="SECONDS", help="time of the commit, since 1970")
    arguments = parser.parse_args()
    print(seal(arguments.folder, arguments.time), file=sys.stderr)
    return 0


def seal(folder: Path, time: int) -> Path:
    """Writes SHA256SUMS and the archive with its own checksum; returns the archive."""
    sums = "".join(f"{digest(folder / name)}  {name}\n" for name in contents(folder))
    (folder / SUMS).write_text(sums)
    name = f"s3-photo-thumbnailer-{version()}"
    archive = folder / f"{name}.tar.gz"
    pack(folder, name, archive, time)
    Path(f"{archive}.sha256").write_text(f"{digest(archive)}  {archive.name}\n")
    return archive


def contents(folder: Path) -> list[str]:
    """The names of a release's files, in order. Neither its archive nor its checksums are among them."""
    names = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    found = [
        name.as_posix()
        for name in names
        if not MADE & set(name.parts) and name.name != SUMS and not re.search(r"\.tar\.gz(\.sha256)?$", name.name)
    ]
    if not found:
        raise Problem(f"{folder} has no files: make it with `make dist`")
    return sorted(found)


def pack(folder: Path, name: str, archive: Path, time: int) -> None:
    """Packs a release below its name. Owner, time and mode of its files are the same wherever they come from: what a
    workflow stores keeps none of them."""
    with (
        archive.open("wb") as file,
        gzip.GzipFile(filename="", mode="wb", fileobj=file, mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for path in sorted([*contents(folder), SUMS]):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = (folder / path).stat().st_size
            entry.mtime = time
            entry.mode = 0o755 if path == "try" else 0o644
            with (folder / path).open("rb") as content:
                tar.addfile(entry, content)


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def version() -> str:
    """The version of the workspace."""
    found = re.search(r'(?m)^version = "([^"]+)"', (ROOT / "Cargo.toml").read_text())
    if not found:
        raise Problem("Cargo.toml has no version")
    return found[1]


if __name__ == "__main__":
    exit_with(main)
