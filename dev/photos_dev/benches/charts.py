"""The two charts of `make bench`, as SVG that is legible on light and dark pages."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

WIDTH = 840
MARGIN = 28

STYLE = """
text { font: 13px system-ui, -apple-system, "Segoe UI", Helvetica, Arial, sans-serif; fill: #1f2328 }
.card { fill: #ffffff; stroke: #d0d7de }
.title { font-size: 17px; font-weight: 600 }
.quiet { fill: #59636e; font-size: 11.5px }
.name.crate { font-weight: 700 }
.grid { stroke: #d0d7de; stroke-width: 1 }
.line { stroke: #8c959f; stroke-width: 1.5; stroke-dasharray: 4 4; fill: none }
.bar.crate, .dot.crate { fill: #d1480f }
.bar.peer, .dot.peer { fill: #5b7fa6 }
.bar.floor { fill: #8c959f }
@media (prefers-color-scheme: dark) {
  text { fill: #e6edf3 }
  .card { fill: #0d1117; stroke: #30363d }
  .quiet { fill: #9198a1 }
  .grid { stroke: #30363d }
  .line { stroke: #6e7681 }
  .bar.crate, .dot.crate { fill: #f0743e }
  .bar.peer, .dot.peer { fill: #6f96c2 }
  .bar.floor { fill: #6e7681 }
}
"""


@dataclass
class Bar:
    name: str
    version: str
    kind: str  # crate, peer or floor
    cpu_ms: float
    floors: float
    memory_mb: float


@dataclass
class Dot:
    name: str
    kind: str
    floors: float
    score: float


def costs(bars: list[Bar], subtitle: str) -> str:
    """Horizontal bars of CPU time, with memory beside them."""
    top, row, thick = 116, 38, 16
    cpu_left, cpu_width = 220, 290
    memory_left, memory_width = 640, 110
    cpu_scale = cpu_width / max(bar.cpu_ms for bar in bars)
    memory_scale = memory_width / max(bar.memory_mb for bar in bars)
    parts = [
        text(cpu_left, top - 16, "CPU time per thumbnail, and in floors", "quiet"),
        text(memory_left, top - 16, "peak memory of the process", "quiet"),
    ]
    for number, bar in enumerate(bars):
        y = top + number * row
        middle = y + thick / 2 + 4.5
        cpu, memory = bar.cpu_ms * cpu_scale, bar.memory_mb * memory_scale
        parts += [
            text(cpu_left - 12, y + 8, bar.name, f"name {bar.kind}", "end"),
            text(cpu_left - 12, y + 22, bar.version, "quiet", "end"),
            rectangle(cpu_left, y, cpu, thick, bar.kind),
            text(cpu_left + cpu + 6, middle, f"{bar.cpu_ms:.0f} ms · {bar.floors:.1f}×"),
            rectangle(memory_left, y, memory, thick, bar.kind),
            text(memory_left + memory + 6, middle, f"{bar.memory_mb:.0f} MB"),
        ]
    height = top + len(bars) * row + 8
    return document(height, "Cost of a thumbnail", subtitle, parts)


def frontier(dots: list[Dot], subtitle: str) -> str:
    """Cost and quality of each way, and a line through the ways that no other beats in both."""
    left, right, top, bottom = 64, WIDTH - MARGIN, 112, 460
    most = max(math.ceil(math.log2(max(dot.floors for dot in dots) * 1.15) * 2) / 2, 1)
    low = math.floor(min(dot.score for dot in dots)) - 1
    high = math.ceil(max(dot.score for dot in dots)) + 1

    def x(floors: float) -> float:
        return left + (right - left) * math.log2(floors) / most

    def y(score: float) -> float:
        return bottom - (bottom - top) * (score - low) / (high - low)

    parts = []
    for power in range(math.floor(most) + 1):
        at = x(2**power)
        parts.append(line([(at, top), (at, bottom)], "grid"))
        parts.append(text(at, bottom + 18, f"{2**power}×", "quiet", "middle"))
    step = max(1, round((high - low) / 6))
    for score in range(low, high + 1, step):
        parts.append(line([(left, y(score)), (right, y(score))], "grid"))
        parts.append(text(left - 8, y(score) + 4, str(score), "quiet", "end"))
    caption = "CPU time in floors (Huffman decoding and encoding), less is better"
    parts.append(text((left + right) / 2, bottom + 42, caption, "quiet", "middle"))
    parts.append(text(MARGIN, top - 16, "SSIMULACRA2, more is better", "quiet"))
    caption = "dashed: the best quality for its cost"
    parts.append(text(right, top - 16, caption, "quiet", "end"))

    steps: list[Point] = []
    for dot in unbeaten(dots):
        if steps:
            steps.append((x(dot.floors), steps[-1][1]))
        steps.append((x(dot.floors), y(dot.score)))
    if len(steps) > 1:
        parts.append(line(steps, "line"))
    places = [(dot, x(dot.floors), y(dot.score)) for dot in dots]
    parts += [circle(at_x, at_y, dot.kind) for dot, at_x, at_y in places]
    parts += labels(places, steps, (left, top, right, bottom))
    return document(bottom + 60, "Quality for that cost", subtitle, parts)


def unbeaten(dots: list[Dot]) -> list[Dot]:
    """The dots that no other beats at the same or lower cost, the cheapest first."""
    result: list[Dot] = []
    for dot in sorted(dots, key=lambda dot: (dot.floors, -dot.score)):
        if not result or dot.score > result[-1].score:
            result.append(dot)
    return result


Point = tuple[float, float]
Box = tuple[float, float, float, float]


def labels(
    places: list[tuple[Dot, float, float]], steps: list[Point], frame: Box
) -> Iterator[str]:
    """A name beside each dot, placed so that it covers no dot, line or other name."""
    taken: list[Box] = [(x - 7, y - 7, x + 7, y + 7) for _, x, y in places]
    for (x, y), (next_x, next_y) in zip(steps, steps[1:]):  # to the right, or up
        taken.append((x - 2, min(y, next_y) - 2, next_x + 2, max(y, next_y) + 2))
    for dot, x, y in places:
        width = len(dot.name) * 7.4
        choices = [(x + 11, y + 4.5, "start"), (x - 11, y + 4.5, "end")]
        for down in (-12, 21, -26, 35):
            choices += [
                (x, y + down, "middle"), (x + 2, y + down, "start"), (x - 2, y + down, "end")
            ]
        boxes = []
        for at_x, at_y, anchor in choices:
            start = at_x - {"start": 0, "middle": width / 2, "end": width}[anchor]
            boxes.append((start, at_y - 11, start + width, at_y + 4))
        costs = [
            sum(overlap(box, other) for other in taken) + 10 * outside(box, frame) for box in boxes
        ]
        best = min(range(len(choices)), key=costs.__getitem__)
        taken.append(boxes[best])
        at_x, at_y, anchor = choices[best]
        yield text(at_x, at_y, dot.name, f"name {dot.kind}", anchor)


def overlap(a: Box, b: Box) -> float:
    across = min(a[2], b[2]) - max(a[0], b[0])
    down = min(a[3], b[3]) - max(a[1], b[1])
    return max(across, 0) * max(down, 0)


def outside(box: Box, frame: Box) -> float:
    area = (box[2] - box[0]) * (box[3] - box[1])
    return area - overlap(box, frame)


def document(height: float, title: str, subtitle: str, parts: list[str]) -> str:
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
        f'width="{WIDTH}" height="{height:.0f}" role="img" aria-label="{escape(title)}">'
    )
    card = (
        f'<rect class="card" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1:.0f}" rx="8"/>'
    )
    return "\n".join([
        head, f"<style>{STYLE}</style>", card,
        text(MARGIN, 36, title, "title"), text(MARGIN, 58, subtitle, "quiet"),
        *parts, "</svg>\n",
    ])


def text(x: float, y: float, content: str, classes: str = "", anchor: str = "start") -> str:
    return (
        f'<text class="{classes}" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">'
        f"{escape(content)}</text>"
    )


def rectangle(x: float, y: float, width: float, height: float, kind: str) -> str:
    return (
        f'<rect class="bar {kind}" x="{x:.1f}" y="{y:.1f}" width="{max(width, 1):.1f}" '
        f'height="{height}" rx="2"/>'
    )


def circle(x: float, y: float, kind: str) -> str:
    return f'<circle class="dot {kind}" cx="{x:.1f}" cy="{y:.1f}" r="6"/>'


def line(points: list[Point], classes: str) -> str:
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return f'<polyline class="{classes}" points="{path}"/>'
