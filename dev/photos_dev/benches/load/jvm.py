"""Thumbnails by Thumbnailator in a server, and by a worker behind RabbitMQ.

The server (Server.java) receives all photos of a batch in one request, and makes the thumbnails. With RabbitMQ
(Queue.java), the server only puts the photos into a queue, and another JVM on the same machine makes the
thumbnails. Both put them into the local S3, and neither reads EXIF or writes items. As Debian has no AWS SDK for
Java, the request has a presigned URL for each thumbnail, which saves them the signing.
"""

from __future__ import annotations

import http.client
import re
import shutil
import statistics
import struct
import subprocess
import time
import zipfile
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from photos_dev.benches.install import THUMBNAILATOR, install_debian, install_thumbnailator, say
from photos_dev.benches.load import photos, prices, rabbitmq
from photos_dev.benches.load.costs import AT_ONCE, Batch, ColdStart, Measured, Part, ServerLoad
from photos_dev.benches.load.packages import COMPARE
from photos_dev.benches.load.programs import Program
from photos_dev.benches.processes import Watch, family
from photos_dev.local_aws.deploy import Clients
from photos_dev.local_aws.server import wait_until
from photos_dev.problem import Problem

HERE = Path(__file__).resolve().parent
AMQP_CLIENT = Path("/usr/share/java/amqp-client.jar")
LOGGING = Path("/usr/share/java/slf4j-api.jar")  # a dependency of the client
IN_SERVER = "Thumbnailator in the server"
THROUGH_RABBITMQ = "Thumbnailator through RabbitMQ"
BUCKET = "load-server-thumbnails"
# Photos until the hot loops are compiled.
WARM_UP = 6
IDLE_SECONDS = 2
BATCH_SECONDS = 120
# By default, the heap of a JVM begins with a 64th of the memory, and ends at a quarter. Here that is the memory of
# the server in prices.py, not of this machine (HotSpot Virtual Machine Garbage Collection Tuning Guide, "Ergonomics").
HEAP_MB = prices.SERVER_GB * 1024 // 4
JAVA = ["java", f"-Xms{HEAP_MB // 16}m", f"-Xmx{HEAP_MB}m"]


def in_server(aws: Clients, uploads: list[Path]) -> Measured:
    install_thumbnailator()
    classes = compiled("Server", [THUMBNAILATOR])
    with java(classes, "Server", str(AT_ONCE)) as server:
        port = int(server.first_line())
        start = server.cold_start()
        batch = run_batch(aws, uploads, IN_SERVER, port, {"server": server.pid})
    return Measured(IN_SERVER, versions(), start, *batch)


def through_rabbitmq(aws: Clients, uploads: list[Path]) -> Measured:
    install_thumbnailator()
    if not AMQP_CLIENT.exists():
        install_debian("librabbitmq-client-java")
    classes = compiled("Queue", [THUMBNAILATOR, AMQP_CLIENT, LOGGING])
    with ExitStack() as stack:
        broker = stack.enter_context(rabbitmq.Broker())
        worker = stack.enter_context(java(classes, "Queue", "consume", str(AT_ONCE), str(broker.port)))
        worker.first_line()
        starts = [broker.start, worker.cold_start()]
        server = stack.enter_context(java(classes, "Queue", "publish", str(broker.port)))
        port = int(server.first_line())
        starts.append(server.cold_start())
        parts = {"server": server.pid, "broker": broker.pid, "worker": worker.pid}
        batch = run_batch(aws, uploads, THROUGH_RABBITMQ, port, parts)
    all_versions = f"RabbitMQ {broker.version}, {versions()}"
    return Measured(THROUGH_RABBITMQ, all_versions, one_after_another(starts), *batch)


def one_after_another(starts: list[ColdStart]) -> ColdStart:
    return ColdStart(sum(start.cpu_ms for start in starts), sum(start.wall_ms for start in starts))


def compiled(program: str, jars: list[Path]) -> str:
    """The class path of a program beside this file, which may need the server's classes."""
    directory = COMPARE / program.lower()
    directory.mkdir(parents=True, exist_ok=True)
    sources = [str(HERE / f"{name}.java") for name in sorted({"Server", program})]
    path = ":".join(map(str, jars))
    command = ["javac", "-cp", path, "-d", str(directory), *sources]
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        raise Problem(f"javac cannot compile {program}.java:\n{result.stderr}")
    return f"{path}:{directory}"


def java(class_path: str, program: str, *arguments: str) -> Program:
    """Starts a program with a folder of its own for uploads that are not done."""
    name = "-".join([program.lower(), *arguments[:1]])
    uploaded = COMPARE / f"uploaded-to-{name}"
    shutil.rmtree(uploaded, ignore_errors=True)
    uploaded.mkdir()
    command = [*JAVA, f"-Djava.io.tmpdir={uploaded}", "-cp", class_path, program, *arguments]
    return Program(command, COMPARE / f"java-{name}.log")


def versions() -> str:
    with zipfile.ZipFile(THUMBNAILATOR) as jar:
        manifest = jar.read("META-INF/MANIFEST.MF").decode()
    thumbnailator = re.search(r"(?m)^Implementation-Version: (\S+)", manifest)
    said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\S+)"', said)
    return f"Thumbnailator {thumbnailator[1] if thumbnailator else '?'}, Java {version[1] if version else '?'}"


# ---- a batch ----


def run_batch(
    aws: Clients, uploads: list[Path], title: str, port: int, pids: dict[str, int]
) -> tuple[Batch, ServerLoad, list[Part]]:
    """Measures a batch by some programs, of which one is the server."""
    aws.s3.create_bucket(Bucket=BUCKET)
    say(f"{title}: {IDLE_SECONDS} s idle")
    heap(port)
    with Watch(lambda: [pids["server"]]) as idle:
        time.sleep(IDLE_SECONDS)
    idle_heap = heap(port)

    say(f"{title}: {WARM_UP} photos to warm up, then {len(uploads)}")
    warm_up, batch = photos.keyed(uploads[:WARM_UP]), photos.keyed(uploads)
    send(aws, port, warm_up, request(aws, warm_up))
    body = request(aws, batch)
    heap(port)
    with ExitStack() as stack:
        watches = {
            name: stack.enter_context(Watch(partial(family, pid))) for name, pid in pids.items()
        }
        seconds = send(aws, port, batch, body)
    most_heap = heap(port)
    cost = Batch(
        photos=len(batch),
        thumbnails=photos.right_thumbnails(aws, BUCKET, batch),
        items=None,
        seconds=seconds,
        cpu_s=sum(watch.cpu for watch in watches.values()),
        largest_mb=max(watch.largest_mb for watch in watches.values()),
        together_mb=sum(watch.together_mb for watch in watches.values()),
        processes=sum(watch.processes for watch in watches.values()),
    )
    parts = [Part(name, watch.cpu, watch.together_mb) for name, watch in watches.items()]
    return cost, load(idle, watches["server"], idle_heap, most_heap), parts


def load(idle: Watch, busy: Watch, idle_heap: float, most_heap: float) -> ServerLoad:
    return ServerLoad(
        idle_cpu=statistics.mean(idle.shares()),
        mean_cpu=statistics.mean(busy.shares()),
        most_cpu=max(busy.shares()),
        idle_heap_mb=idle_heap,
        most_heap_mb=most_heap,
        idle_memory_mb=max(look.memory for look in idle.looks),
        most_memory_mb=max(look.memory for look in busy.looks),
    )


def send(aws: Clients, port: int, batch: dict[str, Path], body: bytes) -> float:
    """Posts a batch in one request; returns the seconds until all its thumbnails are in S3."""
    started = time.monotonic()
    ask(port, "POST", "/photos", body)
    try:
        wait_until(lambda: thumbnails(aws, batch) == len(batch), BATCH_SECONDS)
    except TimeoutError:
        found = thumbnails(aws, batch)
        raise Problem(f"only {found} of {len(batch)} thumbnails exist after {BATCH_SECONDS} s") from None
    return time.monotonic() - started


def request(aws: Clients, batch: dict[str, Path]) -> bytes:
    """The request, as Server.java reads it."""
    parts = [struct.pack(">i", len(batch))]
    for key, photo in batch.items():
        url = upload_url(aws, photos.thumbnail_key(key)).encode()
        jpeg = photo.read_bytes()
        parts += [struct.pack(">H", len(url)), url, struct.pack(">q", len(jpeg)), jpeg]
    return b"".join(parts)


def upload_url(aws: Clients, key: str) -> str:
    return aws.s3.generate_presigned_url("put_object", Params={"Bucket": BUCKET, "Key": key})


def thumbnails(aws: Clients, batch: dict[str, Path]) -> int:
    keys = set(map(photos.thumbnail_key, batch))
    found = aws.s3.list_objects_v2(Bucket=BUCKET).get("Contents", [])
    return sum(entry["Key"] in keys for entry in found)


def heap(port: int) -> float:
    """The most MB that the heap has held since the last call."""
    return int(ask(port, "GET", "/heap")) / 2**20


def ask(port: int, method: str, path: str, body: bytes | None = None) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=BATCH_SECONDS)
    connection.request(method, path, body)
    answer = connection.getresponse()
    said = answer.read().decode(errors="replace")
    connection.close()
    if answer.status != 200:
        raise Problem(f"the server answered {method} {path} with {answer.status}: {said}")
    return said
