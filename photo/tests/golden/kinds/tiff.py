"""TIFF, written by tifffile; libtiff writes fax coding. tiff_file.py writes what they cannot."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from . import profile, tiff_file
from .colour import cmyk_to_rgb, eight_bit, lab_to_rgb, on_white, rgb_to_cmyk, rgb_to_lab, rounded
from .photo import (
    LARGE,
    MEDIUM,
    SMALL,
    Photo,
    alpha_picture,
    as_decoded,
    gray_picture,
    palette,
    picture,
    quantised,
    stored,
)
from .tiff_file import (
    DEFLATE,
    GRAY,
    GRAY_WHITE_ZERO,
    INDEXED,
    INKS,
    LZW,
    MULTIPLIED,
    NO_ALPHA,
    PACKBITS,
    RGB,
    STRAIGHT,
    YCBCR,
    Layout,
)

SHORT, LONG, RATIONAL = 3, 4, 5
ORIENTATION, WHITE_POINT = 274, 318
PHOTOMETRIC, FILL_ORDER, ROWS_PER_STRIP, T4_OPTIONS = 262, 266, 278, 292
COLOR_MAP, INK_SET, YCBCR_SUBSAMPLING = 320, 332, 530
LAYOUTS: dict[str, dict[str, Any]] = {
    "strips": {"rowsperstrip": 8},
    "lzw": {"compression": "lzw"},
    "lzw-predictor": {"compression": "lzw", "predictor": True, "rowsperstrip": 16},
    "deflate": {"compression": "deflate"},
    "deflate-predictor": {"compression": "deflate", "predictor": True},
    "packbits": {"compression": "packbits"},
    "tiles": {"tile": (16, 16), "compression": "deflate"},
    "big-endian": {"byteorder": ">"},
    "bigtiff": {"bigtiff": True},
}


def photos() -> Iterator[Photo]:
    colours = quantised(picture(SMALL))
    grays = quantised(gray_picture(SMALL))
    deep = quantised(picture(SMALL), 16)
    deep_grays = quantised(gray_picture(SMALL), 16)
    black_and_white = gray_picture(MEDIUM) > 0.5
    levels = quantised(black_and_white)

    for layout, options in LAYOUTS.items():
        yield Photo(f"tiff-{layout}.tif", tiff(colours, "rgb", **options), colours)
    planes = np.moveaxis(colours, 2, 0)
    yield Photo("tiff-planes.tif", tiff(planes, "rgb", planarconfig="separate"), colours)
    yield Photo("tiff-rgb-16-bit.tif", tiff(deep, "rgb"), eight_bit(deep, 16))
    predicted = tiff(deep, "rgb", byteorder=">", compression="lzw", predictor=True)
    yield Photo("tiff-rgb-16-bit-big-endian-predictor.tif", predicted, eight_bit(deep, 16))
    yield Photo("tiff-gray-8-bit.tif", tiff(grays, "minisblack"), grays)
    yield Photo("tiff-gray-8-bit-min-is-white.tif", tiff(255 - grays, "miniswhite"), grays)
    yield Photo("tiff-gray-16-bit.tif", tiff(deep_grays, "minisblack"), eight_bit(deep_grays, 16))
    yield Photo("tiff-bilevel.tif", tiff(black_and_white, "minisblack"), levels)
    yield Photo("tiff-bilevel-min-is-white.tif", tiff(~black_and_white, "miniswhite"), levels)
    yield from faxes(black_and_white)
    yield indexed("tiff-palette.tif")
    yield from palettes()
    yield from depths()
    yield from arrangements()
    yield from extra_samples()
    yield from bit_orders(black_and_white)
    yield from jpegs(colours, grays)
    yield from refused(colours)

    yield with_alpha("tiff-alpha.tif")
    yield with_multiplied_alpha("tiff-alpha-multiplied.tif")
    yield cmyk("tiff-cmyk.tif", None)
    yield cmyk("tiff-cmyk-profile.tif", profile.cmyk(8))
    yield lab("tiff-cielab.tif")
    yield Photo(
        "tiff-display-p3.tif", tiff(colours, "rgb", iccprofile=profile.display_p3()), colours
    )
    two_pages = tiff(np.stack([colours, 255 - colours]), "rgb", compression="deflate")
    yield Photo("tiff-two-pages.tif", two_pages, colours)
    yield as_decoded(
        "tiff-jpeg.tif", tiff(colours, "rgb", compression="jpeg", compressionargs={"level": 90})
    )
    yield turned("tiff-orientation-6.tif", colours, 6)


def tiff(samples: np.ndarray, photometric: str, **options: Any) -> bytes:
    file = io.BytesIO()
    tifffile.imwrite(
        file, samples, photometric=photometric, metadata=None, software=False, **options
    )
    return file.getvalue()


def indexed(name: str) -> Photo:
    indices = quantised(gray_picture(SMALL))
    return Photo(
        name, tiff(indices, "palette", colormap=palette(8).T * np.uint16(257)), palette(8)[indices]
    )


def with_alpha(name: str) -> Photo:
    colours, alpha = quantised(picture(SMALL)), quantised(alpha_picture(SMALL))
    data = tiff(np.dstack([colours, alpha]), "rgb", extrasamples=["unassalpha"])
    return Photo(name, data, on_white(colours, alpha))


def with_multiplied_alpha(name: str) -> Photo:
    alpha = quantised(alpha_picture(SMALL))[..., None]
    multiplied = rounded(picture(SMALL) * alpha)
    data = tiff(np.dstack([multiplied, alpha]), "rgb", extrasamples=["assocalpha"])
    return Photo(name, data, multiplied + (255 - alpha))


def cmyk(name: str, icc: bytes | None) -> Photo:
    inks = quantised(rgb_to_cmyk(picture(SMALL)))
    return Photo(name, tiff(inks, "separated", iccprofile=icc), cmyk_to_rgb(inks, icc))


def lab(name: str) -> Photo:
    """CIELab samples (TIFF 6.0, section 23): L from 0 to 255, a and b as signed numbers."""
    codes = np.rint(rgb_to_lab(picture(SMALL)) * [2.55, 1, 1]).astype(int)
    d50 = (WHITE_POINT, RATIONAL, 2, (3457, 10000, 3585, 10000))
    data = tiff((codes % 256).astype(np.uint8), "cielab", extratags=[d50])
    return Photo(name, data, lab_to_rgb(codes / [2.55, 1, 1]))


def turned(name: str, pixels: np.ndarray, orientation: int) -> Photo:
    pixels = stored(pixels, orientation)
    data = tiff(pixels, "rgb", extratags=[(ORIENTATION, SHORT, 1, orientation)])
    return Photo(name, data, pixels, orientation)


def faxes(black_and_white: np.ndarray) -> Iterator[Photo]:
    """White is zero here, and so in libtiff; Pillow inverts what it gives to libtiff."""
    levels = quantised(black_and_white)
    for name, compression, options in (
        ("group-4", "group4", {}),
        ("group-3", "group3", {}),
        ("group-3-two-dimensional", "group3", {T4_OPTIONS: 1}),
        ("group-3-aligned", "group3", {T4_OPTIONS: 4}),
        ("group-3-two-dimensional-aligned", "group3", {T4_OPTIONS: 5}),
        ("huffman", "tiff_ccitt", {}),
    ):
        yield Photo(f"tiff-fax-{name}.tif", fax(black_and_white, compression, options), levels)
        options = {**options, FILL_ORDER: 2, PHOTOMETRIC: 0, ROWS_PER_STRIP: 20}
        data = fax(black_and_white, compression, options)
        yield Photo(f"tiff-fax-{name}-lowest-bit-first.tif", data, levels)


def fax(black_and_white: np.ndarray, compression: str, options: dict[int, int]) -> bytes:
    file = io.BytesIO()
    image = Image.fromarray(black_and_white)
    image.save(file, "TIFF", compression=compression, tiffinfo=options)
    return file.getvalue()


def palettes() -> Iterator[Photo]:
    for bits in (1, 2, 4, 8):
        indices = quantised(gray_picture(MEDIUM), bits)
        colours = palette(bits)[indices]
        layout = Layout(INDEXED, bits, tags=(color_map(palette(bits), 257),))
        yield Photo(f"tiff-palette-{bits}-bit.tif", tiff_file.tiff(indices, layout), colours)
    layout = Layout(INDEXED, 4, DEFLATE, tile=16, byte_order=">", tags=(color_map(palette(4), 256),))
    indices = quantised(gray_picture(MEDIUM), 4)
    tiles = tiff_file.tiff(indices, layout)
    yield Photo("tiff-palette-4-bit-tiles.tif", tiles, palette(4)[indices])
    indices = quantised(gray_picture(SMALL))
    layout = Layout(INDEXED, 8, LZW, True, tags=(color_map(palette(8), 1),))
    small = tiff_file.tiff(indices, layout)
    yield Photo("tiff-palette-of-small-values.tif", small, palette(8)[indices])
    alpha = quantised(alpha_picture(SMALL))
    layout = Layout(INDEXED, extra=(STRAIGHT,), tags=(color_map(palette(8), 257),))
    data = tiff_file.tiff(np.dstack([indices, alpha]), layout)
    yield Photo("tiff-palette-alpha.tif", data, on_white(palette(8)[indices], alpha))
    data = tiff_file.tiff(np.dstack([indices, alpha]), layout._replace(planar=True))
    yield Photo("tiff-palette-alpha-planes.tif", data, on_white(palette(8)[indices], alpha))


def color_map(colours: np.ndarray, factor: int) -> tuple[int, int, tuple[int, ...]]:
    return COLOR_MAP, SHORT, tuple((colours.T.astype(int) * factor).ravel())


def depths() -> Iterator[Photo]:
    for bits in (2, 4, 10, 12, 14):
        grays = quantised(gray_picture(MEDIUM), bits)
        data = tiff_file.tiff(grays, Layout(GRAY, bits))
        yield Photo(f"tiff-gray-{bits}-bit.tif", data, eight_bit(grays, bits))
    grays = quantised(gray_picture(MEDIUM), 4)
    inverted = tiff_file.tiff(15 - grays, Layout(GRAY_WHITE_ZERO, 4, PACKBITS))
    yield Photo("tiff-gray-4-bit-min-is-white.tif", inverted, eight_bit(grays, 4))
    deep = quantised(gray_picture(SMALL), 16)
    layout = Layout(GRAY_WHITE_ZERO, 16, DEFLATE, True, byte_order=">")
    inverted = tiff_file.tiff(65535 - deep, layout)
    yield Photo("tiff-gray-16-bit-min-is-white.tif", inverted, eight_bit(deep, 16))
    for bits in (2, 4, 12):
        colours = quantised(picture(MEDIUM), bits)
        data = tiff_file.tiff(colours, Layout(RGB, bits, DEFLATE))
        yield Photo(f"tiff-rgb-{bits}-bit.tif", data, eight_bit(colours, bits))
        layout = Layout(RGB, bits, DEFLATE, planar=True, tile=32)
        data = tiff_file.tiff(colours, layout)
        yield Photo(f"tiff-rgb-{bits}-bit-planar-tiles.tif", data, eight_bit(colours, bits))


def arrangements() -> Iterator[Photo]:
    """Planes, tiles, predictors, compressions and byte orders."""
    for bits in (8, 16):
        colours = quantised(picture(SMALL), bits)
        shown = eight_bit(colours, bits)
        for order, mark in (("<", "little"), (">", "big")):
            for planar in (False, True):
                layout = Layout(RGB, bits, DEFLATE, True, planar, tile=16, byte_order=order)
                kind = "planar-tiles" if planar else "tiles"
                name = f"tiff-rgb-{bits}-bit-{kind}-predictor-{mark}-endian.tif"
                yield Photo(name, tiff_file.tiff(colours, layout), shown)
            layout = Layout(RGB, bits, LZW, True, planar=True, byte_order=order)
            name = f"tiff-rgb-{bits}-bit-planes-predictor-{mark}-endian.tif"
            yield Photo(name, tiff_file.tiff(colours, layout), shown)
    colours = quantised(picture(SMALL))
    tiles = tiff_file.tiff(colours, Layout(RGB, planar=True, tile=16))
    yield Photo("tiff-planar-tiles.tif", tiles, colours)
    yield old_lzw("tiff-lzw-old-style.tif")
    data = tiff_file.tiff(colours, Layout(RGB, lengths=False))
    yield Photo("tiff-without-lengths.tif", data, colours)
    data = tiff_file.tiff(colours, Layout(RGB, predictor=True))
    yield Photo("tiff-predictor-of-nothing.tif", without_difference(data, colours), colours)
    inks = quantised(rgb_to_cmyk(picture(SMALL)))
    for name, layout in (
        ("planar-tiles", Layout(INKS, compression=DEFLATE, planar=True, tile=16)),
        ("predictor", Layout(INKS, compression=LZW, predictor=True)),
    ):
        yield Photo(f"tiff-cmyk-{name}.tif", tiff_file.tiff(inks, layout), cmyk_to_rgb(inks, None))
    deep = inks.astype(np.uint16) * 257
    data = tiff_file.tiff(deep, Layout(INKS, 16, DEFLATE, True))
    yield Photo("tiff-cmyk-16-bit.tif", data, cmyk_to_rgb(inks, None))
    ycbcr = np.asarray(Image.fromarray(colours).convert("YCbCr"))
    shown = np.asarray(Image.fromarray(ycbcr, "YCbCr").convert("RGB"))
    layout = Layout(YCBCR, compression=DEFLATE, tags=((YCBCR_SUBSAMPLING, SHORT, (1, 1)),))
    yield Photo("tiff-ycbcr.tif", tiff_file.tiff(ycbcr, layout), shown)


def old_lzw(name: str) -> Photo:
    """LZW as it was before TIFF 6.0, lowest bits first, which is also that of GIF."""
    grays = quantised(gray_picture(LARGE))
    file = io.BytesIO()
    image = Image.frombytes("P", LARGE, grays.tobytes())
    image.putpalette(palette(8).tobytes())
    image.save(file, "GIF", interlace=0, optimize=False)
    # A header of 13 bytes and a palette of 768 before the picture's 10 bytes and the code size
    gif = file.getvalue()[file.getvalue().index(b",\0\0\0\0", 13 + 768) + 11 :]
    data, at = b"", 0
    while gif[at]:
        data += gif[at + 1 : at + 1 + gif[at]]
        at += 1 + gif[at]
    height, width = grays.shape
    sizes = [(256, width), (257, height), (258, 8), (259, LZW), (262, GRAY), (278, height)]
    fields = [(tag, SHORT, (value,)) for tag, value in sizes]
    fields += [(273, LONG, (8,)), (279, LONG, (len(data),))]
    return Photo(name, tiff_file.written(fields, data), grays)


def without_difference(data: bytes, colours: np.ndarray) -> bytes:
    """Uncompressed data to which the predictor was not applied, as it has none: libtiff ignores the tag."""
    return data[:8] + colours.tobytes() + data[8 + colours.size :]


def extra_samples() -> Iterator[Photo]:
    noise = np.random.default_rng(7).integers(0, 65536, (*SMALL[::-1], 2), np.uint16)
    for bits in (8, 16):
        colours, grays = quantised(picture(SMALL), bits), quantised(gray_picture(SMALL), bits)
        alpha = quantised(alpha_picture(SMALL), bits)
        shown = [eight_bit(one, bits) for one in (colours, grays, alpha)]
        selection = noise >> (16 - bits)
        four, five = np.dstack([colours, selection[..., :1]]), np.dstack([colours, selection])
        for kind, samples, extra in (
            ("selection", four, (NO_ALPHA,)),
            ("two-selections", five, (NO_ALPHA, NO_ALPHA)),
        ):
            layout = Layout(RGB, bits, LZW, True, extra=extra)
            for arrangement, layout in (
                ("predictor", layout),
                ("planes-predictor", layout._replace(planar=True)),
                ("tiles-predictor", layout._replace(tile=16, byte_order=">")),
                ("plain", Layout(RGB, bits, extra=extra)),
            ):
                name = f"tiff-rgb-{bits}-bit-{kind}-{arrangement}.tif"
                yield Photo(name, tiff_file.tiff(samples, layout), shown[0])
        samples = np.dstack([grays, alpha])
        flattened = on_white(shown[1], shown[2])
        for kind, layout in (
            ("", Layout(GRAY, bits, DEFLATE, True, extra=(STRAIGHT,))),
            ("-planes", Layout(GRAY, bits, DEFLATE, True, planar=True, extra=(STRAIGHT,))),
            ("-tiles", Layout(GRAY, bits, tile=16, extra=(STRAIGHT,))),
        ):
            data = tiff_file.tiff(samples, layout)
            yield Photo(f"tiff-gray-alpha-{bits}-bit{kind}.tif", data, flattened)
        data = tiff_file.tiff(
            np.dstack([colours, selection[..., :1], alpha]),
            Layout(RGB, bits, LZW, True, extra=(NO_ALPHA, STRAIGHT)),
        )
        name = f"tiff-rgb-{bits}-bit-selection-before-alpha.tif"
        yield Photo(name, data, on_white(shown[0], shown[2]))
        data = tiff_file.tiff(
            np.dstack([colours, alpha, selection[..., :1]]),
            Layout(RGB, bits, DEFLATE, True, planar=True, extra=(STRAIGHT, NO_ALPHA)),
        )
        name = f"tiff-rgb-{bits}-bit-alpha-and-selection-planes.tif"
        yield Photo(name, data, on_white(shown[0], shown[2]))
    alpha = quantised(alpha_picture(SMALL))
    grays = quantised(gray_picture(SMALL))
    data = tiff_file.tiff(
        np.dstack([255 - grays, alpha]), Layout(GRAY_WHITE_ZERO, extra=(STRAIGHT,))
    )
    yield Photo("tiff-gray-alpha-min-is-white.tif", data, on_white(grays, alpha))
    multiplied = rounded(gray_picture(SMALL)[..., None] * alpha[..., None])
    data = tiff_file.tiff(
        np.dstack([multiplied, alpha]), Layout(GRAY, compression=LZW, extra=(MULTIPLIED,))
    )
    shown_gray = (multiplied + (255 - alpha[..., None]))[..., 0]
    yield Photo("tiff-gray-alpha-multiplied.tif", data, shown_gray)
    inks = quantised(rgb_to_cmyk(picture(SMALL)))
    data = tiff_file.tiff(
        np.dstack([inks, noise[..., :1] >> 8]),
        Layout(INKS, compression=DEFLATE, predictor=True, extra=(NO_ALPHA,)),
    )
    yield Photo("tiff-cmyk-selection-predictor.tif", data, cmyk_to_rgb(inks, None))
    data = tiff_file.tiff(
        np.dstack([inks, alpha]), Layout(INKS, compression=LZW, predictor=True, extra=(STRAIGHT,))
    )
    on_paper = rounded(inks * (alpha[..., None] / 255))
    yield Photo("tiff-cmyk-alpha.tif", data, cmyk_to_rgb(on_paper, None))


def bit_orders(black_and_white: np.ndarray) -> Iterator[Photo]:
    """The lowest bit of each byte first, whatever the compression."""
    levels = quantised(black_and_white)
    colours, deep = quantised(picture(SMALL)), quantised(picture(SMALL), 16)
    bilevel = black_and_white.astype(np.uint8)
    for compression, name in ((1, "plain"), (LZW, "lzw"), (DEFLATE, "deflate"), (PACKBITS, "packbits")):
        layout = Layout(GRAY, 1, compression, lowest_bit_first=True)
        data = tiff_file.tiff(bilevel, layout)
        yield Photo(f"tiff-lowest-bit-first-bilevel-{name}.tif", data, levels)
        layout = Layout(RGB, 8, compression, lowest_bit_first=True)
        data = tiff_file.tiff(colours, layout)
        yield Photo(f"tiff-lowest-bit-first-rgb-{name}.tif", data, colours)
    data = tiff_file.tiff(bilevel, Layout(GRAY, 1, LZW, tile=32))
    yield Photo("tiff-bilevel-lzw-tiles-of-one-colour.tif", data, levels)
    layout = Layout(RGB, 16, LZW, True, tile=16, lowest_bit_first=True, byte_order=">")
    data = tiff_file.tiff(deep, layout)
    yield Photo("tiff-lowest-bit-first-rgb-16-bit-tiles.tif", data, eight_bit(deep, 16))


def jpegs(colours: np.ndarray, grays: np.ndarray) -> Iterator[Photo]:
    options: dict[str, Any] = {"compression": "jpeg", "compressionargs": {"level": 90}}
    yield as_decoded("tiff-jpeg-gray.tif", tiff(grays, "minisblack", **options))
    yield as_decoded("tiff-jpeg-tiles.tif", tiff(colours, "rgb", tile=(16, 16), **options))
    yield as_decoded("tiff-jpeg-strips.tif", tiff(colours, "rgb", rowsperstrip=16, **options))
    options["compressionargs"] = {"level": 90, "outcolorspace": "RGB"}
    yield as_decoded("tiff-jpeg-rgb.tif", tiff(colours, "rgb", **options))
    options["compressionargs"] = {"level": 90}
    planes = np.moveaxis(colours, 2, 0)
    yield as_decoded("tiff-jpeg-planes.tif", tiff(planes, "rgb", planarconfig="separate", **options))


def refused(colours: np.ndarray) -> Iterator[Photo]:
    """Kinds that are refused, of which no expected picture is looked at."""
    halves = (colours / 255).astype(np.float16)
    yield Photo("tiff-float-16-bit.tif", tiff(halves, "rgb"), colours)
    yield Photo("tiff-float-32-bit.tif", tiff(halves.astype(np.float32), "rgb"), colours)
    yield Photo("tiff-signed.tif", tiff((colours.astype(np.int16) - 128), "rgb"), colours)
    yield Photo("tiff-32-bit.tif", tiff(colours.astype(np.uint32) << 24, "rgb"), colours)
    yield Photo("tiff-zstandard.tif", tiff(colours, "rgb", compression="zstd"), colours)
    differences = tiff(colours, "rgb", compression="packbits", predictor=True)
    yield Photo("tiff-packbits-predictor.tif", differences, colours)
    yield Photo("tiff-lzma.tif", tiff(colours, "rgb", compression="lzma"), colours)
    yield Photo("tiff-jpeg-2000.tif", tiff(colours, "rgb", compression="jpeg2000"), colours)
    mixed = tiff_file.tiff(colours, Layout(RGB))
    depths = (8).to_bytes(2, "little") * 3
    data = mixed.replace(depths, b"\x08\0\x08\0\x06\0", 1)
    yield Photo("tiff-different-depths.tif", data, colours)
    layout = Layout(YCBCR, compression=DEFLATE)
    yield Photo("tiff-ycbcr-subsampled.tif", tiff_file.tiff(colours, layout), colours)
    layout = Layout(INKS, compression=DEFLATE, extra=(NO_ALPHA,), tags=((INK_SET, SHORT, (2,)),))
    inks = np.dstack([colours, colours[..., :2]])
    yield Photo("tiff-other-inks.tif", tiff_file.tiff(inks, layout), colours)
    layout = Layout(GRAY, 4, DEFLATE, tags=())
    data = tiff_file.tiff(quantised(gray_picture(MEDIUM), 4), layout)
    predictor = bytes.fromhex("3d01 0300 01000000 0100 0000")
    data = data.replace(predictor, predictor.replace(b"\x01\0\0\0\x01", b"\x01\0\0\0\x02"))
    yield Photo("tiff-gray-4-bit-predictor.tif", data, quantised(gray_picture(MEDIUM)))
