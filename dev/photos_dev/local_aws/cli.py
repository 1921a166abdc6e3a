"""How commands that speak with the local AWS begin and end."""

from __future__ import annotations

import os
from collections.abc import Callable

from botocore.exceptions import BotoCoreError, ClientError

from photos_dev.problem import Problem


def on_local_aws(command: Callable[[], int]) -> Callable[[], int]:
    """The command, which can reach no other AWS; what the local one refuses is a problem."""

    def calling_aws() -> int:
        forget_real_aws()
        try:
            return command()
        except (BotoCoreError, ClientError) as error:
            raise Problem(f"the local AWS refused a call: {error}") from error

    return calling_aws


def forget_real_aws() -> None:
    """Leaves out the profiles and settings of the AWS that the caller's shell is set up for."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        if name not in ("AWS_ENDPOINT_URL", "AWS_CA_BUNDLE"):
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
