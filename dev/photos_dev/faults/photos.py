"""The uploads: photos that show different things, and unprocessable files."""

from __future__ import annotations

from collections.abc import Callable

from photos_dev.jpeg import commented
from photos_dev.paths import PHOTO, ROOT

REFERENCE = PHOTO
GOLDEN = ROOT / "photo/tests/golden/photos"

# Bytes by number. The kind decides what they show; the number changes their ETag.
Kind = Callable[[int], bytes]


def numbered(jpeg: bytes) -> Kind:
    """The same picture with many ETags, always with the same number of bytes."""
    return lambda number: commented(jpeg, b"%08d" % number)


def golden(name: str) -> bytes:
    return (GOLDEN / f"{name}.jpg").read_bytes()


def small() -> dict[str, Kind]:
    names = ["jpeg-orientation-6", "jpeg-progressive", "jpeg-gray", "jpeg-cmyk-profile"]
    return {name: numbered(golden(name)) for name in names}


def unprocessable() -> dict[str, Kind]:
    jpeg = numbered(golden("jpeg-420"))
    return {
        "empty": lambda number: b"",
        "text": lambda number: b"This is no photo, but text number %08d." % number,
        "truncated": lambda number: jpeg(number)[:1500],
        "avif": lambda number: b"\0\0\0\x18ftypavif\0\0\0\0mif1avif" + b"%08d" % number,
    }
