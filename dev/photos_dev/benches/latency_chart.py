"""The chart of `make latency`, in the style of those of `make bench`."""

from __future__ import annotations

from collections.abc import Iterable

from photos_dev.benches.charts import document, line, rectangle, text

TOP, ROW, THICK = 100, 30, 14
LEFT, WIDTH = 330, 400


def chart(bars: Iterable[tuple[str, float, float]], processor: str) -> str:
    """A bar for each way: its time a photo, and a line where the ideal is."""
    bars = list(bars)
    scale = WIDTH / max(ms for _, ms, _ in bars)
    parts = [text(LEFT, TOP - 14, "time a photo, ms; the line is the ideal", "quiet")]
    for number, (name, ms, ideal_ms) in enumerate(bars):
        y = TOP + number * ROW
        ideal = LEFT + ideal_ms * scale
        parts += [
            text(LEFT - 12, y + THICK - 2, name, "", "end"),
            rectangle(LEFT, y, ms * scale, THICK, "crate"),
            line([(ideal, y - 4), (ideal, y + THICK + 4)], "line"),
            text(max(LEFT + ms * scale, ideal) + 6, y + THICK - 2, f"{ms:.0f} ms · {ms / ideal_ms:.2f}×"),
        ]
    subtitle = f"The function behind the waits of S3 and DynamoDB; {processor}"
    return document(TOP + len(bars) * ROW + 8, "Waiting", subtitle, parts)
