import { sha256 } from "./digest.js";
import type { Job } from "./job.js";
import type { FileAnswer, Problem, ProblemDetail, RequestUrls, SignedRequest, UrlAnswer } from "./protocol.js";
import { Again, retried, type World } from "./retry.js";
import type { Settings } from "./sender.js";
import { within } from "./transport.js";
import { unreadable, UploadError } from "./types.js";

/** The most files that the upload-url function takes at once. */
const MAX_FILES = 100;
/** Files are hashed before their URLs are asked for: the first upload shall not wait for more than this. */
const MAX_HASHED_BYTES = 64 * 1024 * 1024;
/** An answer has at most 1000 parts of 8 MiB, and their URLs expire while others are sent. */
const MAX_BYTES_IN_PARTS = 1024 * 1024 * 1024;
/** A URL that expires so soon is not used any more; or in a tenth of its time, if that is less. */
const MARGIN_MS = 30_000;

/**
 * Asks by a POST of JSON to a route of the app's server, which passes the body on to the upload-url function
 * and its answer back.
 *
 * @param url - the route, such as `/uploads`
 * @param init - more for `fetch`, such as headers or credentials
 */
export function urlsFrom(url: string | URL, init: RequestInit = {}): RequestUrls {
  return async (request, signal) => {
    const headers = new Headers(init.headers);
    headers.set("content-type", "application/json");
    const response = await fetch(url, { ...init, method: "POST", headers, body: JSON.stringify(request), signal });
    const body: unknown = await response.json().catch(() => undefined);
    if (response.ok && isUrlAnswer(body)) return body;
    const told = typeof body === "object" && body !== null ? body : {};
    // A success without URLs is none.
    return { title: response.statusText, ...told, status: response.ok ? 502 : response.status };
  };
}

function isUrlAnswer(body: unknown): body is UrlAnswer {
  return typeof body === "object" && body !== null && "uploads" in body && Array.isArray(body.uploads);
}

/** An answer, with the time until which its URLs are used. */
export interface Issued {
  readonly answer: FileAnswer;
  readonly until: number;
}

/** The URLs of all photos of a call: asked for in batches when the first photo of a batch needs its own. */
export class Urls {
  readonly #issued = new Map<Job, Promise<Issued>>();

  constructor(
    readonly jobs: readonly Job[],
    readonly settings: Settings,
    readonly world: World,
    /** Cancels the requests for batches, which belong to no single photo. */
    readonly signal: AbortSignal,
  ) {}

  /** The first answer for a photo. */
  first(job: Job): Promise<Issued> {
    const issued = this.#issued.get(job) ?? this.#issue(job);
    return within(undefined, job.signal, () => issued);
  }

  /** Another answer for a photo: its URLs have expired, or its multipart upload was lost. */
  async anew(job: Job): Promise<Issued> {
    const outcomes = await this.#ask([job], false, job.signal);
    return valueOf(outcomes.get(job));
  }

  /** Whether another answer is to be asked for before this one is used. */
  isOld({ until }: Issued): boolean {
    return this.world.now() > until;
  }

  /** Asks for the next photos, from this one on. */
  #issue(first: Job): Promise<Issued> {
    const batch = this.#batch(first);
    const outcomes = this.#prepare(batch).then(async ({ ready, outcomes }) => {
      const asked = ready.length > 0 ? await this.#ask(ready, true, this.signal) : new Map<Job, Outcome>();
      return new Map([...outcomes, ...asked]);
    });
    for (const job of batch) {
      const issued = outcomes.then((outcomes) => valueOf(outcomes.get(job)));
      issued.catch(() => {}); // seen when the photo's turn has come
      this.#issued.set(job, issued);
    }
    return this.#issued.get(first) as Promise<Issued>;
  }

  #batch(first: Job): Job[] {
    const batch: Job[] = [];
    let hashed = 0;
    let inParts = 0;
    for (const job of this.jobs.slice(this.jobs.indexOf(first))) {
      if (this.#issued.has(job) || (job.signal.aborted && job !== first)) continue;
      hashed += this.#isHashed(job) ? job.file.size : 0;
      inParts += job.isInParts(this.settings) ? job.file.size : 0;
      const isFull = batch.length === MAX_FILES || hashed > MAX_HASHED_BYTES || inParts > MAX_BYTES_IN_PARTS;
      if (isFull && batch.length > 0) break;
      batch.push(job);
    }
    return batch;
  }

  #isHashed(job: Job): boolean {
    const { checksum, ifNew, maxHashedBytes } = this.settings;
    return Boolean(checksum || ifNew) && job.file.size <= maxHashedBytes;
  }

  /** Reads states and hashes, one file after the other: several in memory at once help nobody. */
  async #prepare(batch: readonly Job[]): Promise<{ ready: Job[]; outcomes: Map<Job, Outcome> }> {
    const ready: Job[] = [];
    const outcomes = new Map<Job, Outcome>();
    for (const job of batch) {
      try {
        const state = await job.keeper.load();
        if (state) job.resume(state);
        else job.keeper.save(job.state);
        if (this.#isHashed(job)) job.checksum = await sha256(job.file);
        ready.push(job);
      } catch (cause) {
        outcomes.set(job, unreadable(cause));
      }
    }
    return { ready, outcomes };
  }

  /** Asks until each photo has an answer or a refusal: the function issues no URL if it refuses one photo. */
  async #ask(jobs: readonly Job[], isFirst: boolean, signal: AbortSignal): Promise<Map<Job, Outcome>> {
    const outcomes = new Map<Job, Outcome>();
    for (let left = jobs; left.length > 0;) {
      const { answer, askedAt } = await retried(this.world, this.settings, signal, () =>
        this.#request(left, isFirst, signal),
      );
      if ("uploads" in answer) {
        left.forEach((job, index) => outcomes.set(job, issuedBy(answer, index, askedAt)));
        break;
      }
      const refused = refusedFiles(answer, left.length);
      for (const [index, details] of refused) {
        const job = left[index];
        if (job) outcomes.set(job, refusal(answer, details));
      }
      left = left.filter((job) => !outcomes.has(job));
    }
    return outcomes;
  }

  async #request(jobs: readonly Job[], isFirst: boolean, signal: AbortSignal) {
    const files = jobs.map((job) => job.request(this.settings, isFirst));
    const askedAt = this.world.now();
    const answer = await this.#answer(files, signal);
    if (!isUrlAnswer(answer)) {
      const { status } = answer;
      if (status === 408 || status === 429 || status >= 500) {
        throw new Again(new UploadError("unreachable", `the server answered ${said(answer)}`, { status }));
      }
    } else if (answer.uploads.length !== files.length) {
      const message = `the server answered for ${answer.uploads.length} of ${files.length} files`;
      throw new Again(new UploadError("unreachable", message));
    }
    return { answer, askedAt };
  }

  async #answer(files: ReturnType<Job["request"]>[], signal: AbortSignal): Promise<UrlAnswer | Problem> {
    const { requestUrls, stallMs } = this.settings;
    try {
      return await within(stallMs, signal, (stop) => requestUrls({ files }, stop));
    } catch (cause) {
      signal.throwIfAborted();
      const why = cause instanceof Error ? cause.message : String(cause);
      throw new Again(new UploadError("unreachable", `the server gave no URLs: ${why}`, { cause }));
    }
  }
}

type Outcome = Issued | UploadError;

function valueOf(outcome: Outcome | undefined): Issued {
  if (outcome === undefined || outcome instanceof UploadError) {
    throw outcome ?? new UploadError("refused", "the server gave no URL for this file");
  }
  return outcome;
}

function issuedBy(answer: UrlAnswer, index: number, askedAt: number): Outcome {
  const upload = answer.uploads[index];
  if (!upload) return new UploadError("refused", "the server gave no URL for this file");
  const lifetime = lifetimeMs(upload);
  return { answer: upload, until: askedAt + lifetime - Math.min(MARGIN_MS, lifetime / 10) };
}

/** By the URL and the time of the request, for the clocks of client and server may differ. */
function lifetimeMs(answer: FileAnswer): number {
  if ("exists" in answer) return Infinity;
  const { url }: SignedRequest = "multipart" in answer ? answer.multipart.complete : answer;
  const seconds = /[?&]X-Amz-Expires=(\d+)/.exec(url)?.[1];
  return seconds === undefined ? Infinity : Number(seconds) * 1000;
}

/** The files that a refusal names, or all if it names none. */
function refusedFiles(problem: Problem, count: number): Map<number, readonly ProblemDetail[]> {
  const errors = problem.errors ?? [];
  const named = new Map<number, ProblemDetail[]>();
  for (const error of errors) {
    const index = Number(/^#?\/files\/(\d+)(?:\/|$)/.exec(error.pointer ?? "")?.[1] ?? NaN);
    if (index < count) named.set(index, [...(named.get(index) ?? []), error]);
  }
  return named.size > 0 ? named : new Map(Array.from({ length: count }, (_, index) => [index, errors]));
}

function refusal(problem: Problem, details: readonly ProblemDetail[]): UploadError {
  const why = details.map(({ detail }) => detail).join("; ") || said(problem);
  return new UploadError("refused", why, { status: problem.status, details });
}

function said({ status, title, detail }: Problem): string {
  return [status, detail ?? title].filter(Boolean).join(" ");
}
