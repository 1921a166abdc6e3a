"""The chart of `make scale`, in the style of those of `make bench`."""

from __future__ import annotations

import math
from collections.abc import Sequence

from photos_dev.benches.charts import circle, document, line, text
from photos_dev.scale.questions import HOLD_S, Held

# Beside the style of all charts: lines in the colours of the bars, dashed for the slowest photos.
STYLE = """<style>
.curve { fill: none; stroke-width: 2 }
.curve.crate { stroke: #d1480f }
.curve.peer { stroke: #5b7fa6 }
.tail { stroke-dasharray: 5 4 }
.dot.floor { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  .curve.crate { stroke: #f0743e }
  .curve.peer { stroke: #6f96c2 }
  .dot.floor { fill: #6e7681 }
}
</style>"""

TOP, HEIGHT, PANEL = 148, 250, 330
LEFTS = (72, 482)
SECONDS = {1: "1 s", 10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h"}
LEAST_S, MOST_S = 0.7, 3600.0


def chart(panels: Sequence[tuple[str, list[Held], list[Held]]]) -> str:
    """p50 and p99 from upload to READY against the rate, for each delivery: a panel for each account."""
    parts = [STYLE, *legend()]
    for left, (title, direct, queue) in zip(LEFTS, panels):
        parts += panel(left, title, direct, queue)
    subtitle = f"From upload to READY, photos a second for {HOLD_S} s; a simulation, nothing was run on AWS"
    return document(TOP + HEIGHT + 62, "Scale", subtitle, parts)


def legend() -> list[str]:
    parts: list[str] = []
    names = (("S3 direct, p50", "crate"), ("p99", "crate tail"), ("queue, p50", "peer"), ("p99", "peer tail"))
    x = LEFTS[0]
    for name, kind in names:
        parts += [line([(x, 84), (x + 26, 84)], f"curve {kind}"), text(x + 32, 88, name, "quiet")]
        x += 44 + 7 * len(name)
    parts += [circle(x + 8, 84, "floor"), text(x + 20, 88, "some photos are dead letters", "quiet")]
    return parts


def panel(left: float, title: str, direct: list[Held], queue: list[Held]) -> list[str]:
    most = max(held.rate for held in direct)

    def place(rate: float, seconds: float) -> tuple[float, float]:
        across = math.log10(rate) / math.log10(most)
        up = math.log(min(max(seconds, LEAST_S), MOST_S) / LEAST_S) / math.log(MOST_S / LEAST_S)
        return left + PANEL * across, TOP + HEIGHT * (1 - up)

    parts = [text(left, TOP - 16, title, "quiet")]
    for seconds, name in SECONDS.items():
        _, y = place(1, seconds)
        parts += [line([(left, y), (left + PANEL, y)], "grid"), text(left - 8, y + 4, name, "quiet", "end")]
    for power in range(round(math.log10(most)) + 1):
        x, _ = place(10**power, LEAST_S)
        parts.append(text(x, TOP + HEIGHT + 18, f"{10**power:,}", "quiet", "middle"))
    parts.append(text(left + PANEL / 2, TOP + HEIGHT + 38, "photos a second", "quiet", "middle"))
    dots = []
    for all_results, kind in ((direct, "crate"), (queue, "peer")):
        results = [held for held in all_results if held.result.ready]
        tail = [place(held.rate, held.result.p99_s) for held in results]
        parts.append(line([place(held.rate, held.result.p50_s) for held in results], f"curve {kind}"))
        parts.append(line(tail, f"curve {kind} tail"))
        dots += [circle(x, y, "floor") for held, (x, y) in zip(results, tail) if held.result.dead]
    return parts + dots
