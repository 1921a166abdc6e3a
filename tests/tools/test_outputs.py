"""What a command about a stack says before it finds one: `make test-tools`."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from photos_dev.problem import Problem
from photos_dev.stack.outputs import stack_outputs

# Nothing of this machine's configuration, and no question to it whether it is in AWS.
NOTHING = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
}


class WithoutConfiguration(unittest.TestCase):
    def test_a_missing_region_and_missing_credentials_are_named_with_what_sets_them(self) -> None:
        for environment, message in (({}, "AWS_DEFAULT_REGION"), ({"AWS_DEFAULT_REGION": "eu-west-1"}, "AWS_PROFILE")):
            # boto3 keeps a session with what it has read.
            with (
                self.subTest(message),
                mock.patch.dict(os.environ, NOTHING | environment, clear=True),
                mock.patch("boto3.DEFAULT_SESSION", None),
                self.assertRaisesRegex(Problem, f"^no .*: set {message}"),
            ):
                stack_outputs("photos")


if __name__ == "__main__":
    unittest.main()
