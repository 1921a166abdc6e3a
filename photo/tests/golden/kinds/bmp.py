"""BMP, written here because Pillow writes only four of its many kinds.

https://learn.microsoft.com/en-us/windows/win32/gdi/bitmap-storage"""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np

from .colour import on_white, rounded
from .photo import (
    MEDIUM,
    SMALL,
    Photo,
    alpha_picture,
    gray_picture,
    packed,
    palette,
    picture,
    quantised,
)

NO_COLOURS = np.empty((0, 3), np.uint8)
PLAIN, RLE8, BITFIELDS = 0, 1, 3
MASKS_565 = struct.pack("<3I", 0xF800, 0x07E0, 0x001F)
MASKS_8888 = struct.pack("<4I", 0xFF0000, 0xFF00, 0xFF, 0xFF000000)
# The rest of BITMAPV4HEADER: sRGB, for which readers ignore end points and gamma
SRGB = b"BGRs" + bytes(48)


def photos() -> Iterator[Photo]:
    colours = quantised(picture(SMALL))
    alpha = quantised(alpha_picture(SMALL))
    blue_first = colours[..., ::-1]
    unused = np.zeros_like(alpha)

    yield Photo("bmp-24-bit.bmp", bmp(rows(blue_first), SMALL, 24), colours)
    yield Photo("bmp-top-down.bmp", bmp(rows(blue_first[::-1]), SMALL, 24, top_down=True), colours)
    yield Photo("bmp-32-bit.bmp", bmp(rows(np.dstack([blue_first, unused])), SMALL, 32), colours)
    yield Photo(
        "bmp-32-bit-alpha.bmp",
        bmp(rows(np.dstack([blue_first, alpha])), SMALL, 32, BITFIELDS, MASKS_8888 + SRGB),
        on_white(colours, alpha),
    )
    yield five_six_five("bmp-16-bit-565.bmp")
    for bits in (1, 4, 8):
        yield indexed(f"bmp-palette-{bits}-bit.bmp", bits)
    yield run_lengths("bmp-rle8.bmp")


def five_six_five(name: str) -> Photo:
    most = np.array([31, 63, 31])
    samples = np.rint(picture(SMALL) * most).astype(np.uint16)
    words = samples @ np.array([1 << 11, 1 << 5, 1], np.uint16)
    data = bmp(rows(words.astype("<u2")), SMALL, 16, BITFIELDS, masks=MASKS_565)
    return Photo(name, data, rounded(samples * 255 / most))


def indexed(name: str, bits: int) -> Photo:
    indices = quantised(gray_picture(MEDIUM), bits)
    data = bmp(rows(packed(indices, bits)), MEDIUM, bits, colours=palette(bits))
    return Photo(name, data, palette(bits)[indices])


def run_lengths(name: str) -> Photo:
    indices = quantised(gray_picture(MEDIUM), 4)
    lines = [
        runs(line) if number % 2 else literals(line) for number, line in enumerate(indices[::-1])
    ]
    data = bmp(b"\0\0".join(lines) + b"\0\1", MEDIUM, 8, RLE8, colours=palette(4))
    return Photo(name, data, palette(4)[indices])


def runs(line: np.ndarray) -> bytes:
    starts = np.flatnonzero(np.diff(line, prepend=-1))
    lengths = np.diff(starts, append=len(line))
    return b"".join(bytes(pair) for pair in zip(lengths, line[starts], strict=True))


def literals(line: np.ndarray) -> bytes:
    return bytes([0, len(line)]) + line.tobytes() + bytes(len(line) % 2)


def rows(pixels: np.ndarray) -> bytes:
    """The rows from bottom to top, each padded to whole words of 4 bytes."""
    return b"".join(line.tobytes() + bytes(-line.nbytes % 4) for line in pixels[::-1])


def bmp(
    body: bytes,
    size: tuple[int, int],
    bits: int,
    compression: int = PLAIN,
    header_end: bytes = b"",
    masks: bytes = b"",
    colours: np.ndarray = NO_COLOURS,
    top_down: bool = False,
) -> bytes:
    width, height = size
    table = masks + np.insert(colours[:, ::-1], 3, 0, axis=1).tobytes()
    signed_height = -height if top_down else height
    info = struct.pack(
        "<IiiHHIIiiII",
        40 + len(header_end),
        width,
        signed_height,
        1,
        bits,
        compression,
        len(body),
        2835,
        2835,
        len(colours),
        0,
    )
    start = 14 + len(info) + len(header_end) + len(table)
    head = struct.pack("<2sIHHI", b"BM", start + len(body), 0, 0, start)
    return head + info + header_end + table + body
