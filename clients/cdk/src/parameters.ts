// Written by `make generate` from the template.

/** The template's parameters. */
export interface TemplateParameters {
  /**
   * Processor that the functions are built for and run on.
   *
   * @default 'x86_64'
   */
  readonly architecture?: 'x86_64' | 'arm64';

  /**
   * Memory of the function in MB. Lambda gives CPU in proportion to it: 1769 MB is one whole vCPU.
   *
   * From 256 to 10240.
   *
   * @default 1769
   */
  readonly memorySize?: number;

  /**
   * Seconds after which Lambda stops an invocation and tries its event again.
   *
   * From 5 to 900.
   *
   * @default 60
   */
  readonly timeoutSeconds?: number;

  /**
   * The most events that are processed at once. So much concurrency is reserved for this function. 0 for the
   * account's limit only.
   *
   * From 0 to 10000.
   *
   * @default 0
   */
  readonly reservedConcurrency?: number;

  /**
   * true puts a queue between S3 and the function, which takes batches of ten photos from it: for bursts that are
   * larger than the account's concurrency. See docs/operations.md.
   *
   * @default false
   */
  readonly queue?: boolean;

  /**
   * Seconds for which Lambda waits until a batch of the queue is full. Batches cost less, but photos wait.
   *
   * From 0 to 5.
   *
   * @default 0
   */
  readonly queueWindowSeconds?: number;

  /**
   * The most batches of the queue that are processed at once. 0 for the account's limit only.
   *
   * From 0 to 1000.
   *
   * @default 0
   */
  readonly queueMaximumConcurrency?: number;

  /**
   * Seconds after which a message of the queue that was not done is tried again, at least six times
   * TimeoutSeconds.
   *
   * From 30 to 43200.
   *
   * @default 360
   */
  readonly queueVisibilitySeconds?: number;

  /**
   * A bucket that exists already and holds the photos, instead of a new one. Turn on its notifications to
   * EventBridge. Empty for a new bucket.
   *
   * The name of a bucket, or empty.
   *
   * @default ''
   */
  readonly existingOriginalsBucket?: string;

  /**
   * ARN of the KMS key that the originals are encrypted with, in a new bucket or in the existing one. Empty for
   * S3's own keys.
   *
   * The ARN of a KMS key, or empty.
   *
   * @default ''
   */
  readonly originalsKmsKeyArn?: string;

  /**
   * Only keys below this prefix are photos, for example "uploads/". Empty for all keys.
   *
   * At most 200 letters, digits and !_.'()/- only.
   *
   * @default ''
   */
  readonly originalsPrefix?: string;

  /**
   * Beginning of every rendition's key. The rendition's name, a slash and the original's key follow.
   *
   * At most 200 letters, digits and !_.'()/- only.
   *
   * @default ''
   */
  readonly thumbnailsPrefix?: string;

  /**
   * What is made of each photo: 1 to 8 renditions with ";" between them, the default one first, each "name: size
   * [quality=Q] [format=F]". The name is a part of the key. The size is scale=S (a fraction of both sides), fit=N
   * or fit=WxH (inside of that box) or cover=WxH (fills it). Q is the quality from 0.01 to 1, F is jpeg or webp,
   * or original with strip=location or strip=all. See docs/configuration.md.
   *
   * Like thumbnail: scale=0.25 quality=0.9; grid: fit=400.
   *
   * @default 'thumbnail: scale=0.25 quality=0.9'
   */
  readonly renditions?: string;

  /**
   * best is not worse than Thumbnailator. fast takes a third less CPU time, at lower quality.
   *
   * @default 'best'
   */
  readonly resampling?: 'best' | 'fast';

  /**
   * decode makes thumbnails of HEIC, which iPhones write. refuse stores its facts only and gives it no upload URL:
   * HEVC, its coding, is patented.
   *
   * @default 'decode'
   */
  readonly heic?: 'decode' | 'refuse';

  /**
   * Cache-Control of the renditions, for example "public, max-age=86400". Empty for none.
   *
   * ASCII letters, digits, signs and spaces only.
   *
   * @default ''
   */
  readonly cacheControl?: string;

  /**
   * A public key as PEM, RSA 2048 or ECDSA P-256. Browsers then get the renditions from CloudFront, with cookies
   * that its private key has signed. Empty for no CloudFront. See docs/delivery.md.
   *
   * A PEM that begins with -----BEGIN PUBLIC KEY-----, with its line breaks, or empty.
   *
   * @default ''
   */
  readonly deliveryPublicKey?: string;

  /**
   * Another such key. CloudFront takes cookies of either, so that one can take the other's place. Empty for none.
   *
   * A PEM that begins with -----BEGIN PUBLIC KEY-----, with its line breaks, or empty.
   *
   * @default ''
   */
  readonly deliveryPublicKey2?: string;

  /**
   * A domain of yours for the renditions, for example "photos.example.com": your pages cannot set cookies for
   * CloudFront's own domain. Needs DeliveryCertificateArn. Empty for CloudFront's own.
   *
   * A domain in lower case, or empty.
   *
   * @default ''
   */
  readonly deliveryDomain?: string;

  /**
   * ARN of a certificate for DeliveryDomain. CloudFront takes those of us-east-1 only.
   *
   * The ARN of a certificate in us-east-1, or empty.
   *
   * @default ''
   */
  readonly deliveryCertificateArn?: string;

  /**
   * Seconds for which an upload URL can be used.
   *
   * From 1 to 43200.
   *
   * @default 900
   */
  readonly uploadUrlTtlSeconds?: number;

  /**
   * Web pages from which browsers may upload, for example "https://example.com,https://www.example.com". All by
   * default, because the upload URL itself is the permission.
   *
   * @default ['*']
   */
  readonly uploadOrigins?: string[];

  /**
   * Storage class of the originals that are uploaded by upload URLs. INTELLIGENT_TIERING costs less for photos
   * that nobody opens for a month, see docs/performance.md.
   *
   * @default 'STANDARD'
   */
  readonly originalsStorageClass?: 'STANDARD' | 'INTELLIGENT_TIERING';

  /**
   * true keeps an index of the photos' contents, by which the upload-url function finds a photo that was uploaded
   * before ("ifNew": true). It adds a write to each photo.
   *
   * @default false
   */
  readonly findDuplicates?: boolean;

  /**
   * Largest original in bytes. Larger ones get no upload URL, and are refused before they are downloaded.
   *
   * At least 1.
   *
   * @default 104857600
   */
  readonly maxPhotoBytes?: number;

  /**
   * Most pixels of an original (width x height). Larger ones are refused before they are decoded.
   *
   * At least 1.
   *
   * @default 500000000
   */
  readonly maxPhotoPixels?: number;

  /**
   * Whether a photo's renditions and its facts are removed with the photo.
   *
   * @default true
   */
  readonly deleteWithOriginal?: boolean;

  /**
   * Days for which a new originals bucket keeps the old version of a photo that was overwritten or deleted. 0 for
   * no old versions.
   *
   * From 0 to 3650.
   *
   * @default 0
   */
  readonly keepOldVersionsDays?: number;

  /**
   * How exact the location in a photo's item is: exact, rounded (two decimals, about 1 km) or off.
   *
   * @default 'exact'
   */
  readonly location?: 'exact' | 'rounded' | 'off';

  /**
   * The least important log lines that are written.
   *
   * @default 'info'
   */
  readonly logLevel?: 'error' | 'warn' | 'info';

  /**
   * Days for which log lines are kept.
   *
   * @default 30
   */
  readonly logRetentionDays?: 1 | 3 | 5 | 7 | 14 | 30 | 60 | 90 | 120 | 150 | 180 | 365 | 400 | 545 | 731 | 1096 | 1827 | 2192 | 2557 | 2922 | 3288 | 3653;

  /**
   * Active for traces in AWS X-Ray of how long events waited, started and ran, at up to $5 a million; PassThrough
   * for none.
   *
   * @default 'PassThrough'
   */
  readonly tracing?: 'Active' | 'PassThrough';

  /**
   * Whether the stack has a role and a bucket for S3 Batch Operations, which `make backfill` uses. They cost
   * nothing while no job runs.
   *
   * @default false
   */
  readonly backfill?: boolean;

  /**
   * true tells a topic of every photo that is ready, has failed or was removed, for your application to subscribe
   * to. See docs/notices.md.
   *
   * @default false
   */
  readonly notices?: boolean;

  /**
   * Whether DynamoDB refuses to delete the table.
   *
   * @default false
   */
  readonly tableDeletionProtection?: boolean;

  /**
   * E-mail address that the alarms are sent to, once it has confirmed the subscription. Empty for none.
   *
   * An e-mail address, or empty.
   *
   * @default ''
   */
  readonly alarmEmail?: string;
}

/** Their names in the template. */
export const PARAMETERS = [
  'Architecture',
  'MemorySize',
  'TimeoutSeconds',
  'ReservedConcurrency',
  'Queue',
  'QueueWindowSeconds',
  'QueueMaximumConcurrency',
  'QueueVisibilitySeconds',
  'ExistingOriginalsBucket',
  'OriginalsKmsKeyArn',
  'OriginalsPrefix',
  'ThumbnailsPrefix',
  'Renditions',
  'Resampling',
  'Heic',
  'CacheControl',
  'DeliveryPublicKey',
  'DeliveryPublicKey2',
  'DeliveryDomain',
  'DeliveryCertificateArn',
  'UploadUrlTtlSeconds',
  'UploadOrigins',
  'OriginalsStorageClass',
  'FindDuplicates',
  'MaxPhotoBytes',
  'MaxPhotoPixels',
  'DeleteWithOriginal',
  'KeepOldVersionsDays',
  'Location',
  'LogLevel',
  'LogRetentionDays',
  'Tracing',
  'Backfill',
  'Notices',
  'TableDeletionProtection',
  'AlarmEmail',
] as const;
