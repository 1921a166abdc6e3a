"""AWS's prices in us-east-1 as of 2026-11, in US dollars, without free tiers and discounts."""

import math

MILLION = 1_000_000

# https://aws.amazon.com/lambda/pricing/: the first 6 billion GB-seconds a month, 7.5 on arm64.
LAMBDA_GB_SECOND = 0.0000166667
LAMBDA_ARM64_GB_SECOND = 0.0000133334
# https://aws.amazon.com/lambda/pricing/
LAMBDA_MILLION_REQUESTS = 0.20
# At this size Lambda gives one whole vCPU: AWS Lambda Developer Guide, "Configure Lambda function memory".
VCPU_MB = 1769

# https://aws.amazon.com/s3/pricing/: S3 Standard.
S3_THOUSAND_PUTS = 0.005
S3_THOUSAND_GETS = 0.0004
S3_GB_MONTH = 0.023  # of the first 50 TB
# Amazon S3 FAQs, "How will I be charged and billed for my use of Amazon S3?"
S3_GB = 2**30
# https://aws.amazon.com/s3/pricing/, "Data transfer": out to the internet, the first 10 TB a month. To CloudFront: free.
S3_TRANSFER_GB = 0.09
# https://aws.amazon.com/s3/pricing/: S3 Intelligent-Tiering. The days: Amazon S3 User Guide, "How S3
# Intelligent-Tiering works".
TIERED_INFREQUENT_GB_MONTH = 0.0125
TIERED_ARCHIVE_GB_MONTH = 0.004
TIERED_THOUSAND_OBJECTS_MONTH = 0.0025
TIERED_DAYS = (30, 90)

# https://aws.amazon.com/cloudfront/pricing/pay-as-you-go/: from edges in the United States and Europe, the first 10 TB a
# month, and requests by HTTPS.
CLOUDFRONT_TRANSFER_GB = 0.085
CLOUDFRONT_THOUSAND_REQUESTS = 0.001

# https://aws.amazon.com/sqs/pricing/: standard queues. A request takes up to ten messages: Amazon SQS Developer
# Guide, "Amazon SQS batch actions".
SQS_MILLION_REQUESTS = 0.40
SQS_BATCH = 10

# https://aws.amazon.com/lambda/pricing/: Managed Instances cost what EC2 does, and a fee. AWS Lambda Developer Guide,
# "Lambda Managed Instances": three instances at least, one in each zone.
MANAGED_FEE = 0.15
MANAGED_INSTANCES = 3

# https://aws.amazon.com/dynamodb/pricing/on-demand/: of up to 1 KB each.
DYNAMODB_MILLION_WRITE_UNITS = 0.625
# The same, streams: a read of up to 1 MB.
STREAM_MILLION_READS = 0.20
# Amazon EventBridge User Guide, "Amazon DynamoDB stream as a source": of each shard.
PIPE_READS_A_SECOND = 4
# https://aws.amazon.com/eventbridge/pricing/: Pipes, requests of up to 64 KB, after the filter.
PIPES_MILLION_REQUESTS = 0.40
# https://aws.amazon.com/sns/pricing/: standard topics, requests of up to 64 KB. Deliveries to SQS and Lambda are free.
SNS_MILLION_REQUESTS = 0.50
# https://aws.amazon.com/cloudwatch/pricing/
LOG_GB = 0.50
# https://aws.amazon.com/xray/pricing/: traces recorded.
XRAY_MILLION_TRACES = 5.00
# "the first request each second, and five percent of any additional requests": AWS X-Ray Developer Guide,
# "Configuring sampling rules".
TRACED_A_SECOND = 1
TRACED_OF_THE_REST = 0.05

# https://aws.amazon.com/ec2/pricing/on-demand/: c7i.large with Linux. Its vCPUs and memory:
# https://aws.amazon.com/ec2/instance-types/c7i/
SERVER = "c7i.large"
SERVER_HOUR = 0.08925
SERVER_VCPUS = 2
SERVER_GB = 4
MANAGED_HOUR, MANAGED_VCPUS = SERVER_HOUR, SERVER_VCPUS
MONTH_HOURS = 730
MONTH_SECONDS = MONTH_HOURS * 3600


def of_lambda(cpu_seconds: float) -> float:
    """Dollars for a million photos, each an invocation that takes as long as its CPU time at one vCPU."""
    return MILLION * cpu_seconds * VCPU_MB / 1024 * LAMBDA_GB_SECOND + LAMBDA_MILLION_REQUESTS


def of_notices(notices: int, kb: float = 4.0) -> dict[str, float]:
    """Dollars for notices of so many KB each, and for passing them on by a Lambda function, without its time."""
    millions, requests = notices / MILLION, math.ceil(kb / 64)
    return {
        "pipe": millions * requests * PIPES_MILLION_REQUESTS,
        "topic": millions * requests * SNS_MILLION_REQUESTS,
        "worker": millions * LAMBDA_MILLION_REQUESTS,
    }


def of_reading_a_shard() -> float:
    """Dollars a month, where the reads of a pipe are billed."""
    return PIPE_READS_A_SECOND * MONTH_SECONDS / MILLION * STREAM_MILLION_READS


def of_server(cpu_seconds: float) -> float:
    """Dollars for a million photos on servers that are never idle. Idle time would have to be paid too, and is not
    included."""
    return MILLION * cpu_seconds / SERVER_VCPUS / 3600 * SERVER_HOUR
