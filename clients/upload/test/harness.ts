import { File } from "node:buffer";
import { webcrypto } from "node:crypto";
import { after, beforeEach } from "node:test";

import type { World } from "../src/retry.js";
import { send, type Transport } from "../src/transport.js";
import type { UploadItem, UploadOptions, UploadResult } from "../src/types.js";
import { uploadWith } from "../src/upload.js";
import { FakeS3 } from "./fake_s3.js";

// The tests also run by Node 18, where this global is behind a flag.
globalThis.crypto ??= webcrypto as Crypto;

/** A world in which waiting takes no time, and is written down. */
export class FastWorld implements World {
  readonly waits: number[] = [];
  /** Added to the time. */
  later = 0;
  now = () => Date.now() + this.later;
  random = () => 1;
  sleep = (ms: number, signal: AbortSignal) => {
    this.waits.push(ms);
    return signal.aborted ? Promise.reject(signal.reason as Error) : Promise.resolve();
  };
  online = () => Promise.resolve();
}

/** An S3 of its own for each test of a file. */
export function fresh(): { readonly s3: FakeS3; readonly world: FastWorld; upload: typeof upload } {
  const started: FakeS3[] = [];
  const test = { s3: undefined as unknown as FakeS3, world: new FastWorld(), upload };
  beforeEach(async () => {
    test.s3 = await FakeS3.start();
    test.world = new FastWorld();
    started.push(test.s3);
  });
  after(() => Promise.all(started.map((s3) => s3.stop())));

  function upload(
    files: Iterable<Blob | UploadItem>,
    options: Partial<UploadOptions> = {},
    transport: Transport = send,
  ): Promise<UploadResult[]> {
    return uploadWith(files, { requestUrls: test.s3.requestUrls, ...options }, test.world, transport);
  }
  return test;
}

/** A photo as an input gives it. */
export function photo(name: string, content: string | Uint8Array = name, lastModified = 1_700_000_000_000): Blob {
  return new File([content], name, { type: "image/jpeg", lastModified }) as Blob;
}

/** Bytes of which no two parts are alike. */
export function bytes(length: number): Uint8Array {
  const words = new Uint32Array(Math.ceil(length / 4));
  for (let index = 0; index < words.length; index++) words[index] = Math.imul(index, 2654435761);
  return new Uint8Array(words.buffer, 0, length);
}

/** Waits until something is so. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise((turn) => setTimeout(turn, 10));
}

export function statuses(results: readonly UploadResult[]): string[] {
  return results.map(({ status }) => status);
}

/** The error of the only photo, which has failed. */
export function errorOf([result]: readonly UploadResult[]) {
  if (result?.status !== "failed") throw new Error(`the photo has not failed: ${result?.status}`);
  return result.error;
}

/** A store in memory that other calls can use, as another page would. */
export class MemoryStore {
  readonly states = new Map<string, string>();
  load = (key: string): unknown => JSON.parse(this.states.get(key) ?? "null");
  save = (key: string, state: unknown): void => void this.states.set(key, JSON.stringify(state));
  remove = (key: string): void => void this.states.delete(key);
}
