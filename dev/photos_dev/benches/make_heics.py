"""Makes the HEICs of the benches, for heics.py, in an environment with pillow-heif.

    python -m photos_dev.benches.make_heics PHOTO DIRECTORY SIZE...

SIZE is such as 4032x3024. The picture has the first one; those of the others are of its tiles, again and again.
pillow-heif codes tiles only, by x265, so the code that writes the golden HEICs of the crate writes the grids, which are
like those of iPhones.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pillow_heif
from PIL import Image

from kinds.heif_file import Item, grid, heif, item, nclx
from kinds.hevc import JPEGS, coded

TILE = 512
# It makes a file of 2.0 MB. Those of phones with 12 megapixels have 1.5 to 2.5.
QUALITY = 65

Size = tuple[int, int]


def main() -> None:
    photo, directory, *names = sys.argv[1:]
    sizes = {name: size_of(name) for name in names}
    with Image.open(photo) as original:
        picture = middle(original, sizes[names[0]])
        facts = described(original.info["exif"])
    tiles = tiles_of(picture)
    for name, size in sizes.items():
        Path(directory, f"{name}.heic").write_bytes(of_tiles(size, tiles, facts))
    shown = pillow_heif.open_heif(Path(directory, f"{names[0]}.heic"))
    shown.to_pillow().save(Path(directory, f"{names[0]}.ppm"))


def size_of(name: str) -> Size:
    width, height = map(int, name.split("x"))
    return width, height


def middle(photo: Image.Image, size: Size) -> np.ndarray:
    """The middle of a photo that is higher, in this size."""
    height = round(photo.width * size[1] / size[0])
    top = (photo.height - height) // 2
    return np.asarray(photo.resize(size, Image.Resampling.LANCZOS, (0, top, photo.width, top + height)))


def described(exif: bytes) -> Item:
    """The EXIF of a JPEG for the first item, behind the place of its header (ISO/IEC 23008-12 annex A.2.1)."""
    return Item(b"Exif", bytes(4) + exif.removeprefix(b"Exif\0\0"), references=((b"cdsc", [1]),))


def in_tiles(size: Size) -> Size:
    """The numbers of columns and rows. The last ones may reach beyond the picture."""
    columns, rows = (-(-side // TILE) for side in size)
    return columns, rows


def tiles_of(picture: np.ndarray) -> list[list[Item]]:
    """Rows of tiles."""
    height, width = picture.shape[:2]
    columns, rows = in_tiles((width, height))
    beyond = [(0, rows * TILE - height), (0, columns * TILE - width), (0, 0)]
    picture = np.pad(picture, beyond, mode="edge")
    return [[tile(picture, column, row) for column in range(columns)] for row in range(rows)]


def tile(picture: np.ndarray, column: int, row: int) -> Item:
    left, top = column * TILE, row * TILE
    samples = np.ascontiguousarray(picture[top : top + TILE, left : left + TILE])
    return item(coded(samples, quality=QUALITY))


def of_tiles(size: Size, tiles: list[list[Item]], facts: Item) -> bytes:
    """A picture of so many of these tiles, again and again if there are fewer."""
    columns, rows = in_tiles(size)
    repeated = [tiles[row % len(tiles)][column % len(tiles[0])] for row in range(rows) for column in range(columns)]
    whole = grid(columns, rows, size, list(range(2, 2 + len(repeated))), nclx(JPEGS))
    return heif([whole, *repeated, facts])


if __name__ == "__main__":
    main()
