"""What tests and benches do to JPEGs without decoding them."""

from __future__ import annotations


def commented(jpeg: bytes, comment: bytes) -> bytes:
    """The same picture under another ETag: its first segment is a comment (ITU-T T.81, B.2.4.5)."""
    return jpeg[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + jpeg[2:]
