"""TIFF, written by tifffile; libtiff writes fax coding."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
import tifffile
from PIL import Image

from . import profile
from .colour import cmyk_to_rgb, eight_bit, lab_to_rgb, on_white, rgb_to_cmyk, rgb_to_lab, rounded
from .photo import (
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

SHORT, RATIONAL = 3, 5
ORIENTATION, WHITE_POINT = 274, 318
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
    yield Photo("tiff-fax-group-4.tif", fax(black_and_white), levels)
    yield indexed("tiff-palette.tif")

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


def fax(black_and_white: np.ndarray) -> bytes:
    file = io.BytesIO()
    Image.fromarray(black_and_white).save(file, "TIFF", compression="group4")
    return file.getvalue()
