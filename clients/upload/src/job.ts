import { newUploadId } from "./digest.js";
import type { FileRequest, RunningMultipart } from "./protocol.js";
import { Keeper, type UploadState } from "./store.js";
import type { FileProgress, UploadItem, UploadOptions } from "./types.js";

/** Up to this size one PUT is used, whatever the options say. */
const MULTIPART_ABOVE = 16 * 1024 * 1024;

/** One photo on its way. */
export class Job {
  readonly file: Blob;
  readonly name: string;
  readonly album: string | undefined;
  readonly signal: AbortSignal;
  readonly keeper: Keeper;
  checksum: string | undefined;
  #state: UploadState = { uploadId: newUploadId() };
  #progress: FileProgress;
  readonly #onProgress: (progress: FileProgress) => void;
  /** Bytes that were sent, by part; a single PUT is part 0. */
  readonly #sent = new Map<number, number>();

  constructor(item: UploadItem, options: UploadOptions, onProgress: (progress: FileProgress) => void) {
    this.file = item.file;
    this.name = item.name ?? ("name" in item.file ? String(item.file.name) : "photo");
    this.album = item.album ?? options.album;
    this.signal = either(options.signal, item.signal);
    this.keeper = new Keeper(options.store, fingerprint(item.file, this.name, this.album));
    this.#onProgress = onProgress;
    this.#progress = { status: "waiting", sentBytes: 0, totalBytes: item.file.size };
  }

  get state(): UploadState {
    return this.#state;
  }

  /** Goes on with a state of an earlier call. */
  resume(state: UploadState): void {
    this.#state = state;
  }

  /** Changes the multipart upload that runs, and keeps it. */
  set multipart(multipart: NonNullable<UploadState["multipart"]> | undefined) {
    this.#state = { uploadId: this.#state.uploadId, ...(multipart && { multipart }) };
    this.keeper.save(this.#state);
  }

  get progress(): FileProgress {
    return this.#progress;
  }

  show(status: FileProgress["status"]): void {
    this.#update({ status });
  }

  sent(part: number, bytes: number): void {
    this.#sent.set(part, bytes);
    const sentBytes = [...this.#sent.values()].reduce((sum, each) => sum + each, 0);
    this.#update({ status: "sending", sentBytes: Math.min(sentBytes, this.file.size) });
  }

  /** S3 has lost the multipart upload. */
  forget(): void {
    this.multipart = undefined;
    this.#sent.clear();
  }

  isInParts({ multipart = true }: UploadOptions): boolean {
    return multipart && this.file.size > MULTIPART_ABOVE;
  }

  /** What the server is asked for. */
  request(options: UploadOptions, isFirst: boolean): FileRequest {
    const { checksum } = this;
    const running = this.#running;
    return {
      fileName: this.name,
      contentType: this.file.type,
      contentLength: this.file.size,
      uploadId: this.#state.uploadId,
      ...(this.album !== undefined && { album: this.album }),
      ...(checksum !== undefined && { checksumSha256: checksum }),
      // Later this photo itself might be found.
      ...(checksum !== undefined && options.ifNew && isFirst && !running && { ifNew: true }),
      ...(this.isInParts(options) && { multipart: running ?? true }),
    };
  }

  /** The multipart upload that runs, with the parts that need URLs: no list of parts would mean each of them. */
  get #running(): RunningMultipart | undefined {
    const { multipart } = this.#state;
    if (!multipart) return undefined;
    const missing = this.missingParts;
    return { uploadId: multipart.uploadId, partNumbers: missing.length > 0 ? missing : [1] };
  }

  /** The parts that S3 has not. */
  get missingParts(): number[] {
    const { multipart } = this.#state;
    if (!multipart) return [];
    const count = Math.ceil(this.file.size / multipart.partBytes);
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    return numbers.filter((number) => multipart.etags[number] === undefined);
  }

  #update(change: Partial<FileProgress>): void {
    this.#progress = { ...this.#progress, ...change };
    this.#onProgress(this.#progress);
  }
}

/** Tells a file from others, or nothing if it is not from a disk: two blobs of one size may differ. */
function fingerprint(file: Blob, name: string, album: string | undefined): string | undefined {
  if (!("lastModified" in file)) return undefined;
  const path = "webkitRelativePath" in file ? file.webkitRelativePath : "";
  return JSON.stringify([album ?? "", path, name, file.size, file.lastModified]);
}

/** A signal that follows two, for `AbortSignal.any` is missing in Node 18 and in browsers before 2024. */
export function either(...signals: (AbortSignal | undefined)[]): AbortSignal {
  const both = new AbortController();
  for (const signal of signals) {
    const follow = () => both.abort(signal?.reason);
    if (signal?.aborted) follow();
    else signal?.addEventListener("abort", follow, { once: true });
  }
  return both.signal;
}
