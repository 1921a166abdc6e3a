"""Writes a variant of template.yaml whose thumbnail function runs on Lambda Managed Instances: `make managed-template`.

Lambda runs the function on EC2 instances of the account, in a VPC, and gives each process several events at a time. That
is settled when a function is created, so the variant is deployed as a stack of its own. Such a function is invoked by a
published version, here by the alias `live`. It was not deployed to AWS: tests/template looks at it after SAM's transform.
"""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path

from photos_dev.paths import TEMPLATE
from photos_dev.problem import Problem, exit_with

PARAMETERS = '''
  SubnetIds:
    Description: Subnets of a VPC from which S3, DynamoDB and SQS can be reached, in three Availability Zones.
    Type: List<AWS::EC2::Subnet::Id>
  SecurityGroupIds:
    Description: Security groups of the instances, which need HTTPS to S3, DynamoDB and SQS.
    Type: List<AWS::EC2::SecurityGroup::Id>
  MaxVCpuCount:
    Description: The most vCPUs that all instances have together.
    Type: Number
    Default: 30
    MinValue: 12
    MaxValue: 15000
  EventsPerVCpu:
    Description: Events that a process takes at a time. Its calls overlap, and as many photos are rendered as it has vCPUs.
    Type: Number
    Default: 8
    MinValue: 1
    MaxValue: 64
'''
GROUP = '''
      - Label: {default: Instances}
        Parameters: [SubnetIds, SecurityGroupIds, MaxVCpuCount, EventsPerVCpu]
'''
PROVIDER = '''
  CapacityProvider:
    Type: AWS::Serverless::CapacityProvider
    Properties:
      CapacityProviderName: !Sub ${AWS::StackName}-instances
      VpcConfig:
        SubnetIds: !Ref SubnetIds
        SecurityGroupIds: !Ref SecurityGroupIds
      InstanceRequirements:
        Architectures: [!Ref Architecture]
      ScalingConfig:
        MaxVCpuCount: !Ref MaxVCpuCount

'''
FUNCTION = '''
      AutoPublishAlias: live
      CapacityProviderConfig:
        Arn: !GetAtt CapacityProvider.Arn
        PerExecutionEnvironmentMaxConcurrency: !Ref EventsPerVCpu
        # With the least memory of 2048 MB: a process has one vCPU.
        ExecutionEnvironmentMemoryGiBPerVCpu: 2
'''

# Each edit: what it is for, a pattern, its replacement, and how often the pattern stands in the template.
EDITS = (
    ("events and rights of the alias", r"!GetAtt ThumbnailFunction\.Arn", "!Ref ThumbnailFunction.Alias", 6),
    ("who may invoke it", r"FunctionName: !Ref ThumbnailFunction$", "FunctionName: !Ref ThumbnailFunction.Alias", 3),
    ("the function", r"^      ReservedConcurrentExecutions: .*?NoValue\n", FUNCTION[1:], 1),
    ("no reserved concurrency: parameter", r"^  ReservedConcurrency:\n.*?(?=^  \w)", "", 1),
    ("no reserved concurrency: condition", r"^  HasReservedConcurrency: .*?\n", "", 1),
    ("no reserved concurrency: group", r", ReservedConcurrency\]", "]", 1),
    ("at least 2 GB", r"^    Default: 1769\n    MinValue: 256\n", "    Default: 2048\n    MinValue: 2048\n", 1),
    ("parameters of the instances: group", r"^    ParameterGroups:\n", "    ParameterGroups:" + GROUP, 1),
    ("parameters of the instances", r"^Parameters:\n", "Parameters:" + PARAMETERS, 1),
    ("the capacity provider", r"^  ThumbnailFunction:\n", PROVIDER[1:] + "  ThumbnailFunction:\n", 1),
)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path, help="file to write, such as template-managed.yaml beside template.yaml")
    output = parser.parse_args().output
    try:
        output.write_text(variant(TEMPLATE.read_text()))
    except OSError as error:
        raise Problem(f"cannot write {output}: {error.strerror}") from None
    print(f"{output} is written: sam build --template {output}, then sam deploy --guided", file=sys.stderr)
    return 0


def variant(template: str) -> str:
    """The template with all edits."""
    for what, pattern, replacement, expected in EDITS:
        template, count = re.subn(pattern, lambda _: replacement, template, flags=re.M | re.S)
        if count != expected:
            raise Problem(f"{TEMPLATE.name} has {count} places instead of {expected} for the edit: {what}")
    return template


if __name__ == "__main__":
    exit_with(main)
