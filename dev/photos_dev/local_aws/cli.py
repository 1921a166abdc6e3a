"""What the commands that call an AWS on this machine share."""

from __future__ import annotations

import argparse
import os
from collections.abc import Callable
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError

from photos_dev.paths import FUNCTIONS
from photos_dev.problem import Problem


def on_local_aws(command: Callable[[], int]) -> Callable[[], int]:
    """The command, made unable to reach another AWS. A refusal by the local AWS becomes a Problem."""

    def calling_aws() -> int:
        forget_real_aws()
        try:
            return command()
        except (BotoCoreError, ClientError) as error:
            raise Problem(f"the local AWS refused a call: {error}") from error

    return calling_aws


def forget_real_aws() -> None:
    """Removes the AWS profiles and settings of the caller's shell."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        if name not in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull


def add_deploy_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--stack", metavar="NAME", required=True, help="name of the stack")
    parser.add_argument(
        "--functions",
        metavar="DIR",
        type=Path,
        default=FUNCTIONS,
        help="folder of the built functions, NAME/bootstrap (default: that of `make build`)",
    )
    for option, form, help in (
        ("--parameter", "Key=Value", "parameters of the template"),
        ("--environment", "KEY=VALUE", "more variables for the functions"),
    ):
        parser.add_argument(
            option, metavar=form, nargs="+", action="extend", type=assignment, default=[], help=help
        )


def assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value
