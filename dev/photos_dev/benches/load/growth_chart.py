"""The chart of `make growth`, in the style of those of `make bench`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from photos_dev.benches.charts import circle, document, line, text


@dataclass(frozen=True)
class Point:
    at: int  # megapixels, or photos an event
    cpu_ms: float  # of a photo
    memory_mb: float  # peak memory of the process


@dataclass(frozen=True)
class Frame:
    """Place and size of a diagram, and the ends of its axes."""

    left: float
    top: float
    width: float
    height: float
    most_x: float
    most_y: float

    def place(self, x: float, y: float) -> tuple[float, float]:
        return (
            self.left + self.width * x / self.most_x,
            self.top + self.height * (1 - y / self.most_y),
        )


def chart(by_megapixels: list[Point], by_records: list[Point], processor: str) -> str:
    """CPU time and memory against megapixels, above the same against photos an event."""
    columns, rows = (72, 476), (112, 386)
    parts: list[str] = []
    for (caption, points), top in zip(
        (("megapixels of the photo", by_megapixels), ("photos of the event", by_records)), rows
    ):
        for (title, values), left in zip(
            (
                ("CPU time a photo, ms", [point.cpu_ms for point in points]),
                ("peak memory of the process, MB", [point.memory_mb for point in points]),
            ),
            columns,
        ):
            parts += diagram(left, top, title, caption, [point.at for point in points], values)
    subtitle = f"Photos as detailed as the test photo; {processor}"
    return document(632, "Growth of the cost", subtitle, parts)


def diagram(
    left: float, top: float, title: str, caption: str, xs: list[int], ys: list[float]
) -> list[str]:
    frame = Frame(left, top, 310, 180, max(xs) * 1.04, nice(max(ys) * 1.08))
    bottom = frame.top + frame.height
    parts = [text(left - 44, top - 14, title, "quiet")]
    for part in range(5):
        y = frame.most_y * part / 4
        _, at = frame.place(0, y)
        parts.append(line([(left, at), (left + frame.width, at)], "grid"))
        parts.append(text(left - 8, at + 4, f"{y:g}", "quiet", "end"))
    for x in ticks(max(xs)):
        at, _ = frame.place(x, 0)
        parts.append(text(at, bottom + 18, f"{x:g}", "quiet", "middle"))
    parts.append(text(left + frame.width / 2, bottom + 36, caption, "quiet", "middle"))
    places = [frame.place(x, y) for x, y in zip(xs, ys)]
    parts.append(line(places, "line"))
    return parts + [circle(x, y, "crate") for x, y in places]


def nice(most: float) -> float:
    """The next of 1, 2, 4, 6, 8 times a power of ten: its quarters are short numbers."""
    power = 10 ** math.floor(math.log10(most))
    return next(power * factor for factor in (1, 2, 4, 6, 8, 10, 12) if power * factor >= most)


def ticks(most: float) -> list[float]:
    return [nice(most) / 4 * part for part in range(5) if nice(most) / 4 * part <= most * 1.04]
