"""A simple Lambda function that makes thumbnails with Pillow: it decodes the whole photo, then resizes it."""

import io
import os
from typing import Any
from urllib.parse import unquote_plus

import boto3
from PIL import ExifTags, Image, ImageOps

SCALE = 0.25

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
        jpeg = io.BytesIO()
        thumbnail.save(jpeg, "JPEG", quality=90, icc_profile=image.info.get("icc_profile"))
        s3.put_object(
            Bucket=os.environ["THUMBNAILS_BUCKET"],
            Key=f"thumbnail/{key}",
            Body=jpeg.getvalue(),
            ContentType="image/jpeg",
        )
        table.put_item(Item={"photoKey": key, "exif": facts(exif)})
        print(f"made the thumbnail of {key}")


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
