import * as assert from 'node:assert/strict';
import * as fs from 'node:fs';
import * as path from 'node:path';
import { test } from 'node:test';
import { App, Stack, Stage, Tags } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import { PARAMETERS } from '../src/parameters';
import { PhotoThumbnails, type PhotoThumbnailsProps } from '../src';
import { assetsOf, type Json, PACKAGE, release, scratch, synthesized, template } from './fixture';

const KEY = 'arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab';
const PEM = '-----BEGIN PUBLIC KEY-----\nMFkw+/=\n-----END PUBLIC KEY-----\n';

/** Another value than the default for each parameter. */
const OTHERS = {
  architecture: 'arm64',
  memorySize: 1024,
  timeoutSeconds: 30,
  reservedConcurrency: 50,
  queue: true,
  queueWindowSeconds: 2,
  queueMaximumConcurrency: 20,
  queueVisibilitySeconds: 600,
  existingOriginalsBucket: 'journal-photos',
  originalsKmsKeyArn: KEY,
  originalsPrefix: 'uploads/',
  thumbnailsPrefix: 'small/',
  renditions: 'thumbnail: scale=0.25 quality=0.9; grid: fit=400',
  resampling: 'fast',
  heic: 'refuse',
  deliveryPublicKey: PEM,
  deliveryPublicKey2: PEM.replace('+', '/'),
  deliveryDomain: 'photos.example.com',
  deliveryCertificateArn: 'arn:aws:acm:us-east-1:111122223333:certificate/1234abcd',
  originalsStorageClass: 'INTELLIGENT_TIERING',
  findDuplicates: true,
  notices: true,
  cacheControl: 'public, max-age=86400',
  uploadUrlTtlSeconds: 300,
  uploadOrigins: ['https://example.com', 'https://www.example.com'],
  maxPhotoBytes: 52428800,
  maxPhotoPixels: 100000000,
  deleteWithOriginal: false,
  keepOldVersionsDays: 7,
  location: 'rounded',
  logLevel: 'warn',
  logRetentionDays: 90,
  tracing: 'Active',
  backfill: true,
  tableDeletionProtection: true,
  alarmEmail: 'photos@example.com',
} as const;

function photosIn(app: App | Stage, props: Partial<PhotoThumbnailsProps> = {}, id = 'Photos'): PhotoThumbnails {
  return new PhotoThumbnails(app, id, { stackName: 'photos', release, ...props });
}

/** What CloudFormation would make of a part of the template: its conditions decided, references to parameters replaced. */
function resolved(part: any, values: Json): any {
  if (Array.isArray(part)) return part.map((one) => resolved(one, values)).filter((one) => one !== undefined);
  if (part === null || typeof part !== 'object') return part;
  if (part.Ref === 'AWS::NoValue') return undefined;
  if (part.Ref in values) return values[part.Ref];
  if (part['Fn::If']) return resolved(part['Fn::If'][isTrue(part['Fn::If'][0], values) ? 1 : 2], values);
  if (typeof part['Fn::Sub'] === 'string') {
    return { 'Fn::Sub': part['Fn::Sub'].replace(/\$\{(\w+)\}/g, (all, name) => String(values[name] ?? all)) };
  }
  const entries = Object.entries<any>(part).filter(([, one]) => !one?.Condition?.at || isTrue(one.Condition, values));
  return Object.fromEntries(entries.map(([name, one]) => [name, resolved(one, values)]));
}

function isTrue(condition: any, values: Json): boolean {
  if (typeof condition === 'string') return isTrue(template.Conditions[condition], values);
  if (condition.Condition) return isTrue(condition.Condition, values);
  if (condition['Fn::Not']) return !isTrue(condition['Fn::Not'][0], values);
  if (condition['Fn::Or']) return condition['Fn::Or'].some((one: any) => isTrue(one, values));
  if (condition['Fn::And']) return condition['Fn::And'].every((one: any) => isTrue(one, values));
  const [parameter, value] = condition['Fn::Equals'];
  return values[parameter.Ref] === value;
}

/** Numbers and booleans as texts: CloudFormation takes either. */
function asTexts(value: any): any {
  if (Array.isArray(value)) return value.map(asTexts);
  if (value === null || typeof value !== 'object') return String(value);
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, asTexts(part)]));
}

function assertIsTheTemplate(stack: PhotoThumbnails, given: Json): void {
  const values: Json = {};
  for (const name of PARAMETERS) {
    const { Type, Default } = template.Parameters[name];
    const own = given[name.charAt(0).toLowerCase() + name.slice(1)];
    values[name] = own === undefined && Type === 'CommaDelimitedList' ? Default.split(',') : own ?? Default;
    if (typeof values[name] === 'boolean') values[name] = String(values[name]);
  }
  const expected = JSON.parse(JSON.stringify(resolved(template, values)));
  const actual = synthesized(stack);
  for (const name of ['ThumbnailFunction', 'UploadUrlFunction']) {
    const code = actual.Resources[name].Properties.Code;
    assert.match(code.S3Key, /^[0-9a-f]{64}\.zip$/);
    expected.Resources[name].Properties.Code = code;
  }
  for (const part of ['Resources', 'Outputs'] as const) {
    for (const entry of Object.values<any>(expected[part])) {
      delete entry.Condition;
      if (typeof entry.DependsOn === 'string') entry.DependsOn = [entry.DependsOn];
    }
    assert.deepEqual(asTexts(actual[part]), asTexts(expected[part]));
  }
  assert.equal(actual.Conditions, undefined);
  assert.deepEqual(Object.keys(actual.Parameters), ['BootstrapVersion']);
}

test('the stack has the resources and outputs of the template with its defaults', () => {
  assertIsTheTemplate(photosIn(new App()), {});
});

test('every parameter can be set, and reaches every place of the template that refers to it', () => {
  const properties = PARAMETERS.map((name) => name.charAt(0).toLowerCase() + name.slice(1));
  assert.deepEqual(Object.keys(OTHERS).sort(), properties.sort());
  const props: Partial<PhotoThumbnailsProps> = { ...OTHERS, uploadOrigins: [...OTHERS.uploadOrigins] };
  assertIsTheTemplate(photosIn(new App(), props), props);
});

test('what the template would not take is refused at synthesis, by the name of the property', () => {
  const refused: [Json, RegExp][] = [
    [{ memorySize: 64 }, /memorySize is 64, but must be a number from 256 to 10240/],
    [{ memorySize: '512' }, /memorySize is "512", but must be a number/],
    [{ maxPhotoBytes: 0 }, /maxPhotoBytes is 0, but must be a number from 1 on/],
    [{ resampling: 'worst' }, /resampling is "worst", but must be one of best, fast/],
    [{ logRetentionDays: 2 }, /logRetentionDays is 2, but must be one of 1, 3, 5/],
    [{ queue: 'maybe' }, /queue is "maybe", but must be one of true, false/],
    [{ originalsPrefix: 'with space/' }, /originalsPrefix is "with space\/", but must be at most 200 letters/],
    [{ originalsPrefix: 'a'.repeat(201) }, /originalsPrefix is "a+", but must be at most 200 letters/],
    [{ existingOriginalsBucket: 'Photos' }, /existingOriginalsBucket is "Photos", but must be the name of a bucket/],
  ];
  for (const [props, message] of refused) {
    assert.throws(() => photosIn(new App(), props as Partial<PhotoThumbnailsProps>), message);
  }
});

test('a name that does not fit into the names of buckets is refused at synthesis', () => {
  const inRegion = (stackName: string, region?: string) => () =>
    photosIn(new App(), { stackName, env: region === undefined ? undefined : { region } });
  assert.throws(inRegion('Photos'), /stackName is 'Photos'.*at most 23 of them/);
  assert.throws(inRegion('a'.repeat(24)), /at most 23/);
  assert.throws(inRegion('a'.repeat(30), 'us-east-1'), /at most 29/);
  inRegion('a'.repeat(23))();
  inRegion('a'.repeat(29), 'us-east-1')();
});

test('a release without a file, or of another version, is refused by name', () => {
  const older = path.join(scratch, 'older');
  fs.mkdirSync(older);
  assert.throws(() => photosIn(new App(), { release: older }), /older\/template\.json does not exist/);
  const { Heic, ...Parameters } = template.Parameters;
  fs.writeFileSync(path.join(older, 'template.json'), JSON.stringify({ ...template, Parameters }));
  assert.throws(() => photosIn(new App(), { release: older }), /another version: it differs in Heic/);
  fs.writeFileSync(path.join(older, 'template.json'), JSON.stringify(template));
  assert.throws(() => photosIn(new App(), { release: older }), /older\/thumbnail-x86_64\.zip does not exist/);
});

test('the packages of the architecture are assets of the app, each once', () => {
  const app = new App();
  photosIn(app);
  photosIn(app, { stackName: 'photos-of-tests' }, 'Tests');
  assert.deepEqual(assetsOf(app), ['package thumbnail-x86_64', 'package upload-url-x86_64']);
  const arm = new App();
  photosIn(arm, { architecture: 'arm64' });
  assert.deepEqual(assetsOf(arm), ['package thumbnail-arm64', 'package upload-url-arm64']);
});

/** A server in a stack of its own, which uses all that the photos' stack has. */
function serverOf(app: App, photos: PhotoThumbnails): Stack {
  const stack = new Stack(app, 'Server');
  const role = new Role(stack, 'Role', { assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com') });
  role.addManagedPolicy(photos.uploadUrlCallers);
  photos.table.grantReadData(role);
  photos.table.grantStreamRead(role);
  photos.originalsBucket.grantRead(role);
  photos.thumbnailsBucket.grantRead(role);
  photos.thumbnailFunction.grantInvoke(role);
  photos.uploadUrlFunction.grantInvokeUrl(role);
  photos.deadLetterQueue.grantConsumeMessages(role);
  photos.deliveryQueue?.grantSendMessages(role);
  photos.alarmsTopic.grantPublish(role);
  stack.exportValue(photos.uploadUrlFunctionUrl, { name: 'upload-url' });
  return stack;
}

test('another stack may use what it is granted, and no more than the snapshot says', () => {
  const app = new App();
  const stack = serverOf(app, photosIn(app, { queue: true, originalsKmsKeyArn: KEY }));
  const snapshot = path.join(PACKAGE, 'test/server.snapshot.json');
  const text = `${JSON.stringify(synthesized(stack), null, 2)}\n`;
  if (process.env.UPDATE) fs.writeFileSync(snapshot, text);
  assert.equal(text, fs.readFileSync(snapshot, 'utf8'));
});

test('to read the table is to query its index too', () => {
  const app = new App();
  const stack = serverOf(app, photosIn(app));
  const table = { 'Fn::ImportValue': Match.stringLikeRegexp('photos:.*PhotosTable') };
  Template.fromStack(stack).hasResourceProperties('AWS::IAM::Policy', {
    PolicyDocument: {
      Statement: Match.arrayWith([
        Match.objectLike({
          Action: Match.arrayWith(['dynamodb:Query', 'dynamodb:GetItem']),
          Resource: Match.arrayWith([table, { 'Fn::Join': ['', [table, '/index/*']] }]),
        }),
      ]),
    },
  });
});

test('an existing bucket is used by its name', () => {
  const photos = photosIn(new App(), { existingOriginalsBucket: 'journal-photos' });
  assert.equal(photos.originalsBucket.bucketName, 'journal-photos');
});

test('there is a queue between S3 and the function only where it is asked for', () => {
  assert.equal(photosIn(new App()).deliveryQueue, undefined);
  assert.notEqual(photosIn(new App(), { queue: true }).deliveryQueue, undefined);
});

test('a topic of notices is there where they are wanted, and can be subscribed to', () => {
  assert.equal(photosIn(new App()).noticesTopic, undefined);
  const photos = photosIn(new App(), { notices: true });
  assert.deepEqual(photos.resolve(photos.noticesTopic!.topicArn), { Ref: 'NoticesTopic' });
});

test('a distribution is there where a key is given, and its domain has its certificate', () => {
  assert.equal(photosIn(new App()).distribution, undefined);
  const photos = photosIn(new App(), { deliveryPublicKey2: PEM });
  const { distributionId, distributionDomainName } = photos.distribution!;
  assert.deepEqual(photos.resolve(distributionId), { Ref: 'Distribution' });
  assert.deepEqual(photos.resolve(distributionDomainName), { 'Fn::GetAtt': ['Distribution', 'DomainName'] });
  const withoutCertificate = { deliveryPublicKey: PEM, deliveryDomain: 'photos.example.com' };
  assert.throws(() => photosIn(new App(), withoutCertificate), /DeliveryDomain needs DeliveryCertificateArn/);
});

test('alarms get further subscribers, and resources get tags beside those of the template', () => {
  const photos = photosIn(new App(), { queue: true });
  photos.alarmsTopic.addSubscription(new EmailSubscription('photos@example.com'));
  Tags.of(photos).add('team', 'journal');
  const found = Template.fromStack(photos);
  found.hasResourceProperties('AWS::SNS::Subscription', { Endpoint: 'photos@example.com', TopicArn: { Ref: 'Alarms' } });
  found.hasResourceProperties('AWS::S3::Bucket', {
    BucketName: { 'Fn::Sub': Match.stringLikeRegexp('-thumbnails-') },
    Tags: [{ Key: 'team', Value: 'journal' }],
  });
});

test('synthesis warns of nothing', () => {
  const app = new App();
  serverOf(app, photosIn(app));
  photosIn(app, { ...OTHERS, stackName: 'others', uploadOrigins: ['https://example.com'] }, 'Others');
  const report = JSON.parse(fs.readFileSync(path.join(app.synth().directory, 'validation-report.json'), 'utf8'));
  assert.deepEqual(report.pluginReports, []);
});

test('bucket and key may be those of another stack of the app', () => {
  const app = new App();
  const before = new Stack(app, 'Before');
  const existingOriginalsBucket = new Bucket(before, 'Bucket', { eventBridgeEnabled: true }).bucketName;
  const originalsKmsKeyArn = new Key(before, 'Key').keyArn;
  const stack = Template.fromStack(photosIn(app, { existingOriginalsBucket, originalsKmsKeyArn, originalsPrefix: 'a/' }));
  const [bucket, key] = ['Ref.*Bucket', 'GetAtt.*Key'].map((exported) => ({
    'Fn::ImportValue': Match.stringLikeRegexp(`^Before:ExportsOutput(Fn)?${exported}`),
  }));
  const statements = Match.arrayWith([
    Match.objectLike({
      Action: 's3:GetObject',
      Resource: {
        'Fn::Sub': ['arn:${AWS::Partition}:s3:::${ExistingOriginalsBucket}/a/*', { ExistingOriginalsBucket: bucket }],
      },
    }),
    Match.objectLike({ Action: 'kms:Decrypt', Resource: key }),
  ]);
  stack.hasResourceProperties('AWS::IAM::Role', { Policies: [{ PolicyDocument: { Statement: statements } }] });
  stack.resourceCountIs('AWS::S3::Bucket', 1); // of the thumbnails
});

test('a stage of a pipeline keeps the name that is given', () => {
  const photos = photosIn(new Stage(new App(), 'Production'), { stackName: 'photos-production' });
  assert.equal(photos.stackName, 'photos-production');
});
