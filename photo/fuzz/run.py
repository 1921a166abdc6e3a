"""Feeds damaged photos to every decoder, and keeps what makes one fail: `make fuzz`.

Each file's memory and its work, counted and not timed, are held to what its bytes and pixels allow.
libFuzzer begins with the golden photos and what once failed; what it finds to be new stays in
target/fuzz/corpus for the next time. Rust and C are watched by AddressSanitizer, and both tell libFuzzer
where they were.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from photos_dev.problem import Problem, exit_with

FUZZ = Path(__file__).resolve().parent
PHOTO = FUZZ.parent
ROOT = PHOTO.parent
WORK = ROOT / "target/fuzz"
CARGO_FUZZ = "0.13.1"
TARGETS = ("jpeg", "png", "gif", "webp", "tiff", "bmp", "exif", "xmp")
# libFuzzer's: an input that takes longer (s) or more memory (MB) has failed.
LIMITS = ("-timeout=5", "-rss_limit_mb=2048")
COVERAGE = FUZZ / "src/coverage.h"
C_FLAGS = f"-fsanitize=address -fsanitize-coverage=trace-pc -include {COVERAGE}"
# libjpeg-turbo's assembler code, which nothing can watch, has a twin in C.
ENVIRONMENT = {"ASAN_OPTIONS": "detect_odr_violation=0", "JSIMD_FORCENONE": "1"}



def main() -> int:
    parser = argparse.ArgumentParser(description="Feeds damaged photos to every decoder.")
    parser.add_argument("--seconds", type=int, default=20, help="for each target (20)")
    parser.add_argument("--tools", type=Path, default=ROOT / ".venv", help="where cargo-fuzz is")
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=" ".join(TARGETS))
    options = parser.parse_args()
    targets = tuple(options.targets) or TARGETS
    for unknown in set(targets) - set(TARGETS):
        raise Problem(f"there is no target {unknown}; there are: {' '.join(TARGETS)}")
    programs = build(targets, options.tools.resolve())
    failed = [name for name in targets if not fuzz(name, programs / name, options.seconds)]
    return 1 if failed else 0


def build(targets: tuple[str, ...], tools: Path) -> Path:
    """The folder of the built targets."""
    check_compiler()
    cargo("install", "--quiet", "--locked", "--root", tools, "--version", CARGO_FUZZ, "cargo-fuzz")
    version = subprocess.run(["rustc", "-vV"], capture_output=True, text=True, check=True).stdout
    triple = re.search("host: (.+)", version)[1]
    os.environ["PATH"] = f"{tools / 'bin'}{os.pathsep}{os.environ['PATH']}"
    os.environ["RUSTC_BOOTSTRAP"] = "1"  # sanitizers are not stable yet
    # The basic blocks that are run are counted, see work.rs; AddressSanitizer's runtime has the same name.
    os.environ["RUSTFLAGS"] = (
        "-Cllvm-args=-sanitizer-coverage-trace-pc -Clink-arg=-Wl,--wrap=__sanitizer_cov_trace_pc"
    )
    os.environ[f"CFLAGS_{triple.replace('-', '_')}"] = C_FLAGS
    for target in targets if len(targets) < len(TARGETS) else [None]:
        # Without cfg(fuzzing), by which decoders pass over wrong checksums: what fails is a real file.
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
        raise Problem(f"the C compiler has no AddressSanitizer: {complaint}")


def cargo(*arguments: str | Path) -> None:
    if subprocess.run(["cargo", *arguments], cwd=PHOTO).returncode != 0:
        raise Problem(f"cargo {arguments[0]} failed")


def fuzz(name: str, program: Path, seconds: int) -> bool:
    """Whether nothing failed."""
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
        print(f"{runs:>9,} runs  {speed:>6,}/s  {coverage:>6,} places  {inputs:>5,} inputs", end="")
    if result == 0:
        print("  nothing failed", flush=True)
        return True
    failure = re.search(r"Test unit written to (.+)", text)
    reasons = re.findall(r"panicked at .*\n.*|ERROR: .*|SUMMARY: .*", text)
    print(f"  FAILED: {reasons[0] if reasons else f'exit code {result}'}\n      all it said: {shown(log)}")
    if failure:
        print(f"      the input: {shown(smaller(program, Path(failure[1])))}")
        print("      to keep it: as photo/tests/hostile/crashes/FAILURE-what-it-is.ext", flush=True)
    return False


PACKET = """<?xpacket begin="" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about=""
 xmlns:exif="http://ns.adobe.com/exif/1.0/" xmlns:aux="http://ns.adobe.com/exif/1.0/aux/"
 exif:GPSLatitude="43,4.584N" exif:GPSLongitude="79,4,37.2W" aux:Lens="50mm &amp; more">
<exif:DateTimeOriginal><rdf:Seq><rdf:li>2019-08-11T15:10:10.5+02:00</rdf:li></rdf:Seq></exif:DateTimeOriginal>
</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def make_seeds(name: str, folder: Path) -> None:
    """Copies the golden photos and what once failed; for EXIF, what a phone writes, too. XMP has a packet."""
    shutil.rmtree(folder, ignore_errors=True)
    if name == "xmp":
        folder.mkdir(parents=True)
        (folder / "packet.xmp").write_text(PACKET)
        return
    for photos in ("tests/golden/photos", "tests/hostile/crashes"):
        shutil.copytree(PHOTO / photos, folder, dirs_exist_ok=True)
    if name == "exif":
        photo = (ROOT / "tests/photos/ref-5323x8000.jpg").read_bytes()
        (folder / "of-a-phone.jpg").write_bytes(photo[:2048])


def smaller(program: Path, failure: Path) -> Path:
    """The smallest input that fails in the same way, as far as half a minute's search finds one."""
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
