"""What a million views of a rendition cost: with presigned URLs of S3, and through CloudFront.

    .venv/bin/python -m photos_dev.benches.load.views

A presigned URL is another one each time, so the browser loads the picture again. A URL with a rendition's version stays
the same, so browsers answer later views themselves. How many these are depends on the viewers: the table has several
shares. CloudFront's own cache is counted as if it had nothing: each request that reaches it is one to S3 too.
"""

from __future__ import annotations

import re

from photos_dev.benches.load import prices
from photos_dev.benches.load.bill import gigabytes
from photos_dev.benches.load.prices import MILLION
from photos_dev.paths import ROOT

# The JPEGs of the test photo in docs/cost.md, in its order.
RENDITIONS = ("thumbnail, `scale=0.25`", "`fit=1600`", "`fit=400`")
# Shares of the views that browsers answer themselves.
KEPT = (0.0, 0.5, 0.9)


def rendition_bytes() -> dict[str, int]:
    (measured,) = re.findall(r"bytes of the renditions, jpeg: (.+)", (ROOT / "docs/cost.md").read_text())
    return dict(zip(RENDITIONS, map(int, measured.split(" + ")), strict=True))


def presigned_dollars(object_bytes: int) -> float:
    return MILLION / 1000 * prices.S3_THOUSAND_GETS + gigabytes(object_bytes) * prices.S3_TRANSFER_GB


def delivered_dollars(object_bytes: int, kept: float) -> float:
    """Through CloudFront, where browsers keep this share of the views."""
    requests = MILLION / 1000 * (prices.CLOUDFRONT_THOUSAND_REQUESTS + prices.S3_THOUSAND_GETS)
    return (1 - kept) * (requests + gigabytes(object_bytes) * prices.CLOUDFRONT_TRANSFER_GB)


def table() -> str:
    """Dollars for a million views, as Markdown."""
    columns = ["rendition", "bytes", "presigned URLs", *(f"CloudFront, browsers keep {kept:.0%}" for kept in KEPT)]
    lines = [columns, ["---", *["---:"] * (len(columns) - 1)]]
    for name, size in rendition_bytes().items():
        dollars = [presigned_dollars(size), *(delivered_dollars(size, kept) for kept in KEPT)]
        lines.append([name, f"{size:,}", *(f"{amount:.2f}" for amount in dollars)])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    print(table())
