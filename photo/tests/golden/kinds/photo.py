"""The test picture, and the description of a photo of it."""

from __future__ import annotations

import io
import struct
from typing import NamedTuple

import numpy as np
from PIL import Image

from .colour import cmyk_to_rgb, eight_bit, on_white

# Width and height. Divided by 4 they leave 1, 2 and 3, so that a quarter must be rounded.
LARGE = (131, 97)
MEDIUM = (98, 73)
SMALL = (54, 41)


class Photo(NamedTuple):
    name: str
    data: bytes
    # 8-bit RGB or gray on the stored axes, without alpha
    pixels: np.ndarray
    orientation: int = 1


def as_decoded(name: str, data: bytes, orientation: int = 1) -> Photo:
    """A lossy photo, whose pixels are those that Pillow decodes."""
    with Image.open(io.BytesIO(data)) as image:
        return Photo(name, data, pixels_of(image), orientation)


def pixels_of(image: Image.Image) -> np.ndarray:
    if image.mode == "CMYK":
        return cmyk_to_rgb(np.asarray(image), image.info.get("icc_profile"))
    if image.mode == "I;16":
        return eight_bit(np.asarray(image), 16)
    if image.has_transparency_data:
        samples = np.asarray(image.convert("RGBA"))
        return on_white(samples[..., :3], samples[..., 3])
    return np.asarray(image if image.mode == "L" else image.convert("RGB"))


def picture(size: tuple[int, int]) -> np.ndarray:
    """Channels from 0 to 1: a hue in each corner, a light diagonal and a dark disc off the centre. All edges
    are soft, so that subsampled colours stay close."""
    x, y = coordinates(size)
    right, below = smooth(x)[..., None], smooth(y)[..., None]
    red, green, blue, yellow = ([0.9, 0.2, 0.1], [0.1, 0.6, 0.2], [0.1, 0.2, 0.8], [0.9, 0.8, 0.2])
    corners = (1 - below) * ((1 - right) * np.array(red) + right * np.array(green))
    corners = corners + below * ((1 - right) * np.array(blue) + right * np.array(yellow))
    diagonal = smooth(1 - np.abs(x - 0.8 * y - 0.05) / 0.15)[..., None]
    disc = smooth(1.6 - np.hypot((x - 0.7) * size[0] / size[1], y - 0.35) / 0.15)[..., None]
    return corners + 0.8 * diagonal * (0.95 - corners) + 0.7 * disc * (0.05 - corners)


def gray_picture(size: tuple[int, int]) -> np.ndarray:
    return picture(size) @ [0.299, 0.587, 0.114]


def alpha_picture(size: tuple[int, int]) -> np.ndarray:
    """Alpha that is opaque in the upper left and transparent in the lower right."""
    x, y = coordinates(size)
    return np.clip(1.7 - 1.1 * (x + y), 0, 1)


def coordinates(size: tuple[int, int]) -> list[np.ndarray]:
    width, height = size
    return np.meshgrid((np.arange(width) + 0.5) / width, (np.arange(height) + 0.5) / height)


def smooth(slope: np.ndarray) -> np.ndarray:
    slope = np.clip(slope, 0, 1)
    return slope * slope * (3 - 2 * slope)


def quantised(channels: np.ndarray, bits: int = 8) -> np.ndarray:
    return np.rint(channels * (2**bits - 1)).astype(np.uint16 if bits > 8 else np.uint8)


def hole(size: tuple[int, int]) -> np.ndarray:
    """The place of the transparent colour, in pictures that have one."""
    x, y = coordinates(size)
    return (np.abs(x - 0.25) < 0.15) & (np.abs(y - 0.67) < 0.17)


def palette(bits: int) -> np.ndarray:
    """Colours from night blue to orange. No two channels are equal, so that a test notices if they are swapped."""
    step = np.linspace(0, 1, 2**bits)
    return quantised(np.stack([0.1 + 0.85 * step, 0.7 * step**2, 0.55 - 0.5 * step], axis=1))


def packed(samples: np.ndarray, bits: int) -> np.ndarray:
    """Packs samples into rows of whole bytes, the first sample in the highest bits."""
    shifts = np.arange(bits - 1, -1, -1)
    single = samples[..., None].astype(np.uint16) >> shifts & 1
    return np.packbits(single.reshape(len(samples), -1).astype(np.uint8), axis=1)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turns stored pixels upright. CIPA DC-008 (Exif) defines the orientations 1 to 8."""
    mirrored = {2: 0, 4: 2, 5: 1, 7: 3}
    turns = {3: 2, 6: 3, 8: 1, **mirrored}.get(orientation, 0)
    if orientation in mirrored:
        pixels = np.fliplr(pixels)
    return np.ascontiguousarray(np.rot90(pixels, turns))


def stored(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """The stored pixels that this orientation turns upright."""
    return upright(pixels, {6: 8, 8: 6}.get(orientation, orientation))


def exif(orientation: int, byte_order: str = "<") -> bytes:
    """A TIFF header and a directory with only the orientation."""
    mark = {"<": b"II", ">": b"MM"}[byte_order]
    field = (0x0112, 3, 1, orientation, 0)
    return struct.pack(byte_order + "2sHIHHHIHHI", mark, 42, 8, 1, *field, 0)
