import assert from "node:assert/strict";
import { test } from "node:test";

import { Again, backoff, each, REAL, retried, Slots } from "../src/retry.js";
import { UploadError } from "../src/types.js";
import { FastWorld } from "./harness.js";

const PATIENCE = { attempts: 5, backoffMs: 500, maxBackoffMs: 3000 };
const { signal } = new AbortController();
const failure = () => new Again(new UploadError("unreachable", "of the test"));

test("the longest wait doubles with each failure up to its bound, and any shorter one may be drawn", () => {
  const longest = [1, 2, 3, 4, 5].map((failures) => backoff(failures, PATIENCE, 1));
  assert.deepEqual(longest, [500, 1000, 2000, 3000, 3000]);
  assert.equal(backoff(3, PATIENCE, 0), 0);
  assert.equal(backoff(3, PATIENCE, 0.25), 500);
});

test("a request is tried as often as allowed, with a wait between attempts and none after the last", async () => {
  const world = new FastWorld();
  let attempts = 0;
  const run = retried(world, PATIENCE, signal, () => {
    attempts++;
    return Promise.reject(failure());
  });
  await assert.rejects(run, { reason: "unreachable" });
  assert.equal(attempts, 5);
  assert.deepEqual(world.waits, [500, 1000, 2000, 3000]);
});

test("what no attempt helps is tried once", async () => {
  let attempts = 0;
  const run = retried(new FastWorld(), PATIENCE, signal, () => {
    attempts++;
    return Promise.reject(new UploadError("rejected", "of the test"));
  });
  await assert.rejects(run, { reason: "rejected" });
  assert.equal(attempts, 1);
});

test("no attempt is made while the device is offline", async () => {
  let goOnline = () => {};
  let attempts = 0;
  const online = () => new Promise<void>((resolve) => (goOnline = resolve));
  const world = Object.assign(new FastWorld(), { online });
  const run = retried(world, PATIENCE, signal, () => Promise.resolve(++attempts));
  await new Promise((resolve) => setTimeout(resolve, 20));
  assert.equal(attempts, 0);
  goOnline();
  assert.equal(await run, 1);
});

test("waits last as long as they should, and end at once when they are cancelled", async (context) => {
  const timers: [() => void, number][] = [];
  const start = (wake: () => void, ms: number) => timers.push([wake, ms]);
  context.mock.method(globalThis, "setTimeout", start as unknown as typeof setTimeout);
  let woken = 0;
  const wait = REAL.sleep(1000, signal).then(() => woken++);
  const [wake, ms] = timers[0] as [() => void, number];
  await Promise.resolve();
  assert.deepEqual([ms, woken], [1000, 0]);
  wake();
  await wait;
  assert.equal(woken, 1);
  const cancel = new AbortController();
  const cancelled = REAL.sleep(1000, cancel.signal);
  cancel.abort(new Error("cancelled"));
  await assert.rejects(cancelled, /cancelled/);
});

test("only so many run at once, and each in its turn", async () => {
  const slots = new Slots(2);
  const started: number[] = [];
  const ends: (() => void)[] = [];
  const runs = [0, 1, 2, 3].map((number) =>
    slots.run(() => {
      started.push(number);
      return new Promise<void>((resolve) => (ends[number] = resolve));
    }),
  );
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  await turn();
  assert.deepEqual(started, [0, 1]);
  ends[1]?.();
  await turn();
  assert.deepEqual(started, [0, 1, 2]);
  ends[0]?.();
  await turn();
  ends[2]?.();
  ends[3]?.();
  await Promise.all(runs);
  assert.deepEqual(started, [0, 1, 2, 3]);
});

test("a list is worked through although some of it fails, and the first failure is told", async () => {
  const done: number[] = [];
  const run = each([1, 2, 3, 4], 2, (item) => {
    if (item % 2 === 0) return Promise.reject(new Error(`${item} failed`));
    done.push(item);
    return Promise.resolve();
  });
  await assert.rejects(run, /2 failed/);
  assert.deepEqual(done, [1, 3]);
});
