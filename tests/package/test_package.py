"""What `sam build` made of the functions, before they are deployed: `make test` builds them first."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import unittest
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
# The folders are named by the template's functions, and by the package's binaries.
FUNCTIONS = {"ThumbnailFunction": "thumbnail", "UploadUrlFunction": "upload-url"}
LARGEST_PACKAGE = 7_000_000  # bytes
# Of Amazon Linux 2023 (https://docs.aws.amazon.com/linux/al2023/ug/glibc.html).
GLIBC = (2, 34)


def bootstrap(function: str) -> Path:
    return ROOT / ".aws-sam/build" / function / "bootstrap"


class Package(unittest.TestCase):
    def test_sam_has_built_every_function_as_an_executable(self) -> None:
        for function in FUNCTIONS:
            self.assertTrue(os.access(bootstrap(function), os.X_OK), bootstrap(function))

    def test_what_the_tests_run_is_what_sam_deploys(self) -> None:
        for function, binary in FUNCTIONS.items():
            tested = ROOT / "target/lambda" / binary / "bootstrap"
            self.assertEqual(tested.read_bytes(), bootstrap(function).read_bytes(), function)

    def test_a_package_is_at_most_7_mb(self) -> None:
        for function in FUNCTIONS:
            with tempfile.TemporaryFile() as package:
                with zipfile.ZipFile(package, "w", zipfile.ZIP_DEFLATED) as archive:
                    archive.write(bootstrap(function), "bootstrap")
                self.assertLessEqual(package.tell(), LARGEST_PACKAGE, function)

    def test_no_function_says_where_it_was_built(self) -> None:
        # So the same commit gives the same bytes in every folder: `make dist-check`.
        cargo_home = os.environ.get("CARGO_HOME") or Path.home() / ".cargo"
        for function in FUNCTIONS:
            code = bootstrap(function).read_bytes()
            self.assertIn(b"crates/", code, function)
            for path in (ROOT, cargo_home):
                self.assertNotIn(f"{path}/".encode(), code, function)

    def test_the_function_that_gives_out_urls_has_no_image_code(self) -> None:
        thumbnail, upload_url = (bootstrap(function).read_bytes() for function in FUNCTIONS)
        # A message of libjpeg's, and the names of crates in their panics.
        for code in (b"Improper call to JPEG library", b"fast_image_resize", b"moxcms", b"weezl"):
            self.assertIn(code, thumbnail, "it is no longer a sign of image code")
            self.assertNotIn(code, upload_url)

    def test_nothing_of_a_package_is_newer_than_the_glibc_it_will_meet(self) -> None:
        for function in FUNCTIONS:
            symbols = subprocess.run(
                ["objdump", "-T", bootstrap(function)], capture_output=True, text=True, check=True
            ).stdout
            versions = {tuple(map(int, version)) for version in re.findall(r"GLIBC_(\d+)\.(\d+)", symbols)}
            self.assertTrue(versions, f"{function} is linked to no glibc")
            self.assertLessEqual(max(versions), GLIBC, function)


if __name__ == "__main__":
    unittest.main()
