"""HEVC streams (ITU-T H.265), coded by x265 through pillow-heif, and what is changed in them."""

from __future__ import annotations

import io
import struct
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np
import pillow_heif

CONFIGURATION_START = 23
SEQUENCE_PARAMETERS = 33
INTRA, PREDICTED = "011", "010"  # slice_type 2 and 1 as ue(v)


class Colours(NamedTuple):
    """The codes of ITU-T H.273."""

    primaries: int = 1
    transfer: int = 13
    matrix: int = 6
    full_range: bool = True


# What a JPEG has
JPEGS = Colours()


class Coded(NamedTuple):
    """A picture of one HEVC frame."""

    # the data of its box hvcC
    configuration: bytes
    # NAL units, each behind its length
    stream: bytes
    # that of `ispe`: sides are rounded up to even numbers
    size: tuple[int, int]
    # the file of pillow-heif that held it
    file: bytes


def coded(samples: np.ndarray, colours: Colours = JPEGS, **options: Any) -> Coded:
    """Codes RGB or gray of 8 bits, or of 10 or 12 bits in 16."""
    bits = options.pop("bits", 8)
    size = samples.shape[1::-1]
    mode = "RGB" if samples.ndim == 3 else "L"
    if bits > 8:
        mode, samples = f"{mode};{bits}", samples.astype("<u2")
    file = io.BytesIO()
    pillow_heif.encode(
        mode,
        size,
        samples.tobytes(),
        file,
        **{"quality": 90} | options,
        color_primaries=colours.primaries,
        transfer_characteristic=colours.transfer,
        matrix_coefficients=colours.matrix,
        full_range_flag=int(colours.full_range),
    )
    data = file.getvalue()
    size = struct.unpack(">4x2I", content(data, b"ispe"))
    return Coded(content(data, b"hvcC"), content(data, b"mdat"), size, data)


def content(file: bytes, name: bytes) -> bytes:
    """The data of the only box of that name."""
    (start,) = (at for at in range(len(file)) if file.startswith(name, at))
    (length,) = struct.unpack_from(">I", file, start - 4)
    return file[start + 4 : start - 4 + length]


def told_by_stream(picture: Coded, colours: Colours | None) -> Coded:
    """The picture with these colours in its stream's VUI (annex E), or with no VUI."""
    vui = "0"
    if colours is not None:
        primaries, transfer, matrix, full_range = colours
        kind = f"1101{full_range:b}1{primaries:08b}{transfer:08b}{matrix:08b}"
        vui = "1" + "00" + kind + "0" + "000" + "0" + "0" + "0"

    def changed(bits: str) -> str:
        return bits[: place_of_vui(bits)] + vui + "0"  # and no extension

    return with_parameters(picture, changed)


def predicted(picture: Coded) -> Coded:
    """The picture as if it were predicted from others: the type of its slice is P instead of I."""
    start = 4 + 2  # behind the length and the header of the NAL unit
    bits = as_bits(picture.stream[start : start + 1])
    head = "1" + "0" + "1"  # first slice, pictures before are kept, parameter set 0
    assert bits.startswith(head + INTRA)
    bits = head + PREDICTED + bits[len(head + INTRA) :]
    stream = picture.stream[:start] + as_bytes(bits) + picture.stream[start + 1 :]
    return picture._replace(stream=stream)


def with_parameters(picture: Coded, change: Callable[[str], str]) -> Coded:
    """The picture with other bits in its sequence parameter set, in front of the bit that ends them."""
    record = picture.configuration
    changed = record[:CONFIGURATION_START]
    for head, unit in units(record):
        if head[0] & 0x3F == SEQUENCE_PARAMETERS:
            bits = as_bits(unit.replace(b"\0\0\3", b"\0\0"))
            bits = change(bits) + "1"
            unit = escaped(as_bytes(bits))
        changed += head + struct.pack(">H", len(unit)) + unit
    return picture._replace(configuration=changed)


def units(record: bytes) -> Iterator[tuple[bytes, bytes]]:
    """The NAL units of a configuration, of which each array has one (ISO/IEC 14496-15 clause 8.3.3.1)."""
    at = CONFIGURATION_START
    for _ in range(record[at - 1]):
        head = record[at : at + 3]
        (length,) = struct.unpack_from(">H", record, at + 3)
        assert head[1:] == b"\0\1"
        yield head, record[at + 5 : at + 5 + length]
        at += 5 + length


def place_of_vui(bits: str) -> int:
    """The place of vui_parameters_present_flag in a sequence parameter set (clause 7.3.2.2), as x265 writes it."""
    at = 16

    def number(length: int) -> int:
        nonlocal at
        at += length
        return int(bits[at - length : at], 2)

    def code() -> int:
        nonlocal at
        zeros = bits.index("1", at) - at
        at += zeros
        return number(zeros + 1) - 1

    number(4 + 3 + 1 + 96)  # profile and level
    code()
    if code() == 3:
        number(1)  # separate planes
    code(), code()  # width, height
    if number(1):
        code(), code(), code(), code()  # window
    code(), code(), code()  # bit depths, picture order
    number(1)
    for _ in range(3 + 6):  # buffers of one layer, sizes of blocks
        code()
    lists, _, _, pcm = number(1), number(1), number(1), number(1)
    references, long_term = code(), number(1)
    assert not (lists or pcm or references or long_term)
    number(2)
    return at


def as_bits(data: bytes) -> str:
    return "".join(f"{byte:08b}" for byte in data)


def as_bytes(bits: str) -> bytes:
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[at : at + 8], 2) for at in range(0, len(bits), 8))


def escaped(unit: bytes) -> bytes:
    """With emulation prevention bytes (clause 7.4.2)."""
    data = bytearray()
    for byte in unit:
        if data.endswith(b"\0\0") and byte <= 3:
            data.append(3)
        data.append(byte)
    return bytes(data)
