"""Writes TIFFs byte by byte (TIFF 6.0), of any depth and arrangement of samples."""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

import imagecodecs
import numpy as np

from .photo import packed

SHORT, LONG = 3, 4
NONE, LZW, DEFLATE, PACKBITS = 1, 5, 8, 32773
GRAY_WHITE_ZERO, GRAY, RGB, INDEXED, INKS, YCBCR = 0, 1, 2, 3, 5, 6
NO_ALPHA, MULTIPLIED, STRAIGHT = 0, 1, 2


class Layout(NamedTuple):
    photometric: int
    bits: int = 8
    compression: int = NONE
    predictor: bool = False
    planar: bool = False
    # Sides of a tile; strips have 16 rows.
    tile: int | None = None
    byte_order: str = "<"
    lowest_bit_first: bool = False
    extra: tuple[int, ...] = ()
    # Whether the lengths of the strips are left out.
    lengths: bool = True
    tags: tuple[tuple[int, int, tuple[int, ...]], ...] = ()


def tiff(samples: np.ndarray, layout: Layout) -> bytes:
    samples = samples.reshape(*samples.shape[:2], -1)
    height, width, count = samples.shape
    planes = np.split(samples, count, axis=2) if layout.planar else [samples]
    chunks = [chunk for plane in planes for chunk in chunks_of(plane, layout)]
    data = [coded(chunk, layout) for chunk in chunks]
    offsets = np.cumsum([8, *(len(one) for one in data)])[:-1]
    fields = [
        (256, SHORT, (width,)),
        (257, SHORT, (height,)),
        (258, SHORT, (layout.bits,) * count),
        (259, SHORT, (layout.compression,)),
        (262, SHORT, (layout.photometric,)),
        (266, SHORT, (1 + layout.lowest_bit_first,)),
        (277, SHORT, (count,)),
        (284, SHORT, (1 + layout.planar,)),
        (317, SHORT, (1 + layout.predictor,)),
        *layout.tags,
    ]
    lengths = tuple(len(one) for one in data)
    if layout.tile:
        fields += [(322, SHORT, (layout.tile,)), (323, SHORT, (layout.tile,))]
        fields += [(324, LONG, tuple(offsets)), (325, LONG, lengths)]
    else:
        fields += [(273, LONG, tuple(offsets)), (278, SHORT, (16,))]
        fields += [(279, LONG, lengths)] if layout.lengths else []
    if layout.extra:
        fields.append((338, SHORT, layout.extra))
    return written(fields, b"".join(data), layout.byte_order)


def chunks_of(plane: np.ndarray, layout: Layout) -> list[np.ndarray]:
    height, width, _ = plane.shape
    if not layout.tile:
        return [plane[top : top + 16] for top in range(0, height, 16)]
    side = layout.tile
    padded = np.pad(plane, ((0, -height % side), (0, -width % side), (0, 0)), mode="edge")
    return [
        padded[top : top + side, left : left + side]
        for top in range(0, height, side)
        for left in range(0, width, side)
    ]


def coded(chunk: np.ndarray, layout: Layout) -> bytes:
    stored = chunk.astype(np.uint16)
    if layout.predictor:
        stored[:, 1:] -= chunk[:, :-1].astype(np.uint16)
    data = raw(stored, layout)
    if layout.compression == LZW:
        data = imagecodecs.lzw_encode(data)
    elif layout.compression == DEFLATE:
        data = zlib.compress(data, 9)
    elif layout.compression == PACKBITS:
        data = imagecodecs.packbits_encode(data)
    return reversed_bits(data) if layout.lowest_bit_first else data


def raw(samples: np.ndarray, layout: Layout) -> bytes:
    if layout.bits == 8:
        return samples.astype(np.uint8).tobytes()
    if layout.bits == 16:
        return samples.astype(layout.byte_order + "u2").tobytes()
    return packed(samples.reshape(len(samples), -1), layout.bits).tobytes()


def reversed_bits(data: bytes) -> bytes:
    bits = np.unpackbits(np.frombuffer(data, np.uint8).reshape(-1, 1), axis=1)
    return np.packbits(bits[:, ::-1], axis=1).tobytes()


def written(
    fields: list[tuple[int, int, tuple[int, ...]]], data: bytes, byte_order: str = "<"
) -> bytes:
    """A TIFF with the data at offset 8, then one directory."""
    data += b"\0" * (len(data) % 2)
    entries, values = b"", b""
    behind = 8 + len(data) + 2 + 12 * len(fields) + 4
    for tag, kind, numbers in sorted(fields):
        code = {SHORT: "H", LONG: "I"}[kind]
        value = struct.pack(f"{byte_order}{len(numbers)}{code}", *map(int, numbers))
        entries += struct.pack(byte_order + "HHI", tag, kind, len(numbers))
        if len(value) <= 4:
            entries += value.ljust(4, b"\0")
        else:
            entries += struct.pack(byte_order + "I", behind + len(values))
            values += value + b"\0" * (len(value) % 2)
    mark = {"<": b"II", ">": b"MM"}[byte_order]
    head = mark + struct.pack(byte_order + "HI", 42, 8 + len(data))
    directory = struct.pack(byte_order + "H", len(fields)) + entries + b"\0\0\0\0"
    return head + data + directory + values
