"""Computes the cost of a million photos in AWS for each memory size of the function: `make cost`.

The CPU time of the release build is measured here, with S3 and DynamoDB on the same machine over TLS. lambdas.py
measures the other functions without TLS, which favours them a little. waits.py has the times for which all of them
wait for S3 and DynamoDB. Writes docs/cost.md.
"""

from __future__ import annotations

import argparse
import json
import math
import tempfile
from pathlib import Path
from typing import Any

from photos_dev.benches import heics, measure
from photos_dev.benches.install import say
from photos_dev.benches.load import bill, bill_report
from photos_dev.benches.load.bill import Figures, Function, Job, Mix
from photos_dev.benches.machine import processor
from photos_dev.benches.measure import PHOTO, PHOTOS, STARTS
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import Clients
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import DOCS
from photos_dev.problem import exit_with

# The renditions of each section: the thumbnail alone, and with two more. Their names are those of lambdas.py.
THUMBNAIL = "thumbnail: scale=0.25 quality=0.9"
RENDITIONS = {
    "": THUMBNAIL,
    "-jpeg": f"{THUMBNAIL}; screen: fit=1600 quality=0.9; grid: fit=400 quality=0.9",
    "-webp": f"{THUMBNAIL}; screen: fit=1600 quality=0.8 format=webp; grid: fit=400 quality=0.8 format=webp",
}
PAGE = """What `make cost` prints. [Performance](performance.md#a-million-photos) says what it means.

```text
{text}
```
"""
THREE = len(RENDITIONS["-jpeg"].split(";"))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("packages", type=Path, help="folder of the packages that `make release` builds")
    parser.add_argument("--peers", type=Path, required=True, help="file of the output of lambdas.py about other functions")
    options = parser.parse_args()
    aws = Clients(endpoint())
    peers = {name: figures_of(peer) for name, peer in json.loads(options.peers.read_text()).items()}
    phone = heics.made().phone
    with measure.deployed(aws, "cost", options.packages) as (functions, outputs):
        bootstrap = functions / "thumbnail/bootstrap"
        jpegs = {name: this_function(aws, outputs, bootstrap, PHOTO, text) for name, text in RENDITIONS.items()}
        heic, heic_webp = (this_function(aws, outputs, bootstrap, phone, RENDITIONS[name]) for name in ("", "-webp"))

    def others(name: str, count: int) -> list[Mix]:
        made = [bill.sharp(peers[f"sharp{name}"], count), bill.pillow(peers[f"pillow{name}"], count)]
        return [alone(jpegs[name], function) for function in made]

    def one(job: Job) -> Mix:
        return Mix("this project", (job,))

    pillow = (jpegs_of := others("", 1))[1].jobs[0]
    of_heic = Job(heic.original_bytes, heic.rendition_bytes, bill.pillow(peers["pillow-heif"]))
    half_heic = [Mix("this project", (jpegs[""], heic)), Mix("Pillow", (pillow, of_heic))]
    sections = {
        "the thumbnail alone": [one(jpegs[""]), *jpegs_of],
        "thumbnail, fit=1600 and fit=400, all JPEG": [one(jpegs["-jpeg"]), *others("-jpeg", THREE)],
        "thumbnail as JPEG, fit=1600 and fit=400 as WebP": [one(jpegs["-webp"]), *others("-webp", THREE)],
        f"the thumbnail alone, half HEIC: as many like {phone.name}; sharp reads no HEIC": half_heic,
    }
    everyday = Mix("half HEIC, half with the two WebPs", (jpegs[""], jpegs["-webp"], heic, heic_webp))
    lines = [f"{PHOTO.name}, {processor()}; this project: {PHOTOS} photos, {STARTS} starts", ""]
    for name, job in jpegs.items():
        lines.append(f"bytes of the renditions{name.replace('-', ', ')}: {' + '.join(map(str, job.rendition_bytes))}")
    text = "\n".join([*lines, "", bill_report.report(sections, everyday)])
    print(text)
    (DOCS / "cost.md").write_text(PAGE.format(text=text))
    say("written to docs/cost.md")
    return 0


def alone(job: Job, function: Function) -> Mix:
    """The same photos by another function."""
    return Mix(function.title, (Job(job.original_bytes, job.rendition_bytes, function),))


def this_function(aws: Clients, outputs: dict[str, str], bootstrap: Path, photo: Path, renditions: str) -> Job:
    environment = measure.silent_environment(aws, outputs) | {"RENDITIONS": renditions}
    records = measure.upload_photos(aws, outputs["OriginalsBucketName"], photo)
    start = measure.cold_start(bootstrap, environment)
    with tempfile.TemporaryFile() as log:
        cpu, peak_mb = measure.cost(bootstrap, environment, measure.notifications(records, 1), log)
        line_bytes = log.seek(0, 2) // PHOTOS
    item = item_of(aws, outputs, records[0])
    units, index_units = write_units(item), write_units(in_index(item))
    # In the setting's order: a map of DynamoDB has none.
    names = [rendition.partition(":")[0].strip() for rendition in renditions.split(";")]
    made = [int(item["renditions"]["M"][name]["M"]["bytes"]["N"]) for name in names]
    figures = Figures(cpu / PHOTOS, peak_mb, start.cpu_ms, versions="")
    function = bill.this_project(figures, units, index_units, line_bytes, len(made))
    return Job(photo.stat().st_size, tuple(made), function)


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
