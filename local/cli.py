"""How the commands beside this file, which speak with the local AWS, begin and end."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import NoReturn

import problem
from problem import Problem

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ModuleNotFoundError:
    sys.exit("error: run this with .venv/bin/python, which `make setup` installs")


def exit_with(command: Callable[[], int]) -> NoReturn:
    forget_real_aws()

    def calling_aws() -> int:
        try:
            return command()
        except (BotoCoreError, ClientError) as error:
            raise Problem(f"the local AWS refused a call: {error}") from error

    problem.exit_with(calling_aws)


def forget_real_aws() -> None:
    """Leaves out the profiles and settings of the AWS that the caller's shell is set up for."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        if name not in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
