"""The runner of Pillow: full|draft|thumbnail|three-jpegs|three-webps DIRECTORY RUNS PHOTO... (see run.py)."""

import io
import sys

import PIL
from PIL import Image, ImageOps, features

from photos_dev.benches.peers.runner import quarter, run


# The format and the quality of the two renditions in a box that are made of the thumbnail.
SMALL_FORMATS = {"three-jpegs": ("JPEG", 90), "three-webps": ("WEBP", 80)}


def shrink(photo: Image.Image, way: str) -> Image.Image:
    width, height = size = tuple(map(quarter, photo.size))
    box, gap = None, None
    if way == "draft":
        photo.draft(None, size)
    if way == "thumbnail" or way in SMALL_FORMATS:  # the steps of Image.thumbnail, which rounds the sides differently
        gap = 2.0
        if drafted := photo.draft(None, (gap * width, gap * height)):
            box = drafted[1]
    return photo.resize(size, Image.Resampling.LANCZOS, box, gap)


def make(photo: bytes) -> bytes:
    thumbnail = shrink(Image.open(io.BytesIO(photo)), way)
    ImageOps.exif_transpose(thumbnail, in_place=True)
    if way in SMALL_FORMATS:
        for side in (1600, 400):
            smaller = ImageOps.contain(thumbnail, (side, side), Image.Resampling.LANCZOS)
            encoded(smaller, thumbnail, *SMALL_FORMATS[way])
    return encoded(thumbnail, thumbnail, "JPEG", 90)


def encoded(picture: Image.Image, photo: Image.Image, form: str, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, quality=quality, icc_profile=photo.info.get("icc_profile"))
    return file.getvalue()


def read_heics() -> str:
    """Lets Pillow read HEICs, also large ones; returns the decoder's version."""
    import pillow_heif  # only where it is needed, as it takes memory

    pillow_heif.register_heif_opener(decode_threads=1)
    Image.MAX_IMAGE_PIXELS = None
    return f"pillow-heif {pillow_heif.__version__}, libheif {pillow_heif.libheif_version()}"


way, *arguments = sys.argv[1:]
is_heic = arguments[-1].endswith(".heic")
codec = read_heics() if is_heic else f"libjpeg-turbo {features.version('libjpeg_turbo')}"
run(make, f"Pillow {PIL.__version__}, {codec}", arguments)
