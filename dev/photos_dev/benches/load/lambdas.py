"""Cost of thumbnails by Lambda functions in the local AWS: this project's, and others that do the same.

It measures for each function:

- cold start: CPU and wall time from exec until the function waits for its first event
- batch: photos are uploaded, two at a time, and S3 invokes the function for each. CPU time and memory are
  those of the function's processes in the local AWS, after some photos to warm up.

As a program, it prints the figures as JSON:

    .venv/bin/python -m photos_dev.local_aws with -- \
        .venv/bin/python -m photos_dev.benches.load.lambdas pillow sharp
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
import zipfile
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from ministack.core.lambda_runtime import _detect_runtime_binary as program_and_worker

from photos_dev.benches import heics, measure
from photos_dev.benches.install import Missing, say
from photos_dev.benches.load import packages, photos
from photos_dev.benches.load.costs import AT_ONCE, Batch, ColdStart, Measured
from photos_dev.benches.load.packages import COMPARE, HANDLER, Package
from photos_dev.benches.load.prices import VCPU_MB
from photos_dev.benches.load.programs import Program
from photos_dev.benches.measure import BATCH
from photos_dev.benches.processes import Watch, functions
from photos_dev.local_aws.cli import on_local_aws
from photos_dev.local_aws.deploy import DEPLOYMENT_BUCKET, Clients, apply, deploy, put_package, stack_outputs
from photos_dev.local_aws.logs import log_lines
from photos_dev.local_aws.server import endpoint
from photos_dev.paths import FUNCTIONS
from photos_dev.problem import Problem, exit_with

HERE = Path(__file__).resolve().parent


Measure = Callable[[Clients, list[Path]], Measured]

THUMBNAIL = "thumbnail"
# The renditions besides the thumbnail that the other functions make, if they make several.
OTHERS = ("screen", "grid")
WARM_UP = 4
STARTS = 5
LOOK_SECONDS = 0.03
BATCH_SECONDS = 120
LOG_LINES = 5


@dataclass(frozen=True)
class Function:
    """A function in the local AWS, its buckets and table, and how to measure its cold start."""

    name: str
    originals: str
    thumbnails: str
    table: str
    renditions: tuple[str, ...]  # their names
    cold_start: Callable[[], ColdStart]


def main() -> int:
    parser = argparse.ArgumentParser(description="Prints the cost of thumbnails by Lambda functions as JSON.")
    parser.add_argument("--photos", type=Path, metavar="DIR", help="folder of JPEGs (default: made from the test photo)")
    parser.add_argument("names", nargs="+", choices=sorted(MEASURES), metavar="NAME", help=" ".join(MEASURES))
    options = parser.parse_args()
    aws = Clients(endpoint())
    uploads = the_photos(options.photos)
    try:
        results = {name: MEASURES[name](aws, uploads).checked() for name in options.names}
    except Missing as missing:
        raise Problem(str(missing)) from None
    print(json.dumps({name: result.as_json() for name, result in results.items()}, indent=2))
    return 0


def the_photos(directory: Path | None) -> list[Path]:
    if directory:
        return photos.of_directory(directory)
    try:
        return photos.of_reference(COMPARE, packages.install_pillow())
    except Missing as missing:
        raise Problem(f"cannot make the photos, name a folder by PHOTOS_DIR=DIR: {missing}") from None


def this_project(aws: Clients, uploads: list[Path]) -> Measured:
    outputs = deploy(aws.endpoint, "load", FUNCTIONS, {"MemorySize": str(VCPU_MB)}, {})
    name = outputs["ThumbnailFunctionName"]
    bootstrap = FUNCTIONS / "thumbnail/bootstrap"
    environment = measure.function_environment(aws, name)
    function = function_of(outputs, (), lambda: measure.one_start(bootstrap, environment))
    return measured(aws, function, uploads, "this project", "Rust, as `make build` builds it")


def pillow(aws: Clients, uploads: list[Path], renditions: str = THUMBNAIL) -> Measured:
    return peer(aws, uploads, packages.pillow(), renditions)


def pillow_heif(aws: Clients, _: list[Path]) -> Measured:
    """Pillow with the HEIC of a phone instead of JPEGs."""
    return peer(aws, [heics.made().phone] * BATCH, packages.pillow_heif())


def sharp(aws: Clients, uploads: list[Path], renditions: str = THUMBNAIL) -> Measured:
    return peer(aws, uploads, packages.sharp(), renditions)


# Name on the command line -> measurement, which raises Missing if something cannot be installed.
MEASURES: dict[str, Measure] = {
    "pillow": pillow,
    "pillow-heif": pillow_heif,
    "sharp": sharp,
    "this": this_project,
}
# And those that make two more renditions in this format.
MEASURES |= {
    f"{name}-{renditions}": partial(measure_peer, renditions=renditions)
    for name, measure_peer in (("pillow", pillow), ("sharp", sharp))
    for renditions in ("jpeg", "webp")
}


def peer(aws: Clients, uploads: list[Path], package: Package, renditions: str = THUMBNAIL) -> Measured:
    stack = f"load-{package.title.lower()}-{renditions}"
    parameters = {
        "Runtime": package.runtime,
        "Handler": HANDLER,
        "CodeBucket": DEPLOYMENT_BUCKET,
        "CodeKey": put_package(aws, package.file.read_bytes()),
        "MemorySize": str(VCPU_MB),
        "Renditions": renditions,
    }
    apply(aws, stack, (HERE / "peer.yaml").read_text(), parameters)
    outputs = stack_outputs(aws, stack)
    environment = measure.function_environment(aws, outputs["ThumbnailFunctionName"])
    with tempfile.TemporaryDirectory() as directory, zipfile.ZipFile(package.file) as archive:
        archive.extractall(directory)
        others = OTHERS if renditions != THUMBNAIL else ()
        function = function_of(outputs, others, lambda: peer_cold_start(package, Path(directory), environment))
        return measured(aws, function, uploads, package.title, package.versions)


def function_of(
    outputs: dict[str, str], others: tuple[str, ...], cold_start: Callable[[], ColdStart]
) -> Function:
    return Function(
        outputs["ThumbnailFunctionName"],
        outputs["OriginalsBucketName"],
        outputs["ThumbnailsBucketName"],
        outputs["PhotosTableName"],
        (THUMBNAIL, *others),
        cold_start,
    )


def measured(aws: Clients, function: Function, uploads: list[Path], title: str, versions: str) -> Measured:
    say(f"{title}: {STARTS} cold starts")
    start = measure.median_start([function.cold_start() for _ in range(STARTS)])
    return Measured(title, versions, start, run_batch(aws, function, uploads, title))


def peer_cold_start(package: Package, code: Path, environment: dict[str, str]) -> ColdStart:
    """A cold start with the local AWS's substitute for Lambda's runtime, started as the local AWS does it."""
    program, worker = program_and_worker(package.runtime)
    script = code / f"worker{'.py' if package.runtime.startswith('python') else '.cjs'}"
    script.write_text(worker)
    module, handler = HANDLER.split(".")
    init = {"code_dir": str(code), "module": module, "handler": handler}
    log = COMPARE / f"{package.file.stem}-start.log"
    with Program([program, str(script)], log, environment, directory=code) as function:
        answer = function.asked(json.dumps(init))
        if '"ready"' not in answer:
            raise Problem(f"the function with {package.title} did not start, see {log}: {answer}")
        return function.cold_start()


# ---- a batch ----


def run_batch(aws: Clients, function: Function, uploads: list[Path], title: str) -> Batch:
    warm_up, batch = photos.keyed(uploads[:WARM_UP]), photos.keyed(uploads)
    say(f"{title}: {len(warm_up)} photos to warm up, then {len(batch)}")
    send(aws, function, warm_up)
    with Watch(lambda: functions(function.name, aws.endpoint)) as watch:
        started = time.monotonic()
        send(aws, function, batch)
        seconds = time.monotonic() - started
    return Batch(
        photos=len(batch),
        thumbnails=photos.right_thumbnails(aws, function.thumbnails, batch, function.renditions),
        items=len(photos.ready_keys(aws, function.table) & batch.keys()),
        seconds=seconds,
        cpu_s=watch.cpu,
        largest_mb=watch.largest_mb,
        together_mb=watch.together_mb,
        processes=watch.processes,
    )


def send(aws: Clients, function: Function, batch: dict[str, Path]) -> None:
    """Uploads photos, and returns when S3's events about all of them are processed."""
    log = Log(aws, function.name)
    deadline = time.monotonic() + BATCH_SECONDS
    waiting = iter(batch.items())
    sent: list[Future[None]] = []
    with ThreadPoolExecutor(AT_ONCE) as pool:
        while (ended := log.ended()) < len(batch):
            if time.monotonic() > deadline:
                done = f"{function.name} has done {ended} of {len(batch)} photos in {BATCH_SECONDS} s"
                raise Problem(f"{done}; {log.tail()}")
            for _ in range(min(len(batch), ended + AT_ONCE) - len(sent)):
                sent.append(pool.submit(upload, aws, function.originals, *next(waiting)))
            time.sleep(LOOK_SECONDS)
    for uploaded in sent:
        uploaded.result()


def upload(aws: Clients, bucket: str, key: str, photo: Path) -> None:
    aws.s3.put_object(Bucket=bucket, Key=key, Body=photo.read_bytes())


class Log:
    """The log of a function from now on. Lambda's own line says that an invocation has ended, so that its process is
    free for the next one. A thumbnail or an item exists earlier."""

    def __init__(self, aws: Clients, function: str) -> None:
        self.aws, self.function, self.since = aws, function, datetime.now(timezone.utc)

    def ended(self) -> int:
        return sum(line.startswith("END ") for line in self.lines())

    def tail(self) -> str:
        return "\n".join(["the end of its log:", *self.lines()[-LOG_LINES:]])

    def lines(self) -> list[str]:
        try:
            return log_lines(self.aws, self.function, self.since)
        except self.aws.logs.exceptions.ResourceNotFoundException:
            return []  # the first invocation creates the log group


if __name__ == "__main__":
    exit_with(on_local_aws(main))
