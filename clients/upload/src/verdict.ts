/** What a client does after an answer of S3. */
export type Verdict =
  /** The request has done its work. */
  | "done"
  /** Another request has done it before: the key has its photo. */
  | "there"
  /** The same request may succeed later. */
  | "again"
  /** The same request may succeed once more, but not a third time. */
  | "again-once"
  /** Another URL is needed. */
  | "new-url"
  /** The multipart upload is lost: another one is needed. */
  | "restart"
  /** No further request helps. */
  | "give-up";

/** An answer of S3, with the code and the message of its XML, if it has one. */
export interface S3Answer {
  readonly status: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
}

/**
 * By S3's code, which says more than the status. "Error responses" in the S3 API reference has all codes;
 * docs/upload-urls.md says what those here mean.
 */
const BY_CODE: Readonly<Record<string, Verdict>> = {
  BadDigest: "again-once",
  ExpiredToken: "new-url",
  IncompleteBody: "again",
  InvalidPart: "restart",
  NotImplemented: "again-once",
  NoSuchUpload: "restart",
  OperationAborted: "again",
  RequestTimeout: "again",
  RequestTimeTooSkewed: "new-url",
};

/**
 * Decides what to do after an answer.
 *
 * @param isComplete - whether the request was a CompleteMultipartUpload: after a conflict, its parts have to be
 * sent anew ("CompleteMultipartUpload" in the S3 API reference, If-None-Match)
 */
export function judge({ status, code, message = "" }: S3Answer, isComplete = false): Verdict {
  if (status >= 200 && status < 300 && code === undefined) return "done";
  const known = code === undefined ? undefined : BY_CODE[code];
  if (known) return known;
  if (code === "AccessDenied" && /expired/i.test(message)) return "new-url";
  // The clock of the signer is ahead of that of S3.
  if (code === "AccessDenied" && /not valid yet/i.test(message)) return "again";
  if (status === 412) return "there";
  if (status === 409) return isComplete ? "restart" : "again";
  // S3 begins to answer a CompleteMultipartUpload before it knows the outcome: 200 with an error is its 500.
  if (status < 300 || status === 408 || status === 429 || (status >= 500 && status !== 501)) return "again";
  return "give-up";
}

/** Reads S3's XML. Only an error has a code. */
export function readAnswer(status: number, text: string): S3Answer {
  const of = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(text)?.[1];
  const isError = text.includes("<Error>");
  return { status, code: isError ? (of("Code") ?? "") : undefined, message: isError ? of("Message") : undefined };
}
