import { either, Job } from "./job.js";
import { Parts } from "./parts.js";
import { each, REAL, type World } from "./retry.js";
import { Lost, Sender, type Settings } from "./sender.js";
import { send, type Transport } from "./transport.js";
import {
  UploadError,
  type FileProgress,
  type UploadItem,
  type UploadOptions,
  type UploadProgress,
  type UploadResult,
} from "./types.js";
import { Urls, type Issued } from "./urls.js";

const DEFAULTS = {
  concurrency: 4,
  maxHashedBytes: 32 * 1024 * 1024,
  attempts: 8,
  backoffMs: 500,
  maxBackoffMs: 20_000,
  stallMs: 30_000,
};

/**
 * Uploads photos to S3 by the URLs of the upload-url function.
 *
 * @param files - the photos, such as the `files` of an input
 * @param options - how: only `requestUrls` is required
 * @returns one result for each photo, in order. It does not reject for what happens to a photo, only for options
 * that make no sense.
 */
export function uploadPhotos(files: Iterable<Blob | UploadItem>, options: UploadOptions): Promise<UploadResult[]> {
  return uploadWith(files, options, REAL, send);
}

/**
 * With a world and a transport of tests.
 *
 * @internal
 */
export async function uploadWith(
  files: Iterable<Blob | UploadItem>,
  options: UploadOptions,
  world: World,
  transport: Transport,
): Promise<UploadResult[]> {
  const settings = { ...DEFAULTS, ...withoutUndefined(options) };
  for (const name of ["concurrency", "attempts"] as const) {
    if (!(settings[name] >= 1)) throw new RangeError(`${name} must be at least 1, not ${settings[name]}`);
  }
  const tell = () => settings.onProgress?.(progressOf(jobs));
  const jobs = distinct(
    [...files].map((file) => new Job(file instanceof Blob ? { file } : file, settings, () => tell())),
  );
  return new Call(jobs, settings, new Sender(settings, world, transport)).run();
}

/** An option that is given as undefined has its default. */
function withoutUndefined(options: UploadOptions): UploadOptions {
  const given = Object.entries(options).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given) as unknown as UploadOptions;
}

/** Of files that cannot be told apart, only the first may have a stored state: they may be different photos. */
function distinct(jobs: Job[]): Job[] {
  const keys = new Set<string>();
  for (const job of jobs) {
    const { key } = job.keeper;
    if (key === undefined) continue;
    if (keys.has(key)) job.keeper.forgo();
    keys.add(key);
  }
  return jobs;
}

function progressOf(jobs: readonly Job[]): UploadProgress {
  const files = jobs.map((job) => job.progress);
  const sum = (of: (file: FileProgress) => number) => files.reduce((total, file) => total + of(file), 0);
  const isUnderWay = ["waiting", "sending", "retrying"];
  return {
    sentBytes: sum((file) => file.sentBytes),
    totalBytes: sum((file) => file.totalBytes),
    doneFiles: sum((file) => (isUnderWay.includes(file.status) ? 0 : 1)),
    files,
  };
}

/** One call of {@link uploadPhotos}. */
class Call {
  readonly #urls: Urls;

  constructor(
    readonly jobs: readonly Job[],
    readonly settings: Settings,
    readonly sender: Sender,
  ) {
    this.#urls = new Urls(jobs, settings, sender.world, either(settings.signal));
  }

  async run(): Promise<UploadResult[]> {
    const results = new Map<Job, UploadResult>();
    await each([...this.jobs.entries()], this.settings.concurrency, async ([index, job]) => {
      const result = await this.#result(job);
      results.set(job, result);
      job.show(result.status);
      this.settings.onResult?.(result, index);
    });
    const inOrder = this.jobs.map((job) => results.get(job) as UploadResult);
    // As long as a photo is missing the call may be repeated, and then the states of all its photos count.
    const isComplete = inOrder.every(({ status }) => status === "uploaded" || status === "exists");
    for (const { keeper } of this.jobs) if (isComplete) keeper.remove();
    await Promise.all(this.jobs.map(({ keeper }) => keeper.settled()));
    return inOrder;
  }

  async #result(job: Job): Promise<UploadResult> {
    const { file } = job;
    try {
      job.signal.throwIfAborted();
      const issued = await this.#urls.first(job);
      const { answer } = issued;
      const exists = "exists" in answer;
      if (!exists) await ("multipart" in answer ? this.#inParts(job, issued) : this.#atOnce(job, issued));
      job.sent(0, file.size);
      return { status: exists ? "exists" : "uploaded", file, photoKey: answer.photoKey };
    } catch (error) {
      if (job.signal.aborted) {
        job.keeper.remove();
        return { status: "cancelled", file };
      }
      return { status: "failed", file, error: error instanceof UploadError ? error : unforeseen(error) };
    }
  }

  async #atOnce(job: Job, first: Issued): Promise<void> {
    let issued = first;
    await this.sender.send({
      job,
      to: async (refused) => {
        if (refused === issued.answer || this.#urls.isOld(issued)) issued = await this.#urls.anew(job);
        if ("url" in issued.answer) return issued.answer;
        throw new UploadError("refused", "the server first gave the URL of a PUT, and then another answer");
      },
      body: job.file,
      signal: job.signal,
      onSent: (bytes) => job.sent(0, bytes),
    });
  }

  async #inParts(job: Job, first: Issued): Promise<void> {
    try {
      await new Parts(job, first, this.#urls, this.sender).send();
    } catch (error) {
      if (!(error instanceof Lost) || job.signal.aborted) throw error;
      job.forget();
      await new Parts(job, await this.#urls.anew(job), this.#urls, this.sender).send();
    }
  }
}

/** An error of the app's callbacks, or of this package. */
function unforeseen(cause: unknown): UploadError {
  return new UploadError("rejected", cause instanceof Error ? cause.message : String(cause), { cause });
}
