"""Tests of release_notes.py, of what is released, and of the files in this folder that name other files."""

from __future__ import annotations

import re
import unittest
from fnmatch import fnmatch
from typing import Any

import yaml

from release_notes import ROOT, NotReleasable, notes_of, sections, version_of

CARGO = '[workspace]\nmembers = []\n\n[workspace.package]\nedition = "2024"\nversion = "1.2.0"\n\n[package]\nversion = "9.9.9"\n'
CHANGELOG = """# Changelog

## Unreleased

## 1.2.0 - 2026-12-01

### Added

- A feature.

## 1.1.0 - 2026-11-30

### Fixed

- A bug.
"""


# What a release consists of: docs/install.md.
ARCHIVE = "s3-photo-thumbnailer-1.2.3.tar.gz"
PARTS = ["template.yaml", "template-arm64.yaml", "template.json"] + [
    name.format(architecture)
    for name in ("thumbnail-{}.zip", "upload-url-{}.zip", "functions-{}.cdx.json")
    for architecture in ("x86_64", "arm64")
]


class Notes(unittest.TestCase):
    def test_the_notes_are_the_section_of_the_version(self) -> None:
        self.assertEqual(notes_of("v1.2.0", CARGO, CHANGELOG), "### Added\n\n- A feature.")

    def test_changes_that_are_not_released_are_not_in_the_notes(self) -> None:
        changelog = CHANGELOG.replace("## Unreleased\n", "## Unreleased\n\n- Not yet.\n")
        self.assertNotIn("Not yet", notes_of("v1.2.0", CARGO, changelog))

    def refuses(self, tag: str, cargo: str, changelog: str, reason: str) -> None:
        with self.assertRaisesRegex(NotReleasable, reason):
            notes_of(tag, cargo, changelog)

    def test_a_tag_that_is_not_a_version_is_refused(self) -> None:
        for tag in ("1.2.0", "v1.2", "v1.2.0 ", "version", "v1.2.0\n"):
            self.refuses(tag, CARGO, CHANGELOG, "is not a version")

    def test_another_version_in_cargo_is_refused(self) -> None:
        self.refuses("v1.2.0", CARGO.replace("1.2.0", "1.1.0"), CHANGELOG, r"Cargo\.toml has version 1\.1\.0")
        self.refuses("v1.2.0", CARGO.replace("version", "v"), CHANGELOG, r"Cargo\.toml has no version")

    def test_another_newest_version_in_the_changelog_is_refused(self) -> None:
        older = CHANGELOG.replace("## 1.2.0 - 2026-12-01\n\n### Added\n\n- A feature.\n\n", "")
        self.refuses("v1.2.0", CARGO, older, r"newest version in CHANGELOG\.md is 1\.1\.0")
        self.refuses("v1.1.0", CARGO.replace("1.2.0", "1.1.0"), CHANGELOG, r"CHANGELOG\.md is 1\.2\.0")

    def test_a_section_that_says_nothing_is_refused(self) -> None:
        self.refuses("v1.2.0", CARGO, CHANGELOG.replace("### Added\n\n- A feature.\n", ""), "says nothing")

    def test_headings_without_version_or_date_are_refused(self) -> None:
        for heading in ("1.2.0", "1.2.0 - soon", "1.2.0 - 2026-13-01", "[1.2.0] - 2026-12-01", "The next"):
            changelog = CHANGELOG.replace("1.2.0 - 2026-12-01", heading)
            self.refuses("v1.2.0", CARGO, changelog, "is not a version and a date")

    def test_a_changelog_without_unreleased_or_versions_is_refused(self) -> None:
        self.refuses("v1.2.0", CARGO, CHANGELOG.replace("## Unreleased\n\n", ""), "must begin with")
        self.refuses("v1.2.0", CARGO, "# Changelog\n", "must begin with")
        self.refuses("v1.2.0", CARGO, "# Changelog\n\n## Unreleased\n", "no version yet")


class Published(unittest.TestCase):
    job: dict[str, Any] = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())["jobs"]["publish"]

    def patterns(self, step: str, key: str) -> list[str]:
        (text,) = [one["with"][key] if key != "run" else one["run"] for one in self.job["steps"] if step in str(one)]
        return re.findall(r"dist/(\S+)", text)

    def test_both_architectures_and_the_archive_of_both_are_published(self) -> None:
        patterns = self.patterns("gh release create", "run")
        for name in [ARCHIVE, f"{ARCHIVE}.sha256", *PARTS, "SHA256SUMS"]:
            self.assertTrue(any(fnmatch(name, pattern) for pattern in patterns), name)

    def test_github_attests_where_what_is_deployed_comes_from(self) -> None:
        patterns = self.patterns("actions/attest@", "subject-path")
        for name in [ARCHIVE, *PARTS]:
            self.assertTrue(any(fnmatch(name, pattern) for pattern in patterns), name)
        for permission in ("contents", "id-token", "attestations"):
            self.assertEqual(self.job["permissions"][permission], "write")

    def test_nothing_is_published_before_the_tests_have_passed(self) -> None:
        self.assertLessEqual({"notes", "test", "package"}, set(self.job["needs"]))

    def test_the_release_is_sealed_once_it_has_both_architectures(self) -> None:
        steps = [str(step) for step in self.job["steps"]]
        order = ("actions/download-artifact", "photos_dev.dist.seal dist", "actions/attest@", "gh release create")
        places = [max(place for place, step in enumerate(steps) if what in step) for what in order]
        self.assertEqual(places, sorted(places))


class Repository(unittest.TestCase):
    def test_the_version_is_the_newest_in_the_changelog(self) -> None:
        newest = sections((ROOT / "CHANGELOG.md").read_text())[0]
        self.assertEqual(version_of((ROOT / "Cargo.toml").read_text()), newest.version)

    def test_versions_and_dates_of_the_changelog_descend(self) -> None:
        released = sections((ROOT / "CHANGELOG.md").read_text())
        versions = [[int(number) for number in re.findall(r"\d+", one.version)[:3]] for one in released]
        self.assertEqual(versions, sorted(versions, reverse=True))
        dates = [one.date for one in released]
        self.assertEqual(dates, sorted(dates, reverse=True))

    def test_dependabot_watches_folders_that_exist(self) -> None:
        lines = re.findall(r"(?m)^ *director(?:y|ies): (.*)$", (ROOT / ".github/dependabot.yml").read_text())
        folders = [folder for line in lines for folder in re.findall(r"/[\w./-]*", line)]
        self.assertGreater(len(folders), 4)
        for folder in folders:
            self.assertTrue((ROOT / folder.lstrip("/")).is_dir(), f"{folder} of dependabot.yml does not exist")

    def test_workflows_run_targets_that_exist(self) -> None:
        makefile = (ROOT / "Makefile").read_text()
        targets = 0
        for workflow in (ROOT / ".github/workflows").glob("*.yml"):
            for target in re.findall(r"\bmake ([a-z-]+)", workflow.read_text()):
                self.assertRegex(makefile, rf"(?m)^{target}:", f"{workflow.name} runs make {target}")
                targets += 1
        self.assertGreater(targets, 2)


if __name__ == "__main__":
    unittest.main()
