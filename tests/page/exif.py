"""EXIF for JPEGs that are made in code (CIPA DC-008, Exif 2.32): when, where and with which camera."""

from __future__ import annotations

import struct
from fractions import Fraction

ASCII, SHORT, LONG, RATIONAL = 2, 3, 4, 5
SIZES = {ASCII: 1, SHORT: 2, LONG: 4, RATIONAL: 8}
EXIF_IFD, GPS_IFD = 0x8769, 0x8825

Tags = dict[int, tuple[int, object]]


def with_exif(
    jpeg: bytes, taken: str, offset: str | None, place: tuple[float, float] | None, camera: tuple[str, str]
) -> bytes:
    """The JPEG with these facts. `taken` is like 2024-04-06T17:23:41, `place` a latitude and a longitude."""
    block = tiff_block(
        {0x010F: (ASCII, camera[0]), 0x0110: (ASCII, camera[1])},
        {
            0x829A: (RATIONAL, [Fraction(1, 250)]),
            0x829D: (RATIONAL, [Fraction(28, 10)]),
            0x8827: (SHORT, [100]),
            0x9003: (ASCII, taken.replace("-", ":").replace("T", " ")),
            **({0x9011: (ASCII, offset)} if offset else {}),
            0xA403: (SHORT, [0]),  # white balance: automatic
            0xA405: (SHORT, [28]),
        },
        {} if place is None else gps_tags(*place),
    )
    segment = b"Exif\0\0" + block
    return jpeg[:2] + b"\xff\xe1" + (2 + len(segment)).to_bytes(2, "big") + segment + jpeg[2:]


def gps_tags(latitude: float, longitude: float) -> Tags:
    return {
        1: (ASCII, "N" if latitude >= 0 else "S"),
        2: (RATIONAL, degrees(latitude)),
        3: (ASCII, "E" if longitude >= 0 else "W"),
        4: (RATIONAL, degrees(longitude)),
    }


def degrees(number: float) -> list[Fraction]:
    """Degrees, minutes and seconds."""
    return [Fraction(round(abs(number) * 1e6), 10**6), Fraction(0), Fraction(0)]


def tiff_block(main: Tags, exif: Tags, gps: Tags) -> bytes:
    """Three directories, one behind the other, each with its values behind it."""
    main = {**main, EXIF_IFD: (LONG, [0]), **({GPS_IFD: (LONG, [0])} if gps else {})}
    exif_at = 8 + len(directory(main, 0))
    gps_at = exif_at + len(directory(exif, 0))
    main[EXIF_IFD] = (LONG, [exif_at])
    if gps:
        main[GPS_IFD] = (LONG, [gps_at])
    parts = directory(main, 8) + directory(exif, exif_at) + (directory(gps, gps_at) if gps else b"")
    return b"II*\0" + struct.pack("<I", 8) + parts


def directory(tags: Tags, start: int) -> bytes:
    values_at = start + 2 + 12 * len(tags) + 4
    entries, values = b"", b""
    for tag, (kind, value) in sorted(tags.items()):
        data = encoded(kind, value)
        count = len(data) // SIZES[kind]
        if len(data) <= 4:
            field = data.ljust(4, b"\0")
        else:
            field = struct.pack("<I", values_at + len(values))
            values += data + b"\0" * (len(data) % 2)
        entries += struct.pack("<HHI", tag, kind, count) + field
    return struct.pack("<H", len(tags)) + entries + b"\0\0\0\0" + values


def encoded(kind: int, value: object) -> bytes:
    if kind == ASCII:
        return str(value).encode() + b"\0"
    if kind == RATIONAL:
        return b"".join(struct.pack("<II", part.numerator, part.denominator) for part in value)
    return b"".join(struct.pack("<H" if kind == SHORT else "<I", part) for part in value)
