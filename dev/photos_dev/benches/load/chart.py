"""The chart of `make load-compare`, in the style of those of `make bench`."""

from __future__ import annotations

from dataclasses import dataclass

from photos_dev.benches.charts import document, rectangle, text


@dataclass(frozen=True)
class Bar:
    name: str
    workers: str
    is_ours: bool
    cpu_s: float
    times: float
    memory_mb: float
    dollars: float


def costs(bars: list[Bar], subtitle: str) -> str:
    """Horizontal bars of CPU time and memory, with the cost beside them."""
    top, row, thick = 116, 44, 20
    cpu_left, cpu_width = 252, 180
    memory_left, memory_width = 540, 120
    cpu_scale = cpu_width / max(bar.cpu_s for bar in bars)
    memory_scale = memory_width / max(bar.memory_mb for bar in bars)
    dollars_right = 812
    parts = [
        text(cpu_left, top - 16, "CPU time of the batch, and × this project's", "quiet"),
        text(memory_left, top - 16, "peak memory, all processes", "quiet"),
        text(dollars_right, top - 16, "a million photos", "quiet", "end"),
    ]
    for number, bar in enumerate(bars):
        y = top + number * row
        middle = y + thick / 2 + 4.5
        kind = "crate" if bar.is_ours else "peer"
        cpu, memory = bar.cpu_s * cpu_scale, bar.memory_mb * memory_scale
        parts += [
            text(cpu_left - 12, y + 9, bar.name, f"name {kind}", "end"),
            text(cpu_left - 12, y + 24, bar.workers, "quiet", "end"),
            rectangle(cpu_left, y, cpu, thick, kind),
            text(cpu_left + cpu + 6, middle, f"{bar.cpu_s:.1f} s · {bar.times:.1f}×"),
            rectangle(memory_left, y, memory, thick, kind),
            text(memory_left + memory + 6, middle, f"{bar.memory_mb:.0f} MB"),
            text(dollars_right, middle, f"${bar.dollars:.2f}", "", "end"),
        ]
    height = top + len(bars) * row + 8
    return document(height, "Cost of a batch of photos", subtitle, parts)
