import type { ProblemDetail, RequestUrls } from "./protocol.js";
import type { UploadStore } from "./store.js";

/** A photo to be uploaded, with more than its file says. */
export interface UploadItem {
  /** The photo. */
  readonly file: Blob;
  /** Name of the file; by default that of the `File`. */
  readonly name?: string;
  /** Album of this photo, instead of {@link UploadOptions.album}. */
  readonly album?: string;
  /** Cancels this photo alone. */
  readonly signal?: AbortSignal;
}

/** How photos are uploaded. Only `requestUrls` is required. */
export interface UploadOptions {
  /** Asks the app's server for URLs: {@link urlsFrom}, or a function of the app. */
  readonly requestUrls: RequestUrls;
  /** Album of the photos that name none. */
  readonly album?: string;
  /** Cancels everything. Multipart uploads that run are deleted from S3. */
  readonly signal?: AbortSignal;
  /** Requests to S3 at once; 4 by default. */
  readonly concurrency?: number;
  /** Whether S3 shall check the bytes by their SHA-256; `false` by default. */
  readonly checksum?: boolean;
  /** Whether photos that the album has already are not sent again; `false` by default. */
  readonly ifNew?: boolean;
  /** The largest file that is hashed, for it is read into memory whole; 32 MiB by default. */
  readonly maxHashedBytes?: number;
  /** Whether files above 16 MiB may be sent in parts; `true` by default. */
  readonly multipart?: boolean;
  /** How often each request is tried; 8 by default. */
  readonly attempts?: number;
  /** Longest wait after the first failure, which doubles with each further one; 500 by default. */
  readonly backoffMs?: number;
  /** Longest wait of all; 20,000 by default. */
  readonly maxBackoffMs?: number;
  /** A request without progress for so long is given up and tried again; 30,000 by default. */
  readonly stallMs?: number;
  /** Keeps what is needed to go on after a reload of the page; nothing is kept by default. */
  readonly store?: UploadStore;
  /** Told of all progress. What was sent goes back when a request has to be sent again. */
  readonly onProgress?: (progress: UploadProgress) => void;
  /** Told of each result as soon as it is there. */
  readonly onResult?: (result: UploadResult, index: number) => void;
}

/** Where all photos of a call are. */
export interface UploadProgress {
  /** Bytes that were sent. */
  readonly sentBytes: number;
  /** Bytes of all photos. */
  readonly totalBytes: number;
  /** Photos that have a result. */
  readonly doneFiles: number;
  /** Each photo, in order. */
  readonly files: readonly FileProgress[];
}

/** Where one photo is. */
export interface FileProgress {
  /** `waiting` until its first request to S3, `retrying` while it waits after a failure; then its result. */
  readonly status: "waiting" | "sending" | "retrying" | UploadResult["status"];
  /** Bytes that were sent; all of a photo that need not be sent. */
  readonly sentBytes: number;
  /** Size of the file. */
  readonly totalBytes: number;
}

/** What became of one photo. */
export type UploadResult =
  | {
      /** `uploaded`: S3 has the photo. `exists`: the album had it already, under this key. */
      readonly status: "uploaded" | "exists";
      /** The photo. */
      readonly file: Blob;
      /** Key of the photo's item. */
      readonly photoKey: string;
    }
  | {
      /** The photo was not uploaded; `error` says why. */
      readonly status: "failed";
      /** The photo. */
      readonly file: Blob;
      /** Why it failed. */
      readonly error: UploadError;
    }
  | {
      /** A signal has cancelled the photo. */
      readonly status: "cancelled";
      /** The photo. */
      readonly file: Blob;
    };

/**
 * Why a photo failed:
 * - `refused`: the app's server gives no URL for it, see {@link UploadError.details}
 * - `rejected`: S3 does not take it, see {@link UploadError.status} and {@link UploadError.code}
 * - `unreachable`: neither server answered in all attempts, or only with errors that pass
 * - `unreadable`: the browser cannot read the file any more; it was moved or changed
 */
export type FailureReason = "refused" | "rejected" | "unreachable" | "unreadable";

/** Why a photo failed, with a message for developers. */
export class UploadError extends Error {
  override readonly name = "UploadError";
  /** The kind of failure. */
  readonly reason: FailureReason;
  /** HTTP status of the last answer, if there was one. */
  readonly status: number | undefined;
  /** S3's name of the error, such as `SignatureDoesNotMatch`. */
  readonly code: string | undefined;
  /** What the server says about this photo. */
  readonly details: readonly ProblemDetail[];

  /** An error of this kind, with what is known of it. */
  constructor(
    reason: FailureReason,
    message: string,
    more: { status?: number; code?: string | undefined; details?: readonly ProblemDetail[]; cause?: unknown } = {},
  ) {
    super(message, { cause: more.cause });
    this.reason = reason;
    this.status = more.status;
    this.code = more.code;
    this.details = more.details ?? [];
  }
}

/** The browser cannot read a file that was moved or changed since it was chosen. */
export function unreadable(cause: unknown): UploadError {
  return new UploadError("unreadable", "the file cannot be read", { cause });
}
