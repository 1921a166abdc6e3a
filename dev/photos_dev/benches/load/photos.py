"""The photos of a batch, and the size that their thumbnails must have."""

from __future__ import annotations

import hashlib
import sys
import uuid
from collections.abc import Iterable
from pathlib import Path

from photos_dev.benches.load import pictures
from photos_dev.benches.measure import BATCH
from photos_dev.local_aws.deploy import Clients
from photos_dev.paths import PHOTO
from photos_dev.problem import Problem
from photos_dev.stack.run_photo import plain

SCALE = 0.25
# ITU-T T.81, table B.1: frame headers are C0 to CF, but for C4, C8 and CC.
FRAMES = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}


def of_directory(directory: Path) -> list[Path]:
    """The first photos of a folder by name."""
    if not directory.is_dir():
        raise Problem(f"there is no folder {directory}: name a folder of JPEGs by PHOTOS_DIR=DIR")
    photos = sorted(path for path in directory.iterdir() if path.suffix.lower() in (".jpg", ".jpeg"))
    if not photos:
        raise Problem(f"no JPEGs in {directory}: name a folder of JPEGs by PHOTOS_DIR=DIR")
    return photos[:BATCH]


def of_reference(directory: Path, pillow: Path) -> list[Path]:
    """Distinct photos, made from the reference photo with Pillow and kept in a folder."""
    digest = hashlib.sha256(PHOTO.read_bytes()).hexdigest()[:12]
    kept = directory / f"photos-{digest}"
    kept.mkdir(parents=True, exist_ok=True)
    photos = [kept / f"{number:02}.jpg" for number in range(1, BATCH + 1)]
    missing = [number for number, photo in enumerate(photos) if not photo.exists()]
    if missing:
        print(f"making {len(missing)} photos from {PHOTO.name}", file=sys.stderr, flush=True)
        make(photos, missing, pillow)
    return photos


def make(photos: list[Path], numbers: list[int], pillow: Path) -> None:
    """Makes photos that are the reference photo, each rolled down by another part of its height. They are rolled by
    whole blocks and encoded with the same tables, so that they have as many details and bytes."""
    height, _ = sides(PHOTO.read_bytes())
    step = height // len(photos) // 16 * 16
    for number in numbers:
        pictures.rolled(pillow, PHOTO, number * step, photos[number])


def keyed(uploads: list[Path]) -> dict[str, Path]:
    """The photos by new keys."""
    album = uuid.uuid4().hex[:8]
    return {f"{album}/{number:02}{photo.suffix}": photo for number, photo in enumerate(uploads, 1)}


def ready_keys(aws: Clients, table: str) -> set[str]:
    """Keys of the photos whose items are READY. Items of the other functions have no status: they only exist if the
    photo is done."""
    pages = aws.dynamodb.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
    items = [plain(item) for page in pages for item in page["Items"]]
    return {item["photoKey"] for item in items if item.get("status", "READY") == "READY"}


def thumbnail_key(key: str, rendition: str = "thumbnail") -> str:
    return f"{rendition}/{key}"


def right_thumbnails(
    aws: Clients, bucket: str, batch: dict[str, Path], renditions: Iterable[str] = ("thumbnail",)
) -> int:
    """Number of photos that have all renditions, and a thumbnail of the right size."""
    return sum(has_all(aws, bucket, key, photo, renditions) for key, photo in batch.items())


def has_all(aws: Clients, bucket: str, key: str, photo: Path, renditions: Iterable[str]) -> bool:
    try:
        keys = {rendition: thumbnail_key(key, rendition) for rendition in renditions}
        made = {name: aws.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for name, key in keys.items()}
    except aws.s3.exceptions.NoSuchKey:
        return False
    return sorted(sides(made["thumbnail"])) == thumbnail_size(photo.read_bytes())


def thumbnail_size(photo: bytes) -> list[int]:
    """Sides of the thumbnail, the shorter one first, as the orientation decides which of them is the width."""
    stored = heic_sides(photo) if photo[4:8] == b"ftyp" else sides(photo)
    return sorted(max(1, int(side * SCALE + 0.5)) for side in stored)


def heic_sides(heic: bytes) -> list[int]:
    """Height and width in the first box of a size, which make_heics.py writes for the whole picture: ISO/IEC 23008-12,
    6.5.3."""
    position = heic.index(b"ispe") + 8
    return [int.from_bytes(heic[at : at + 4], "big") for at in (position + 4, position)]


def sides(jpeg: bytes) -> list[int]:
    """Height and width in the frame header of a JPEG: ITU-T T.81, B.1.1.4 and B.2.2."""
    position = 2
    while position + 9 <= len(jpeg) and jpeg[position] == 0xFF:
        if jpeg[position + 1] in FRAMES:
            return [int.from_bytes(jpeg[at : at + 2], "big") for at in (position + 5, position + 7)]
        position += 2 + int.from_bytes(jpeg[position + 2 : position + 4], "big")
    return []
