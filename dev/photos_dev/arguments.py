"""Numbers in command lines, for argparse's `type`."""

from __future__ import annotations

from argparse import ArgumentTypeError
from collections.abc import Callable
from typing import TypeVar

Number = TypeVar("Number", int, float)


def whole(least: int, most: int | None = None) -> Callable[[str], int]:
    """A whole number within bounds, which belong to it."""
    return bounded(int, "a whole number", least, most)


def number(least: float, most: float | None = None) -> Callable[[str], float]:
    """A number within bounds, which belong to it."""
    return bounded(float, "a number", least, most)


def bounded(kind: type[Number], what: str, least: Number, most: Number | None) -> Callable[[str], Number]:
    def checked(text: str) -> Number:
        try:
            value = kind(text)
        except ValueError:
            value = None
        # A comparison with NaN is false.
        if value is None or not value >= least or (most is not None and value > most):
            bounds = f"at least {least}" if most is None else f"{least} to {most}"
            raise ArgumentTypeError(f"{text!r} is not {what}, {bounds}")
        return value

    return checked
