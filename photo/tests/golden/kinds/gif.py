"""GIF: the blocks are written here, and Pillow writes their LZW data."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import numpy as np
from PIL import GifImagePlugin, Image

from .colour import without_key
from .photo import MEDIUM, Photo, gray_picture, palette, quantised

COLOURS = palette(8)
# Browsers never show this colour, only what lies behind the picture. Pillow and libvips show it if all colours
# of the frames are opaque.
BACKGROUND = 200
INTERLACED = 0x40


def photos() -> Iterator[Photo]:
    indices = quantised(gray_picture(MEDIUM))
    dark = indices < 80
    keyed = np.where(dark, 7, indices).astype(np.uint8)
    part = np.s_[20:60, 30:85]
    around = np.ones_like(dark)
    around[part] = False

    yield Photo("gif-opaque.gif", gif(MEDIUM, frame(indices)), COLOURS[indices])
    yield Photo(
        "gif-interlaced.gif",
        gif(MEDIUM, frame(interlaced(indices), flags=INTERLACED)),
        COLOURS[indices],
    )
    yield Photo(
        "gif-transparent.gif",
        gif(MEDIUM, frame(keyed, key=7)),
        without_key(COLOURS[keyed], keyed == 7),
    )
    for name, key in {"gif-first-frame-smaller": 0, "gif-first-frame-smaller-opaque": None}.items():
        first = frame(indices[part], at=(30, 20), key=key)
        data = gif(MEDIUM, first, frame(255 - indices))
        yield Photo(f"{name}.gif", data, without_key(COLOURS[indices], around))


def gif(size: tuple[int, int], *frames: bytes) -> bytes:
    screen = struct.pack("<HHBBB", *size, 0xF7, BACKGROUND, 0)
    return b"GIF89a" + screen + COLOURS.tobytes() + b"".join(frames) + b";"


def frame(
    indices: np.ndarray, at: tuple[int, int] = (0, 0), key: int | None = None, flags: int = 0
) -> bytes:
    height, width = indices.shape
    control = struct.pack("<BBBBHBB", 0x21, 0xF9, 4, key is not None, 50, key or 0, 0)
    return control + struct.pack("<BHHHHB", 0x2C, *at, width, height, flags) + coded(indices)


def coded(indices: np.ndarray) -> bytes:
    """The code size and the blocks of codes, which follow the frame's header in Pillow's file."""
    _header, *blocks = GifImagePlugin.getdata(Image.fromarray(indices))
    return b"".join(blocks)


def interlaced(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows[0::8], rows[4::8], rows[2::4], rows[1::2]])
