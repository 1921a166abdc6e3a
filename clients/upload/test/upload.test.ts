import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";

import type { FileProgress, UploadProgress } from "../src/types.js";
import type { Fault } from "./fake_s3.js";
import { bytes, errorOf, fresh, MemoryStore, photo, statuses, until } from "./harness.js";

const the = fresh();

test("each photo has a result in its place, and S3 has its bytes under the key of the result", async () => {
  const names = ["a.jpg", "b.jpg", "c.jpg", "d.jpg", "e.jpg", "f.jpg"];
  const files = names.map((name) => photo(name));
  const results = await the.upload(files, { album: "trip" });
  assert.deepEqual(
    statuses(results),
    names.map(() => "uploaded"),
  );
  results.forEach((result, index) => {
    assert.equal(result.file, files[index]);
    assert.ok(result.status === "uploaded");
    assert.match(result.photoKey, /^trip\/[\w-]{22}$/);
    assert.equal(the.s3.objects.get(result.photoKey)?.toString(), names[index]);
  });
  assert.equal(the.s3.objects.size, 6);
});

test("S3 gets exactly the headers of the answer, and none of them from the file", async () => {
  await the.upload([new Blob(["x"], { type: "image/png" })]);
  const headers = the.s3.seen[0]?.headers ?? {};
  assert.equal(headers["content-type"], "image/png");
  assert.equal(headers["if-none-match"], "*");
  assert.equal(headers["x-amz-storage-class"], "INTELLIGENT_TIERING");
  assert.equal(headers["content-length"], "1");
  assert.equal(headers["transfer-encoding"], undefined);
  assert.equal(headers["authorization"], undefined);
});

test("URLs are asked for in batches of at most 100, when their first photo needs one", async () => {
  const files = Array.from({ length: 230 }, (_, index) => photo(`${index}.jpg`));
  const results = await the.upload(files);
  assert.equal(results.filter(({ status }) => status === "uploaded").length, 230);
  assert.deepEqual(
    the.s3.asked.map(({ files }) => files.length),
    [100, 100, 30],
  );
  assert.equal(new Set(the.s3.asked.flatMap(({ files }) => files.map((file) => file.uploadId))).size, 230);
});

test("four photos are sent at once, or as many as the app says", async () => {
  const files = Array.from({ length: 20 }, (_, index) => photo(`${index}.jpg`));
  the.s3.delayMs = 30;
  await the.upload(files);
  assert.equal(the.s3.mostAtOnce, 4);
  the.s3.mostAtOnce = 0;
  await the.upload(files, { concurrency: 2 });
  assert.equal(the.s3.mostAtOnce, 2);
});

test("an item can have a name and an album of its own", async () => {
  await the.upload([{ file: new Blob(["x"]), name: "IMG_1.HEIC", album: "other" }, photo("b.jpg")], { album: "trip" });
  const files = the.s3.asked[0]?.files ?? [];
  assert.deepEqual(
    files.map(({ fileName, album }) => [fileName, album]),
    [
      ["IMG_1.HEIC", "other"],
      ["b.jpg", "trip"],
    ],
  );
});

const answered = (status: number, code: string, message?: string): Fault => ({
  status,
  code,
  ...(message !== undefined && { message }),
});

/** How often a PUT is sent after these faults, whether another URL is asked for, and what becomes of the photo. */
const TABLE: [string, Fault[], { puts: number; urls: number; reason?: string }][] = [
  ["the connection breaks", ["cut"], { puts: 2, urls: 1 }],
  ["the answer is lost, so that the photo is there", ["answer lost"], { puts: 2, urls: 1 }],
  ["nothing moves any more", ["stall"], { puts: 2, urls: 1 }],
  ["408", [answered(408, "RequestTimeout")], { puts: 2, urls: 1 }],
  ["400 RequestTimeout", [answered(400, "RequestTimeout")], { puts: 2, urls: 1 }],
  ["400 IncompleteBody", [answered(400, "IncompleteBody")], { puts: 2, urls: 1 }],
  [
    "409, another request about the key is under way",
    [answered(409, "ConditionalRequestConflict")],
    { puts: 2, urls: 1 },
  ],
  ["412, the photo is there", [answered(412, "PreconditionFailed")], { puts: 1, urls: 1 }],
  ["429", [answered(429, "TooManyRequests")], { puts: 2, urls: 1 }],
  ["500", [answered(500, "InternalError")], { puts: 2, urls: 1 }],
  ["503 SlowDown, several times", Array(4).fill(answered(503, "SlowDown")), { puts: 5, urls: 1 }],
  ["403, the URL has expired", [answered(403, "AccessDenied", "Request has expired")], { puts: 2, urls: 2 }],
  ["403, the URL is not valid yet", [answered(403, "AccessDenied", "Request is not valid yet")], { puts: 2, urls: 1 }],
  ["403 RequestTimeTooSkewed", [answered(403, "RequestTimeTooSkewed")], { puts: 2, urls: 2 }],
  ["400 ExpiredToken", [answered(400, "ExpiredToken")], { puts: 2, urls: 2 }],
  ["400 BadDigest once", [answered(400, "BadDigest")], { puts: 2, urls: 1 }],
  ["400 BadDigest twice", Array(2).fill(answered(400, "BadDigest")), { puts: 2, urls: 1, reason: "rejected" }],
  ["501 once", [answered(501, "NotImplemented")], { puts: 2, urls: 1 }],
  ["501 twice", Array(2).fill(answered(501, "NotImplemented")), { puts: 2, urls: 1, reason: "rejected" }],
  ["403 SignatureDoesNotMatch", [answered(403, "SignatureDoesNotMatch")], { puts: 1, urls: 1, reason: "rejected" }],
  ["403 AccessDenied", [answered(403, "AccessDenied", "Access Denied")], { puts: 1, urls: 1, reason: "rejected" }],
  ["400 EntityTooLarge", [answered(400, "EntityTooLarge")], { puts: 1, urls: 1, reason: "rejected" }],
  ["503 for ever", Array(99).fill(answered(503, "SlowDown")), { puts: 8, urls: 1, reason: "unreachable" }],
  ["no network for ever", Array(99).fill("cut"), { puts: 8, urls: 1, reason: "unreachable" }],
  [
    "URLs that expire for ever",
    Array(99).fill(answered(400, "ExpiredToken")),
    { puts: 8, urls: 8, reason: "rejected" },
  ],
];

for (const [what, faults, expected] of TABLE) {
  const outcome = expected.reason ? `fails as ${expected.reason}` : "is uploaded";
  test(`after ${what}: the photo ${outcome} with ${expected.puts} PUT and ${expected.urls} URL`, async () => {
    the.s3.faults = faults;
    const stallMs = faults.includes("stall") ? 1000 : 30_000;
    const results = await the.upload([photo("a.jpg")], { stallMs });
    if (expected.reason) assert.equal(errorOf(results).reason, expected.reason);
    else assert.deepEqual(statuses(results), ["uploaded"]);
    assert.equal(the.s3.seen.length, expected.puts);
    assert.equal(the.s3.asked.length, expected.urls);
    assert.equal(new Set(the.s3.seen.map(({ key }) => key)).size, 1, "every attempt is about the same key");
    const [last] = faults.slice(-1);
    if (expected.reason && typeof last === "object") {
      assert.equal(errorOf(results).status, last.status);
      assert.equal(errorOf(results).code, last.code);
    }
  });
}

test("one bad photo changes nothing for the others", async () => {
  the.s3.faultOf = ({ headers }) =>
    headers["content-length"] === "3" ? answered(403, "SignatureDoesNotMatch") : undefined;
  const results = await the.upload([photo("a", "1"), photo("bad", "123"), photo("c", "1")]);
  assert.deepEqual(statuses(results), ["uploaded", "failed", "uploaded"]);
});

test("a photo that the server refuses has its errors, and the others of the batch get URLs", async () => {
  the.s3.refuse = ({ files }) => {
    const errors = files.flatMap(({ contentType }, index) =>
      contentType === "text/plain" ? [{ pointer: `#/files/${index}/contentType`, detail: "must be a photo's" }] : [],
    );
    return errors.length > 0 ? { status: 400, title: "Bad Request", detail: "see errors", errors } : undefined;
  };
  const text = new Blob(["x"], { type: "text/plain" });
  const results = await the.upload([photo("a"), text, photo("b"), text]);
  assert.deepEqual(statuses(results), ["uploaded", "failed", "uploaded", "failed"]);
  const error = errorOf(results.slice(3));
  assert.deepEqual([error.reason, error.status, error.message], ["refused", 400, "must be a photo's"]);
  assert.equal(error.details[0]?.pointer, "#/files/3/contentType");
  assert.deepEqual(
    the.s3.asked.map(({ files }) => files.length),
    [4, 2],
  );
});

test("a refusal that names no photo is that of each photo, and is not asked for again", async () => {
  the.s3.refuse = () => ({ status: 401, title: "Unauthorized", detail: "sign in" });
  const results = await the.upload([photo("a"), photo("b")]);
  assert.deepEqual(statuses(results), ["failed", "failed"]);
  assert.equal(errorOf(results).message, "401 sign in");
  assert.equal(the.s3.asked.length, 1);
});

test("a server that is busy, throws, hangs or answers nonsense is asked again", async () => {
  const { requestUrls } = the.s3;
  const answers: (typeof requestUrls)[] = [
    () => Promise.resolve({ status: 503, title: "Service Unavailable" }),
    () => Promise.resolve({ status: 429 }),
    () => Promise.reject(new TypeError("fetch failed")),
    () => new Promise(() => {}),
    () => Promise.resolve({ uploads: [] }),
    requestUrls,
  ];
  let asked = 0;
  const ask: typeof requestUrls = (request, signal) => (answers[asked++] ?? requestUrls)(request, signal);
  const results = await the.upload([photo("a")], { requestUrls: ask, stallMs: 1000 });
  assert.deepEqual(statuses(results), ["uploaded"]);
  assert.equal(asked, 6);
});

test("a server that never answers fails the photos as unreachable", async () => {
  const results = await the.upload([photo("a")], { requestUrls: () => Promise.reject(new Error("down")), attempts: 3 });
  assert.equal(errorOf(results).reason, "unreachable");
  assert.match(errorOf(results).message, /down/);
});

test("a URL that expires before its photo's turn is replaced, without a request that S3 would refuse", async () => {
  let puts = 0;
  the.s3.faultOf = () => {
    if (++puts === 1) the.world.later = 880_000; // the URLs last 900 s
    return undefined;
  };
  const results = await the.upload([photo("a"), photo("b")], { concurrency: 1 });
  assert.deepEqual(statuses(results), ["uploaded", "uploaded"]);
  assert.deepEqual(
    the.s3.asked.map(({ files }) => files.map(({ fileName }) => fileName)),
    [["a", "b"], ["b"]],
  );
  assert.equal(the.s3.seen.length, 2);
});

test("URLs that live shorter than most are used as well", async () => {
  const short: typeof the.s3.requestUrls = async (request, signal) =>
    JSON.parse(JSON.stringify(await the.s3.requestUrls(request, signal)).replaceAll("Expires=900", "Expires=20"));
  assert.deepEqual(statuses(await the.upload([photo("a")], { requestUrls: short })), ["uploaded"]);
  assert.equal(the.s3.asked.length, 1);
});

test("S3 is told the SHA-256 if that is wanted, and not of files that are too large to be read whole", async () => {
  const files = [photo("small", "abc"), photo("large", bytes(2000))];
  await the.upload(files, { checksum: true, maxHashedBytes: 1000 });
  const digest = createHash("sha256").update("abc").digest("base64");
  assert.deepEqual(
    the.s3.asked[0]?.files.map((file) => file.checksumSha256),
    [digest, undefined],
  );
  assert.deepEqual(the.s3.seen.map(({ headers }) => headers["x-amz-checksum-sha256"]).sort(), [digest, undefined]);
});

test("no photo is hashed if nobody wants that", async () => {
  await the.upload([photo("a")]);
  assert.equal(the.s3.asked[0]?.files[0]?.checksumSha256, undefined);
});

test("a photo that the album has is not sent, and its result has the key of the one that is there", async () => {
  the.s3.existing = ({ contentLength }) => (contentLength === 3 ? "trip/there.jpg" : undefined);
  const results = await the.upload([photo("a", "abc"), photo("b", "new one")], { ifNew: true });
  assert.deepEqual(statuses(results), ["exists", "uploaded"]);
  assert.ok(results[0]?.status === "exists");
  assert.equal(results[0].photoKey, "trip/there.jpg");
  assert.equal(the.s3.seen.length, 1);
});

test("whether the album has a photo is asked once: later the photo would find itself", async () => {
  the.s3.faults = [answered(400, "ExpiredToken")];
  await the.upload([photo("a")], { ifNew: true });
  assert.deepEqual(
    the.s3.asked.map(({ files }) => files[0]?.ifNew),
    [true, undefined],
  );
});

test("a signal cancels what runs and what waits, at once", async () => {
  const cancel = new AbortController();
  the.s3.faultOf = () => "stall";
  const run = the.upload([photo("a"), photo("b"), photo("c")], { signal: cancel.signal, concurrency: 2 });
  await until(() => the.s3.seen.length === 2);
  cancel.abort();
  assert.deepEqual(statuses(await run), ["cancelled", "cancelled", "cancelled"]);
  assert.equal(the.s3.seen.length, 2);
});

test("a signal that has fired before cancels all, and nothing is asked for", async () => {
  assert.deepEqual(statuses(await the.upload([photo("a")], { signal: AbortSignal.abort() })), ["cancelled"]);
  assert.equal(the.s3.asked.length, 0);
});

test("a photo's own signal cancels it alone", async () => {
  const cancel = new AbortController();
  the.s3.faultOf = ({ headers }) => (headers["content-length"] === "3" ? "stall" : undefined);
  const run = the.upload([photo("a"), { file: photo("b", "123"), signal: cancel.signal }, photo("c")]);
  await until(() => the.s3.seen.length === 3);
  cancel.abort();
  assert.deepEqual(statuses(await run), ["uploaded", "cancelled", "uploaded"]);
});

test("progress is told for all photos and for each, and comes to its end", async () => {
  const told: UploadProgress[] = [];
  the.s3.faults = ["cut"];
  const files = [photo("a", bytes(1000)), photo("b", bytes(500))];
  await the.upload(files, { concurrency: 1, onProgress: (progress) => told.push(progress) });
  assert.ok(told.every(({ totalBytes, files }) => totalBytes === 1500 && files.length === 2));
  const first: FileProgress["status"][] = told.map(({ files }) => files[0]?.status ?? "waiting");
  assert.deepEqual([...new Set(first)], ["sending", "retrying", "uploaded"]);
  const last = told.at(-1);
  assert.deepEqual([last?.sentBytes, last?.doneFiles], [1500, 2]);
});

test("each result is told as soon as it is there", async () => {
  const told: [number, string][] = [];
  await the.upload([photo("a"), photo("b")], {
    concurrency: 1,
    onResult: ({ status }, index) => told.push([index, status]),
  });
  assert.deepEqual(told, [
    [0, "uploaded"],
    [1, "uploaded"],
  ]);
});

test("a file that was changed since it was chosen fails as unreadable, and is not tried for long", async () => {
  const gone = () => Promise.reject(new DOMException("changed", "NotReadableError"));
  const file = photo("a");
  Object.assign(file, { arrayBuffer: gone, slice: () => Object.assign(new Blob(), { arrayBuffer: gone }) });
  the.s3.faults = ["cut"];
  assert.equal(errorOf(await the.upload([file])).reason, "unreadable");
  assert.ok(the.s3.seen.length <= 1);
  const hashed = await the.upload([file, photo("b")], { checksum: true });
  assert.deepEqual(statuses(hashed), ["failed", "uploaded"]);
  assert.equal(errorOf(hashed).reason, "unreadable");
});

test("after a reload the same file has the same key, so that it is stored once", async () => {
  const store = new MemoryStore();
  the.s3.faults = ["answer lost", "cut"];
  const first = await the.upload([photo("a")], { store, attempts: 2 });
  assert.deepEqual(statuses(first), ["failed"]);
  const [second] = await the.upload([photo("a")], { store });
  assert.equal(second?.status, "uploaded");
  assert.equal(the.s3.objects.size, 1);
  assert.equal(new Set(the.s3.seen.map(({ key }) => key)).size, 1);
  assert.equal(store.states.size, 0, "and then it is forgotten");
});

test("photos that were uploaded are remembered until their whole call is done", async () => {
  const store = new MemoryStore();
  the.s3.faultOf = ({ headers }) => (headers["content-length"] === "3" ? "cut" : undefined);
  await the.upload([photo("a"), photo("b", "123")], { store, attempts: 2 });
  assert.equal(store.states.size, 2);
  the.s3.faultOf = () => undefined;
  assert.deepEqual(statuses(await the.upload([photo("a"), photo("b", "123")], { store })), ["uploaded", "uploaded"]);
  assert.equal(the.s3.objects.size, 2);
  assert.equal(store.states.size, 0);
});

test("files that cannot be told apart are different photos", async () => {
  const store = new MemoryStore();
  await the.upload([photo("a", "123"), photo("a", "456"), new Blob(["7"]), new Blob(["8"])], { store });
  assert.equal(the.s3.objects.size, 4);
});

test("the same file in another album is another photo", async () => {
  const store = new MemoryStore();
  the.s3.faultOf = () => "cut";
  await the.upload([photo("a")], { store, album: "one", attempts: 1 });
  await the.upload([photo("a")], { store, album: "two", attempts: 1 });
  assert.equal(new Set(the.s3.asked.map(({ files }) => files[0]?.uploadId)).size, 2);
});

test("options that make no sense are told at once", async () => {
  for (const options of [{ concurrency: 0 }, { attempts: NaN }]) {
    await assert.rejects(the.upload([photo("a")], options), RangeError);
  }
  assert.deepEqual(await the.upload([]), []);
});

test("a store that throws or holds nonsense stops no upload", async () => {
  const full = () => {
    throw new DOMException("full", "QuotaExceededError");
  };
  const broken = { load: full, save: full, remove: full };
  assert.deepEqual(statuses(await the.upload([photo("a")], { store: broken })), ["uploaded"]);
  for (const nonsense of ["text", 7, [], { uploadId: 7 }, { uploadId: "a", multipart: { uploadId: "b" } }]) {
    const store = { load: () => nonsense, save: () => {}, remove: () => {} };
    assert.deepEqual(statuses(await the.upload([photo("a")], { store })), ["uploaded"], JSON.stringify(nonsense));
  }
});
