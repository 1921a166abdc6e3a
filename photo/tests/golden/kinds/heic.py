"""HEIC, coded by x265 through pillow-heif, and decoded by libheif. hevc.py and heif_file.py write what
pillow-heif cannot."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np
import pillow_heif

from . import hdr, profile
from .colour import eight_bit, on_white
from .heif_file import (
    ALPHA,
    ALPHA_OF_HEVC,
    DEPTH,
    GAIN_MAP,
    Item,
    auxiliary,
    box,
    crop,
    grid,
    heif,
    icc,
    item,
    meta,
    mirror,
    nclx,
    rotation,
)
from .heif_sequence import Track, sequence
from .hevc import JPEGS, Coded, Colours, coded, predicted, told_by_stream
from .photo import LARGE, Photo, alpha_picture, exif, gray_picture, picture, quantised

# HEVC codes even sides only: libheif codes LARGE with one more column and row, and crops them.
EVEN = (130, 98)
TILE = 64
COLUMNS, ROWS = (-(-side // TILE) for side in LARGE)
BT_601, BT_709, BT_2020, GBR, YCGCO = 6, 1, 9, 0, 8
SRGB, P3, OF_BT_2020 = 1, 12, 9
FULL, LIMITED = True, False
VIDEO = Colours(matrix=BT_709, full_range=LIMITED)
# Coding and rounding bring pictures no farther apart in the mean.
SAME = 3.0


def photos() -> Iterator[Photo]:
    yield from samples()
    yield from grids()
    yield from turned()
    yield from cropped()
    yield from among_others()
    yield from with_alpha()
    yield from in_tracks()
    yield from of_colours()
    yield from of_high_dynamic_range()
    yield from refused()


def samples() -> Iterator[Photo]:
    """Files as pillow-heif writes them."""
    colours, grays = picture(LARGE), gray_picture(LARGE)
    for chroma in ("420", "422", "444"):
        yield as_libheif(f"heic-{chroma}.heic", coded(quantised(colours), chroma=chroma).file)
    yield as_libheif("heic-gray.heic", coded(quantised(grays)).file)
    for bits in (10, 12):
        for chroma in ("420", "422", "444"):
            file = coded(quantised(colours, bits), bits=bits, chroma=chroma).file
            yield as_libheif(f"heic-{bits}-bit-{chroma}.heic", file)
        yield as_libheif(
            f"heic-{bits}-bit-gray.heic", coded(quantised(grays, bits), bits=bits).file
        )


def grids() -> Iterator[Photo]:
    """Six tiles, of which those of the last column and the last row reach beyond the picture."""
    tiles = tiles_of(quantised(picture(LARGE)))
    numbers = [number + 2 for number in range(len(tiles))]
    for name, options in {
        "": {},
        "-in-meta": {"is_in_meta": True},
        "-32-bit": {"is_wide": True},
        "-32-bit-in-meta": {"is_wide": True, "is_in_meta": True},
    }.items():
        whole = grid(COLUMNS, ROWS, LARGE, numbers, nclx(JPEGS), **options)
        yield as_libheif(f"heic-grid{name}.heic", heif([whole, *tiles]))
    for name, others in {
        "422": tiles_of(quantised(picture(LARGE)), chroma="422"),
        "444": tiles_of(quantised(picture(LARGE)), chroma="444"),
        "gray": tiles_of(quantised(gray_picture(LARGE))),
    }.items():
        whole = grid(COLUMNS, ROWS, LARGE, numbers, nclx(JPEGS))
        yield as_libheif(f"heic-grid-{name}.heic", heif([whole, *others]))
    part = picture(LARGE)[23 : 23 + 63, 13 : 13 + 101]
    for name, change, meant in (
        ("irot-1", rotation(1), np.rot90(picture(LARGE))),
        ("clap", crop((101, 63), (-2, 6)), part),
    ):
        whole = grid(COLUMNS, ROWS, LARGE, numbers, nclx(JPEGS), change)
        yield as_libheif(f"heic-grid-{name}.heic", heif([whole, *tiles]), meant)


def tiles_of(
    samples: np.ndarray, *properties: bytes, stream: Colours | None = None, **options: Any
) -> list[Item]:
    beyond = [(0, ROWS * TILE - LARGE[1]), (0, COLUMNS * TILE - LARGE[0]), (0, 0)]
    samples = np.pad(samples, beyond[: samples.ndim], mode="edge")
    corners = [(y * TILE, x * TILE) for y in range(ROWS) for x in range(COLUMNS)]
    tiles = [np.ascontiguousarray(samples[y : y + TILE, x : x + TILE]) for y, x in corners]
    tiles = [coded(tile, **options) for tile in tiles]
    if stream is not None:
        tiles = [told_by_stream(tile, stream) for tile in tiles]
    return [item(tile, *properties) for tile in tiles]


def turned() -> Iterator[Photo]:
    meant, one = picture(EVEN), plain()
    for quarters in (1, 2, 3):
        file = heif([item(one, nclx(JPEGS), rotation(quarters))])
        yield as_libheif(f"heic-irot-{quarters}.heic", file, np.rot90(meant, quarters))
    for axis, mirrored in enumerate((np.flipud, np.fliplr)):
        file = heif([item(one, nclx(JPEGS), mirror(axis))])
        yield as_libheif(f"heic-imir-{axis}.heic", file, mirrored(meant))
        file = heif([item(one, nclx(JPEGS), rotation(1), mirror(axis))])
        yield as_libheif(f"heic-irot-imir-{axis}.heic", file, mirrored(np.rot90(meant)))
        file = heif([item(one, nclx(JPEGS), mirror(axis), rotation(1))])
        yield as_libheif(f"heic-imir-{axis}-irot.heic", file, np.rot90(mirrored(meant)))
    described = Item(b"Exif", bytes(4) + exif(6), references=((b"cdsc", [1]),))
    file = heif([item(one, nclx(JPEGS), rotation(3)), described])
    yield as_libheif("heic-irot-3-and-exif.heic", file, np.rot90(meant, 3))
    yield as_libheif("heic-exif-only.heic", heif([item(one, nclx(JPEGS)), described]), meant)


def cropped() -> Iterator[Photo]:
    """The left upper corner is half of what is cropped, and the offset."""
    meant, one = picture(EVEN), plain()
    for name, size, centre, corner in (
        ("even", (100, 80), (3, -2), (18, 7)),
        ("odd", (101, 77), (Fraction(1, 2), Fraction(-3, 2)), (15, 9)),
        # from (17.25, 9.75) on
        (
            "fractional",
            (Fraction(401, 4), Fraction(321, 4)),
            (Fraction(19, 8), Fraction(7, 8)),
            (17, 10),
        ),
        ("to-the-edge", (99, 75), (Fraction(31, 2), Fraction(23, 2)), (31, 23)),
    ):
        width, height = (round(side) for side in size)
        left, top = corner
        part = meant[top : top + height, left : left + width]
        cut = crop(size, centre)
        file = heif([item(one, nclx(JPEGS), cut)])
        yield as_libheif(f"heic-clap-{name}.heic", file, part)
        if name == "odd":
            file = heif([item(one, nclx(JPEGS), cut, rotation(1))])
            yield as_libheif("heic-clap-irot.heic", file, np.rot90(part))
            file = heif([item(one, nclx(JPEGS), cut, mirror(1))])
            yield as_libheif("heic-clap-imir.heic", file, np.fliplr(part))


def among_others() -> Iterator[Photo]:
    """The primary picture and others, which are not shown."""
    meant, one = picture(EVEN), item(plain(), nclx(JPEGS))
    negative = coded(255 - quantised(meant))
    gray_negative = coded(255 - quantised(gray_picture(EVEN)))
    small = coded(255 - quantised(picture((64, 48))))

    yield as_libheif("heic-second-is-primary.heic", heif([item(negative), one], primary=2), meant)
    thumbnail = item(small, references=((b"thmb", [1]),))
    yield as_libheif("heic-thumbnail.heic", heif([one, thumbnail]), meant)
    for name, kind in (("gain-map", GAIN_MAP), ("depth", DEPTH)):
        other = item(gray_negative, auxiliary(kind), references=((b"auxl", [1]),))
        yield as_libheif(f"heic-{name}.heic", heif([one, other]), meant)
    yield as_libheif("heic-in-parts.heic", heif([one._replace(extents=5)]), meant)

    derived = Item(
        b"iden", properties=(one.properties[1], rotation(1)), references=((b"dimg", [2]),)
    )
    yield as_libheif("heic-iden.heic", heif([derived, one]), np.rot90(meant))
    # libheif shows no picture with a gain map: what it is made from is expected.
    mapped = Item(
        b"tmap", b"\0", (one.properties[1], nclx(Colours(P3, 16, BT_601))), ((b"dimg", [2, 3]),)
    )
    file = heif([mapped, one, item(gray_negative)])
    base = as_libheif("heic-tmap.heic", heif([one]), meant)
    yield base._replace(data=file)


def with_alpha() -> Iterator[Photo]:
    colours, alpha = picture(EVEN), alpha_picture(EVEN)
    opaque, mask = item(plain(), nclx(JPEGS)), coded(quantised(alpha))
    multiplied = quantised(colours * alpha[..., None])
    shown = colours * alpha[..., None] + 1 - alpha[..., None]
    for name, kind in (("alpha", ALPHA), ("alpha-of-hevc", ALPHA_OF_HEVC)):
        file = heif([opaque, item(mask, auxiliary(kind), references=((b"auxl", [1]),))])
        yield as_libheif(f"heic-{name}.heic", file, shown)
    limited = item(coded(quantised(colours), VIDEO), nclx(VIDEO))
    file = heif([limited, item(mask, auxiliary(ALPHA), references=((b"auxl", [1]),))])
    yield as_libheif("heic-alpha-709-limited.heic", file, shown)
    for chroma in ("420", "444"):
        first = item(coded(multiplied, chroma=chroma), nclx(JPEGS), references=((b"prem", [2]),))
        second = item(mask, auxiliary(ALPHA), references=((b"auxl", [1]),))
        yield as_libheif(f"heic-alpha-multiplied-{chroma}.heic", heif([first, second]), shown)
    gray = item(coded(quantised(gray_picture(EVEN))), nclx(JPEGS))
    file = heif([gray, item(mask, auxiliary(ALPHA), references=((b"auxl", [1]),))])
    flat = np.dstack(3 * [gray_picture(EVEN) * alpha + 1 - alpha])
    yield as_libheif("heic-alpha-gray.heic", file, flat)
    ten_bit = item(
        coded(quantised(alpha, 10), bits=10), auxiliary(ALPHA), references=((b"auxl", [1]),)
    )
    yield as_libheif("heic-alpha-10-bit.heic", heif([opaque, ten_bit]), shown)

    tiles = tiles_of(quantised(picture(LARGE)))
    masks = tiles_of(quantised(alpha_picture(LARGE)))
    first, second = [3 + number for number in range(6)], [9 + number for number in range(6)]
    whole = grid(COLUMNS, ROWS, LARGE, first, nclx(JPEGS))
    of_alpha = (b"auxl", [1])
    mask = grid(COLUMNS, ROWS, LARGE, second, auxiliary(ALPHA), references=(of_alpha,))
    alpha = alpha_picture(LARGE)[..., None]
    file = heif([whole, mask, *tiles, *masks])
    yield as_libheif("heic-alpha-grid.heic", file, picture(LARGE) * alpha + 1 - alpha)


def in_tracks() -> Iterator[Photo]:
    """Image sequences, of which the first picture is shown, as libheif decodes it from an item."""
    meant, one = picture(EVEN), plain()
    negative = coded(255 - quantised(meant))
    shown = as_libheif("", heif([item(one, nclx(JPEGS))]), meant)
    pictures = [one, negative, negative]
    track = Track(pictures, (nclx(JPEGS),))
    for name, tracks in {
        "": [track],
        "-movie": [track._replace(handler=b"vide", coding=b"hev1")],
        "-long": [track._replace(is_long=True)],
        "-among-others": [track._replace(handler=b"auxv", pictures=[negative]), track],
    }.items():
        yield shown._replace(name=f"heic-sequence{name}.heic", data=sequence(tracks))
    for name, matrix, change in (
        ("clockwise", (0, 1, -1, 0), lambda pixels: np.rot90(pixels, -1)),
        ("counter-clockwise", (0, -1, 1, 0), np.rot90),
        ("upside-down", (-1, 0, 0, -1), lambda pixels: np.rot90(pixels, 2)),
        ("mirrored", (-1, 0, 0, 1), np.fliplr),
        ("flipped", (1, 0, 0, -1), np.flipud),
        ("transposed", (0, 1, 1, 0), lambda pixels: pixels.transpose(1, 0, 2)),
        ("transversed", (0, -1, -1, 0), lambda pixels: np.rot90(pixels, 2).transpose(1, 0, 2)),
    ):
        file = sequence([track._replace(matrix=matrix)])
        pixels = np.ascontiguousarray(change(shown.pixels))
        yield Photo(f"heic-sequence-{name}.heic", file, pixels)
    left, top, width, height = 18, 7, 100, 80
    cut = track._replace(properties=(nclx(JPEGS), crop((width, height), (3, -2))))
    pixels = np.ascontiguousarray(shown.pixels[top : top + height, left : left + width])
    yield Photo("heic-sequence-clap.heic", sequence([cut]), pixels)
    mask = coded(quantised(alpha_picture(EVEN)))
    file = heif([item(one, nclx(JPEGS)), item(mask, auxiliary(ALPHA), references=((b"auxl", [1]),))])
    alpha = Track([mask], handler=b"auxv", alpha_of=1)
    both = sequence([track, alpha])
    yield as_libheif("heic-sequence-alpha.heic", file)._replace(data=both)
    still = as_libheif("", heif([item(negative, nclx(JPEGS))]))
    yield still._replace(name="heic-sequence-and-primary.heic", data=with_still(track, negative))


def with_still(track: Track, still: Coded) -> bytes:
    """A sequence and a primary picture, which is another one."""
    one = [item(still, nclx(JPEGS), is_in_meta=True)]
    return sequence([track], items=meta(one, primary=1, start=0))


def of_colours() -> Iterator[Photo]:
    """What samples mean, by nclx or else by the stream."""
    colours, grays = quantised(picture(EVEN)), quantised(gray_picture(EVEN))
    for name, matrix in (("601", BT_601), ("709", BT_709), ("2020", BT_2020)):
        for range_name, is_full in (("", FULL), ("-limited", LIMITED)):
            yield meaning(
                f"heic-{name}{range_name}.heic", Colours(matrix=matrix, full_range=is_full)
            )
    # Chroma is mixed into luma. On these odd sides of the thumbnail, a turn moves it by a pixel.
    upside_down = Colours(matrix=BT_2020)
    one = item(coded(colours, upside_down), nclx(upside_down), rotation(2))
    yield as_libheif("heic-2020-irot-2.heic", heif([one]), np.rot90(picture(EVEN), 2))
    # libheif knows no limited range of these.
    yield meaning("heic-ycgco.heic", Colours(matrix=YCGCO))
    yield meaning("heic-gbr.heic", Colours(matrix=GBR), chroma="444")
    # libheif takes all gray for full range. H.273 does not.
    limited = Colours(full_range=LIMITED)
    samples = quantised((16 + 219 * gray_picture(EVEN)) / 255)
    file = heif([item(coded(samples, limited), nclx(limited))])
    yield Photo("heic-gray-limited.heic", file, grays)

    video = coded(colours, VIDEO)
    yield as_libheif("heic-colours-of-stream.heic", heif([item(video)]), picture(EVEN))
    contradicted = told_by_stream(video, Colours(matrix=BT_2020, full_range=FULL))
    file = heif([item(contradicted, nclx(VIDEO))])
    yield as_libheif("heic-colours-of-nclx.heic", file, picture(EVEN))
    for name, samples in (("", colours), ("-gray", grays)):
        one = told_by_stream(coded(samples, Colours(full_range=LIMITED)), None)
        yield as_libheif(f"heic-colours-of-nothing{name}.heic", heif([item(one)]))

    numbers = [number + 2 for number in range(COLUMNS * ROWS)]
    of_large = quantised(picture(LARGE))
    lie = Colours(matrix=BT_2020, full_range=FULL)
    tiles = tiles_of(of_large, nclx(VIDEO), colours=VIDEO, stream=lie)
    file = heif([grid(COLUMNS, ROWS, LARGE, numbers), *tiles])
    yield as_libheif("heic-colours-of-tiles.heic", file, picture(LARGE))
    tiles = tiles_of(of_large, nclx(lie), colours=VIDEO, stream=lie)
    file = heif([grid(COLUMNS, ROWS, LARGE, numbers, nclx(VIDEO)), *tiles])
    yield as_libheif("heic-colours-of-grid.heic", file, picture(LARGE))

    of_screen = item(plain(), nclx(JPEGS), icc(profile.display_p3()))
    yield as_libheif("heic-display-p3.heic", heif([of_screen]), picture(EVEN))
    gray = item(coded(grays), nclx(JPEGS), icc(profile.gray()))
    yield as_libheif("heic-gray-profile.heic", heif([gray]), gray_picture(EVEN))
    for name, primaries in (("p3", P3), ("2020", OF_BT_2020)):
        one = item(plain(), nclx(Colours(primaries=primaries)))
        yield as_libheif(f"heic-primaries-of-{name}.heic", heif([one]), picture(EVEN))
    gray = item(coded(grays), nclx(Colours(primaries=P3)))
    yield as_libheif("heic-gray-primaries-of-p3.heic", heif([gray]), gray_picture(EVEN))


def meaning(name: str, meant: Colours, **options: Any) -> Photo:
    one = coded(quantised(picture(EVEN)), meant, **options)
    return as_libheif(name, heif([item(one, nclx(meant))]), picture(EVEN))


def of_high_dynamic_range() -> Iterator[Photo]:
    for name, transfer in (("pq", hdr.PQ), ("hlg", hdr.HLG)):
        video = Colours(OF_BT_2020, transfer, BT_2020, LIMITED)
        yield bright(f"heic-{name}.heic", picture(EVEN), video)
        channels = Colours(P3, transfer, GBR)
        yield bright(f"heic-{name}-p3-gbr.heic", picture(EVEN), channels, chroma="444")
        grays = np.dstack(3 * [gray_picture(EVEN)])
        yield bright(f"heic-{name}-gray.heic", grays, video._replace(full_range=FULL))


def bright(name: str, meant: np.ndarray, colours: Colours, **options: Any) -> Photo:
    """A photo in 10 bits. libheif decodes its samples, but does not bring them to sRGB."""
    signal = quantised(hdr.signal(meant, colours.transfer, colours.primaries), 10)
    is_gray = np.ptp(signal, axis=2).max() <= 1
    one = coded(signal[..., 1] if is_gray else signal, colours, bits=10, **options)
    file = heif([item(one, nclx(colours))])
    samples = libheif_samples(file) / 65535
    samples = np.dstack(3 * [samples]) if is_gray else samples
    shown = quantised(hdr.as_srgb(samples, colours.transfer, colours.primaries))
    return Photo(name, file, shown[..., 1] if is_gray else shown)


def refused() -> Iterator[Photo]:
    nothing = quantised(gray_picture(EVEN))
    one = item(plain(), nclx(JPEGS))
    small = coded(quantised(gray_picture((64, 48))))

    overlay = Item(b"iovl", bytes(2 + 8 + 4 + 8), one.properties[1:2], ((b"dimg", [2]),))
    yield Photo("heic-overlay.heic", heif([overlay, one]), nothing)
    yield Photo("heic-mini.heic", mini(), nothing)
    mask = item(small, auxiliary(ALPHA), references=((b"auxl", [1]),))
    yield Photo("heic-small-alpha.heic", heif([one, mask]), nothing)
    late = item(plain(), nclx(JPEGS), rotation(1), crop((77, 101), (0, 0)))
    yield Photo("heic-irot-clap.heic", heif([late]), nothing)
    tiles = tiles_of(quantised(picture(LARGE)), rotation(2))
    whole = grid(COLUMNS, ROWS, LARGE, [2 + number for number in range(6)], nclx(JPEGS))
    yield Photo("heic-turned-tiles.heic", heif([whole, *tiles]), nothing)
    track = Track([plain()], (nclx(JPEGS),))
    for name, track_of_kind in {
        "av01": track._replace(coding=b"av01"),
        "in-fragments": track._replace(is_in_fragments=True),
        "aslant": track._replace(matrix=(1, 1, -1, 1)),
        "of-sound": track._replace(handler=b"soun"),
    }.items():
        yield Photo(f"heic-sequence-{name}.heic", sequence([track_of_kind]), nothing)
    for kind in (b"av01", b"avc1"):
        other = one._replace(kind=kind)
        yield Photo(f"heic-{kind.decode()}.heic", heif([other]), nothing)
    yield Photo("heic-predicted.heic", heif([item(predicted(plain()), nclx(JPEGS))]), nothing)


def plain() -> Coded:
    return coded(quantised(picture(EVEN)))


def as_libheif(name: str, file: bytes, meant: np.ndarray | None = None) -> Photo:
    """A photo with the pixels that libheif decodes. They must be close to those that are meant."""
    samples = libheif_samples(file)
    pixels = eight_bit(samples, 16) if samples.dtype == np.uint16 else samples
    image = pillow_heif.open_heif(file)
    if image.has_alpha:
        colours, alpha = pixels[..., :-1], pixels[..., -1]
        if image.premultiplied_alpha:
            pixels = np.minimum(colours + (255.0 - alpha[..., None]), 255).astype(np.uint8)
        else:
            pixels = on_white(colours, alpha)
        pixels = pixels[..., 0] if pixels.shape[2] == 1 else pixels
    if meant is not None:
        difference = np.abs(pixels - 255.0 * meant).mean() if pixels.shape == meant.shape else 255
        if difference > SAME:
            raise SystemExit(f"{name}: libheif shows another picture")
    return Photo(name, file, np.ascontiguousarray(pixels))


def libheif_samples(file: bytes) -> np.ndarray:
    """The samples of the primary picture, of 8 or 16 bits."""
    return np.asarray(pillow_heif.open_heif(file, convert_hdr_to_8bit=False))


def mini() -> bytes:
    """A file in the short form (ISO/IEC 23008-12:2025 clause 9.1), of which only the beginning matters."""
    return box(b"ftyp", b"mif3" + b"heic" + b"heic") + box(b"mini", bytes(16))
