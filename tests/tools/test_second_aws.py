"""`make second-opinion` tells apart what passes, what cannot run there, what is known to differ, and what is new."""

from __future__ import annotations

import unittest
from unittest import mock

from photos_dev.second_aws import verdict
from photos_dev.second_aws.verdict import judge, outcomes

OUTPUT = """
running 4 tests
test crossings::holds ... ok
test uploads::needs_lambda ... FAILED
test urls::differs ... FAILED
test urls::is_new ... FAILED

failures:

---- uploads::needs_lambda stdout ----

thread 'uploads::needs_lambda' panicked at tests/pipeline/stack.rs:1:5:
this AWS runs no functions

---- urls::differs stdout ----
200 is not 403

---- urls::is_new stdout ----
a line
---- of an album ----
another line


failures:
    uploads::needs_lambda
    urls::differs
    urls::is_new

test result: FAILED. 1 passed; 3 failed; 0 ignored; 0 measured; 0 filtered out; finished in 0.00s
"""


class Verdict(unittest.TestCase):
    def judged(self, known: dict[str, str], *names: str) -> tuple[str, bool]:
        tests = outcomes(OUTPUT)
        with mock.patch.object(verdict, "DIFFERENCES", known):
            return judge({name: tests[name] for name in names or tests})

    def test_what_each_test_said_is_read(self) -> None:
        tests = outcomes(OUTPUT)
        passed = {name: outcome.passed for name, outcome in tests.items()}
        expected = {"crossings::holds": True, "uploads::needs_lambda": False, "urls::differs": False, "urls::is_new": False}
        self.assertEqual(passed, expected)
        self.assertEqual(tests["urls::is_new"].said, "a line\n---- of an album ----\nanother line")
        self.assertTrue(tests["uploads::needs_lambda"].needs_function)

    def test_a_known_difference_is_told_with_its_reason_and_is_no_failure(self) -> None:
        names = ("crossings::holds", "uploads::needs_lambda", "urls::differs")
        report, is_as_expected = self.judged({"urls::differs": "moto does not look"}, *names)
        self.assertTrue(is_as_expected, report)
        self.assertIn("urls::differs: moto does not look", report)
        self.assertIn("1 of 3 tests need", report)

    def test_a_new_difference_is_a_failure_and_told_whole(self) -> None:
        report, is_as_expected = self.judged({"urls::differs": "moto does not look"})
        self.assertFalse(is_as_expected)
        self.assertIn("urls::is_new fails with moto:\na line", report)

    def test_a_known_difference_that_is_gone_is_a_failure(self) -> None:
        report, is_as_expected = self.judged({"crossings::holds": "moto is wrong"}, "crossings::holds")
        self.assertFalse(is_as_expected)
        self.assertIn("crossings::holds passes by now", report)


if __name__ == "__main__":
    unittest.main()
