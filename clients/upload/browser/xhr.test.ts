/** What only a browser has: XMLHttpRequest, localStorage, being offline. */

import assert from "node:assert/strict";
import { mkdtemp, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

import type { Browser } from "playwright-core";

import { FakeS3, MIB } from "../test/fake_s3.js";
import { bytes } from "../test/harness.js";
import { load, openPage, startApp, startBrowser, type App } from "./chromium.js";

let browser: Browser;
let s3: FakeS3;
let app: App;
let folder: string;

/** Exposed to the page: lets S3 read on. */
declare const readOn: () => Promise<void>;

before(async () => {
  browser = await startBrowser();
  s3 = await FakeS3.start();
  app = await startApp(s3.requestUrls);
  folder = await mkdtemp(join(tmpdir(), "photo-upload-"));
});
after(async () => {
  await browser?.close();
  await app?.stop();
  await s3?.stop();
  await rm(folder, { recursive: true, force: true });
});

test("a browser sends the headers that were signed, and reports progress while it sends", async () => {
  const page = await openPage(browser, app);
  // More than the sockets' buffers take, so that the body waits for its reader, who waits for a report.
  const size = 16 * MIB;
  s3.readOn = new Promise((resolve) => void page.exposeFunction("readOn", resolve));
  const [results, progress] = await page.evaluate(async (size) => {
    const photo = new File([new Uint8Array(size)], "a.png", { type: "image/png" });
    const told: number[] = [];
    const { uploadPhotos, urlsFrom } = client;
    const results = await uploadPhotos([photo], {
      requestUrls: urlsFrom("/uploads"),
      checksum: true,
      onProgress: ({ sentBytes }) => {
        told.push(sentBytes);
        if (sentBytes > 0) void readOn();
      },
    });
    return [results.map(({ status }) => status), told] as const;
  }, size);
  assert.deepEqual(results, ["uploaded"]);
  const [first] = progress.filter((bytes) => bytes > 0);
  assert.ok(first !== undefined && first < size, `the first report: ${first}`);
  assert.deepEqual(progress, [...progress].sort((a, b) => a - b));
  const { headers } = s3.seen.at(-1) ?? {};
  assert.equal(headers?.["content-type"], "image/png");
  assert.equal(headers?.["if-none-match"], "*");
  assert.match(headers?.["x-amz-checksum-sha256"] as string, /^[\w+/]{43}=$/);
  assert.equal(headers?.["content-length"], String(size));
  await page.close();
});

test("a stalled request of a browser is given up and sent again", async () => {
  const page = await openPage(browser, app);
  s3.seen.length = 0;
  s3.faults = ["stall", "cut", "answer lost"];
  const statuses = await page.evaluate(async () => {
    const { uploadPhotos, urlsFrom } = client;
    const options = { requestUrls: urlsFrom("/uploads"), stallMs: 500, backoffMs: 1 };
    return (await uploadPhotos([new File(["x"], "a.jpg")], options)).map(({ status }) => status);
  });
  assert.deepEqual(statuses, ["uploaded"]);
  assert.ok(s3.seen.length >= 4);
  assert.equal(new Set(s3.seen.map(({ key }) => key)).size, 1);
  await page.close();
});

test("a browser's requests end when they are cancelled", async () => {
  const page = await openPage(browser, app);
  s3.faults = ["stall"];
  const statuses = await page.evaluate(async () => {
    const { uploadPhotos, urlsFrom } = client;
    const cancel = new AbortController();
    setTimeout(() => cancel.abort(), 300);
    const options = { requestUrls: urlsFrom("/uploads"), signal: cancel.signal };
    return (await uploadPhotos([new File(["x"], "a.jpg")], options)).map(({ status }) => status);
  });
  assert.deepEqual(statuses, ["cancelled"]);
  await page.close();
});

test("while the browser is offline nothing is tried, and all goes on when it is online", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(app.origin);
  await load(page);
  await context.setOffline(true);
  s3.seen.length = 0;
  await page.evaluate(() => {
    const { uploadPhotos, urlsFrom } = client;
    const options = { requestUrls: urlsFrom("/uploads"), attempts: 1 };
    const uploads = uploadPhotos([new File(["x"], "a.jpg")], options);
    Object.assign(globalThis, { uploads: uploads.then((results) => results.map(({ status }) => status)) });
  });
  await page.waitForTimeout(500);
  assert.equal(s3.seen.length, 0);
  await context.setOffline(false);
  assert.deepEqual(await page.evaluate("uploads"), ["uploaded"]);
  await context.close();
});

test("after a reload of the page, the same file goes on with the parts that are missing", async () => {
  const path = join(folder, "large.jpg");
  await writeFile(path, bytes(17 * MIB));
  const page = await openPage(browser, app);
  s3.seen.length = 0;
  s3.faultOf = ({ part }) => (part === 3 ? "stall" : undefined);
  const upload = () => {
    const { localStorageStore, uploadPhotos, urlsFrom } = client;
    const { files } = document.querySelector("input") as HTMLInputElement;
    const options = { requestUrls: urlsFrom("/uploads"), store: localStorageStore(), concurrency: 1 };
    const uploads = uploadPhotos(files ?? [], options);
    Object.assign(globalThis, { uploads: uploads.then((results) => results.map(({ status }) => status)) });
  };
  await page.setInputFiles("input", path);
  await page.evaluate(upload);
  await page.waitForFunction('Object.values(localStorage).some((state) => state.includes(\'"2":\'))');
  await page.reload();
  await load(page);
  s3.faultOf = () => undefined;
  s3.seen.length = 0;
  await page.setInputFiles("input", path);
  await page.evaluate(upload);
  assert.deepEqual(await page.evaluate("uploads"), ["uploaded"]);
  assert.deepEqual(s3.seen.map(({ kind, part }) => [kind, part]), [["part", 3], ["part", 4], ["complete", undefined]]);
  assert.ok([...s3.objects.values()].some((object) => object.equals(bytes(17 * MIB))));
  assert.equal(await page.evaluate("localStorage.length"), 0);
  await page.close();
});

test("a file that changes after it was chosen fails as unreadable", async () => {
  const path = join(folder, "changed.jpg");
  await writeFile(path, bytes(1000));
  const page = await openPage(browser, app);
  await page.setInputFiles("input", path);
  await page.evaluate(() => document.querySelector("input")?.files?.[0]?.lastModified);
  await writeFile(path, bytes(2000));
  await utimes(path, new Date(), new Date(Date.now() + 60_000));
  const reasons = await page.evaluate(async () => {
    const { uploadPhotos, urlsFrom } = client;
    const { files } = document.querySelector("input") as HTMLInputElement;
    const results = await uploadPhotos(files ?? [], { requestUrls: urlsFrom("/uploads"), backoffMs: 1 });
    return results.map((result) => (result.status === "failed" ? result.error.reason : result.status));
  });
  assert.deepEqual(reasons, ["unreadable"]);
  await page.close();
});
