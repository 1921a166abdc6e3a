"""`make redrive` leaves the event source disabled, whatever Lambda answers and whenever it is interrupted."""

from __future__ import annotations

import contextlib
import io
import unittest
from typing import Any
from unittest import mock

from botocore.exceptions import ClientError

from photos_dev.stack import redrive
from photos_dev.stack.redrive import Problem, Stack

MAPPING = "14e0db71-5d35-4eb5-b481-8945cf9d10c2"
BY_HAND = f"aws lambda update-event-source-mapping --uuid {MAPPING} --no-enabled"


class Aws:
    """Lambda, SQS and the time, as far as an event source needs them."""

    def __init__(self, dead_letters: int = 3) -> None:
        self.now = 1000.0
        self.state, self.next_state, self.changed_at = "Disabled", "Disabled", 0.0
        self.takes = 20.0  # seconds from Enabling to Enabled, and back
        self.dead_letters, self.failing = dead_letters, 0
        self.interrupted_in: list[str] = []  # states in which Ctrl-C is pressed
        self.denied = False
        self.asked: list[bool] = []

    # time

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        if self.current() in self.interrupted_in:
            self.interrupted_in.remove(self.current())
            raise KeyboardInterrupt
        self.now += seconds
        if self.current() == "Enabled" and self.dead_letters:
            self.dead_letters -= 1

    # Lambda

    def current(self) -> str:
        if self.now >= self.changed_at + self.takes:
            self.state = self.next_state
        return self.state

    def update_event_source_mapping(self, *, UUID: str, Enabled: bool) -> None:
        assert UUID == MAPPING
        if self.denied:
            raise refusal("AccessDeniedException")
        if self.current().endswith("ing"):
            raise refusal("ResourceInUseException")
        self.asked.append(Enabled)
        wanted = "Enabled" if Enabled else "Disabled"
        if wanted != self.state:
            self.state, self.next_state = ("Enabling" if Enabled else "Disabling"), wanted
            self.changed_at = self.now

    def get_event_source_mapping(self, *, UUID: str) -> dict[str, str]:
        assert UUID == MAPPING
        return {"State": self.current()}

    # SQS

    def get_queue_attributes(self, **_: Any) -> dict[str, Any]:
        return {
            "Attributes": {
                "ApproximateNumberOfMessages": str(self.dead_letters),
                "ApproximateNumberOfMessagesNotVisible": str(self.failing),
            }
        }


def refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "not now"}}, "UpdateEventSourceMapping")


class Redrive(unittest.TestCase):
    def setUp(self) -> None:
        self.aws = Aws()
        for patch in (
            mock.patch.object(redrive, "time", self.aws),
            mock.patch.object(redrive, "say", self.hear),
        ):
            patch.start()
            self.addCleanup(patch.stop)
        self.heard: list[str] = []

    def hear(self, text: str) -> None:
        self.heard.append(text)

    def run_it(self, within: float = 3600) -> str:
        stack = Stack(self.aws, self.aws, "queue", "photos-thumbnail", MAPPING)
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            redrive.redrive(stack, 5, self.aws.now + within)
        return out.getvalue()

    def ends_disabled(self) -> None:
        self.aws.now += 10_000
        self.assertEqual(self.aws.current(), "Disabled")

    def test_dead_letters_are_tried_and_the_source_is_disabled_again(self) -> None:
        self.assertIn("3 of 3 dead letters are done, 0 left", self.run_it())
        self.assertEqual(self.aws.asked, [True, False])
        self.assertEqual(self.aws.current(), "Disabled")

    def test_without_dead_letters_nothing_is_enabled(self) -> None:
        self.aws.dead_letters = 0
        self.assertEqual(self.run_it(), "no dead letters\n")
        self.assertEqual(self.aws.asked, [])

    def test_ctrl_c_while_the_source_is_being_enabled_leaves_it_disabled(self) -> None:
        self.aws.interrupted_in = ["Enabling"]
        with self.assertRaises(KeyboardInterrupt):
            self.run_it()
        self.assertEqual(self.aws.asked, [True, False])
        self.assertEqual(self.aws.current(), "Disabled")

    def test_ctrl_c_while_dead_letters_are_tried_leaves_it_disabled(self) -> None:
        self.aws.interrupted_in = ["Enabled"]
        with self.assertRaises(KeyboardInterrupt):
            self.run_it()
        self.assertEqual(self.aws.current(), "Disabled")

    def test_after_a_second_ctrl_c_the_last_line_says_what_to_do_by_hand(self) -> None:
        self.aws.interrupted_in = ["Enabling", "Disabling"]
        with self.assertRaises(KeyboardInterrupt):
            self.run_it()
        self.assertIn(BY_HAND, self.heard[-1])

    def test_a_change_that_is_under_way_is_waited_for(self) -> None:
        self.aws.state, self.aws.next_state, self.aws.changed_at = "Disabling", "Disabled", self.aws.now
        self.aws.takes = 40
        self.assertIn("3 of 3 dead letters are done", self.run_it())
        self.ends_disabled()

    def test_a_source_that_accepts_no_change_for_a_minute_is_a_problem_with_the_command(self) -> None:
        self.aws.state, self.aws.next_state, self.aws.changed_at = "Updating", "Updating", self.aws.now
        before = self.aws.now
        with self.assertRaisesRegex(Problem, BY_HAND):
            self.run_it()
        self.assertLess(self.aws.now - before, 3 * redrive.BUSY_SECONDS)

    def test_a_source_that_never_becomes_enabled_is_a_problem_and_disabled(self) -> None:
        self.aws.takes = redrive.CHANGE_SECONDS + 20
        before = self.aws.now
        with self.assertRaisesRegex(Problem, f"Enabling, not Enabled, after 300 s.*{BY_HAND}|Disabling.*{BY_HAND}"):
            self.run_it()
        self.assertLess(self.aws.now - before, 3 * redrive.CHANGE_SECONDS)
        self.assertEqual(self.aws.asked, [True, False])
        self.ends_disabled()

    def test_the_wait_for_dead_letters_has_a_limit(self) -> None:
        self.aws.dead_letters = 1_000_000
        before = self.aws.now
        with self.assertRaisesRegex(Problem, "dead letters are left when the time is over.*Run make redrive again"):
            self.run_it(within=600)
        self.assertLess(self.aws.now - before, 800)
        self.assertEqual(self.aws.current(), "Disabled")

    def test_a_refused_disabling_says_what_to_do_by_hand(self) -> None:
        self.aws.interrupted_in = ["Enabled"]
        sleep = self.aws.sleep

        def deny_then_sleep(seconds: float) -> None:
            self.aws.denied = self.aws.current() == "Enabled"
            sleep(seconds)

        with mock.patch.object(self.aws, "sleep", deny_then_sleep):
            with self.assertRaisesRegex(Problem, f"AccessDenied.*{BY_HAND}"):
                self.run_it()


if __name__ == "__main__":
    unittest.main()
