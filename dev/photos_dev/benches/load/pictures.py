"""Makes photos from another one. It is a program of its own, as the environment of the local AWS has no Pillow.

    python -m photos_dev.benches.load.pictures roll PHOTO PIXELS NEW
    python -m photos_dev.benches.load.pictures tile PHOTO MEGAPIXELS NEW
"""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from photos_dev.paths import environment_with
from photos_dev.problem import Problem, exit_with

if TYPE_CHECKING:  # this module is also imported where Pillow is missing
    from PIL import Image


def rolled(pillow: Path, reference: Path, pixels: int, photo: Path) -> None:
    """Makes a photo that is the other one, rolled down by so many pixels."""
    run(pillow, "roll", reference, pixels, photo)


def tiled(pillow: Path, reference: Path, megapixels: int, photo: Path) -> None:
    """Makes a photo of so many megapixels in the other one's shape, made of tiles or a cut-out of it."""
    run(pillow, "tile", reference, megapixels, photo)


def run(pillow: Path, what: str, reference: Path, number: int, photo: Path) -> None:
    """Runs this program with the Pillow that is installed in a folder."""
    command = [sys.executable, "-m", __name__, what, str(reference), str(number), str(photo)]
    if subprocess.run(command, env=environment_with(pillow)).returncode != 0:
        raise Problem(f"cannot make {photo.name} from {reference.name}, see the output above")


def main() -> int:
    what, reference, number, photo = sys.argv[1:]
    {"roll": roll, "tile": tile}[what](Path(reference), int(number), Path(photo))
    return 0


def roll(reference: Path, pixels: int, photo: Path) -> None:
    from PIL import Image, ImageChops

    with Image.open(reference) as original:
        save_like(original, ImageChops.offset(original, 0, pixels), photo)


def tile(reference: Path, megapixels: int, photo: Path) -> None:
    from PIL import Image

    Image.MAX_IMAGE_PIXELS = None
    with Image.open(reference) as original:
        width = round(math.sqrt(megapixels * 1e6 * original.width / original.height))
        picture = Image.new(original.mode, (width, round(megapixels * 1e6 / width)))
        for left in range(0, picture.width, original.width):
            for top in range(0, picture.height, original.height):
                picture.paste(original, (left, top))
        save_like(original, picture, photo)


def save_like(original: Image.Image, picture: Image.Image, photo: Path) -> None:
    """Saves with the tables, the EXIF and the profile of another JPEG. The file appears only when it is whole."""
    from PIL import JpegImagePlugin

    unfinished = photo.with_suffix(".new")
    picture.save(
        unfinished,
        "JPEG",
        qtables=original.quantization,
        subsampling=JpegImagePlugin.get_sampling(original),
        exif=original.info.get("exif", b""),
        icc_profile=original.info.get("icc_profile"),
    )
    unfinished.rename(photo)


if __name__ == "__main__":
    exit_with(main)
