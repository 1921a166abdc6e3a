"""The end of a command: an exit code, and one line about the error."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import NoReturn


class Problem(Exception):
    """An error with a message for the user."""


def exit_with(command: Callable[[], int]) -> NoReturn:
    try:
        sys.exit(command())
    except Problem as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
