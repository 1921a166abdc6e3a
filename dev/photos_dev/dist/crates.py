"""The crates that are linked into the functions, as cargo and their sources tell of them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, NamedTuple

from photos_dev.dist.reproducible import TARGETS, output
from photos_dev.paths import ROOT
from photos_dev.problem import Problem

# A crate as `cargo tree` names it.
Key = tuple[str, str]


class Library(NamedTuple):
    """A library that is no crate of its own: one in C inside of a crate, or Rust's."""

    name: str
    version: str
    licence: str
    home: str


class Crate(NamedTuple):
    name: str
    version: str
    licence: str
    description: str
    sha256: str | None  # of its archive on crates.io
    folder: Path
    needs: list[Key]
    library: Library | None

    @property
    def is_ours(self) -> bool:
        """Whether it is a crate of this project, not one of crates.io."""
        return self.sha256 is None


# Crate with sources in C -> the library, its home, its licence if the crate does not name it, and where its version
# stands: a file, and a pattern.
LIBRARIES = {
    "aws-lc-sys": (
        "AWS-LC", "https://github.com/aws/aws-lc", None,
        "aws-lc/include/openssl/base.h", r'AWSLC_VERSION_NUMBER_STRING "([\d.]+)"',
    ),
    "libwebp-sys": (
        "libwebp", "https://chromium.googlesource.com/webm/libwebp", "BSD-3-Clause",
        "vendor/src/enc/vp8i_enc.h",
        r"ENC_MAJ_VERSION (\d+)\n#define ENC_MIN_VERSION (\d+)\n#define ENC_REV_VERSION (\d+)",
    ),
    "turbojpeg-sys": (
        "libjpeg-turbo", "https://libjpeg-turbo.org", "IJG AND BSD-3-Clause AND Zlib",
        "libjpeg-turbo/CMakeLists.txt", r"(?m)^set\(VERSION ([\d.]+)\)",
    ),
}


def linked_crates(architecture: str) -> list[Crate]:
    """The crates in order of their names. Those that only run while the functions are built are not linked."""
    needs = tree(architecture)
    packages = {(package["name"], package["version"]): package for package in metadata(architecture)}
    sums = checksums((ROOT / "Cargo.lock").read_text())
    return [crate(packages[key], sums.get(key), needs[key]) for key in sorted(needs)]


def tree(architecture: str) -> dict[Key, list[Key]]:
    """Each linked crate, and the crates that it needs. `cargo metadata` would count the features of the tools too."""
    lines = output(
        "cargo", "tree", "--locked", "--package=s3-photo-thumbnailer", f"--target={TARGETS[architecture]}",
        "--edges=normal,no-proc-macro", "--prefix=depth",
    ).splitlines()
    needs: dict[Key, set[Key]] = {}
    path: list[Key] = []
    for line in filter(None, lines):
        found = re.match(r"(\d+)([A-Za-z][\w-]*) v(\S+)", line)
        if not found:
            raise Problem(f"`cargo tree` has a line that is no crate: {line}")
        depth, key = int(found[1]), (found[2], found[3])
        needs.setdefault(key, set())
        del path[depth:]
        if path:
            needs[path[-1]].add(key)
        path.append(key)
    return {key: sorted(needed) for key, needed in needs.items()}


def metadata(architecture: str) -> list[dict[str, Any]]:
    return json.loads(
        output("cargo", "metadata", "--format-version=1", "--locked", f"--filter-platform={TARGETS[architecture]}")
    )["packages"]


def checksums(lockfile: str) -> dict[Key, str]:
    pattern = r'name = "(.+)"\nversion = "(.+)"\nsource = ".+"\nchecksum = "([0-9a-f]{64})"\n'
    return {(name, version): checksum for name, version, checksum in re.findall(pattern, lockfile)}


def crate(package: dict[str, Any], sha256: str | None, needs: list[Key]) -> Crate:
    name, version, folder = package["name"], package["version"], Path(package["manifest_path"]).parent
    if not package["license"]:
        raise Problem(f"{name} {version} names no licence in its Cargo.toml")
    # The slash is an older spelling of OR (Cargo Book, "The manifest format", license).
    licence = re.sub(r" ?/ ?", " OR ", package["license"])
    description = " ".join((package["description"] or "").split())
    return Crate(name, version, licence, description, sha256, folder, needs, library(name, licence, folder))


def standard_library() -> Library:
    """That of the compiler which builds the functions."""
    version = output("rustc", "--version").split()[1]
    return Library("Rust standard library", version, "MIT OR Apache-2.0", "https://github.com/rust-lang/rust")


def library(crate: str, licence_of_crate: str, folder: Path) -> Library | None:
    if crate not in LIBRARIES:
        return None
    name, home, licence, file, pattern = LIBRARIES[crate]
    found = re.search(pattern, (folder / file).read_text())
    if not found:
        raise Problem(f"{file} of {crate} does not say the version of {name}")
    return Library(name, ".".join(found.groups()), licence or licence_of_crate, home)
