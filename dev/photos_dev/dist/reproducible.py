"""Runs a command in which the functions are built as the same bytes in every folder: `make release`, `make dist`.

Compilers write paths into programs: Rust where it may panic, C in __FILE__. Here they write short names instead of this
checkout's folder and of the folder that cargo keeps crates in.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

from photos_dev.paths import ROOT
from photos_dev.problem import Problem, exit_with

TARGETS = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}

# What __DATE__ is in C. It is the same for all commits, because C is compiled anew when it changes, and with it most
# crates.
COMPILED_AT = "315532800"  # 1980


def main() -> int:
    if len(sys.argv) < 2:
        raise Problem("no command: python -m photos_dev.dist.reproducible COMMAND ...")
    try:
        os.execvpe(sys.argv[1], sys.argv[1:], environment())
    except OSError as error:
        raise Problem(f"cannot run {sys.argv[1]}: {error.strerror}") from error


def environment() -> dict[str, str]:
    """The caller's environment, without flags of its own, and with the short names of folders.

    Cargo adds CARGO_BUILD_RUSTFLAGS to the flags of cargo-lambda, but RUSTFLAGS would replace them."""
    ignored = ("RUSTFLAGS", "CARGO_ENCODED_RUSTFLAGS")
    kept = {name: value for name, value in os.environ.items() if name not in ignored}
    names = short_names(ROOT, crates())
    return kept | c_flags(names) | {
        "CARGO_BUILD_RUSTFLAGS": " ".join(f"--remap-path-prefix={folder}={name}" for folder, name in names.items()),
        "SOURCE_DATE_EPOCH": COMPILED_AT,
    }


def short_names(checkout: Path, crates: set[Path]) -> dict[Path, str]:
    """The name for each folder that would be a part of what is built. The last that fits counts."""
    names = {checkout: "source"} | {folder: "crates" for folder in sorted(crates)}
    for folder in names:
        if re.search(r"[\s=]", str(folder)):
            raise Problem(f"the folder {folder} has a space or = in its name, which compilers take no flags with")
    return names


def crates() -> set[Path]:
    """The folders that cargo unpacks the crates of its registries into. They are downloaded if need be."""
    metadata = json.loads(output("cargo", "metadata", "--format-version=1", "--locked"))
    return {Path(package["manifest_path"]).parent.parent for package in metadata["packages"] if package["source"]}


def c_flags(names: dict[Path, str]) -> dict[str, str]:
    """What is set for C in .cargo/config.toml, and the names: a variable replaces the one there."""
    config = (ROOT / ".cargo/config.toml").read_text()
    maps = [f"-ffile-prefix-map={folder}={name}" for folder, name in names.items()]
    flags = {}
    for target in TARGETS.values():
        variable = f"CFLAGS_{target.replace('-', '_')}"
        given = re.findall(rf'(?m)^{variable} = "(.*)"$', config)
        flags[variable] = " ".join([*given, *maps])
    return flags


def commit_time() -> int:
    """The time of the commit in seconds, which the files of a release have instead of the time of its build."""
    given = os.environ.get("SOURCE_DATE_EPOCH")
    if given and not given.isdigit():
        raise Problem(f"SOURCE_DATE_EPOCH is {given}, not a number of seconds")
    return int(given or output("git", "log", "-1", "--format=%ct"))


def output(*command: str) -> str:
    result = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    if result.returncode != 0:
        raise Problem(f"`{' '.join(command)}` failed: {result.stderr.strip()}")
    return result.stdout


if __name__ == "__main__":
    exit_with(main)
