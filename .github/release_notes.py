#!/usr/bin/env python3
"""Checks that a tag may be released, and prints its notes.

    python3 .github/release_notes.py v0.1.0

The tag, the version in Cargo.toml and the newest version in CHANGELOG.md must be the same. The notes are
the section of that version in CHANGELOG.md.
"""

from __future__ import annotations

import datetime
import re
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parent.parent
SEMVER = r"\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?"


class NotReleasable(Exception):
    """The reason why a tag must not be released."""


class Section(NamedTuple):
    version: str
    date: str
    notes: str


def main(arguments: list[str]) -> int:
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    cargo, changelog = ((ROOT / name).read_text() for name in ("Cargo.toml", "CHANGELOG.md"))
    try:
        print(notes_of(arguments[0], cargo, changelog))
    except NotReleasable as problem:
        print(f"error: {problem}", file=sys.stderr)
        return 1
    return 0


def notes_of(tag: str, cargo: str, changelog: str) -> str:
    """The notes of a tag, if it may be released."""
    if not re.fullmatch(f"v{SEMVER}", tag):
        raise NotReleasable(f"the tag {tag} is not a version such as v0.1.0")
    version = tag.removeprefix("v")
    cargo_version = version_of(cargo)
    if version != cargo_version:
        raise NotReleasable(f"the tag is {tag}, but Cargo.toml has version {cargo_version}")
    newest = sections(changelog)[0]
    if version != newest.version:
        raise NotReleasable(f"the tag is {tag}, but the newest version in CHANGELOG.md is {newest.version}")
    if not newest.notes:
        raise NotReleasable(f"CHANGELOG.md says nothing about {version}: describe its changes")
    return newest.notes


def version_of(cargo: str) -> str:
    """The version of the workspace, which all packages inherit."""
    _, _, package = cargo.partition("\n[workspace.package]\n")
    table = package.partition("\n[")[0]
    found = re.search(r'(?m)^version *= *"([^"]+)"', table)
    if not found:
        raise NotReleasable("Cargo.toml has no version in [workspace.package]")
    return found[1]


def sections(changelog: str) -> list[Section]:
    """The released versions of a changelog, newest first. Later changes are under Unreleased."""
    _, *parts = re.split(r"(?m)^## ", changelog)
    if not parts or parts[0].splitlines()[0] != "Unreleased":
        raise NotReleasable("CHANGELOG.md must begin with a section for Unreleased")
    released = [section(part) for part in parts[1:]]
    if not released:
        raise NotReleasable("CHANGELOG.md has no version yet")
    return released


def section(part: str) -> Section:
    heading, _, notes = part.partition("\n")
    found = re.fullmatch(rf"({SEMVER}) - (\d{{4}}-\d\d-\d\d)", heading)
    if not found or not is_date(found[2]):
        raise NotReleasable(f'"## {heading}" in CHANGELOG.md is not a version and a date, such as "## 0.1.0 - 2026-11-26"')
    return Section(found[1], found[2], notes.strip())


def is_date(text: str) -> bool:
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
