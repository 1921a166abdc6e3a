/** What client and server say to each other about URLs: `docs/upload-urls.md` has the meaning of every member. */

/** One photo of a {@link UrlRequest}. */
export interface FileRequest {
  /** Name of the file; the function looks at its extension alone. */
  readonly fileName: string;
  /** Media type as the browser tells it, also empty. */
  readonly contentType: string;
  /** Size in bytes. */
  readonly contentLength: number;
  /** Part of the key, so that asking again signs the same key. */
  readonly uploadId: string;
  /** What the key begins with. */
  readonly album?: string;
  /** SHA-256 of the photo in base64. */
  readonly checksumSha256?: string;
  /** Asks whether the album has these bytes already. */
  readonly ifNew?: true;
  /** Allows a multipart upload, or asks for new URLs of a running one. */
  readonly multipart?: true | RunningMultipart;
}

/** A multipart upload that S3 has started. */
export interface RunningMultipart {
  /** S3's ID of the upload. */
  readonly uploadId: string;
  /** The parts whose URLs are needed. */
  readonly partNumbers: readonly number[];
}

/** What the app's server is asked for: URLs of up to 100 photos. */
export interface UrlRequest {
  /** The photos. */
  readonly files: readonly FileRequest[];
}

/** A request that the server has signed: it is sent with exactly these headers. */
export interface SignedRequest {
  /** Presigned URL, a secret until it expires. */
  readonly url: string;
  /** `PUT`, `POST` or `DELETE`. */
  readonly method: string;
  /** Signed headers. `content-length` is left to the HTTP client. */
  readonly headers: Readonly<Record<string, string>>;
}

/** One PUT uploads the photo. */
export interface PutAnswer extends SignedRequest {
  /** Key that the photo's item will have. */
  readonly photoKey: string;
}

/** The photo is sent in parts. */
export interface MultipartAnswer {
  /** Key that the photo's item will have. */
  readonly photoKey: string;
  /** The upload that S3 has started. */
  readonly multipart: {
    /** S3's ID of the upload. */
    readonly uploadId: string;
    /** Size of each part but the last. */
    readonly partBytes: number;
    /** The parts that were asked for. */
    readonly parts: readonly (SignedRequest & {
      /** Place of the part, from 1 on. */
      readonly partNumber: number;
    })[];
    /** Makes the parts an object. */
    readonly complete: SignedRequest;
    /** Deletes the parts. */
    readonly abort: SignedRequest;
  };
}

/** The album has a photo with these bytes already. */
export interface ExistsAnswer {
  /** Key of that photo. */
  readonly photoKey: string;
  /** Nothing is to be sent. */
  readonly exists: true;
}

/** What the server answers for one photo. */
export type FileAnswer = PutAnswer | MultipartAnswer | ExistsAnswer;

/** What the server answers: one member for each photo, in order. */
export interface UrlAnswer {
  /** The answers. */
  readonly uploads: readonly FileAnswer[];
}

/** What is wrong with one member of a request. */
export interface ProblemDetail {
  /** The member, such as `#/files/3/album`. */
  readonly pointer?: string;
  /** What is wrong with it, for people. */
  readonly detail: string;
}

/** A refusal (RFC 9457): no URL was issued. */
export interface Problem {
  /** HTTP status of the refusal. */
  readonly status: number;
  /** Name of the status. */
  readonly title?: string;
  /** What is wrong, for people. */
  readonly detail?: string;
  /** What is wrong with which file. */
  readonly errors?: readonly ProblemDetail[];
}

/**
 * Asks the app's server for URLs: it resolves to the body of the answer, also if that is a {@link Problem}.
 * If it throws, the network is taken to have failed, and it is called again.
 */
export type RequestUrls = (request: UrlRequest, signal: AbortSignal) => Promise<UrlAnswer | Problem>;
