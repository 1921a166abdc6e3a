"""The arithmetic of `make scale`, and what its simulation promises: `make test-tools`."""

from __future__ import annotations

import math
import re
import unittest
import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from random import Random

from photos_dev.benches.load.waits import GUIDE, PUBLISHED
from photos_dev.paths import DOCS
from photos_dev.scale import constants, questions
from photos_dev.scale.chart import chart
from photos_dev.scale.delivery import Direct
from photos_dev.scale.engine import Clock
from photos_dev.scale.limits import Environments, Rate, Readers
from photos_dev.scale.questions import Held, duration
from photos_dev.scale.simulation import GROUPS, OBJECTS, Load, Result, Setup, Simulation, percentile, simulate, times
from photos_dev.scale.work import Answer, Outage, Photos, Services, Table, Times, Work

# Nothing is at random: no delay of notifications, and times that do not vary.
EXACT = Times(get_ms=60, cpu_ms=100, put_ms=70, item_ms=10, wait_sigma=0)
QUIET = Setup(notification_s=0, times=EXACT)


class Log:
    """What became of photos, and when."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.events: list[tuple[str, float]] = []

    def ready(self, photos: Photos, together: int, apart_s: float) -> None:
        self.events.append(("READY", self._clock.now))

    def dead(self, photos: Photos) -> None:
        self.events.append(("dead", self._clock.now))


class Clocks(unittest.TestCase):
    def test_actions_run_in_the_order_of_their_times_and_then_of_their_planning(self) -> None:
        clock, seen = Clock(), []
        for time, name in ((2, "c"), (1, "a"), (1, "b"), (3, "d")):
            clock.at(time, seen.append, name)
        clock.run(until=2)
        self.assertEqual((seen, clock.now), (["a", "b", "c"], 2))
        clock.run()
        self.assertEqual(seen, ["a", "b", "c", "d"])


class Lambda(unittest.TestCase):
    def started(self, environments: Environments, now: float) -> int:
        count = 0
        while environments.take(now, 1):
            count += 1
        return count

    def test_a_function_gets_1000_environments_at_once_and_1000_more_every_10_s(self) -> None:
        environments = Environments(10_000)
        self.assertEqual([self.started(environments, now) for now in (0, 10, 15, 20)], [1_000, 1_000, 500, 500])

    def test_what_was_not_started_is_not_saved(self) -> None:
        environments = Environments(10_000)
        self.started(environments, 0)
        self.assertEqual(self.started(environments, 1_000), 1_000)

    def test_no_more_are_busy_than_the_account_may_have(self) -> None:
        environments = Environments(300)
        self.assertEqual(self.started(environments, 0), 300)
        environments.give_back(100)
        self.assertEqual(environments.take(0, 100), 0)  # idle ones are used again
        self.assertIsNone(environments.take(100, 1))
        self.assertEqual(environments.peak, 300)

    def test_a_reserved_concurrency_is_a_limit_too(self) -> None:
        self.assertEqual(replace(QUIET, reserved=40).environments, 40)
        self.assertLessEqual(simulate(replace(QUIET, reserved=40), Load(2_000, 5)).environments, 40)

    def test_an_event_without_an_environment_is_tried_for_6_hours(self) -> None:
        clock = Clock()
        log = Log(clock)
        services = Services(Rate(9), Rate(9), Table(Rate(9), Rate(9), (2, 1), None), 1)
        delivery = Direct(clock, Random(1), Environments(0), Work(clock, Random(1), services, EXACT), log)
        delivery.receive(Photos(1, 0))
        clock.run()
        ((outcome, at),) = log.events
        self.assertEqual(outcome, "dead")
        self.assertTrue(6 * 3600 < at <= 6 * 3600 + constants.THROTTLED_MOST_S, at)
        # After 1, 2, 4 ... s, and then every 2.5 to 5 minutes.
        self.assertTrue(6 * 12 < delivery.throttled < 6 * 24 + 9, delivery.throttled)

    def test_a_function_that_fails_is_tried_three_times_within_three_minutes(self) -> None:
        away = replace(QUIET, outage=Outage(0, 10_000, Answer.REFUSED))
        result = simulate(away, Load(1, 0))
        self.assertEqual((result.dead, result.tries), (1, 3))
        self.assertTrue(180 < result.decided_s < 184, result.decided_s)


class Sqs(unittest.TestCase):
    def test_five_batches_are_read_at_once_then_300_more_a_minute(self) -> None:
        readers = Readers(constants.BATCHES_MOST)
        self.assertEqual(readers.free(0), 5)
        readers.messages_wait(0, True)
        self.assertEqual([readers.free(now) for now in (30, 60, 120, 1_000)], [155, 305, 605, 1_250])

    def test_readers_do_not_grow_while_no_message_waits(self) -> None:
        readers = Readers(constants.BATCHES_MOST)
        readers.messages_wait(0, True)
        readers.messages_wait(0, False)
        self.assertEqual(readers.free(600), 5)

    def test_a_maximum_concurrency_is_the_limit(self) -> None:
        readers = Readers(20)
        readers.messages_wait(0, True)
        self.assertEqual(readers.free(60), 20)

    def test_a_message_is_tried_five_times_a_visibility_timeout_apart(self) -> None:
        away = replace(QUIET, queue=True, outage=Outage(0, 10_000, Answer.REFUSED))
        for visibility in (360.0, 1_000.0):
            result = simulate(replace(away, visibility_s=visibility), Load(1, 0))
            self.assertEqual((result.dead, result.tries), (1, 5))
            self.assertAlmostEqual(result.decided_s, 4 * visibility, delta=3)

    def test_a_batch_waits_as_long_as_a_photo_and_works_for_all(self) -> None:
        self.assertAlmostEqual(EXACT.batch_ms(10), 60 + 10 * 100 + 70 + 10)
        # One reader: the first photo goes alone, and the other ten together.
        one = replace(QUIET, queue=True, queue_concurrency=1)
        result = simulate(one, Load(11, 0))
        cold = constants.COLD_START_MS / 1000
        work = (EXACT.photo_ms + EXACT.batch_ms(10)) / 1000
        self.assertAlmostEqual(result.last_ready_s, cold + work, delta=0.3 * work)

    def test_a_window_makes_photos_wait_for_their_batch(self) -> None:
        window = replace(QUIET, queue=True, window_s=2.0)
        alone = 2.0 + 0.24 + constants.COLD_START_MS / 1000
        self.assertAlmostEqual(simulate(window, Load(1, 0)).p50_s, alone, delta=0.05)
        self.assertLess(simulate(window, Load(10, 0)).p50_s, 2.0)  # a full batch does not wait


class DynamoDb(unittest.TestCase):
    def taken(self, rate: Rate, seconds: int, units: int) -> int:
        """How many units a demand of 10,000 a second gets."""
        step = units / 10_000
        return sum(units for number in range(round(seconds / step)) if rate.take(number * step, units))

    def test_an_albums_index_partition_takes_1000_units_a_second(self) -> None:
        got = self.taken(Rate(constants.PARTITION_UNITS), 10, 1)
        self.assertAlmostEqual(got, 10 * 1_000 + 1_000, delta=10)  # a second's worth is there at the beginning

    def test_unused_units_are_kept_for_no_more_than_a_second(self) -> None:
        rate = Rate(1_000)
        self.assertTrue(rate.take(500.0, 1_000))
        self.assertFalse(rate.take(500.0, 1))

    def test_an_index_without_room_pushes_back_on_the_table(self) -> None:
        table = Table(Rate(4_000), Rate(1_000), (2, 1), None)
        answers = [table.write(0, 1) for _ in range(1_500)]
        self.assertEqual(answers.count(Answer.DONE), 1_000)
        self.assertEqual((table.index.refused, table.table.refused), (500, 0))
        self.assertTrue(table.table.has(0, 2_000))  # what was refused took nothing

    def test_a_table_doubles_half_an_hour_after_it_was_full(self) -> None:
        rate = Rate(4_000, constants.TABLE_DOUBLES_S)
        rate.take(0, 4_000)
        self.assertFalse(rate.take(0, 1))
        rate.take(1_799, 4_000)
        self.assertFalse(rate.take(1_799, 1))
        rate.take(1_801, 4_000)
        self.assertFalse(rate.take(1_801, 4_000))
        self.assertEqual(rate.a_second, 8_000)

    def test_several_renditions_take_more_units(self) -> None:
        self.assertEqual(QUIET.units, (3, 1))
        self.assertEqual(replace(QUIET, renditions=3).units, (3, 2))

    def test_an_hour_without_it_leaves_what_was_given_up_in_that_hour(self) -> None:
        """Photos of the last minutes are READY by a later try: of 3 within 3 minutes, or of 5 within 4 timeouts."""
        for setup, patience in ((QUIET, 180), (replace(QUIET, queue=True), 4 * 360)):
            result = questions.outage(setup, 2, Answer.REFUSED, seed=1)
            self.assertAlmostEqual(result.dead, 2 * (3_600 - patience), delta=20)
        patient = replace(QUIET, queue=True, visibility_s=questions.PATIENT_VISIBILITY_S)
        self.assertEqual(questions.outage(patient, 2, Answer.REFUSED, seed=1).dead, 0)


class Photo(unittest.TestCase):
    def test_a_photo_alone_takes_the_sum_of_its_steps(self) -> None:
        result = simulate(QUIET, Load(1, 0))
        self.assertAlmostEqual(result.p50_s, 0.240 + constants.COLD_START_MS / 1000, delta=0.04)

    def test_the_waits_are_those_of_make_cost(self) -> None:
        for waits, total in ((PUBLISHED, 63 + 70 + 6.5), (GUIDE, 137 + 100 + 9)):
            self.assertAlmostEqual(times(waits).photo_ms, total + constants.CPU_MS, delta=0.5)

    def test_environments_that_share_cores_wait_for_each_other(self) -> None:
        shared = replace(QUIET, times=replace(EXACT, cores=2))
        self.assertAlmostEqual(simulate(shared, Load(24, 0)).last_ready_s, 12 * 0.1 + 0.14 + 0.08, delta=0.15)

    def test_uploads_that_s3_refuses_are_tried_again(self) -> None:
        result = simulate(replace(QUIET, account=10_000, table_units=40_000), Load(14_000, 0))
        self.assertEqual(result.ready, 14_000)
        self.assertGreater(result.refused["S3 (uploads)"], 10_000)
        self.assertGreater(result.last_ready_s, 2)


class Nothing(unittest.TestCase):
    """Nothing is lost: each photo is READY, a dead letter, or still in flight."""

    def setups(self) -> list[Setup]:
        silent = Outage(5, 400, Answer.SILENT)
        plain = [
            Setup(),
            Setup(one_album=True, account=10_000),
            Setup(renditions=3, reserved=50),
            Setup(outage=silent),
            Setup(outage=replace(silent, answer=Answer.REFUSED), one_album=True),
            questions.raised(Setup()),
        ]
        queued = [replace(setup, queue=True) for setup in plain]
        return [*plain, *queued, Setup(queue=True, window_s=1.0, queue_concurrency=20)]

    def check(self, result: Result) -> None:
        self.assertEqual(result.ready + result.dead + result.in_flight, result.photos)
        self.assertGreaterEqual(result.in_flight, 0)

    def test_is_lost_in_any_scenario(self) -> None:
        for setup in self.setups():
            for load in (Load(20_000, 0, 1_000), Load(20_000, 20, 1_000), Load(37, 10)):
                result = simulate(setup, load)
                self.check(result)
                self.assertEqual(result.in_flight, 0)

    def test_is_lost_at_any_moment(self) -> None:
        for setup in self.setups():
            for until in (0.0, 1.0, 5.0, 60.0, 300.0):
                result = Simulation(setup, Load(20_000, 10, 1_000)).run(until)
                self.check(result)
            self.assertLessEqual(result.ready, 20_000)

    def test_stays_busy_at_the_end(self) -> None:
        for setup in self.setups():
            simulation = Simulation(setup, Load(5_000, 5, 1_000))
            simulation.run()
            self.assertEqual(simulation.busy_environments, 0)


class Alike(unittest.TestCase):
    def test_two_runs_give_the_same_figures(self) -> None:
        for queue in (False, True):
            setup = Setup(queue=queue, one_album=True)
            first, second, other = (simulate(setup, Load(40_000, 20), seed) for seed in (7, 7, 8))
            self.assertEqual(first, second)
            self.assertNotEqual(first.p50_s, other.p50_s)

    def test_more_photos_are_no_more_objects(self) -> None:
        for photos in (100, 240_000, 600_000):
            objects = photos / Load(photos, 60).group(questions.raised(Setup()))
            self.assertLessEqual(objects, max(OBJECTS, photos / GROUPS[-1]))

    def test_groups_stay_a_small_part_of_what_is_processed_at_once(self) -> None:
        self.assertEqual(Load(900_000, 60).group(Setup(reserved=240)), 10)
        self.assertEqual(Load(900_000, 60).group(Setup(reserved=1)), 1)

    def test_groups_change_no_figure_by_much(self) -> None:
        setup = Setup(account=4_000, table_units=40_000)
        fine, coarse = (simulate(setup, Load(60_000, 30, objects)) for objects in (60_000, 2_000))
        self.assertAlmostEqual(fine.p50_s, coarse.p50_s, delta=0.1)
        self.assertAlmostEqual(fine.p99_s, coarse.p99_s, delta=0.5)


class Answers(unittest.TestCase):
    def test_the_limits_are_the_arithmetic_of_their_constants(self) -> None:
        rows = {row[0]: row[1:3] for row in questions.limits(Setup()).rows}
        self.assertEqual(rows["one album: an index partition takes 1,000 units"], ("1,000", "500"))
        self.assertEqual(rows["a new table: 4,000 units"], ("1,333", "1,333"))
        self.assertAlmostEqual(questions.direct_rate(1_000, EXACT), 1_000 / 0.240)
        self.assertAlmostEqual(questions.queue_rate(1_000, EXACT), 10_000 / 1.140)
        self.assertAlmostEqual(questions.redrive_rate(EXACT), 2 / 0.240)

    def test_a_queue_does_more_photos_with_as_many_environments(self) -> None:
        for waits in (PUBLISHED, GUIDE):
            of = times(waits, cpu_ms=85.0)  # of a fast machine: the more a photo works, the less its waiting counts
            self.assertGreater(questions.queue_rate(1_000, of), 2 * questions.direct_rate(1_000, of))

    def test_settings_that_hold_photos_back_stay_below_what_dynamodb_takes(self) -> None:
        of = Setup().times
        for photos, reserved, batches in (
            (constants.PARTITION_UNITS / constants.UNITS[1], questions.ALBUM_RESERVED, questions.ALBUM_BATCHES),
            (constants.NEW_TABLE_UNITS / constants.UNITS[0], questions.TABLE_RESERVED, questions.TABLE_BATCHES),
        ):
            for rate in (questions.direct_rate(reserved, of), questions.queue_rate(batches, of)):
                self.assertTrue(0.85 * photos < rate < photos, rate)

    def test_one_album_breaks_above_1000_photos_a_second_and_not_below(self) -> None:
        below, above = (
            simulate(Setup(one_album=True), Load(round(rate * 300), 300, 4_000)) for rate in (900, 1_500)
        )
        self.assertEqual(below.dead, 0)
        self.assertLess(below.p99_s, 5)
        self.assertGreater(above.dead, 0.01 * above.photos)
        advised = Setup(one_album=True, queue=True, queue_concurrency=questions.ALBUM_BATCHES)
        held_back = simulate(advised, Load(450_000, 300, 4_000))
        self.assertEqual((held_back.dead, held_back.refused["the album"]), (0, 0))

    def test_percentiles_count_each_photo(self) -> None:
        values = [(1.0, 98.0), (2.0, 1.0), (3.0, 1.0)]
        self.assertEqual([percentile(values, share) for share in (0.5, 0.98, 0.99, 1.0)], [1.0, 1.0, 2.0, 3.0])
        self.assertTrue(math.isnan(percentile([], 0.5)))

    def test_durations_are_for_people(self) -> None:
        told = [duration(seconds) for seconds in (1.25, 45, 119, 600, 7_000, 40_000, 400_000, math.nan)]
        self.assertEqual(told, ["1.2 s", "45 s", "119 s", "10.0 min", "117 min", "11.1 h", "4.6 days", "never"])

    def test_every_row_of_a_sheet_is_as_long_as_its_head(self) -> None:
        result = simulate(QUIET, Load(10, 1))
        held = [Held(rate, result) for rate in (1, 10)]
        for sheet in (questions.limits(Setup()), questions.rates("How long?", held, held)):
            for row in sheet.rows:
                self.assertEqual(len(row), len(sheet.head))
            self.assertEqual({line.count("|") for line in sheet.markdown().splitlines()[2:]}, {len(sheet.head) + 1})
            for cell in sheet.head:
                self.assertIn(cell, sheet.text())

    def test_the_committed_limits_are_those_of_the_constants(self) -> None:
        self.assertIn(questions.limits(Setup()).markdown(), (DOCS / "scale-figures.md").read_text())

    def test_the_page_has_the_dead_letters_of_the_figures(self) -> None:
        page, figures = ((DOCS / name).read_text() for name in ("scale.md", "scale-figures.md"))
        # Round numbers are of people, but for those of the table, which have their share behind them.
        told = re.findall(r"\b\d{2,3},(?!000)\d{3}\b|\b\d{2,3},\d{3}(?= \()", page)
        self.assertGreater(len(told), 4)
        for number in told:
            self.assertIn(f"| {number} |", figures)

    def test_the_chart_has_a_panel_for_each_account_and_four_lines_in_each(self) -> None:
        quick, lost = (
            simulate(replace(QUIET, outage=outage), Load(10, 1)) for outage in (None, Outage(0, 9_999, Answer.REFUSED))
        )
        held = [Held(1, quick), Held(100, replace(quick, dead=1, p99_s=90_000.0)), Held(1_000, lost)]
        drawing = chart((("one", held, held), ("two", held, held)))
        ElementTree.fromstring(drawing)
        self.assertEqual(drawing.count('<polyline class="curve'), 2 * 4 + 4)  # and those of the legend
        self.assertEqual(drawing.count('class="dot floor"'), 2 * 2 + 1)
        self.assertTrue(math.isnan(lost.p50_s))  # a rate of which no photo is READY has no point
        self.assertNotIn("nan", drawing)


if __name__ == "__main__":
    unittest.main()
