import assert from "node:assert/strict";
import { test } from "node:test";

import { send, type Transport } from "../src/transport.js";
import type { Fault } from "./fake_s3.js";
import { MIB } from "./fake_s3.js";
import { bytes, errorOf, fresh, MemoryStore, photo, statuses, until } from "./harness.js";

const the = fresh();

/** Four parts, of which the last is shorter. */
const LARGE = bytes(17 * MIB);
const large = () => photo("large.jpg", LARGE);
const answered = (status: number, code: string, message = ""): Fault => ({ status, code, message });

function kinds(): string[] {
  return the.s3.seen.map(({ kind, part }) => (part === undefined ? kind : `${kind} ${part}`));
}

async function isStoredOnce(): Promise<void> {
  assert.equal(the.s3.objects.size, 1);
  const [stored] = the.s3.objects.values();
  assert.ok(stored?.equals(LARGE), "the object has the bytes of the file");
  assert.equal(the.s3.multiparts.size, 0, "no parts are left");
}

test("a photo above 16 MiB is sent in parts, which S3 puts together", async () => {
  assert.deepEqual(statuses(await the.upload([large()])), ["uploaded"]);
  assert.deepEqual(kinds().sort(), ["complete", "part 1", "part 2", "part 3", "part 4"]);
  await isStoredOnce();
  const complete = the.s3.seen.find(({ kind }) => kind === "complete");
  assert.equal(complete?.headers["if-none-match"], "*");
});

test("a photo of 16 MiB, or any if the app says so, is one PUT", async () => {
  const at = photo("a", bytes(16 * MIB));
  await the.upload([at, photo("b", bytes(16 * MIB + 1))], { multipart: false });
  await the.upload([at]);
  assert.deepEqual(kinds(), ["put", "put", "put"]);
  assert.deepEqual(
    the.s3.asked.flatMap(({ files }) => files.map((file) => file.multipart)),
    [undefined, undefined, undefined],
  );
});

test("URLs of so many parts are not asked for at once that the function would refuse", async () => {
  const huge = (name: string) => Object.defineProperty(photo(name), "size", { value: 700 * MIB });
  await the.upload([huge("a"), huge("b"), photo("c")], {
    concurrency: 1,
    attempts: 1,
    requestUrls: (request, signal) => {
      void the.s3.requestUrls(request, signal);
      return Promise.resolve({ status: 401 });
    },
  });
  assert.deepEqual(
    the.s3.asked.map(({ files }) => files.map(({ fileName }) => fileName)),
    [["a"], ["b", "c"]],
  );
});

test("a part that fails is sent again alone", async () => {
  let failures = 0;
  the.s3.faultOf = ({ part }) => (part === 3 && ++failures <= 2 ? answered(503, "SlowDown") : undefined);
  assert.deepEqual(statuses(await the.upload([large()])), ["uploaded"]);
  assert.deepEqual(
    kinds()
      .filter((kind) => kind.startsWith("part"))
      .sort(),
    ["part 1", "part 2", "part 3", "part 3", "part 3", "part 4"],
  );
  await isStoredOnce();
});

test("parts of all photos together keep to the limit of requests at once", async () => {
  the.s3.delayMs = 20;
  await the.upload([large(), large(), large()], { concurrency: 3 });
  assert.equal(the.s3.mostAtOnce, 3);
});

test("parts whose URLs expire get new ones by one request, for those that are missing", async () => {
  the.s3.faultOf = ({ part, url }) =>
    part !== undefined && part > 2 && url <= 6 ? answered(403, "AccessDenied", "Request has expired") : undefined;
  assert.deepEqual(statuses(await the.upload([large()], { concurrency: 1 })), ["uploaded"]);
  const [, running, ...more] = the.s3.asked.map(({ files }) => files[0]?.multipart);
  assert.ok(typeof running === "object");
  assert.equal(running.uploadId, "upload-1");
  assert.deepEqual(running.partNumbers, [3, 4]);
  assert.deepEqual(more, []);
  await isStoredOnce();
});

for (const [what, fault] of [
  ["says 200 with an error in its body", answered(200, "InternalError")],
  ["says 503", answered(503, "SlowDown")],
  ["breaks", "cut"],
] as const) {
  test(`a completion that ${what} is repeated, without the parts`, async () => {
    the.s3.faultOf = ({ kind }) =>
      kind === "complete" && kinds().filter((each) => each === "complete").length === 1 ? fault : undefined;
    assert.deepEqual(statuses(await the.upload([large()])), ["uploaded"]);
    assert.deepEqual(kinds().slice(-2), ["complete", "complete"]);
    assert.equal(kinds().length, 6);
    await isStoredOnce();
  });
}

test("a completion that says 412 has been made before: the photo is there", async () => {
  the.s3.faultOf = ({ kind }) => (kind === "complete" ? answered(412, "PreconditionFailed") : undefined);
  assert.deepEqual(statuses(await the.upload([large()])), ["uploaded"]);
  assert.equal(kinds().filter((kind) => kind === "complete").length, 1);
});

test("a completion whose answer is lost, and of which S3 remembers nothing, is no second photo", async () => {
  the.s3.faultOf = ({ kind }) => (kind === "complete" && the.s3.objects.size === 0 ? "answer lost" : undefined);
  assert.deepEqual(statuses(await the.upload([large()])), ["uploaded"]);
  assert.equal(the.s3.objects.size, 1);
});

for (const [where, kind, fault] of [
  ["a conflict at its end", "complete", answered(409, "ConditionalRequestConflict")],
  ["parts that S3 does not find", "complete", answered(400, "InvalidPart")],
  ["an upload that S3 has forgotten", "part", answered(404, "NoSuchUpload")],
] as const) {
  test(`after ${where} the parts are sent anew, once`, async () => {
    const lost = "upload-1";
    const isFirst = (): boolean => the.s3.multiparts.size === 1 && the.s3.multiparts.has(lost);
    the.s3.faultOf = (seen) => (seen.kind === kind && isFirst() ? fault : undefined);
    assert.deepEqual(statuses(await the.upload([large()])), ["uploaded"]);
    const [stored] = the.s3.objects.values();
    assert.ok(stored?.equals(LARGE));
    assert.deepEqual(
      the.s3.asked.map(({ files }) => files[0]?.multipart),
      [true, true],
    );

    the.s3.faultOf = (seen) => (seen.kind === kind ? fault : undefined);
    const error = errorOf(await the.upload([photo("other", LARGE)]));
    assert.deepEqual([error.reason, error.code], ["rejected", (fault as { code: string }).code]);
    assert.equal(the.s3.asked.length, 4);
  });
}

test("when parts are sent anew, none of them counts as sent", async () => {
  const isLost = (kind: string) => kind === "complete" && the.s3.asked.length === 1;
  the.s3.faultOf = ({ kind }) => (isLost(kind) ? answered(400, "InvalidPart") : undefined);
  const told: number[] = [];
  await the.upload([large()], { concurrency: 1, onProgress: ({ sentBytes }) => told.push(sentBytes) });
  assert.ok(told.slice(told.indexOf(17 * MIB)).includes(0));
  assert.equal(told.at(-1), 17 * MIB);
});

test("a cancelled upload leaves no parts in S3, and nothing in the store", async () => {
  const cancel = new AbortController();
  const store = new MemoryStore();
  the.s3.faultOf = ({ part }) => (part === 4 ? "stall" : undefined);
  const run = the.upload([large()], { signal: cancel.signal, store });
  await until(() => the.s3.seen.some(({ part }) => part === 4));
  cancel.abort();
  assert.deepEqual(statuses(await run), ["cancelled"]);
  assert.equal(kinds().at(-1), "abort");
  assert.equal(the.s3.multiparts.size, 0);
  assert.equal(store.states.size, 0);
});

test("after a reload only the missing parts are sent", async () => {
  const store = new MemoryStore();
  // The page goes while its third and fourth part are under way.
  const gone: Transport = (sending) =>
    /partNumber=[34]/.test(sending.request.url) ? new Promise(() => {}) : send(sending);
  void the.upload([large()], { store, concurrency: 1 }, gone);
  await until(() => [...store.states.values()].some((state) => state.includes('"2":')));
  assert.equal(kinds().length, 2);
  the.s3.seen.length = 0;

  const progress: number[] = [];
  const results = await the.upload([large()], { store, onProgress: ({ sentBytes }) => progress.push(sentBytes) });
  assert.deepEqual(statuses(results), ["uploaded"]);
  assert.deepEqual(kinds().sort(), ["complete", "part 3", "part 4"]);
  assert.deepEqual(the.s3.asked.at(-1)?.files[0]?.multipart, { uploadId: "upload-1", partNumbers: [3, 4] });
  assert.equal(
    progress.find((bytes) => bytes > 0),
    5 * MIB,
    "the first part counts as sent from the start",
  );
  assert.equal(progress.at(-1), 17 * MIB);
  await isStoredOnce();
  assert.equal(store.states.size, 0);
});

test("after a reload an upload with all parts is completed, and one that S3 has forgotten begins again", async () => {
  const store = new MemoryStore();
  the.s3.faultOf = ({ kind }) => (kind === "complete" ? "cut" : undefined);
  assert.deepEqual(statuses(await the.upload([large()], { store, attempts: 1 })), ["failed"]);
  the.s3.faultOf = () => undefined;
  the.s3.seen.length = 0;
  const kept = [...store.states];
  assert.deepEqual(statuses(await the.upload([large()], { store })), ["uploaded"]);
  assert.deepEqual(kinds(), ["complete"]);

  the.s3.objects.clear();
  kept.forEach(([key, state]) => store.states.set(key, state));
  assert.deepEqual(statuses(await the.upload([large()], { store })), ["uploaded"]);
  await isStoredOnce();
});

test("an upload that failed keeps its parts for a later call, if a store remembers them", async () => {
  the.s3.faultOf = ({ part }) => (part === 2 ? answered(503, "SlowDown") : undefined);
  await the.upload([large()], { store: new MemoryStore(), attempts: 2 });
  assert.equal(the.s3.multiparts.size, 1);
  assert.deepEqual(statuses(await the.upload([large()], { attempts: 2 })), ["failed"]);
  assert.equal(kinds().at(-1), "abort");
  assert.equal(the.s3.multiparts.size, 1, "those of the second are deleted");
});

test("a bucket whose CORS rules hide the ETags of parts gets a clear error", async () => {
  const hidden: Transport = async (sending) => ({ ...(await send(sending)), etag: null });
  assert.match(errorOf(await the.upload([large()], {}, hidden)).message, /ETag .* CORS rules must expose it/);
});

test("when one part fails for good, the others are not sent any further", async () => {
  const faults: Record<number, Fault> = { 1: answered(403, "SignatureDoesNotMatch"), 2: "stall" };
  the.s3.faultOf = ({ part = 0 }) => faults[part];
  const error = errorOf(await the.upload([large()], { concurrency: 2 }));
  assert.equal(error.code, "SignatureDoesNotMatch");
  assert.deepEqual(
    kinds().filter((kind) => kind === "part 3" || kind === "part 4"),
    [],
  );
});
