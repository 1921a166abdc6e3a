"""The limits of AWS and the settings of this project that the simulation computes with, each with its source.

AWS's pages are named by title. "Memory": known to the author, but no page was read again. "Assumption": no source was
found, and the value is a guess that the page docs/scale.md names.
"""

from __future__ import annotations

# ---- the function ----

# ms of CPU at one vCPU for the test photo of 5323x8000 pixels, as `make cost` measured it (docs/cost.md).
CPU_MS = 130.0
# Bytes of the test photo.
ORIGINAL_BYTES = 3_165_832
# The waits of calls are in benches/load/waits.py, with their sources.

# Attempts of a call by the SDK, and the longest pause in s before the second one; it doubles, at random between 0 and
# that: src/aws/mod.rs. The SDK's own limit on repetitions in one process is left out.
CALL_ATTEMPTS = 3
CALL_BACKOFF_S = 0.2
# s until the SDK gives up a call that gets no answer, in all attempts: src/aws/mod.rs.
CALL_TIMEOUT_S = 12.0
# ms until a service refuses a call. Assumption: as long as DynamoDB takes for a write (waits.py).
REFUSAL_MS = 6.5
# ms of a start of the function. Assumption: others have published 50 to 200 ms for Rust on Lambda; the start itself
# takes 9 ms of CPU (`make measure`).
COLD_START_MS = 80.0
# How waits and CPU times vary: the sigma of a lognormal distribution. Assumption: the slowest of 100 waits takes
# 2.5 times the median, and the slowest of 100 renderings a quarter more than it.
WAIT_SIGMA, CPU_SIGMA = 0.4, 0.1

# ---- S3 ----

# Requests a second for each partitioned prefix: Amazon S3 User Guide, "Best practices design patterns: optimizing
# Amazon S3 performance". A new bucket is one such prefix (memory). S3 divides it only under a load that lasts, which
# takes longer than any minute here: AWS re:Post Knowledge Center, "503 Slow Down errors within the request rate per
# prefix". So prefixes do not grow within a run.
S3_PUTS, S3_GETS = 3_500, 5_500
# Median and sigma (lognormal) of the s from a PUT to its event. Assumption; the source has no figures: "typically ...
# in seconds but can sometimes take a minute or longer", Amazon S3 User Guide, "Amazon S3 Event Notifications". With
# these, one of 100 takes more than 3 s.
NOTIFICATION_S, NOTIFICATION_SIGMA = 1.0, 0.5
# s after which a client repeats a PUT that S3 has refused; it doubles up to the second value. Assumption: the client is
# not part of this project.
CLIENT_BACKOFF_S, CLIENT_BACKOFF_MOST_S = 1.0, 20.0

# ---- Lambda ----

# Execution environments of all functions of an account in a region by default: AWS Lambda Developer Guide, "Lambda
# quotas". A new account may have fewer.
ACCOUNT_ENVIRONMENTS = 1_000
# New environments of a function at once, and a second: 1,000 every 10 s, refilled continuously: AWS Lambda Developer
# Guide, "Lambda scaling behavior". The limit of ten requests a second for each environment is never reached here.
NEW_ENVIRONMENTS, NEW_ENVIRONMENTS_A_SECOND = 1_000, 100
# s until an asynchronous event that found no environment is tried again. It doubles up to the second value: AWS Lambda
# Developer Guide, "How Lambda handles errors and retries with asynchronous invocation".
THROTTLED_S, THROTTLED_MOST_S = 1.0, 300.0
# s before the second and the third try of an event whose function has failed: the same page.
RETRIES_S = (60.0, 120.0)
# s after which an event becomes a dead letter: MaximumEventAgeInSeconds in template.yaml.
EVENT_AGE_S = 21_600

# ---- SQS ----

# Batches that are processed at once: at first, more of them a second (300 a minute), and at most: AWS Lambda Developer
# Guide, "Configuring scaling behavior for SQS event source mappings"; the maximum: AWS re:Post Knowledge Center, "Why
# isn't my Lambda function with an Amazon SQS event source optimally scaling?". Assumption: the growth is even.
BATCHES_AT_FIRST, BATCHES_A_SECOND, BATCHES_MOST = 5, 5, 1_250
# BatchSize, QueueVisibilitySeconds and maxReceiveCount in template.yaml.
BATCH_PHOTOS = 10
VISIBILITY_S = 360
RECEIVES = 5
# MaximumConcurrency and BatchSize of the event source Redrive in template.yaml.
REDRIVE_BATCHES, REDRIVE_PHOTOS = 2, 1

# ---- DynamoDB ----

# Write units a second of one partition: Amazon DynamoDB Developer Guide, "Best practices for designing and using
# partition keys effectively". An album is a partition key of the index album-timeline. DynamoDB may divide it after
# minutes of such a load, since the sort key is not the time of upload: AWS Database Blog, "Scaling DynamoDB", part 3.
# That is left out.
PARTITION_UNITS = 1_000
# Write units a second that a new on-demand table, and a new index, takes: Amazon DynamoDB Developer Guide,
# "Understanding DynamoDB warm throughput in different scenarios".
NEW_TABLE_UNITS = 4_000
# s after which an on-demand table takes twice the load of its peak: Amazon DynamoDB Developer Guide, "DynamoDB
# on-demand capacity mode". Assumption: not before, and at once then.
TABLE_DOUBLES_S = 1_800
# Write units a second of a table and of each index by default: Amazon DynamoDB Developer Guide, "Quotas in Amazon
# DynamoDB".
QUOTA_UNITS = 40_000
# Write units of an item and of its entry in the index, with one rendition and with several: measured by `make cost`.
UNITS = (3, 1)
UNITS_OF_SEVERAL = (3, 2)
