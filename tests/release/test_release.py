"""Whether a release holds what it says, and can be tried and deployed without a compiler.

    .venv/bin/python -m unittest discover --start-directory tests/release

The release is made of the functions in target/lambda, which `make build` puts there, and `make test`.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
import unittest
import unittest.mock
import zipfile
from pathlib import Path
from typing import Any

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from license_expression import get_spdx_licensing
from samtranslator.yaml_helper import yaml_parse

from photos_dev.dist.build import assemble
from photos_dev.dist.crates import linked_crates
from photos_dev.dist.plain import code_keys
from photos_dev.dist.seal import SUMS, contents
from photos_dev.dist.template import binaries, package_name, release_template, template_name
from photos_dev.local_aws.deploy import Clients, allow_http, apply, disable_redrive, stack_outputs
from photos_dev.local_aws.server import LocalAws, client_environment
from photos_dev.paths import FUNCTIONS, PHOTO, ROOT, TEMPLATE
from photos_dev.problem import Problem
from photos_dev.stack import run_photo

ARCHITECTURE = "arm64" if os.uname().machine == "aarch64" else "x86_64"
SAM = ROOT / ".venv-ops/bin/sam"
# Coreutils and Python: all that a machine needs for a release, beside PyPI.
TOOLS = ("basename", "cat", "cp", "dirname", "env", "ln", "ls", "mkdir", "mv", "rm", "sh", "sleep", "sort", "uname")
COMPILERS = ("cargo", "rustc", "cc", "gcc", "c++", "clang", "zig", "ld", "as", "make", "cmake", "nasm", "git")
SECONDS = 60

folder: Path
release: Path
archive: Path


def setUpModule() -> None:
    global folder, release, archive
    folder = Path(tempfile.mkdtemp(prefix="test-release-"))
    unittest.addModuleCleanup(shutil.rmtree, folder, ignore_errors=True)
    release = folder / "dist"
    archive = assemble(release, {ARCHITECTURE: FUNCTIONS})


def template() -> dict[str, Any]:
    return yaml_parse((release / template_name(ARCHITECTURE)).read_text())


def run(*command: str | Path, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)


class Contents(unittest.TestCase):
    def test_each_function_has_a_package_that_lambda_can_run(self) -> None:
        names = binaries(TEMPLATE.read_text())
        self.assertGreaterEqual(len(names), 2)
        for name in names:
            with zipfile.ZipFile(release / package_name(name, ARCHITECTURE)) as package:
                (entry,) = package.infolist()
                self.assertEqual((entry.filename, entry.external_attr >> 16), ("bootstrap", 0o100755))
                self.assertEqual(package.read(entry), (FUNCTIONS / name / "bootstrap").read_bytes())

    def test_the_same_functions_make_the_same_release(self) -> None:
        again = assemble(folder / "again", {ARCHITECTURE: FUNCTIONS})
        self.assertEqual((again.parent / SUMS).read_text(), (release / SUMS).read_text())
        self.assertEqual(again.read_bytes(), archive.read_bytes())

    def test_the_checksums_are_those_of_all_files(self) -> None:
        copy = folder / "copy"
        shutil.copytree(release, copy)
        self.assertEqual(run("sha256sum", "--check", "--strict", SUMS, cwd=copy).returncode, 0)
        self.assertEqual(run("sha256sum", "--check", "--strict", f"{archive.name}.sha256", cwd=copy).returncode, 0)
        listed = [line.split("  ")[1] for line in (copy / SUMS).read_text().splitlines()]
        self.assertEqual(listed, contents(copy))
        for name in listed:
            with self.subTest(name):
                (copy / name).write_bytes((copy / name).read_bytes() + b" ")
                result = run("sha256sum", "--check", "--quiet", SUMS, cwd=copy)
                self.assertEqual(result.returncode, 1)
                self.assertIn(f"{name}: FAILED", result.stdout)

    def test_the_archive_is_the_release_in_one_folder(self) -> None:
        with tarfile.open(archive) as tar:
            entries = {entry.name: entry for entry in tar.getmembers()}
        name = archive.name.removesuffix(".tar.gz")
        self.assertEqual(set(entries), {f"{name}/{path}" for path in [*contents(release), SUMS]})
        self.assertEqual({path for path, entry in entries.items() if entry.mode & 0o111}, {f"{name}/try"})
        self.assertEqual({(entry.uid, entry.gid, entry.uname) for entry in entries.values()}, {(0, 0, "")})

    def test_no_file_but_the_functions_depends_on_this_machine(self) -> None:
        for name in contents(release):
            if not name.endswith(".zip"):
                for path in (ROOT, Path.home()):
                    self.assertNotIn(f"{path}/".encode(), (release / name).read_bytes(), name)

    def test_the_licences_texts_are_those_of_what_is_linked(self) -> None:
        text = (release / "THIRD-PARTY-LICENSES.txt").read_text()
        for crate in linked_crates(ARCHITECTURE):
            self.assertEqual(f"{crate.name} {crate.version}" in text, not crate.is_ours, crate.name)
        self.assertIn("Independent JPEG Group", text)
        self.assertIn("Copyright (c) 2010, Google Inc.", text)  # libwebp
        self.assertIn("SPDX-License-Identifier: Apache-2.0 OR ISC", text)  # AWS-LC


class Bill(unittest.TestCase):
    """The software bill of materials."""

    def setUp(self) -> None:
        self.text = (release / f"functions-{ARCHITECTURE}.cdx.json").read_text()
        self.components = {(one["name"], one["version"]): one for one in json.loads(self.text)["components"]}

    def test_it_is_cyclonedx(self) -> None:
        self.assertIsNone(JsonStrictValidator(SchemaVersion.V1_6).validate_str(self.text))

    def test_it_lists_every_crate_that_the_functions_name(self) -> None:
        # Where it may panic, a function has the path of a source, and that the name of a crate.
        named = set()
        for name in binaries(TEMPLATE.read_text()):
            code = (FUNCTIONS / name / "bootstrap").read_bytes()
            named |= set(re.findall(rb"(?:registry/src/[^/]+|crates)/([a-z0-9_-]+)-(\d+\.\d+\.\d+)/", code))
        self.assertGreater(len(named), 30)
        self.assertEqual({(name.decode(), version.decode()) for name, version in named} - set(self.components), set())

    def test_it_names_the_compiler_whose_library_is_linked(self) -> None:
        version = run("rustc", "--version").stdout.split()[1]
        self.assertIn(("Rust standard library", version), self.components)

    def test_it_lists_no_crate_that_only_builds_or_tests(self) -> None:
        listed = {name for name, _ in self.components}
        for name in ("cc", "cmake", "syn", "serde_derive", "stateright", "ureq", "criterion"):
            self.assertIn(f'name = "{name}"\n', (ROOT / "Cargo.lock").read_text())
            self.assertNotIn(name, listed)

    def test_every_crate_has_a_licence_that_may_be_linked(self) -> None:
        (allowed,) = re.findall(r"(?m)^allow = \[(.*)\]$", (ROOT / "deny.toml").read_text())
        names, licensing = set(re.findall(r'"(.+?)"', allowed)), get_spdx_licensing()
        for key, component in self.components.items():
            (choice,) = component["licenses"]
            text = choice.get("expression") or choice["license"]["id"]
            self.assertTrue(permits(licensing.parse(text), names), f"{key}: {text}")

    def test_it_has_the_checksums_of_the_lockfile(self) -> None:
        lockfile = (ROOT / "Cargo.lock").read_text()
        for (name, version), component in self.components.items():
            if name not in ("photo-thumbnail", "Rust standard library"):
                (hashed,) = component["hashes"]
                self.assertIn(f'name = "{name}"\nversion = "{version}"\n', lockfile)
                self.assertIn(f'checksum = "{hashed["content"]}"\n', lockfile)

    def test_it_lists_the_library_of_every_crate_with_sources_in_c(self) -> None:
        of_others = [crate for crate in linked_crates(ARCHITECTURE) if not crate.is_ours]
        in_c = {crate.name for crate in of_others if any(crate.folder.rglob("*.c"))}
        listed = {name for (name, _), component in self.components.items() if "components" in component}
        self.assertEqual(in_c, listed)
        self.assertGreaterEqual(len(listed), 3)


def permits(expression: Any, allowed: set[str]) -> bool:
    """Whether a licence's expression can be kept with these licences."""
    if not expression.args:
        return str(expression) in allowed
    together = all if expression.operator == "AND" else any
    return together(permits(part, allowed) for part in expression.args)


class Templates(unittest.TestCase):
    def test_parameters_and_resources_are_those_of_the_project(self) -> None:
        project, released = yaml_parse(TEMPLATE.read_text()), template()
        self.assertEqual(released["Parameters"]["Architecture"]["AllowedValues"], [ARCHITECTURE])
        self.assertEqual(released["Parameters"]["Architecture"]["Default"], ARCHITECTURE)
        for changed in (project, released):
            for member in ("AllowedValues", "Default"):
                del changed["Parameters"]["Architecture"][member]
            for resource in changed["Resources"].values():
                if resource["Type"] == "AWS::Serverless::Function":
                    del resource["Properties"]["CodeUri"]
                    resource.pop("Metadata", None)
        self.assertEqual(released, project)

    def test_the_code_is_in_the_files_beside_it(self) -> None:
        functions = [one for one in template()["Resources"].values() if one["Type"] == "AWS::Serverless::Function"]
        codes = {function["Properties"]["CodeUri"] for function in functions}
        self.assertEqual(codes, {package_name(name, ARCHITECTURE) for name in binaries(TEMPLATE.read_text())})
        for code in codes:
            self.assertTrue((release / code).is_file())

    def test_a_release_for_arm64_names_its_own_packages(self) -> None:
        text = release_template(TEMPLATE.read_text(), "arm64")
        self.assertIn("      CodeUri: thumbnail-arm64.zip\n", text)
        self.assertNotIn("x86_64.zip", text)
        self.assertEqual(yaml_parse(text)["Parameters"]["Architecture"]["Default"], "arm64")

    def test_a_function_that_is_built_in_another_way_is_refused(self) -> None:
        text = TEMPLATE.read_text()
        for part, instead in (("CodeUri: .", "CodeUri: src"), ("rust-cargolambda", "makefile")):
            changed = text.replace(part, instead, 1)
            with self.assertRaisesRegex(Problem, r"template\.yaml has \d+ functions, of which \d+ are built"):
                release_template(changed, "x86_64")

    def test_the_plain_template_has_the_same_parameters_and_needs_no_sam(self) -> None:
        text = (release / "template.json").read_text()
        plain = json.loads(text)
        self.assertNotIn("Transform", plain)
        self.assertNotIn("AWS::Serverless", text)
        code = {"CodeBucket", *code_keys(plain).values()}
        self.assertEqual(set(plain["Parameters"]) - code, set(yaml_parse(TEMPLATE.read_text())["Parameters"]))
        self.assertEqual(set(code_keys(plain)), set(binaries(TEMPLATE.read_text())))

    def test_sam_takes_it_without_a_build(self) -> None:
        environment = os.environ | {"SAM_CLI_TELEMETRY": "0", "AWS_DEFAULT_REGION": "us-east-1"}
        command = (SAM, "validate", "--lint", "--template-file", template_name(ARCHITECTURE))
        result = run(*command, cwd=release, env=environment)
        self.assertEqual(result.returncode, 0, result.stdout)


class Deployed(unittest.TestCase):
    """Releases in the local AWS, deployed as to AWS."""

    @classmethod
    def setUpClass(cls) -> None:
        local_aws = LocalAws(folder / "local-aws")
        cls.addClassCleanup(local_aws.stop)
        cls.endpoint = local_aws.start()
        cls.aws = Clients(cls.endpoint)
        cls.aws.s3.create_bucket(Bucket="packages")

    def thumbnail_of(self, stack: str) -> None:
        """A photo that is uploaded to the stack becomes a thumbnail."""
        names = stack_outputs(self.aws, stack)
        disable_redrive(self.aws, names)
        allow_http(self.aws, names)
        output = io.StringIO()
        with unittest.mock.patch.dict(os.environ, AWS_ENDPOINT_URL=self.endpoint), contextlib.redirect_stdout(output):
            run_photo.run(PHOTO, stack)
        self.assertIn('"status": "READY"', output.getvalue())

    def test_what_sam_packages_can_be_deployed(self) -> None:
        packaged = folder / "packaged.yaml"
        result = run(
            SAM, "package", "--template-file", template_name(ARCHITECTURE), "--s3-bucket", "packages",
            "--output-template-file", packaged, cwd=release,
            env=client_environment(self.endpoint) | {"SAM_CLI_TELEMETRY": "0"},
        )  # fmt: skip
        self.assertEqual(result.returncode, 0, result.stdout)
        apply(self.aws, "packaged", packaged.read_text(), {})
        self.thumbnail_of("packaged")

    def test_the_plain_template_can_be_deployed_from_a_bucket(self) -> None:
        text = (release / "template.json").read_text()
        parameters = {"CodeBucket": "packages", "Architecture": ARCHITECTURE}
        for binary, parameter in code_keys(json.loads(text)).items():
            parameters[parameter] = f"releases/{package_name(binary, ARCHITECTURE)}"
            self.aws.s3.upload_file(release / package_name(binary, ARCHITECTURE), "packages", parameters[parameter])
        apply(self.aws, "plain", text, parameters)
        self.thumbnail_of("plain")


class Try(unittest.TestCase):
    def path_without_compilers(self) -> str:
        tools = folder / "tools"
        if not tools.exists():
            tools.mkdir()
            for tool in TOOLS:
                (tools / tool).symlink_to(shutil.which(tool))
            (tools / "python3").symlink_to(Path(sys.executable).resolve())
        for compiler in COMPILERS:
            self.assertIsNone(shutil.which(compiler, path=str(tools)))
        return str(tools)

    def run_try(self, path: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        environment = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
        return run(path, *arguments, cwd=folder, env=environment | {"PATH": self.path_without_compilers()})

    def test_an_unpacked_release_processes_a_photo_without_a_compiler(self) -> None:
        with tarfile.open(archive) as tar:
            tar.extractall(folder / "unpacked")
        (unpacked,) = (folder / "unpacked").iterdir()
        first = self.run_try(unpacked / "try")
        self.assertEqual(first.returncode, 0, first.stdout)
        for shown in ("installing a local AWS", "1331 x 2000 pixels", '"status": "READY"', '"takenAt": "2024-04-06'):
            self.assertIn(shown, first.stdout)
        thumbnail = unpacked / "out" / PHOTO.name
        self.assertEqual(thumbnail.read_bytes()[:3], b"\xff\xd8\xff")

        # Once it is installed, it takes photos of one's own, and less than a minute.
        photo = folder / "my photo.jpg"
        shutil.copy(PHOTO, photo)
        started = time.monotonic()
        second = self.run_try(unpacked / "try", photo)
        self.assertEqual(second.returncode, 0, second.stdout)
        self.assertNotIn("installing", second.stdout)
        self.assertIn("tokyo trip/my photo.jpg", second.stdout)
        self.assertLess(time.monotonic() - started, SECONDS)

        # What claims to be no picture has no item to wait for.
        text = folder / "notes.pdf"
        text.write_text("a text")
        ignored = self.run_try(unpacked / "try", text)
        self.assertEqual(ignored.returncode, 1, ignored.stdout)
        self.assertRegex(ignored.stdout, r"(?m)^error: the function ignored tokyo trip/notes\.pdf: NotAPhoto: its name ")
        # What it leaves in its folder is no part of the release.
        self.assertEqual(contents(unpacked), contents(release))

    def test_it_says_what_is_wrong(self) -> None:
        (folder / "broken.tar.gz").write_bytes(archive.read_bytes()[:1000])
        with tarfile.open(folder / "escapes.tar.gz", "w:gz") as tar:
            tar.addfile(tarfile.TarInfo("s3-photo-thumbnailer/../../escaped"))
        (folder / "empty").mkdir()
        for arguments, message in (
            (["--release", folder / "empty"], "is no release with functions for "),
            (["--release", folder / "broken.tar.gz"], "is no release: "),
            (["--release", folder / "escapes.tar.gz"], "which is not a file inside of its folder"),
            ([folder / "no.jpg"], "no.jpg is no file"),
        ):
            with self.subTest(message):
                result = self.run_try(release / "try", *arguments)
                self.assertEqual(result.returncode, 1)
                self.assertRegex(result.stdout, rf"^error: .*{re.escape(message)}")
                self.assertNotIn("Traceback", result.stdout)


if __name__ == "__main__":
    unittest.main()
