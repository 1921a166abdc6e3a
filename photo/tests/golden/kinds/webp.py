"""WebP, written by libwebp."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import numpy as np
from PIL import Image

from . import profile
from .colour import on_white
from .photo import LARGE, MEDIUM, Photo, alpha_picture, as_decoded, exif, picture, quantised, stored


def photos() -> Iterator[Photo]:
    colours = quantised(picture(LARGE))
    transparent = quantised(np.dstack([picture(MEDIUM), alpha_picture(MEDIUM)]))
    flattened = on_white(transparent[..., :3], transparent[..., 3])
    second = Image.fromarray(255 - colours)

    yield as_decoded("webp-lossy.webp", webp(colours))
    yield Photo("webp-lossless.webp", webp(colours, lossless=True), colours)
    yield as_decoded("webp-lossy-alpha.webp", webp(transparent))
    yield Photo("webp-lossless-alpha.webp", webp(transparent, lossless=True), flattened)
    yield as_decoded("webp-animated.webp", webp(colours, save_all=True, append_images=[second]))
    yield as_decoded("webp-display-p3.webp", webp(colours, icc_profile=profile.display_p3()))
    yield as_decoded("webp-orientation-6.webp", webp(stored(colours, 6), exif=exif(6)), 6)
    whole = webp(colours, icc_profile=profile.display_p3())
    for name, flags in (("metadata", 0x2C), ("alpha", 0x30), ("animation", 0x22), ("all", 0x3E)):
        yield as_decoded(f"webp-announces-{name}.webp", whole)._replace(data=announcing(whole, flags))
    lossless = webp(transparent, lossless=True, exif=exif(1))
    without = announcing(lossless[: lossless.index(b"EXIF")], 0x1C)
    yield Photo("webp-lossless-alpha-announces-metadata.webp", without, flattened)


def announcing(extended: bytes, flags: int) -> bytes:
    """The flags of VP8X (WebP container specification), and the length that the file has."""
    assert extended[12:16] == b"VP8X"
    length = (len(extended) - 8).to_bytes(4, "little")
    return b"RIFF" + length + extended[8:20] + bytes([flags]) + extended[21:]


def webp(pixels: np.ndarray, **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "WEBP", quality=90, **options)
    return file.getvalue()
