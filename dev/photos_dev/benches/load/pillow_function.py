"""A simple Lambda function that makes thumbnails with Pillow, and two further renditions where RENDITIONS asks for them.
It decodes the whole photo, then resizes it."""

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from urllib.parse import unquote_plus

import boto3
from PIL import ExifTags, Image, ImageOps

SCALE = 0.25
SIDES = {"screen": 1600, "grid": 400}
QUALITIES = {"jpeg": 90, "webp": 80}

s3 = boto3.client("s3")
table = boto3.resource("dynamodb").Table(os.environ["PHOTOS_TABLE"])


def handler(event: dict[str, Any], context: object) -> None:
    for record in event["Records"]:
        bucket = record["s3"]["bucket"]["name"]
        key = unquote_plus(record["s3"]["object"]["key"])
        photo = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        image = Image.open(io.BytesIO(photo))
        exif = image.getexif()
        size = [max(1, int(side * SCALE + 0.5)) for side in image.size]
        thumbnail = ImageOps.exif_transpose(image.resize(size, Image.Resampling.LANCZOS))
        renditions = list(encoded_renditions(thumbnail, image.info.get("icc_profile")))
        with ThreadPoolExecutor(len(renditions)) as pool:
            list(pool.map(lambda rendition: put(key, *rendition), renditions))
        table.put_item(Item={"photoKey": key, "exif": facts(exif)})
        print(f"made the thumbnail of {key}")


def encoded_renditions(thumbnail: Image.Image, profile: bytes | None) -> Iterator[tuple[str, str, bytes]]:
    """The name, format and bytes of each, all made of the thumbnail's pixels."""
    yield "thumbnail", "jpeg", encoded(thumbnail, "jpeg", profile)
    form = os.environ["RENDITIONS"]
    for name, side in SIDES.items() if form != "thumbnail" else ():
        picture = ImageOps.contain(thumbnail, (side, side), Image.Resampling.LANCZOS)
        yield name, form, encoded(picture, form, profile)


def encoded(picture: Image.Image, form: str, profile: bytes | None) -> bytes:
    file = io.BytesIO()
    picture.save(file, form, quality=QUALITIES[form], icc_profile=profile)
    return file.getvalue()


def put(key: str, name: str, form: str, body: bytes) -> None:
    bucket, content_type = os.environ["THUMBNAILS_BUCKET"], f"image/{form}"
    s3.put_object(Bucket=bucket, Key=f"{name}/{key}", Body=body, ContentType=content_type)


def facts(exif: Image.Exif) -> dict[str, str]:
    """The tags by name, as text."""
    tags = named(exif, ExifTags.TAGS)
    tags |= named(exif.get_ifd(ExifTags.IFD.Exif), ExifTags.TAGS)
    tags |= named(exif.get_ifd(ExifTags.IFD.GPSInfo), ExifTags.GPSTAGS)
    return tags


def named(tags: Any, names: dict[int, str]) -> dict[str, str]:
    return {
        names[tag]: str(value)
        for tag, value in tags.items()
        if tag in names and not isinstance(value, (bytes, dict))
    }
