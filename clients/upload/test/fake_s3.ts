/** A small S3 and the upload-url function in front of it, which answer as tests want it. */

import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

import type { FileAnswer, FileRequest, Problem, RequestUrls, SignedRequest, UrlRequest } from "../src/protocol.js";

export const MIB = 1024 * 1024;

/** What happens to a request instead of its work, or after it. */
export type Fault =
  | { readonly status: number; readonly code: string; readonly message?: string }
  /** The connection breaks before the request has an effect. */
  | "cut"
  /** It breaks after that: the answer is lost. */
  | "answer lost"
  /** Nothing happens any more. */
  | "stall";

/** A request to S3 as it came. */
export interface Seen {
  readonly method: string;
  readonly key: string;
  readonly part: number | undefined;
  readonly kind: "put" | "part" | "complete" | "abort";
  readonly headers: IncomingMessage["headers"];
  /** Number of the URL that it used: they are counted. */
  readonly url: number;
}

export class FakeS3 {
  readonly objects = new Map<string, Buffer>();
  readonly multiparts = new Map<string, Map<number, Buffer>>();
  readonly seen: Seen[] = [];
  readonly asked: UrlRequest[] = [];
  /** Faults of the next requests, in order; `undefined` is none. */
  faults: (Fault | undefined)[] = [];
  /** Decides by the request, after `faults`. */
  faultOf: (seen: Seen) => Fault | undefined = () => undefined;
  /** Refuses a request for URLs. */
  refuse: (request: UrlRequest) => Problem | undefined = () => undefined;
  /** The photo that an album has already. */
  existing: (file: FileRequest) => string | undefined = () => undefined;
  partBytes = 5 * MIB;
  /** How long each request takes. */
  delayMs = 0;
  /** The rest of a body is read after this. */
  readOn: Promise<void> = Promise.resolve();
  mostAtOnce = 0;
  #atOnce = 0;
  #urls = 0;
  #uploads = 0;
  readonly #server: Server;
  #origin = "";

  private constructor() {
    this.#server = createServer((request, response) => void this.#answer(request, response));
  }

  static async start(): Promise<FakeS3> {
    const s3 = new FakeS3();
    await new Promise<void>((resolve) => s3.#server.listen(0, "127.0.0.1", resolve));
    s3.#origin = `http://127.0.0.1:${(s3.#server.address() as AddressInfo).port}`;
    return s3;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** The upload-url function, as docs/upload-urls.md has it. */
  readonly requestUrls: RequestUrls = (request) => {
    this.asked.push(request);
    const problem = this.refuse(request);
    return Promise.resolve(problem ?? { uploads: request.files.map((file) => this.#issue(file)) });
  };

  /** What was sent, such as `put a`, `part 2 a`, `complete a`. */
  get requests(): string[] {
    return this.seen.map(({ kind, part, key }) => [kind, part, key].filter((word) => word !== undefined).join(" "));
  }

  #issue(file: FileRequest): FileAnswer {
    const photoKey = `${file.album ?? "none"}/${file.uploadId}`;
    const exists = file.ifNew && this.existing(file);
    if (exists) return { photoKey: exists, exists: true };
    if (file.multipart && file.contentLength > 16 * MIB) return this.#issueParts(file, photoKey);
    const headers = {
      "content-length": String(file.contentLength),
      "content-type": file.contentType || "image/jpeg",
      "if-none-match": "*",
      "x-amz-storage-class": "INTELLIGENT_TIERING",
      ...(file.checksumSha256 && { "x-amz-checksum-sha256": file.checksumSha256 }),
    };
    return { photoKey, ...this.#sign("PUT", photoKey, {}, headers) };
  }

  #issueParts(file: FileRequest, photoKey: string): FileAnswer {
    const running = typeof file.multipart === "object" ? file.multipart : undefined;
    const uploadId = running?.uploadId ?? `upload-${++this.#uploads}`;
    if (!running) this.multiparts.set(uploadId, new Map());
    const count = Math.ceil(file.contentLength / this.partBytes);
    const numbers = running?.partNumbers ?? Array.from({ length: count }, (_, index) => index + 1);
    const parts = numbers.map((partNumber) => {
      const length = Math.min(this.partBytes, file.contentLength - (partNumber - 1) * this.partBytes);
      const headers = { "content-length": String(length) };
      return { partNumber, ...this.#sign("PUT", photoKey, { uploadId, partNumber: String(partNumber) }, headers) };
    });
    const complete = this.#sign("POST", photoKey, { uploadId }, { "if-none-match": "*" });
    const abort = this.#sign("DELETE", photoKey, { uploadId }, {});
    return { photoKey, multipart: { uploadId, partBytes: this.partBytes, parts, complete, abort } };
  }

  #sign(method: string, key: string, query: Record<string, string>, headers: Record<string, string>): SignedRequest {
    const all = new URLSearchParams({ ...query, "X-Amz-Expires": "900", n: String(++this.#urls) });
    return { method, url: `${this.#origin}/${encodeURIComponent(key)}?${all}`, headers };
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    if (request.method === "OPTIONS") return void response.writeHead(204, CORS).end();
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    response.on("close", () => this.#atOnce--);
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request) {
        chunks.push(chunk as Buffer);
        await this.readOn;
      }
    } catch {
      return; // the client has gone
    }
    await sleep(this.delayMs);
    const seen = seenOf(request);
    this.seen.push(seen);
    const fault = this.faults.shift() ?? this.faultOf(seen);
    if (fault === "stall") return;
    if (fault === "cut") return void request.socket.destroy();
    if (typeof fault === "object") return reply(response, fault.status, errorXml(fault.code, fault.message));
    const [status, body, etag] = this.#work(seen, new URL(request.url ?? "", this.#origin), Buffer.concat(chunks));
    if (fault === "answer lost") return void request.socket.destroy();
    reply(response, status, body, etag);
  }

  #work({ kind, key, part }: Seen, url: URL, body: Buffer): [number, string, string?] {
    const uploadId = url.searchParams.get("uploadId") ?? "";
    const parts = this.multiparts.get(uploadId);
    if (kind !== "put" && !parts) return [404, errorXml("NoSuchUpload")];
    if (kind === "part") {
      parts?.set(part ?? 0, body);
      return [200, "", etagOf(body)];
    }
    if (kind === "abort") {
      this.multiparts.delete(uploadId);
      return [204, ""];
    }
    if (this.objects.has(key)) return [412, errorXml("PreconditionFailed")];
    if (kind === "put") {
      this.objects.set(key, body);
      return [200, "", etagOf(body)];
    }
    const told = [...body.toString().matchAll(/<Part><PartNumber>(\d+)<\/PartNumber><ETag>([^<]*)<\/ETag><\/Part>/g)];
    const bytes = told.map(([, number]) => parts?.get(Number(number)) ?? Buffer.alloc(0));
    if (told.some(([, , etag], index) => etag !== etagOf(bytes[index] as Buffer)))
      return [400, errorXml("InvalidPart")];
    this.objects.set(key, Buffer.concat(bytes));
    this.multiparts.delete(uploadId);
    return [200, "<CompleteMultipartUploadResult/>"];
  }
}

/** As the template sets it for the bucket. */
const CORS = {
  "access-control-allow-origin": "*",
  "access-control-allow-methods": "PUT, POST, DELETE",
  "access-control-allow-headers": "content-type, if-none-match, x-amz-checksum-sha256, x-amz-storage-class",
  "access-control-expose-headers": "ETag",
  "access-control-max-age": "3600",
};

function seenOf(request: IncomingMessage): Seen {
  const url = new URL(request.url ?? "", "http://s3");
  const part = url.searchParams.get("partNumber");
  const method = request.method ?? "";
  const kind = method === "DELETE" ? "abort" : method === "POST" ? "complete" : part ? "part" : "put";
  const key = decodeURIComponent(url.pathname.slice(1));
  const number = Number(url.searchParams.get("n"));
  return { method, key, part: part ? Number(part) : undefined, kind, headers: request.headers, url: number };
}

function reply(response: ServerResponse, status: number, body: string, etag?: string): void {
  response.writeHead(status, { ...CORS, "content-type": "application/xml", ...(etag && { etag }) }).end(body);
}

function errorXml(code: string, message = "said by the test"): string {
  return `<?xml version="1.0"?>\n<Error><Code>${code}</Code><Message>${message}</Message></Error>`;
}

function etagOf(body: Buffer): string {
  return `"${createHash("md5").update(body).digest("hex")}"`;
}
