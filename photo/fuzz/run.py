"""Feeds damaged photos to every decoder, and keeps the files that make one fail: `make fuzz`.

Memory and work, which is counted and not timed, must stay within limits that follow from a file's bytes and
pixels. libFuzzer begins with the golden photos and with earlier failures. Files that reach new code stay in
target/fuzz/corpus for the next run. AddressSanitizer watches Rust and C, and both report coverage to libFuzzer.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from photos_dev.arguments import whole
from photos_dev.problem import Problem, exit_with

FUZZ = Path(__file__).resolve().parent
PHOTO = FUZZ.parent
ROOT = PHOTO.parent
WORK = ROOT / "target/fuzz"
CARGO_FUZZ = "0.13.1"
TARGETS = ("jpeg", "png", "gif", "webp", "tiff", "bmp", "heic", "exif", "xmp")
# Options of libFuzzer: an input that takes longer (s) or more memory (MB) has failed.
LIMITS = ("-timeout=5", "-rss_limit_mb=2048")
COVERAGE = FUZZ / "src/coverage.h"
C_FLAGS = f"-fsanitize=address -fsanitize-coverage=trace-pc -include {COVERAGE}"
# libjpeg-turbo has C code for all that its assembler does, which AddressSanitizer cannot watch.
ENVIRONMENT = {"ASAN_OPTIONS": "detect_odr_violation=0", "JSIMD_FORCENONE": "1"}


def main() -> int:
    parser = argparse.ArgumentParser(description="Feeds damaged photos to every decoder.")
    parser.add_argument("--seconds", type=whole(1), default=20, help="time for each target (default: 20)")
    parser.add_argument("--tools", type=Path, default=ROOT / ".venv", help="folder to install cargo-fuzz into (default: .venv)")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=" ".join(TARGETS))
    options = parser.parse_args()
    targets = tuple(options.targets) or TARGETS
    for unknown in set(targets) - set(TARGETS):
        raise Problem(f"no target {unknown}: choose from {' '.join(TARGETS)}")
    programs = build(targets, options.tools.resolve())
    failed = [name for name in targets if not fuzz(name, programs / name, options.seconds)]
    return 1 if failed else 0


def build(targets: tuple[str, ...], tools: Path) -> Path:
    """Builds the targets; returns their folder."""
    check_compiler()
    cargo("install", "--quiet", "--locked", "--root", tools, "--version", CARGO_FUZZ, "cargo-fuzz")
    version = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    triple = re.search("host: (.+)", version)[1]
    os.environ["PATH"] = f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.environ["RUSTC_BOOTSTRAP"] = "1"  # sanitizers are not stable yet
    # work.rs counts the basic blocks that run. AddressSanitizer's runtime has a function of the same name.
    os.environ["RUSTFLAGS"] = (
        "-Cllvm-args=-sanitizer-coverage-trace-pc -Clink-arg=-Wl,--wrap=__sanitizer_cov_trace_pc"
    )
    os.environ[f"CFLAGS_{triple.replace('-', '_')}"] = C_FLAGS
    for target in targets if len(targets) < len(TARGETS) else [None]:
        # With cfg(fuzzing), decoders would skip wrong checksums, and a failing file would not be a real one.
        arguments = ["--no-cfg-fuzzing", "--target-dir", WORK, *([target] if target else [])]
        cargo("fuzz", "build", *arguments)
    return WORK / triple / "release"


def check_compiler() -> None:
    with tempfile.TemporaryDirectory() as folder:
        command = ["cc", *C_FLAGS.split(), "-xc", "-", "-o", f"{folder}/program"]
        program = "int main(void) { return 0; }"
        result = subprocess.run(command, input=program, text=True, capture_output=True)
    if result.returncode != 0:
        complaint = result.stderr.strip().splitlines()[-1]
        raise Problem(f"cc has no AddressSanitizer, install a gcc or clang that has it: {complaint}")


def cargo(*arguments: str | Path) -> None:
    if subprocess.run(["cargo", *arguments], cwd=PHOTO).returncode != 0:
        raise Problem(f"cargo {arguments[0]} failed, see its output above")


def fuzz(name: str, program: Path, seconds: int) -> bool:
    """Fuzzes one target; returns whether nothing failed."""
    print(f"{name:5}", end="", flush=True)
    corpus, seeds, log = WORK / "corpus" / name, WORK / "seeds" / name, WORK / f"{name}.log"
    corpus.mkdir(parents=True, exist_ok=True)
    make_seeds(name, seeds)
    found = WORK / "found" / f"{name}-"
    found.parent.mkdir(exist_ok=True)
    arguments = [*LIMITS, f"-max_total_time={seconds}", f"-artifact_prefix={found}", corpus, seeds]
    with log.open("w") as output:
        result = run(program, *arguments, output=output)
    text = log.read_text(errors="replace")
    last = re.findall(r"^#(\d+)\s.* cov: (\d+) .* corp: (\d+)/.* exec/s: (\d+)", text, re.MULTILINE)
    if last:
        runs, coverage, inputs, speed = map(int, last[-1])
        print(f"{runs:>9,} runs  {speed:>6,}/s  {coverage:>6,} blocks  {inputs:>5,} inputs", end="")
    if result == 0:
        print("  nothing failed", flush=True)
        return True
    failure = re.search(r"Test unit written to (.+)", text)
    reasons = re.findall(r"panicked at .*\n.*|ERROR: .*|SUMMARY: .*", text)
    print(f"  FAILED: {reasons[0] if reasons else f'exit code {result}'}\n      log: {shown(log)}")
    if failure:
        print(f"      input: {shown(smaller(program, Path(failure[1])))}")
        print("      keep it as photo/tests/hostile/crashes/FAILURE-what-it-is.ext", flush=True)
    return False


PACKET = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
 exif:GPSLatitude="43,4.584N" exif:GPSLongitude="79,4,37.2W" aux:Lens="50mm &amp; more">
<exif:DateTimeOriginal><rdf:Seq><rdf:li>2019-08-11T15:10:10.5+02:00</rdf:li></rdf:Seq></exif:DateTimeOriginal>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def make_seeds(name: str, folder: Path) -> None:
    """Copies the golden photos and earlier failures; adds a phone's EXIF for that target. XMP gets a packet."""
    shutil.rmtree(folder, ignore_errors=True)
    if name == "xmp":
        folder.mkdir(parents=True)
        (folder / "packet.xmp").write_text(PACKET)
        return
    for photos in ("tests/golden/photos", "tests/hostile/heic", "tests/hostile/crashes"):
        shutil.copytree(PHOTO / photos, folder, dirs_exist_ok=True)
    if name == "exif":
        photo = (ROOT / "tests/photos/ref-5323x8000.jpg").read_bytes()
        (folder / "of-a-phone.jpg").write_bytes(photo[:2048])


def smaller(program: Path, failure: Path) -> Path:
    """The smallest input that fails in the same way, of those that a search of half a minute finds."""
    small = failure.with_name(f"{failure.name}-small")
    shutil.copy(failure, small)
    arguments = ["-minimize_crash=1", "-max_total_time=30", f"-exact_artifact_path={small}", failure]
    run(program, *LIMITS, *arguments, output=subprocess.DEVNULL)
    return small


def run(program: Path, *arguments: str | Path, output) -> int:
    environment = {**os.environ, **ENVIRONMENT}
    command = [program, *arguments]
    return subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, env=environment).returncode


def shown(path: Path) -> str:
    return str(path.relative_to(ROOT))


if __name__ == "__main__":
    exit_with(main)
