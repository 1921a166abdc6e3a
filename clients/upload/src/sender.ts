import type { Job } from "./job.js";
import type { SignedRequest } from "./protocol.js";
import { Again, retried, Slots, type Patience, type World } from "./retry.js";
import type { Answer, Transport } from "./transport.js";
import { unreadable, UploadError, type UploadOptions } from "./types.js";
import { judge, readAnswer } from "./verdict.js";

/** Options with every default. */
export type Settings = UploadOptions &
  Patience & { readonly concurrency: number; readonly stallMs: number; readonly maxHashedBytes: number };

/** "CompleteMultipartUpload" in the S3 API reference: it can take several minutes. */
const COMPLETE_MS = 300_000;

/** Who cancels does not want to wait. */
const FORGET_MS = 5000;

/** S3 does not know a multipart upload any more, or not all of its parts. */
export class Lost extends UploadError {}

/** What is to be sent to S3. */
export interface Errand {
  readonly job: Job;
  /** Where it goes: to another URL than one that S3 does not take any more, if there is such a one. */
  readonly to: (refused: SignedRequest | undefined) => Promise<SignedRequest>;
  readonly body: Blob;
  readonly signal: AbortSignal;
  readonly isComplete?: boolean;
  readonly onSent?: (bytes: number) => void;
}

/** Sends requests to S3, so many at once, until each has an answer that decides. */
export class Sender {
  readonly #slots: Slots;

  constructor(
    readonly settings: Settings,
    readonly world: World,
    readonly transport: Transport,
  ) {
    this.#slots = new Slots(settings.concurrency);
  }

  /** The answer of a request that has done its work, itself or by an attempt whose answer was lost. */
  send(errand: Errand): Promise<Answer> {
    const { job, signal, isComplete = false } = errand;
    const seen = new Set<string>();
    let refused: SignedRequest | undefined;
    let body: Blob | ArrayBuffer = errand.body;
    const attempt = async () => {
      signal.throwIfAborted();
      const request = await errand.to(refused);
      const answer = await this.#answer(errand, request, body);
      const told = readAnswer(answer.status, answer.text);
      const { status, code, message } = told;
      const what = ["S3 answered", status, code, message].filter(Boolean).join(" ");
      switch (judge(told, isComplete)) {
        case "done":
        case "there":
          return answer;
        case "again":
          throw new Again(new UploadError("unreachable", what, { status, code }));
        case "new-url":
          refused = request;
          throw new Again(new UploadError("rejected", what, { status, code }));
        case "restart":
          throw new Lost("rejected", what, { status, code });
        case "again-once":
          if (code !== undefined && !seen.has(code)) {
            seen.add(code);
            // S3 takes no body in chunks: bytes in memory have a length, whatever a service worker makes of files.
            if (code === "NotImplemented") body = await errand.body.arrayBuffer();
            throw new Again(new UploadError("rejected", what, { status, code }));
          }
          break;
        case "give-up":
      }
      throw new UploadError("rejected", what, { status, code });
    };
    return retried(
      this.world,
      this.settings,
      signal,
      () => this.#slots.run(attempt),
      () => job.show("retrying"),
    );
  }

  /** Tells S3 to forget something. It is no matter if that fails: the bucket's lifecycle rule does it later. */
  async forget(request: SignedRequest): Promise<void> {
    const { signal } = new AbortController();
    const sending = { request, body: undefined, signal, stallMs: FORGET_MS, onSent: () => {} };
    await this.transport(sending).catch(() => {});
  }

  async #answer(errand: Errand, request: SignedRequest, body: Blob | ArrayBuffer): Promise<Answer> {
    const { signal, onSent = () => {}, isComplete } = errand;
    const stallMs = isComplete ? Math.max(COMPLETE_MS, this.settings.stallMs) : this.settings.stallMs;
    onSent(0);
    try {
      return await this.transport({ request, body, signal, stallMs, onSent });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UploadError)) throw error;
      // A file that was changed since it was chosen looks like a failure of the network.
      await errand.body
        .slice(0, 1)
        .arrayBuffer()
        .catch((cause: unknown) => {
          throw unreadable(cause);
        });
      throw new Again(error);
    }
  }
}
