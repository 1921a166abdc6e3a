"""PNG, written here because Pillow writes neither 16-bit colours nor interlaced files."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
from PIL import Image

from . import profile
from .colour import eight_bit, on_white, without_key
from .photo import (
    MEDIUM,
    SMALL,
    Photo,
    alpha_picture,
    exif,
    gray_picture,
    hole,
    packed,
    palette,
    picture,
    quantised,
    stored,
)

# First column and row of each pass, and the steps to the next ones (PNG, third edition, 8.1)
ADAM7 = [
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
]
ALL_AT_ONCE = [(0, 0, 1, 1)]
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}
INDEXED = 3


def photos() -> Iterator[Photo]:
    colours = quantised(picture(SMALL))
    plain = png(colours)

    yield Photo("png-without-end.png", plain[:-12], colours)
    yield Photo("png-end-cut-off.png", plain[:-5], colours)
    yield Photo("png-end-with-wrong-checksum.png", plain[:-1] + b"!", colours)
    yield Photo("png-text-cut-off.png", plain[:-12] + b"\0\0\1\0tEXtComment\0half", colours)
    for bits in (8, 16):
        yield opaque(f"png-rgb-{bits}-bit.png", picture(SMALL), bits)
        yield transparent(f"png-rgb-alpha-{bits}-bit.png", picture(SMALL), bits)
        yield transparent(f"png-gray-alpha-{bits}-bit.png", gray_picture(SMALL), bits)
        yield keyed(f"png-rgb-key-{bits}-bit.png", picture(SMALL), bits)
    for bits in (1, 2, 4, 8, 16):
        yield opaque(f"png-gray-{bits}-bit.png", gray_picture(MEDIUM), bits)
    for bits in (4, 8, 16):
        yield keyed(f"png-gray-key-{bits}-bit.png", gray_picture(MEDIUM), bits)
    for bits in (1, 2, 4, 8):
        yield indexed(f"png-palette-{bits}-bit.png", bits)
    for bits in (4, 8):
        yield indexed(f"png-palette-alpha-{bits}-bit.png", bits, transparent_entries=2**bits // 2)

    yield opaque("png-interlaced.png", picture(MEDIUM), 8, interlaced=True)
    yield opaque("png-interlaced-gray-1-bit.png", gray_picture(MEDIUM), 1, interlaced=True)
    yield Photo("png-interlaced-1-wide.png", png(colours[:, :1], interlaced=True), colours[:, :1])
    yield Photo("png-display-p3.png", png(colours, icc_chunk(profile.display_p3())), colours)
    yield turned("png-orientation-6.png", colours, 6)
    yield turned("png-orientation-8-behind-the-pixels.png", colours, 8, behind=True)
    yield Photo("png-animated.png", animated(colours), colours)
    yield Photo("png-named-jpg.jpg", plain, colours)


def opaque(name: str, channels: np.ndarray, bits: int, interlaced: bool = False) -> Photo:
    samples = quantised(channels, bits)
    return Photo(name, png(samples, bits=bits, interlaced=interlaced), eight_bit(samples, bits))


def transparent(name: str, channels: np.ndarray, bits: int) -> Photo:
    samples, alpha = quantised(channels, bits), quantised(alpha_picture(SMALL), bits)
    pixels = on_white(eight_bit(samples, bits), eight_bit(alpha, bits))
    return Photo(name, png(np.dstack([samples, alpha]), bits=bits), pixels)


def keyed(name: str, channels: np.ndarray, bits: int) -> Photo:
    """One colour is transparent. A neighbour that differs from it only below 8 bits is opaque."""
    samples = quantised(channels, bits)
    where = hole(channels.shape[1::-1])
    samples[where] = samples[0, 0]
    key = np.array(samples[0, 0], ">u2")
    if bits == 16:
        samples[: len(samples) * 2 // 3][where[: len(samples) * 2 // 3]] ^= 1
    same = samples == key
    pixels = without_key(eight_bit(samples, bits), same.all(axis=2) if same.ndim == 3 else same)
    return Photo(name, png(samples, chunk(b"tRNS", key.tobytes()), bits=bits), pixels)


def indexed(name: str, bits: int, transparent_entries: int = 0) -> Photo:
    indices = quantised(gray_picture(MEDIUM), bits)
    entries, alpha = palette(bits), np.full(2**bits, 255, np.uint8)
    chunks = [chunk(b"PLTE", entries.tobytes())]
    if transparent_entries:
        alpha[:transparent_entries] = np.linspace(0, 254, transparent_entries)
        chunks.append(chunk(b"tRNS", alpha[:transparent_entries].tobytes()))
    data = png(indices, *chunks, bits=bits, colour_type=INDEXED)
    return Photo(name, data, on_white(entries[indices], alpha[indices]))


def turned(name: str, pixels: np.ndarray, orientation: int, behind: bool = False) -> Photo:
    pixels = stored(pixels, orientation)
    fields = chunk(b"eXIf", exif(orientation, ">"))
    data = before_end(png(pixels), fields) if behind else png(pixels, fields)
    return Photo(name, data, pixels, orientation)


def animated(pixels: np.ndarray) -> bytes:
    file = io.BytesIO()
    second = Image.fromarray(255 - pixels)
    Image.fromarray(pixels).save(file, "PNG", save_all=True, append_images=[second], duration=500)
    return file.getvalue()


def png(
    samples: np.ndarray,
    *chunks: bytes,
    bits: int = 8,
    colour_type: int | None = None,
    interlaced: bool = False,
) -> bytes:
    height, width = samples.shape[:2]
    samples = samples.reshape(height, width, -1)
    channels = samples.shape[2]
    if colour_type is None:
        colour_type = COLOUR_TYPES[channels]
    header = struct.pack(">IIBBBBB", width, height, bits, colour_type, 0, 0, interlaced)
    passes = [
        samples[y::down, x::right] for x, y, right, down in (ADAM7 if interlaced else ALL_AT_ONCE)
    ]
    step = max(1, bits * channels // 8)
    rows = b"".join(filtered(packed(part, bits), step) for part in passes if part.size)
    body = [chunk(b"IHDR", header), *chunks, chunk(b"IDAT", zlib.compress(rows, 9)), chunk(b"IEND")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(body)


def filtered(rows: np.ndarray, step: int) -> bytes:
    """Applies the filters in turn, so that a decoder needs all five (PNG, third edition, 9.2)."""
    height, width = rows.shape
    padded = np.zeros((height + 1, width + step), int)
    padded[1:, step:] = rows
    left, above, corner = padded[1:, :-step], padded[:-1, step:], padded[:-1, :-step]
    estimates = [np.zeros_like(left), left, above, (left + above) // 2, paeth(left, above, corner)]
    lines = np.empty((height, 1 + width), np.uint8)
    for number, estimate in enumerate(estimates):
        lines[number::5, 0] = number
        lines[number::5, 1:] = (rows - estimate)[number::5] % 256
    return lines.tobytes()


def paeth(left: np.ndarray, above: np.ndarray, corner: np.ndarray) -> np.ndarray:
    guess = left + above - corner
    far_left, far_above, far_corner = (np.abs(guess - other) for other in (left, above, corner))
    nearest = np.where(far_above <= far_corner, above, corner)
    return np.where((far_left <= far_above) & (far_left <= far_corner), left, nearest)


def icc_chunk(icc: bytes) -> bytes:
    return chunk(b"iCCP", b"profile\0\0" + zlib.compress(icc, 9))


def before_end(data: bytes, added: bytes) -> bytes:
    end = chunk(b"IEND")
    return data.removesuffix(end) + added + end


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
