"""The arithmetic of `make cost`, with figures of a run: `make test-tools`."""

from __future__ import annotations

import unittest
from dataclasses import replace

from photos_dev.benches.load import bill, bill_report, prices
from photos_dev.benches.load.bill import Figures, Job, Mix
from photos_dev.benches.load.waits import BOTH, GUIDE, PUBLISHED, Call

ORIGINAL, THUMBNAIL = 3_165_832, 422_638
THIS = bill.this_project(Figures(113, 46, 9, ""), item_units=2, index_units=1, line_bytes=1076)
SHARP = bill.sharp(Figures(171, 220, 365, "sharp 0.35.5"))
PILLOW = bill.pillow(Figures(684, 273, 281, "Pillow 13.0.0"))
ALL = tuple(Job(ORIGINAL, (THUMBNAIL,), function) for function in (THIS, SHARP, PILLOW))
OURS, OF_SHARP, OF_PILLOW = ALL

THIS_OF_HEIC = bill.this_project(Figures(400, 30, 9, ""), item_units=3, index_units=2, line_bytes=1100)
PILLOW_OF_HEIC = bill.pillow(Figures(700, 600, 300, "Pillow 13.0.0, pillow-heif 1.8.1"))
HEIC = Job(1_985_955, (230_000,), THIS_OF_HEIC)
HALF_HEIC = [
    Mix("this project", (OURS, HEIC)),
    Mix("Pillow", (OF_PILLOW, replace(HEIC, function=PILLOW_OF_HEIC))),
]


def three(job: Job) -> Job:
    return replace(job, function=replace(job.function, renditions=3))


class Calls(unittest.TestCase):
    def test_each_function_is_billed_for_each_call_that_it_makes(self) -> None:
        for job in ALL:
            self.assertEqual(job.function.steps, ((Call.GET,), (Call.PUT,), (Call.ITEM,)))
            self.assertAlmostEqual(bill.at_every_size(job.function)["S3, the function's calls"], 5.40)

    def test_each_further_rendition_is_a_put(self) -> None:
        for job in map(three, ALL):
            self.assertAlmostEqual(bill.at_every_size(job.function)["S3, the function's calls"], 15.40)


class Waiting(unittest.TestCase):
    def test_a_function_waits_for_each_of_its_steps_and_for_the_body(self) -> None:
        for waits, calls in ((PUBLISHED, 27.5 + 70 + 6.5), (GUIDE, 209)):
            for job in ALL:
                self.assertAlmostEqual(job.wait_ms(waits), calls + ORIGINAL / waits.bytes_per_ms)

    def test_several_renditions_are_put_at_once(self) -> None:
        for waits in BOTH:
            self.assertAlmostEqual(three(OURS).wait_ms(waits), OURS.wait_ms(waits))

    def test_both_sets_know_every_call(self) -> None:
        for waits in BOTH:
            self.assertEqual(set(waits.ms), set(Call))


class Duration(unittest.TestCase):
    def test_twice_the_memory_is_half_the_cpu_time_until_one_vcpu(self) -> None:
        for memory_mb in (256, 512, 884):
            less, more = (bill.scaled_ms(684, size) for size in (memory_mb, 2 * memory_mb))
            self.assertAlmostEqual(less, 2 * more)
        self.assertAlmostEqual(bill.scaled_ms(684, 1769), 684)
        self.assertEqual(bill.scaled_ms(684, 1769), bill.scaled_ms(684, 3538))

    def test_waiting_takes_as_long_at_every_size(self) -> None:
        for memory_mb in bill.MEMORY_SIZES:
            waited = OURS.billed_ms(memory_mb, PUBLISHED) - bill.scaled_ms(113, memory_mb)
            self.assertAlmostEqual(waited, OURS.wait_ms(PUBLISHED), delta=1)  # whole milliseconds

    def test_begun_milliseconds_are_billed(self) -> None:
        self.assertAlmostEqual(OURS.wait_ms(PUBLISHED), 139.57, places=2)
        self.assertEqual(OURS.billed_ms(1769, PUBLISHED), 253)
        self.assertAlmostEqual(bill.duration_dollars(1024, 1000), 16.6667)


class Totals(unittest.TestCase):
    def test_all_functions_are_billed_for_the_same_things(self) -> None:
        names = [list(bill.at_every_size(job.function)) for job in ALL]
        self.assertEqual(names, [names[0]] * 3)

    def test_a_total_is_the_sum_of_its_lines(self) -> None:
        total = Mix("", (OURS,)).dollars(1769, PUBLISHED)
        self.assertAlmostEqual(total, bill.duration_dollars(1769, 253) + sum(bill.at_every_size(THIS).values()))
        self.assertAlmostEqual(total, 20.53, places=2)

    def test_traces_cost_most_where_there_is_less_than_a_photo_a_second(self) -> None:
        self.assertAlmostEqual(bill.trace_dollars(0.1), 5.00)
        self.assertAlmostEqual(bill.trace_dollars(1), 5.00)
        self.assertAlmostEqual(bill.trace_dollars(100), 5 * (1 + 0.05 * 99) / 100)


class Mixes(unittest.TestCase):
    def test_a_photo_costs_the_mean_of_all_kinds(self) -> None:
        for mix in HALF_HEIC:
            alone = [Mix("", (job,)) for job in mix.jobs]
            for memory_mb in bill.MEMORY_SIZES:
                for of in (Mix.billed_ms, Mix.lambda_dollars, Mix.dollars):
                    jpeg, heic = (of(one, memory_mb, PUBLISHED) for one in alone)
                    self.assertAlmostEqual(of(mix, memory_mb, PUBLISHED), (jpeg + heic) / 2)

    def test_memory_must_be_enough_for_every_kind(self) -> None:
        self.assertEqual([mix.peak_mb for mix in HALF_HEIC], [46, 600])


class OtherWays(unittest.TestCase):
    def test_a_batch_waits_as_long_as_a_photo(self) -> None:
        one, ten = (bill.queued_dollars(OURS, 1769, PUBLISHED, batch) for batch in (1, 10))
        waited = bill.duration_dollars(1769, OURS.wait_ms(PUBLISHED))
        # Nine of ten photos wait behind another's work, and their requests to Lambda and SQS are saved.
        self.assertAlmostEqual(one - ten, 0.9 * (waited + 0.20 + 2 * 0.40), places=1)

    def test_in_batches_little_counts_but_the_work(self) -> None:
        ours, sharp = (Mix("", (job,)) for job in (OURS, OF_SHARP))
        share = ours.batch_dollars(1769, PUBLISHED) / sharp.batch_dollars(1769, PUBLISHED)
        self.assertAlmostEqual(share, (1130 + 140) / (1710 + 140), places=2)
        self.assertLess(ours.batch_dollars(1769, PUBLISHED), ours.lambda_dollars(1769, PUBLISHED) / 1.9)

    def test_a_queue_without_batches_costs_its_requests(self) -> None:
        direct = Mix("", (OURS,)).dollars(512, GUIDE)
        self.assertAlmostEqual(bill.queued_dollars(OURS, 512, GUIDE, 1), direct + 3 * 0.40)

    def test_managed_instances_cost_their_busy_and_their_idle_time(self) -> None:
        others = sum(bill.at_every_size(THIS).values())
        half, whole = (bill.managed_dollars(OURS, busy) - others for busy in (0.5, 1))
        self.assertAlmostEqual(half, 2 * whole)
        self.assertAlmostEqual(whole, 1000 * 113 / 3600 / 2 * 0.08925 * 1.15)
        self.assertAlmostEqual(bill.idle_managed_dollars(), 3 * 730 * 0.08925 * 1.15)

    def test_managed_instances_pay_where_they_cost_what_lambda_does(self) -> None:
        photos = bill.managed_pays_from(OURS, 1769, PUBLISHED) * prices.MONTH_SECONDS
        month = photos / 1e6 * bill.duration_dollars(1769, OURS.billed_ms(1769, PUBLISHED))
        self.assertAlmostEqual(month, bill.idle_managed_dollars())


class Storage(unittest.TestCase):
    def test_storage_is_billed_in_binary_gigabytes(self) -> None:
        self.assertAlmostEqual(bill.month_dollars(2**30) / 1e6, 0.023)
        self.assertAlmostEqual(bill.standard_year(2**30) / 1e6, 12 * 0.023)

    def test_tiers_become_cheaper_after_30_and_90_days(self) -> None:
        year = (30 * 0.023 + 60 * 0.0125 + 275 * 0.004) * 12 / 365 + 12 * 0.0025 / 1000
        self.assertAlmostEqual(bill.tiered_year(2**30) / 1e6, year)


class Report(unittest.TestCase):
    def setUp(self) -> None:
        alone = [Mix(job.function.title, (job,)) for job in ALL]
        sections = {"the thumbnail alone": alone, "half HEIC": HALF_HEIC}
        self.text = bill_report.report(sections, Mix("everything", (OURS, HEIC)))

    def test_every_memory_size_stands_in_both_tables(self) -> None:
        for memory_mb in bill.MEMORY_SIZES:
            starts = [line.startswith(f"{memory_mb:8} ") for line in self.text.splitlines()]
            self.assertEqual(sum(starts), 3)  # of both sections, and where a size is chosen

    def test_a_function_that_does_not_fit_is_not_compared(self) -> None:
        self.assertEqual(self.text.count("does not fit"), 6)  # Pillow in 256 MB, of HEIC in 512 too, with both waits
        self.assertNotIn("Pillow at 256 MB", self.text)
        # One by one and in batches, of JPEGs and where half are HEIC.
        self.assertEqual(self.text.count("Pillow at 512 MB"), 2)
        self.assertEqual(self.text.count("Pillow at 1769 MB"), 4)

    def test_the_default_memory_size_is_chosen_by_price_and_time(self) -> None:
        for waits in BOTH:
            self.assertIn(f"least price times time, {waits.title}: ", self.text)


if __name__ == "__main__":
    unittest.main()
