"""What is expected of each test against moto, and what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass

# What tests/pipeline/stack.rs says where a test asks for a deployed function.
NEEDS_FUNCTION = "this AWS runs no functions"

# Tests that fail with moto, because it does not do what AWS does: name -> how it differs. docs/reliability.md has what
# AWS says.
DIFFERENCES = {
    "hostile::an_item_that_the_application_has_made_too_large_is_written_without_the_facts": "moto takes smaller items",
    "upload_urls::s3_takes_nothing_but_what_was_signed": "moto computes no signature of a presigned URL",
    "upload_urls::a_url_is_of_no_use_after_its_time": "moto does not look at the time of a presigned URL",
    "upload_urls::where_a_checksum_is_asked_for_s3_takes_no_other_photo": "moto does not compare a checksum with the bytes",
}


@dataclass(frozen=True)
class Outcome:
    passed: bool
    said: str = ""

    @property
    def needs_function(self) -> bool:
        return NEEDS_FUNCTION in self.said


def outcomes(output: str) -> dict[str, Outcome]:
    """The tests that libtest's output tells of."""
    said = dict(re.findall(r"(?ms)^---- (\S+) stdout ----\n(.*?)(?=^---- \S+ stdout ----$|^failures:$|\Z)", output))
    ends = re.findall(r"(?m)^test (\S+) \.\.\. (ok|FAILED)$", output)
    return {name: Outcome(end == "ok", said.get(name, "").strip()) for name, end in ends}


def judge(tests: dict[str, Outcome]) -> tuple[str, bool]:
    """A report, and whether every test ended as expected."""
    passed = [name for name, outcome in tests.items() if outcome.passed]
    elsewhere = [name for name, outcome in tests.items() if outcome.needs_function]
    failed = [name for name in tests if name not in (*passed, *elsewhere)]
    lines = [f"{len(elsewhere)} of {len(tests)} tests need functions that AWS runs: the local AWS has them"]
    lines += [f"{len(passed)} tests pass with moto too"]
    differ = [name for name in failed if name in DIFFERENCES]
    lines += [f"{len(differ)} tests fail because moto is not as AWS, as expected"] if differ else []
    lines += [f"    {name}: {DIFFERENCES[name]}" for name in differ]
    same = [name for name in passed if name in DIFFERENCES]
    lines += [f"{name} passes by now: remove it from DIFFERENCES" for name in same]
    unknown = [name for name in failed if name not in DIFFERENCES]
    for name in unknown:
        lines += ["", f"{name} fails with moto:", tests[name].said]
    return "\n".join(lines), not same and not unknown
