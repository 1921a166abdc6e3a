"""How the commands beside this file end: with a code, and with one line about what went wrong."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import NoReturn

try:
    from botocore.exceptions import BotoCoreError, ClientError
except ModuleNotFoundError:
    sys.exit("error: run this with .venv/bin/python, which `make setup` installs")


class Problem(Exception):
    """What went wrong, in words for a person."""


def exit_with(command: Callable[[], int]) -> NoReturn:
    forget_real_aws()
    try:
        sys.exit(command())
    except Problem as problem:
        sys.exit(f"error: {problem}")
    except (BotoCoreError, ClientError) as error:
        sys.exit(f"error: the local AWS refused a call: {error}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)


def forget_real_aws() -> None:
    """Leaves out the profiles and settings of the AWS that the caller's shell is set up for."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        if name != "AWS_ENDPOINT_URL":
            del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
