"""The runner of Pillow: full|draft|thumbnail DIRECTORY RUNS PHOTO... (see run.py)."""

import io
import sys

import PIL
from PIL import Image, ImageOps, features

from photos_dev.benches.peers.runner import quarter, run


def shrink(photo: Image.Image, way: str) -> Image.Image:
    width, height = size = tuple(map(quarter, photo.size))
    box, gap = None, None
    if way == "draft":
        photo.draft(None, size)
    if way == "thumbnail":  # the steps of Image.thumbnail, which rounds the sides differently
        gap = 2.0
        if drafted := photo.draft(None, (gap * width, gap * height)):
            box = drafted[1]
    return photo.resize(size, Image.Resampling.LANCZOS, box, gap)


def make(photo: bytes) -> bytes:
    thumbnail = shrink(Image.open(io.BytesIO(photo)), way)
    ImageOps.exif_transpose(thumbnail, in_place=True)
    jpeg = io.BytesIO()
    thumbnail.save(jpeg, "JPEG", quality=90, icc_profile=thumbnail.info.get("icc_profile"))
    return jpeg.getvalue()


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
