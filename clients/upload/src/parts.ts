import { either, type Job } from "./job.js";
import type { MultipartAnswer, SignedRequest } from "./protocol.js";
import { each } from "./retry.js";
import { Lost, type Sender } from "./sender.js";
import { UploadError } from "./types.js";
import type { Issued, Urls } from "./urls.js";

type Multipart = MultipartAnswer["multipart"];

/** A photo that is sent in parts. */
export class Parts {
  #issued: Issued;
  #renewal: Promise<void> | undefined;

  constructor(
    readonly job: Job,
    issued: Issued,
    readonly urls: Urls,
    readonly sender: Sender,
  ) {
    this.#issued = issued;
  }

  /** Sends the parts that S3 has not, and makes them an object. */
  async send(): Promise<void> {
    const { job } = this;
    this.#begin();
    try {
      const { concurrency } = this.sender.settings;
      // When one part fails for good, the others are not sent any further.
      const failed = new AbortController();
      const signal = either(job.signal, failed.signal);
      await each(job.missingParts, concurrency, (part) =>
        this.#sendPart(part, signal).catch((error: unknown) => {
          failed.abort(error);
          throw error;
        }),
      );
      await this.#complete();
    } catch (error) {
      // Without a store, nobody can go on later.
      const isOver = job.signal.aborted || !job.keeper.isKept;
      if (isOver && !(error instanceof Lost)) await this.sender.forget(this.#multipart.abort);
      throw error;
    }
  }

  get #multipart(): Multipart {
    const { answer } = this.#issued;
    if ("multipart" in answer) return answer.multipart;
    throw new UploadError("refused", "the server first began a multipart upload, and then gave another answer");
  }

  /** Goes on with the parts of an earlier call, if the upload is the same. */
  #begin(): void {
    const { uploadId, partBytes } = this.#multipart;
    const kept = this.job.state.multipart;
    if (kept?.uploadId !== uploadId) {
      this.job.multipart = { uploadId, partBytes, etags: {} };
    } else if (kept.partBytes !== partBytes) {
      throw new Lost("rejected", "the size of the parts has changed");
    }
    for (const part of Object.keys(this.#state.etags)) this.job.sent(Number(part), this.#slice(Number(part)).size);
  }

  get #state() {
    return this.job.state.multipart ?? { uploadId: "", partBytes: this.#multipart.partBytes, etags: {} };
  }

  #slice(part: number): Blob {
    const { partBytes } = this.#state;
    return this.job.file.slice((part - 1) * partBytes, part * partBytes);
  }

  async #sendPart(part: number, signal: AbortSignal): Promise<void> {
    const { etag } = await this.sender.send({
      job: this.job,
      to: (refused) => this.#url(refused, ({ parts }) => parts.find(({ partNumber }) => partNumber === part)),
      body: this.#slice(part),
      signal,
      onSent: (bytes) => this.job.sent(part, bytes),
    });
    if (etag === null) {
      throw new UploadError("rejected", "the ETag of a part cannot be read: the bucket's CORS rules must expose it");
    }
    this.job.multipart = { ...this.#state, etags: { ...this.#state.etags, [part]: etag } };
  }

  async #complete(): Promise<void> {
    const { etags } = this.#state;
    const numbers = Object.keys(etags)
      .map(Number)
      .sort((a, b) => a - b);
    const parts = numbers.map((n) => `<Part><PartNumber>${n}</PartNumber><ETag>${etags[n]}</ETag></Part>`);
    const xmlns = "http://s3.amazonaws.com/doc/2006-03-01/";
    const xml = `<CompleteMultipartUpload xmlns="${xmlns}">${parts.join("")}</CompleteMultipartUpload>`;
    await this.sender.send({
      job: this.job,
      to: (refused) => this.#url(refused, ({ complete }) => complete),
      body: new Blob([xml], { type: "application/xml" }),
      signal: this.job.signal,
      isComplete: true,
    });
    this.job.multipart = undefined;
  }

  /** A URL that does not expire soon, and is not the one that S3 has refused. */
  async #url(
    refused: SignedRequest | undefined,
    of: (multipart: Multipart) => SignedRequest | undefined,
  ): Promise<SignedRequest> {
    const url = of(this.#multipart);
    if (url && url !== refused && !this.urls.isOld(this.#issued)) return url;
    await this.#renew();
    const renewed = of(this.#multipart);
    if (!renewed) throw new UploadError("refused", "the server gave no URL for a part");
    return renewed;
  }

  /** Asks for the URLs of all missing parts. Parts that need them at the same time ask once. */
  #renew(): Promise<void> {
    this.#renewal ??= this.urls
      .anew(this.job)
      .then((issued) => void (this.#issued = issued))
      .finally(() => (this.#renewal = undefined));
    return this.#renewal;
  }
}
