"""Computes the cost of a million photos in AWS for each memory size of the function: `make cost`.

The CPU time of the release build is measured here, with S3 and DynamoDB on the same machine over TLS. lambdas.py
measures the other functions without TLS, which favours them a little. The times that they wait for S3 and DynamoDB
cannot be measured on one machine, so bill.py has times that others have published.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import Any

from photos_dev.benches import heics, measure
from photos_dev.benches.load import bill
from photos_dev.benches.load.bill import Figures, Photo, Work
from photos_dev.benches.machine import processor
from photos_dev.benches.measure import PHOTO, PHOTOS, STARTS
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients
from photos_dev.local_aws.server import endpoint
from photos_dev.problem import exit_with

MAKES = {"sharp": bill.sharp, "pillow": bill.pillow, "pillow-heif": bill.pillow}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, help="folder of the packages that `make release` builds")
    parser.add_argument("--peers", type=Path, required=True, help="file of the output of lambdas.py about other functions")
    options = parser.parse_args()
    aws = Clients(endpoint())
    peers = json.loads(options.peers.read_text())
    phone = heics.made().phone
    with measure.deployed(aws, "cost", options.packages) as (functions, outputs):
        bootstrap = functions / "thumbnail/bootstrap"
        jpeg, heic = (this_function(aws, outputs, bootstrap, photo) for photo in (PHOTO, phone))
    sharp, pillow, pillow_heif = (make(figures_of(peers[name])) for name, make in MAKES.items())
    print(f"{PHOTO.name}, {processor()}; this project: {PHOTOS} photos, {STARTS} starts\n")
    print(bill.report(jpeg.photo, [jpeg.function, sharp, pillow]))
    print(f"\nhalf HEIC: as many photos like {phone.name} as like {PHOTO.name}; sharp reads no HEIC\n")
    print(bill.half_heic((jpeg.photo, heic.photo), [(jpeg.function, heic.function), (pillow, pillow_heif)]))
    return 0


def this_function(aws: Clients, outputs: dict[str, str], bootstrap: Path, photo: Path) -> Work:
    environment = measure.silent_environment(aws, outputs)
    records = measure.upload_photos(aws, outputs["OriginalsBucketName"], photo)
    start = measure.cold_start(bootstrap, environment)
    with tempfile.TemporaryFile() as log:
        cpu, peak_mb = measure.cost(bootstrap, environment, measure.notifications(records, 1), log)
        line_bytes = log.seek(0, 2) // PHOTOS
    item = item_of(aws, outputs, records[0])
    units, index_units = write_units(item), write_units(in_index(item))
    figures = Figures(cpu / PHOTOS, peak_mb, start.cpu_ms, versions="")
    thumbnail_bytes = int(item["renditions"]["M"]["thumbnail"]["M"]["bytes"]["N"])
    function = bill.this_project(figures, units, index_units, line_bytes)
    return Work(Photo(photo.stat().st_size, thumbnail_bytes), function)


def figures_of(peer: dict[str, Any]) -> Figures:
    return Figures(peer["cpu_ms"], peer["batch"]["largest_mb"], peer["cold_start"]["cpu_ms"], peer["versions"])


def item_of(aws: Clients, outputs: dict[str, str], record: dict[str, Any]) -> dict[str, Any]:
    key = {"photoKey": {"S": record["s3"]["object"]["key"]}}
    return aws.dynamodb.get_item(TableName=outputs["PhotosTableName"], Key=key)["Item"]


def in_index(item: dict[str, Any]) -> dict[str, Any]:
    """The attributes of an item that the index `album-timeline` of template.yaml has."""
    return {name: value for name, value in item.items() if name not in ("exif", "places")}


def write_units(item: dict[str, Any]) -> int:
    """Write units of an item: each writes up to 1 KB (Amazon DynamoDB Developer Guide, "DynamoDB read and write operations")."""
    return math.ceil(sum(len(name) + size(value) for name, value in item.items()) / 1024)


def size(attribute: dict[str, Any]) -> int:
    """Bytes of an attribute (Amazon DynamoDB Developer Guide, "DynamoDB item sizes and formats")."""
    match attribute:
        case {"S": str(text)}:
            return len(text.encode())
        case {"N": str(number)}:
            return len(number.strip("-0.").replace(".", "")) // 2 + 1
        case {"M": dict(entries)}:
            return 3 + sum(1 + len(name) + size(value) for name, value in entries.items())
        case _:  # BOOL
            return 1


if __name__ == "__main__":
    exit_with(on_local_aws(main))
