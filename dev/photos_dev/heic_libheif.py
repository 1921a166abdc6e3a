"""Compares one thumbnail with libheif's picture of its photo, for heic_check.py, in an environment with pillow-heif.

    python -m photos_dev.heic_libheif PHOTO [THUMBNAIL SCALE]

It prints a line of JSON: the size and the depth of libheif's picture and the differences, or why libheif shows none.
Samples are compared as they are stored: neither thumbnail nor picture is converted by its colour profile.
"""

from __future__ import annotations

import io
import json
import math
import resource
import sys
from typing import Any

import pillow_heif
from PIL import Image, ImageChops, JpegImagePlugin

# A file must not take the memory of the whole machine.
MAX_MEMORY = 6 << 30
# Transfer characteristics of high dynamic range (ITU-T H.273): PQ and HLG.
HIGH_DYNAMIC_RANGE = (16, 18)


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MAX_MEMORY, MAX_MEMORY))
    Image.MAX_IMAGE_PIXELS = None
    photo, *thumbnail = sys.argv[1:]
    try:
        answer, picture = read(photo)
    except Exception as error:  # of any kind: libheif's complaints and pillow-heif's own
        answer, picture = {"refused": " ".join(str(error).split()) or type(error).__name__}, None
    if picture and thumbnail:
        answer |= compare(thumbnail[0], float(thumbnail[1]), picture)
    print(json.dumps(answer))


def read(photo: str) -> tuple[dict[str, Any], Image.Image]:
    """What libheif tells of the primary picture, and the picture on white."""
    file = pillow_heif.open_heif(photo, convert_hdr_to_8bit=True)
    primary = file[file.primary_index]
    picture = on_white(primary.to_pillow())
    nclx = primary.info.get("nclx_profile") or {}
    answer = {
        "width": picture.width,
        "height": picture.height,
        "bits": primary.info.get("bit_depth"),
        "isHdr": int(nclx.get("transfer_characteristics") or 0) in HIGH_DYNAMIC_RANGE,
    }
    return answer, picture


def on_white(picture: Image.Image) -> Image.Image:
    if picture.mode.startswith("I"):  # gray of 16 bits
        picture = picture.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    if picture.mode in ("LA", "La", "RGBa", "RGBA"):
        picture = picture.convert("RGBA")
        picture = Image.alpha_composite(Image.new("RGBA", picture.size, "white"), picture)
    return picture.convert("RGB")


def compare(path: str, scale: float, picture: Image.Image) -> dict[str, Any]:
    """The differences from libheif's picture, shrunk with Lanczos3."""
    thumbnail = Image.open(path)
    size = tuple(max(1, math.floor(side * scale + 0.5)) for side in picture.size)
    if thumbnail.size != size:
        return {"problem": f"the thumbnail has {shown(thumbnail.size)} pixels instead of {shown(size)}"}
    expected = picture if picture.size == size else picture.resize(size, Image.Resampling.LANCZOS)
    expected = expected.convert(thumbnail.mode)
    # A JPEG halves the colours of most photos. That is no difference of decoding, so the picture is compared with the
    # same loss too. It is more than the crate's where libheif's RGB has cut off what its YCbCr held.
    differences = [differences_of(thumbnail, other) for other in (expected, as_jpeg(expected, thumbnail))]
    return min(differences, key=lambda found: found["mean"])


def as_jpeg(picture: Image.Image, like: Image.Image) -> Image.Image:
    """The picture as a JPEG of the highest quality, and of the other's sampling, has it."""
    jpeg = io.BytesIO()
    picture.save(jpeg, "JPEG", quality=100, subsampling=max(JpegImagePlugin.get_sampling(like), 0))
    return Image.open(jpeg)


def differences_of(one: Image.Image, other: Image.Image) -> dict[str, Any]:
    histogram = ImageChops.difference(one, other).histogram()  # one band's counts after the other's
    counts = [sum(histogram[value::256]) for value in range(256)]
    return {"mean": mean(counts), "most": percentile(counts, 0.99)}


def shown(size: tuple[int, ...]) -> str:
    return "x".join(map(str, size))


def mean(counts: list[int]) -> float:
    return sum(value * count for value, count in enumerate(counts)) / sum(counts)


def percentile(counts: list[int], part: float) -> int:
    """The least difference that is not exceeded by this part of all."""
    left = part * sum(counts)
    for value, count in enumerate(counts):
        left -= count
        if left <= 0:
            return value
    return len(counts) - 1


if __name__ == "__main__":
    main()
