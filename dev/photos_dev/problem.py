"""How a command ends: with a code, and with one line about what went wrong."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable
from typing import NoReturn


class Problem(Exception):
    """What went wrong, in words for a person."""


def exit_with(command: Callable[[], int]) -> NoReturn:
    try:
        sys.exit(command())
    except Problem as problem:
        sys.exit(f"error: {problem}")
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
