"""Wrapper of the commands that call the local AWS."""

from __future__ import annotations

import os
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

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
