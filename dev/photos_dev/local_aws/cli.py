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
    parser.add_argument(
        "--parameter",
        metavar="Key=Value",
        nargs="+",
        action="extend",
        type=assignment,
        default=[],
        help="parameters of the template",
    )
    parser.add_argument(
        "--environment",
        metavar="KEY=VALUE",
        nargs="+",
        action="extend",
        type=assignment,
        default=[],
        help="more variables for the functions",
    )


def assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} is not of the form NAME=VALUE")
    return name, value
