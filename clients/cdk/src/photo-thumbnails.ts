import * as fs from 'node:fs';
import * as os from 'node:os';
import * as path from 'node:path';
import { Stack, type StackProps, Token } from 'aws-cdk-lib';
import * as cloudfront from 'aws-cdk-lib/aws-cloudfront';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as s3 from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { CfnInclude } from 'aws-cdk-lib/cloudformation-include';
import type { Construct } from 'constructs';
import { type Json, withoutConditions } from './conditions';
import type { TemplateParameters } from './parameters';
import { Release } from './release';

export interface PhotoThumbnailsProps extends StackProps, TemplateParameters {
  /**
   * Name of the stack. It is a part of the names of buckets and functions, so it has lower-case letters, digits and
   * `-` only, and 38 characters less the region's name: 23 fit in every region.
   */
  readonly stackName: string;

  /**
   * Folder of a release, with template.json and the functions' zips.
   *
   * @default - the release in this package
   */
  readonly release?: string;
}

/**
 * The photo thumbnailer as a stack of its own, of the same resources as after `sam deploy`.
 *
 * Other stacks of the app may use its buckets, table, functions, queues and topic.
 */
export class PhotoThumbnails extends Stack {
  /** The bucket to put photos into: a new one, or that of `existingOriginalsBucket`. */
  readonly originalsBucket: s3.IBucket;
  /** The bucket of the renditions. */
  readonly thumbnailsBucket: s3.IBucket;
  /** The table with one item for each photo. Its index `album-timeline` lists an album. */
  readonly table: dynamodb.ITable;
  /** The function that processes the photos. */
  readonly thumbnailFunction: lambda.IFunction;
  /** The function that gives out upload URLs. */
  readonly uploadUrlFunction: lambda.IFunction;
  /** The URL that answers signed POST requests with upload URLs. */
  readonly uploadUrlFunctionUrl: string;
  /** For the role of the server that requests upload URLs. */
  readonly uploadUrlCallers: iam.IManagedPolicy;
  /** The queue of the events that could not be processed, with the reasons. */
  readonly deadLetterQueue: sqs.IQueue;
  /** The queue between S3 and the function, where `queue` is true. */
  readonly deliveryQueue?: sqs.IQueue;
  /** CloudFront's distribution of the renditions, where a `deliveryPublicKey` is given. */
  readonly distribution?: cloudfront.IDistribution;
  /** The topic that tells of each photo that is ready, has failed or was removed, where `notices` is true. */
  readonly noticesTopic?: sns.ITopic;
  /** The topic of the alarms. */
  readonly alarmsTopic: sns.ITopic;
  /** All of the template, for what has no property here: `template.getResource('Dashboard')`. */
  readonly template: CfnInclude;

  constructor(scope: Construct, id: string, props: PhotoThumbnailsProps) {
    super(scope, id, props);
    this.checkName();
    const release = new Release(props.release ?? path.join(__dirname, '../../release'));
    const parameters = { ...release.parameters(props), ...release.code(this, props.architecture) };
    this.template = include(this, withoutConditions(release.template, parameters), parameters);

    this.originalsBucket = s3.Bucket.fromBucketAttributes(this, 'Originals', {
      bucketName: props.existingOriginalsBucket || this.ref('OriginalsBucket'),
      encryptionKey: props.originalsKmsKeyArn
        ? kms.Key.fromKeyArn(this, 'OriginalsKey', props.originalsKmsKeyArn)
        : undefined,
    });
    this.thumbnailsBucket = s3.Bucket.fromBucketName(this, 'Thumbnails', this.ref('ThumbnailsBucket'));
    this.table = dynamodb.Table.fromTableAttributes(this, 'Photos', {
      tableArn: this.attribute('PhotosTable', 'Arn'),
      tableStreamArn: this.attribute('PhotosTable', 'StreamArn'),
      globalIndexes: ['album-timeline'],
    });
    this.thumbnailFunction = this.function('ThumbnailFunction');
    this.uploadUrlFunction = this.function('UploadUrlFunction');
    this.uploadUrlFunctionUrl = this.attribute('UploadUrlFunctionUrl', 'FunctionUrl');
    this.uploadUrlCallers = iam.ManagedPolicy.fromManagedPolicyArn(this, 'Callers', this.ref('UploadUrlCallers'));
    this.deadLetterQueue = this.queue('DeadLetterQueue');
    this.deliveryQueue = props.queue ? this.queue('DeliveryQueue') : undefined;
    if (props.deliveryPublicKey || props.deliveryPublicKey2) {
      this.distribution = cloudfront.Distribution.fromDistributionAttributes(this, 'DistributionImport', {
        distributionId: this.ref('Distribution'),
        domainName: this.attribute('Distribution', 'DomainName'),
      });
    }
    this.noticesTopic = props.notices
      ? sns.Topic.fromTopicArn(this, 'NoticesTopicImport', this.ref('NoticesTopic'))
      : undefined;
    this.alarmsTopic = sns.Topic.fromTopicArn(this, 'AlarmsTopic', this.ref('Alarms'));
  }

  private ref(resource: string): string {
    return this.template.getResource(resource).ref;
  }

  private attribute(resource: string, name: string): string {
    return this.template.getResource(resource).getAtt(name).toString();
  }

  private function(resource: string): lambda.IFunction {
    const functionArn = this.attribute(resource, 'Arn');
    return lambda.Function.fromFunctionAttributes(this, `${resource}Import`, { functionArn, sameEnvironment: true });
  }

  private queue(resource: string): sqs.IQueue {
    return sqs.Queue.fromQueueArn(this, `${resource}Import`, this.attribute(resource, 'Arn'));
  }

  /** S3 takes 63 characters, of which `-thumbnails-`, the account and the region are a part. */
  private checkName(): void {
    const longest = Token.isUnresolved(this.region) ? 23 : 38 - this.region.length;
    if (!/^[a-z0-9][a-z0-9-]*$/.test(this.stackName) || this.stackName.length > longest) {
      throw new Error(
        `stackName is '${this.stackName}', but it is a part of the names of buckets: ` +
          `lower-case letters, digits and - only, at most ${longest} of them`,
      );
    }
  }
}

/** CfnInclude reads a template from a file, and only while it is made. */
function include(scope: Construct, template: Json, parameters: Record<string, unknown>): CfnInclude {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'photo-thumbnails-'));
  try {
    const templateFile = path.join(folder, 'template.json');
    fs.writeFileSync(templateFile, JSON.stringify(template));
    return new CfnInclude(scope, 'Template', { templateFile, parameters });
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}
