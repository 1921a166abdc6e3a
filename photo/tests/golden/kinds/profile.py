"""ICC profiles of version 2 (ICC.1:2001-04), built here so that they are small and under no licence."""

from __future__ import annotations

import struct

import numpy as np

from .colour import D50, rgb_to_lab

GRID = 5
# Red, green and blue that one full ink leaves. These inks are not pure, because real inks are not.
INKS = np.array([[0.05, 0.62, 0.85], [0.85, 0.1, 0.5], [0.97, 0.88, 0.1], [0.12, 0.11, 0.13]])


def display_p3() -> bytes:
    """Apple's RGB space, with a gamma instead of its curve, because no test applies it."""
    primaries = {
        b"rXYZ": (0.5151, 0.2412, -0.0011),
        b"gXYZ": (0.292, 0.6922, 0.0419),
        b"bXYZ": (0.1571, 0.0666, 0.7841),
    }
    tags = {signature: xyz(primary) for signature, primary in primaries.items()}
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), gamma(2.2))
    return profile(b"mntr", b"RGB ", b"XYZ ", "Display P3, for tests", tags | curves)


def gray() -> bytes:
    return profile(b"mntr", b"GRAY", b"XYZ ", "Gray gamma 1.8, for tests", {b"kTRC": gamma(1.8)})


def cmyk(bits: int) -> bytes:
    """A printer's profile whose table has entries of 8 or 16 bits, which code Lab differently (annex A)."""
    return profile(
        b"prtr", b"CMYK", b"Lab ", f"Inks, {bits} bits, for tests", {b"A2B0": table(bits)}
    )


def table(bits: int) -> bytes:
    """A table from inks to Lab in `lut8Type` or `lut16Type`, with straight lines as curves."""
    matrix = struct.pack(">9i", *(0x10000 * np.eye(3, dtype=int)).flat)
    head = struct.pack(">4s4xBBBx", b"mft1" if bits == 8 else b"mft2", 4, 3, GRID) + matrix
    lab = ink_grid() + np.array([0, 128, 128])
    if bits == 8:
        line = bytes(range(256))
        codes = np.rint(lab * [2.55, 1, 1]).astype(np.uint8)
        return head + 4 * line + codes.tobytes() + 3 * line
    line = struct.pack(">HH", 0, 0xFFFF)
    codes = np.rint(lab * [652.8, 256, 256]).astype(">u2")
    return head + struct.pack(">HH", 2, 2) + 4 * line + codes.tobytes() + 3 * line


def ink_grid() -> np.ndarray:
    """The Lab colours of the grid points; the last ink varies fastest."""
    steps = np.linspace(0, 1, GRID)
    amounts = np.stack(np.meshgrid(*4 * [steps], indexing="ij"), axis=-1)
    return rgb_to_lab(np.prod(1 - amounts[..., None] * (1 - INKS), axis=-2))


def profile(
    kind: bytes, space: bytes, connection: bytes, name: str, tags: dict[bytes, bytes]
) -> bytes:
    tags = {
        b"desc": description(name),
        b"cprt": text("No rights reserved"),
        b"wtpt": xyz(D50),
    } | tags
    directory, body = struct.pack(">I", len(tags)), b""
    start = 128 + 4 + 12 * len(tags)
    for signature, data in tags.items():
        directory += signature + struct.pack(">II", start + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    day = (2026, 1, 1, 0, 0, 0)
    header = struct.pack(
        ">I4xI4s4s4s6H4s28x12s48x",
        start + len(body),
        0x02400000,
        kind,
        space,
        connection,
        *day,
        b"acsp",
        xyz(D50)[8:],
    )
    return header + directory + body


def description(name: str) -> bytes:
    return b"desc" + struct.pack(">4xI", len(name) + 1) + name.encode() + bytes(1 + 8 + 3 + 67)


def text(words: str) -> bytes:
    return b"text" + bytes(4) + words.encode() + b"\0"


def xyz(values: tuple[float, ...] | np.ndarray) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(round(value * 0x10000) for value in values))


def gamma(exponent: float) -> bytes:
    return b"curv" + struct.pack(">4xIH", 1, round(exponent * 256))
