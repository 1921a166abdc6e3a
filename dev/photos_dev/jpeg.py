"""Changes to JPEGs that need no decoding, for tests and benches."""

from __future__ import annotations


def commented(jpeg: bytes, comment: bytes) -> bytes:
    """The same picture with another ETag: a comment is added as its first segment (ITU-T T.81, B.2.4.5)."""
    return jpeg[:2] + b"\xff\xfe" + (2 + len(comment)).to_bytes(2, "big") + comment + jpeg[2:]
