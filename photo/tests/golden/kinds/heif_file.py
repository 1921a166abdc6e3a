"""Writes the boxes of a HEIF file (ISO/IEC 23008-12, ISO/IEC 14496-12) around coded pictures."""

from __future__ import annotations

import struct
from fractions import Fraction
from typing import Any, NamedTuple

from .hevc import Coded, Colours

ALPHA = "urn:mpeg:mpegB:cicp:systems:auxiliary:alpha"
ALPHA_OF_HEVC = "urn:mpeg:hevc:2015:auxid:1"
DEPTH = "urn:mpeg:hevc:2015:auxid:2"
GAIN_MAP = "urn:com:apple:photo:2020:aux:hdrgainmap"
# A reader that does not know one of these properties must not show the item.
ESSENTIAL = {b"hvcC", b"clap", b"irot", b"imir"}
IN_FILE, IN_META = 0, 1


class Item(NamedTuple):
    kind: bytes
    data: bytes = b""
    properties: tuple[bytes, ...] = ()
    # the kind of reference and the numbers of items, which count from 1
    references: tuple[tuple[bytes, list[int]], ...] = ()
    is_in_meta: bool = False
    # the number of parts in which its data lie, with other bytes between them
    extents: int = 1


def item(coded: Coded, *properties: bytes, **options: Any) -> Item:
    return Item(b"hvc1", coded.stream, described(coded, properties), **options)


def described(coded: Coded, properties: tuple[bytes, ...]) -> tuple[bytes, ...]:
    return (box(b"hvcC", coded.configuration), extent(coded.size), *properties)


def grid(
    columns: int,
    rows: int,
    size: tuple[int, int],
    tiles: list[int],
    *properties: bytes,
    references: tuple[tuple[bytes, list[int]], ...] = (),
    is_wide: bool = False,
    **options: Any,
) -> Item:
    """A picture of tiles (ISO/IEC 23008-12 clause 6.6.2.3), whose size has 16 or 32 bits."""
    sides = struct.pack(">2I" if is_wide else ">2H", *size)
    data = bytes([0, is_wide, rows - 1, columns - 1]) + sides
    references = ((b"dimg", tiles), *references)
    return Item(b"grid", data, (extent(size), *properties), references, **options)


def extent(size: tuple[int, int]) -> bytes:
    return full_box(b"ispe", struct.pack(">2I", *size))


def rotation(quarters: int) -> bytes:
    """Counter-clockwise."""
    return box(b"irot", bytes([quarters]))


def mirror(axis: int) -> bytes:
    """0 swaps top and bottom, 1 left and right."""
    return box(b"imir", bytes([axis]))


def crop(
    size: tuple[int | Fraction, int | Fraction], centre: tuple[int | Fraction, int | Fraction]
) -> bytes:
    """A clean aperture: its sides, and how far its centre is right of and below the picture's."""
    numbers = [Fraction(number) for number in (*size, *centre)]
    parts = [part for number in numbers for part in (number.numerator, number.denominator)]
    return box(b"clap", struct.pack(">8i", *parts))


def nclx(colours: Colours) -> bytes:
    primaries, transfer, matrix, full_range = colours
    return box(b"colr", b"nclx" + struct.pack(">3HB", primaries, transfer, matrix, full_range << 7))


def icc(profile: bytes) -> bytes:
    return box(b"colr", b"prof" + profile)


def auxiliary(kind: str) -> bytes:
    return full_box(b"auxC", kind.encode() + b"\0")


def heif(items: list[Item], primary: int = 1, brand: bytes = b"heic") -> bytes:
    """A file of these items, whose numbers count from 1."""
    brands = box(b"ftyp", brand + bytes(4) + b"mif1" + brand)
    # Places of the data are known when the boxes before them have their length.
    length = len(brands) + len(meta(items, primary, 0))
    inside = meta(items, primary, length + 8)
    media = b"".join(laid_out(one)[0] for one in items if not one.is_in_meta)
    return brands + inside + box(b"mdat", media)


def meta(items: list[Item], primary: int, start: int) -> bytes:
    listed = [
        full_box(b"infe", struct.pack(">HH", number, 0) + item.kind + b"\0", version=2)
        for number, item in enumerate(items, 1)
    ]
    references = [
        box(kind, struct.pack(f">HH{len(to)}H", number, len(to), *to))
        for number, item in enumerate(items, 1)
        for kind, to in item.references
    ]
    boxes = [
        full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)),
        full_box(b"pitm", struct.pack(">H", primary)),
        full_box(b"iloc", places(items, start), version=1),
        full_box(b"iinf", struct.pack(">H", len(items)) + b"".join(listed)),
        properties(items),
    ]
    if references:
        boxes.append(full_box(b"iref", b"".join(references)))
    in_meta = b"".join(item.data for item in items if item.is_in_meta)
    if in_meta:
        boxes.append(box(b"idat", in_meta))
    return full_box(b"meta", b"".join(boxes))


def places(items: list[Item], start: int) -> bytes:
    """Where the data of the items lie, with offsets and lengths of 4 bytes."""
    entries = struct.pack(">BBH", 0x44, 0, len(items))
    next_place = {False: start, True: 0}
    for number, item in enumerate(items, 1):
        data, parts = laid_out(item)
        method = IN_META if item.is_in_meta else IN_FILE
        entries += struct.pack(">HHHH", number, method, 0, len(parts))
        for offset, length in parts:
            entries += struct.pack(">II", next_place[item.is_in_meta] + offset, length)
        next_place[item.is_in_meta] += len(data)
    return entries


def laid_out(item: Item) -> tuple[bytes, list[tuple[int, int]]]:
    """An item's data with other bytes between their parts, and where the parts lie."""
    if not item.data:
        return b"", []
    step = -(-len(item.data) // item.extents)
    data, parts = b"", []
    for start in range(0, len(item.data), step):
        data += b"between" if start else b""
        part = item.data[start : start + step]
        parts.append((len(data), len(part)))
        data += part
    return data, parts


def properties(items: list[Item]) -> bytes:
    """All properties, each once, and which of them belong to which item."""
    every = list(dict.fromkeys(one for item in items for one in item.properties))
    associations = struct.pack(">I", len(items))
    for number, item in enumerate(items, 1):
        places = [
            every.index(one) + 1 | (0x80 if one[4:8] in ESSENTIAL else 0) for one in item.properties
        ]
        associations += struct.pack(">HB", number, len(places)) + bytes(places)
    return box(b"iprp", box(b"ipco", b"".join(every)) + full_box(b"ipma", associations))


def box(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", 8 + len(data)) + name + data


def full_box(name: bytes, data: bytes, version: int = 0) -> bytes:
    return box(name, bytes([version, 0, 0, 0]) + data)
