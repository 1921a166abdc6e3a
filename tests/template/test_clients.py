"""Whether the CDK stack and the Terraform module offer what the template has: `make test-template`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "dev"))

from photos_dev.dist import clients  # noqa: E402
from photos_dev.dist.plain import plain_template  # noqa: E402

TEMPLATE = plain_template(ROOT / "template.yaml")
CODE = {"CodeBucket", "ThumbnailCodeKey", "UploadUrlCodeKey"}
PARAMETERS = {name: one for name, one in TEMPLATE["Parameters"].items() if name not in CODE}
TERRAFORM = ROOT / "clients/terraform"


class Generated(unittest.TestCase):
    def test_every_file_is_what_the_generator_would_write(self) -> None:
        for path, text in clients.files(TEMPLATE).items():
            written = (ROOT / path).read_text()
            self.assertTrue(written == text, f"{path} is not that of template.yaml: run `{clients.COMMAND}`")

    def test_names_can_be_told_from_each_other_in_every_spelling(self) -> None:
        names = [*PARAMETERS, *TEMPLATE["Outputs"]]
        for spell in (clients.snake_case, lambda name: name[0].lower() + name[1:]):
            self.assertEqual(len({spell(name) for name in names}), len(names))
        self.assertEqual(clients.snake_case("OriginalsKmsKeyArn"), "originals_kms_key_arn")


class Packages(unittest.TestCase):
    def test_packages_have_the_version_of_the_functions(self) -> None:
        (version,) = re.findall(r'(?m)^\[workspace\.package\]\nversion = "([\d.]+)"', (ROOT / "Cargo.toml").read_text())
        packages = [*ROOT.glob("clients/*/package.json"), *ROOT.glob("clients/*/package-lock.json")]
        self.assertGreaterEqual(len(packages), 2)
        for path in packages:
            self.assertEqual(json.loads(path.read_text())["version"], version, path)


class Typescript(unittest.TestCase):
    text = (ROOT / "clients/cdk/src/parameters.ts").read_text()

    def test_each_parameter_is_a_property_of_its_type(self) -> None:
        types = dict(re.findall(r"(?m)^  readonly (\w+)\?: (.*);$", self.text))
        self.assertEqual(set(types), {name[0].lower() + name[1:] for name in PARAMETERS})
        expected = {
            "memorySize": "number",
            "queue": "boolean",
            "resampling": "'best' | 'fast'",
            "uploadOrigins": "string[]",
            "originalsPrefix": "string",
        }
        self.assertEqual({name: types[name] for name in expected}, expected)
        self.assertTrue(types["logRetentionDays"].startswith("1 | 3 | 5 | "))

    def test_each_property_says_what_it_is_and_its_default(self) -> None:
        comments = re.findall(r"(?s)/\*\*(.*?)\*/\n  readonly (\w+)", self.text.split("export interface")[1])
        for (comment, _), parameter in zip(comments, PARAMETERS.values(), strict=True):
            words = " ".join(comment.replace("*", " ").split())
            self.assertTrue(words.startswith(" ".join(parameter["Description"].replace("*", " ").split())), words)
            self.assertIn("@default", words)


class Terraform(unittest.TestCase):
    def test_each_parameter_is_a_variable_and_each_output_an_output(self) -> None:
        variables = re.findall(r'(?m)^variable "(\w+)"', (TERRAFORM / "variables.tf").read_text())
        self.assertEqual(variables, [clients.snake_case(name) for name in PARAMETERS])
        outputs = re.findall(r'(?m)^output "(\w+)"', (TERRAFORM / "outputs.tf").read_text())
        self.assertEqual(outputs, [clients.snake_case(name) for name in TEMPLATE["Outputs"]])

    def test_the_stack_makes_roles_of_no_name_so_that_the_module_may_make_it(self) -> None:
        self.assertIn('capabilities = ["CAPABILITY_IAM"]', (TERRAFORM / "main.tf").read_text())
        for name, resource in TEMPLATE["Resources"].items():
            self.assertEqual({"RoleName", "ManagedPolicyName"} & set(resource.get("Properties", {})), set(), name)

    def test_the_module_gives_the_code_to_the_parameters_that_ask_for_it(self) -> None:
        main = (TERRAFORM / "main.tf").read_text()
        packages = dict(re.findall(r'(\w+) += "\$\{var\.release\}/([\w-]+)-\$\{var\.architecture\}\.zip"', main))
        self.assertEqual(packages, {key: binary for binary, key in clients.code_keys(TEMPLATE).items()})


@unittest.skipUnless(shutil.which("terraform"), "terraform is not installed")
class WithTerraform(unittest.TestCase):
    """What terraform itself says. The module's resources need AWS's provider, which is not there: it is not applied."""

    def terraform(self, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
        offline = os.environ | {"CHECKPOINT_DISABLE": "1"}
        return subprocess.run(["terraform", f"-chdir={folder}", *command], env=offline, capture_output=True, text=True)

    def test_the_module_is_formatted(self) -> None:
        result = self.terraform(TERRAFORM, "fmt", "-check", "-diff")
        self.assertEqual(result.returncode, 0, result.stdout + result.stderr)

    def parameters(self, **given: Any) -> tuple[dict[str, str], str]:
        """What terraform gives to the template for these variables, and its complaints."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            for file in ("variables.tf", "parameters.tf"):
                shutil.copy(TERRAFORM / file, folder)
            as_texts = "{ for name, value in local.parameters : name => tostring(value) }"
            (folder / "output.tf").write_text(f'output "parameters" {{\n  value = {as_texts}\n}}\n')
            (folder / "terraform.tfvars.json").write_text(json.dumps(given))
            started = self.terraform(folder, "init", "-no-color")
            self.assertEqual(started.returncode, 0, started.stderr)
            applied = self.terraform(folder, "apply", "-auto-approve", "-no-color")
            shown = self.terraform(folder, "output", "-json", "parameters")
            return json.loads(shown.stdout or "{}"), " ".join(applied.stderr.replace("│", " ").split())

    def test_its_defaults_are_those_of_the_template(self) -> None:
        given, complaints = self.parameters()
        self.assertEqual(given, {name: str(one["Default"]) for name, one in PARAMETERS.items()}, complaints)

    def test_lists_numbers_and_booleans_reach_the_template_as_it_takes_them(self) -> None:
        given, complaints = self.parameters(upload_origins=["https://a.example", "https://b.example"], queue=True, memory_size=512)
        self.assertEqual(given["UploadOrigins"], "https://a.example,https://b.example", complaints)
        self.assertEqual((given["Queue"], given["MemorySize"]), ("true", "512"))

    def test_what_the_template_would_not_take_is_refused_before_aws_is_asked(self) -> None:
        refused = {"memory_size": 64, "resampling": "worst", "originals_prefix": "with space/", "log_retention_days": 2}
        given, complaints = self.parameters(**refused)
        self.assertEqual(given, {})
        for message in ("from 256 to 10240", "one of best, fast", "at most 200 letters", "one of 1, 3, 5"):
            self.assertIn(f"The value must be {message}", complaints)


if __name__ == "__main__":
    unittest.main()
