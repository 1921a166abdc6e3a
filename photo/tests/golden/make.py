#!/usr/bin/env python3
"""Makes the golden photos and the expected pictures of their thumbnails, without this project's code.

photos/ gets one small file of each kind of photo. expected/ gets the picture of its thumbnail before it
is encoded as JPEG: a quarter of the stored sides, upright, 8-bit RGB or gray, as PNG. Pillow, libtiff,
libheif and LittleCMS decode the photos. Files that they cannot write are written here, byte by byte.

    apt-get install libjpeg-turbo-progs
    pip install Pillow==13.0.0 numpy==2.4.6 tifffile==2026.3.3 imagecodecs==2026.3.6
    pip install pillow-heif==1.8.1
    python3 photo/tests/golden/make.py

The same versions produce the same bytes. A new kind of photo is one more `yield` in kinds/.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image, ImageDraw, ImageOps

from kinds import bmp, gif, heic, jpeg, png, tiff, webp
from kinds.photo import Photo, pixels_of, upright

HERE = Path(__file__).resolve().parent
SCALE = 0.25
FORMATS = (jpeg, png, webp, gif, tiff, bmp, heic)


def main() -> int:
    arguments = parse_arguments()
    photos = [photo for kinds in FORMATS for photo in kinds.photos()]
    write_all(photos)
    if arguments.sheet:
        contact_sheet(photos).save(arguments.sheet)
    if arguments.check:
        pillow_heif.register_heif_opener()
        for doubt in doubts(photos):
            print(doubt, file=sys.stderr)
    return 0


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sheet", type=Path, metavar="PNG", help="write all expected pictures into one, to look at"
    )
    parser.add_argument(
        "--check",
        action="store_true",
        help="read the photos back with Pillow, and name those that it sees differently",
    )
    return parser.parse_args()


def write_all(photos: list[Photo]) -> None:
    names = [Path(photo.name).stem for photo in photos]
    twice = {name for name in names if names.count(name) > 1}
    if twice:
        raise SystemExit(f"two photos have one name: {', '.join(sorted(twice))}")
    for folder in (HERE / "photos", HERE / "expected"):
        folder.mkdir(exist_ok=True)
        for old in folder.iterdir():
            old.unlink()
    for photo, name in zip(photos, names, strict=True):
        (HERE / "photos" / photo.name).write_bytes(photo.data)
        expected(photo).save(HERE / "expected" / f"{name}.png", optimize=True)


def expected(photo: Photo) -> Image.Image:
    height, width = photo.pixels.shape[:2]
    size = [max(1, int(side * SCALE + 0.5)) for side in (width, height)]
    small = Image.fromarray(photo.pixels).resize(size, Image.Resampling.LANCZOS)
    return Image.fromarray(upright(np.asarray(small), photo.orientation))


def contact_sheet(photos: list[Photo], columns: int = 8) -> Image.Image:
    width, height = 210, 100
    rows = -(-len(photos) // columns)
    sheet = Image.new("RGB", (columns * width, rows * height), "gray")
    draw = ImageDraw.Draw(sheet)
    for index, photo in enumerate(photos):
        x, y = index % columns * width + 4, index // columns * height + 4
        draw.text((x, y), Path(photo.name).stem)
        picture = expected(photo)
        twice = [2 * side for side in picture.size]
        sheet.paste(picture.resize(twice, Image.Resampling.NEAREST), (x, y + 16))
    return sheet


def doubts(photos: list[Photo]) -> Iterator[str]:
    for photo in photos:
        try:
            seen = as_pillow_sees(photo.data)
        except (OSError, ValueError, KeyError) as error:
            yield f"{photo.name}: Pillow does not read it ({error})"
            continue
        meant = as_rgb(upright(photo.pixels, photo.orientation))
        if seen.shape != meant.shape:
            yield f"{photo.name}: Pillow sees another size"
            continue
        difference = np.abs(seen - meant).max(axis=2)
        if difference.max() > 1:
            share, most = (difference > 1).mean(), difference.max()
            yield f"{photo.name}: Pillow sees {share:.1%} of the pixels up to {most} levels off"


def as_pillow_sees(data: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(data)) as image:
        return as_rgb(pixels_of(ImageOps.exif_transpose(image)))


def as_rgb(pixels: np.ndarray) -> np.ndarray:
    return np.asarray(Image.fromarray(pixels).convert("RGB")).astype(int)


if __name__ == "__main__":
    sys.exit(main())
