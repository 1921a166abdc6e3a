"""Writes image sequences: HEIF files whose pictures are the samples of tracks (ISO/IEC 23008-12 clause 7)."""

from __future__ import annotations

import struct
from typing import NamedTuple

from .heif_file import ALPHA, box, full_box
from .hevc import Coded

UPRIGHT = (1, 0, 0, 1)
DURATION = 1000
DEPTH = 24


class Track(NamedTuple):
    """Pictures of one size, of which the first is described in the sample entry."""

    pictures: list[Coded]
    properties: tuple[bytes, ...] = ()
    handler: bytes = b"pict"
    # a, b, c and d: x' = a*x + c*y, y' = b*x + d*y
    matrix: tuple[int, int, int, int] = UPRIGHT
    coding: bytes = b"hvc1"
    # the number of the track whose alpha this is, from 1
    alpha_of: int | None = None
    # places in 64 bits, and sizes in as few as they need
    is_long: bool = False
    # whether its pictures are described in fragments only
    is_in_fragments: bool = False


def sequence(tracks: list[Track], brand: bytes = b"hevc", items: bytes = b"") -> bytes:
    """A file of these tracks, with a meta box or none."""
    brands = box(b"ftyp", brand + bytes(4) + b"msf1" + brand + b"iso8")
    # Places of the data are known when the boxes before them have their length.
    start = len(brands) + len(items) + len(movie(tracks, 0)) + 8
    media = b"".join(picture.stream for track in tracks for picture in track.pictures)
    return brands + items + movie(tracks, start) + box(b"mdat", media)


def movie(tracks: list[Track], start: int) -> bytes:
    times = struct.pack(">4I", 0, 0, DURATION, DURATION)
    header = times + struct.pack(">IH10x", 0x10000, 0x100) + matrix(UPRIGHT)
    boxes = [full_box(b"mvhd", header + bytes(24) + struct.pack(">I", len(tracks) + 1))]
    for number, track in enumerate(tracks, 1):
        boxes.append(box(b"trak", track_boxes(number, track, start)))
        start += sum(len(picture.stream) for picture in track.pictures)
    return box(b"moov", b"".join(boxes))


def track_boxes(number: int, track: Track, start: int) -> bytes:
    width, height = track.pictures[0].size
    header = struct.pack(">5I", 0, 0, number, 0, DURATION) + bytes(16) + matrix(track.matrix)
    header += struct.pack(">2I", width << 16, height << 16)
    boxes = [box(b"tkhd", b"\0\0\0\7" + header)]
    if track.alpha_of is not None:
        boxes.append(box(b"tref", box(b"auxl", struct.pack(">I", track.alpha_of))))
    references = full_box(b"dref", struct.pack(">I", 1) + box(b"url ", b"\0\0\0\1"))
    information = full_box(b"vmhd", bytes(8)) + box(b"dinf", references)
    media = [
        full_box(b"mdhd", struct.pack(">4IHH", 0, 0, DURATION, DURATION, 0x55C4, 0)),
        full_box(b"hdlr", bytes(4) + track.handler + bytes(13)),
        box(b"minf", information + box(b"stbl", sample_table(track, start))),
    ]
    return b"".join([*boxes, box(b"mdia", b"".join(media))])


def sample_table(track: Track, start: int) -> bytes:
    first = track.pictures[0]
    entry = bytes(6) + struct.pack(">H16x2H", 1, *first.size)
    entry += struct.pack(">3IH32xHh", 0x480000, 0x480000, 0, 1, DEPTH, -1)
    entry += box(b"hvcC", first.configuration) + b"".join(track.properties)
    if track.alpha_of is not None:
        entry += full_box(b"auxi", ALPHA.encode() + b"\0")
    pictures = [] if track.is_in_fragments else track.pictures
    sizes = [len(picture.stream) for picture in pictures]
    each = DURATION // len(track.pictures)
    boxes = [
        full_box(b"stsd", struct.pack(">I", 1) + box(track.coding, entry)),
        full_box(b"stts", struct.pack(">3I", 1, len(sizes), each)),
        full_box(b"stsc", struct.pack(">4I", 1, 1, len(sizes), 1)),
    ]
    if track.is_long:
        numbers = struct.pack(f">2I{len(sizes)}H", 16, len(sizes), *sizes)
        boxes += [full_box(b"stz2", numbers), full_box(b"co64", struct.pack(">IQ", 1, start))]
    else:
        numbers = struct.pack(f">{2 + len(sizes)}I", 0, len(sizes), *sizes)
        places = struct.pack(">2I", 1, start) if pictures else bytes(4)
        boxes += [full_box(b"stsz", numbers), full_box(b"stco", places)]
    return b"".join(boxes)


def matrix(parts: tuple[int, int, int, int]) -> bytes:
    a, b, c, d = (part << 16 for part in parts)
    return struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
