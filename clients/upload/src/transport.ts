import { UploadError } from "./types.js";
import type { SignedRequest } from "./protocol.js";

/** A request on its way. */
export interface Sending {
  readonly request: SignedRequest;
  readonly body: Blob | ArrayBuffer | undefined;
  readonly signal: AbortSignal;
  /** It is given up after so long without progress. */
  readonly stallMs: number;
  readonly onSent: (bytes: number) => void;
}

/** An answer that was read to its end. */
export interface Answer {
  readonly status: number;
  readonly text: string;
  readonly etag: string | null;
}

/** Sends a request. It throws an {@link UploadError} if there is no answer, and the signal's reason if that says so. */
export type Transport = (sending: Sending) => Promise<Answer>;

/** Only XMLHttpRequest tells how much of a body was sent; Node and service workers have none. */
export const send: Transport = (sending) =>
  typeof XMLHttpRequest === "undefined" ? sendByFetch(sending) : sendByXhr(sending);

function sendByXhr({ request, body, signal, stallMs, onSent }: Sending): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    let stall: ReturnType<typeof setTimeout>;
    const end = () => {
      clearTimeout(stall);
      signal.removeEventListener("abort", cancel);
    };
    const fail = (error: unknown) => {
      end();
      reject(error);
      xhr.abort();
    };
    const cancel = () => fail(signal.reason);
    const watch = () => {
      clearTimeout(stall);
      stall = setTimeout(() => fail(stalled(stallMs)), stallMs);
    };
    if (signal.aborted) return reject(signal.reason);
    signal.addEventListener("abort", cancel);
    xhr.open(request.method, request.url);
    for (const [name, value] of headersOf(request)) xhr.setRequestHeader(name, value);
    xhr.upload.onprogress = ({ loaded }) => {
      watch();
      onSent(loaded);
    };
    xhr.onprogress = watch;
    xhr.onerror = () => fail(unanswered());
    xhr.onload = () => {
      end();
      resolve({ status: xhr.status, text: xhr.responseText, etag: xhr.getResponseHeader("etag") });
    };
    watch();
    xhr.send(body ?? null);
  });
}

/** fetch tells no progress: a body may take as long as at this pace, and then the time of a stall. */
const SLOWEST_BYTES_PER_MS = 16;

async function sendByFetch({ request, body, signal, stallMs, onSent }: Sending): Promise<Answer> {
  signal.throwIfAborted();
  const size = body instanceof ArrayBuffer ? body.byteLength : (body?.size ?? 0);
  const limitMs = stallMs + size / SLOWEST_BYTES_PER_MS;
  try {
    const answer = await within(limitMs, signal, async (stop) => {
      const options = { method: request.method, headers: headersOf(request), signal: stop };
      const response = await fetch(request.url, body === undefined ? options : { ...options, body });
      return { status: response.status, text: await response.text(), etag: response.headers.get("etag") };
    });
    onSent(size);
    return answer;
  } catch (error) {
    signal.throwIfAborted();
    throw error instanceof UploadError ? error : unanswered(error);
  }
}

/** Runs what a signal can end, and ends it after a time as well, if one is given. */
export async function within<T>(
  ms: number | undefined,
  signal: AbortSignal,
  run: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  const cancel = () => stop.abort(signal.reason);
  const timer = ms === undefined ? undefined : setTimeout(() => stop.abort(stalled(ms)), ms);
  signal.addEventListener("abort", cancel);
  if (signal.aborted) cancel();
  try {
    // What runs may not heed the signal.
    return await Promise.race([run(stop.signal), aborted(stop.signal)]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener("abort", cancel);
  }
}

function aborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const end = () => reject(signal.reason);
    if (signal.aborted) end();
    else signal.addEventListener("abort", end);
  });
}

/** Browsers set the length themselves, and let no page set it. */
function headersOf(request: SignedRequest): [string, string][] {
  return Object.entries(request.headers).filter(([name]) => name.toLowerCase() !== "content-length");
}

function stalled(ms: number): UploadError {
  return new UploadError("unreachable", `no progress for ${Math.round(ms / 1000)} s`);
}

function unanswered(cause?: unknown): UploadError {
  const message = "no answer: the network failed, or the bucket's CORS rules do not allow the request";
  return new UploadError("unreachable", message, { cause });
}
