/** The client and Uppy in a browser against the local AWS, over a bad link. */

import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { copyFile, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, test } from "node:test";

import { build } from "esbuild";
import type { Browser, Page } from "playwright-core";

import { load, openPage, startApp, startBrowser, type App } from "./chromium.js";
import { Link } from "./link.js";
import { bitmap, by, Stack } from "./local_aws.js";

const EXAMPLE = new URL("../../examples/uppy/", import.meta.url).pathname;

let browser: Browser;
let stack: Stack;
let link: Link;
let app: App;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), "photo-upload-"));
  stack = await Stack.deploy("client");
  browser = await startBrowser();
  link = await Link.to(stack.endpoint, 7);
  const requestUrls = async (...[request]: Parameters<Stack["requestUrls"]>) =>
    by(link.origin, await stack.requestUrls(request), stack.endpoint);
  app = await startApp(requestUrls, await uppyExample());
});
beforeEach(() => {
  link.damageOf = () => undefined;
  link.longestDelayMs = 0;
  link.requests.length = 0;
});
after(async () => {
  await browser?.close();
  await app?.stop();
  await link?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** The files of the example, as its page loads them. */
async function uppyExample(): Promise<Record<string, string>> {
  if (!existsSync(`${EXAMPLE}node_modules`)) execFileSync("npm", ["ci", "--no-audit", "--no-fund"], { cwd: EXAMPLE });
  const { outputFiles } = await build({
    entryPoints: [`${EXAMPLE}main.js`],
    bundle: true,
    format: "esm",
    write: false,
    logLevel: "error",
  });
  return { "/example.js": outputFiles[0]?.text ?? "", "/example.html": readFileSync(`${EXAMPLE}index.html`, "utf8") };
}

/** Small photos, of which no two are alike. */
async function photos(count: number): Promise<string[]> {
  const paths = Array.from({ length: count }, (_, index) => join(folder, `${index}.bmp`));
  await Promise.all(paths.map((path, index) => writeFile(path, bitmap(320, 200 + index, index))));
  return paths;
}

/** A photo that is sent in three parts. */
async function largePhoto(): Promise<string> {
  const path = join(folder, "large.bmp");
  await writeFile(path, bitmap(2400, 2400, 7));
  return path;
}

/** All photos of an album are stored once, and have an item that is READY. */
async function areReadyOnce(album: string, count: number): Promise<string[]> {
  const items = await stack.items(album, count);
  assert.deepEqual([...new Set(items.map(({ status }) => status))], ["READY"]);
  const keys = items.map(({ photoKey }) => photoKey).sort();
  assert.equal(keys.length, count);
  assert.deepEqual(await stack.originals(`${album}/`), keys);
  return keys;
}

/** Starts an upload of the chosen files; `results` of the page are its keys, or why there is none. */
async function start(page: Page, album: string, more: Record<string, number | boolean> = {}): Promise<void> {
  await page.evaluate(
    ([album, more]) => {
      const { localStorageStore, uploadPhotos, urlsFrom } = client;
      const { files } = document.querySelector("input") as HTMLInputElement;
      const options = { requestUrls: urlsFrom("/uploads"), album, store: localStorageStore(), ...more };
      const uploads = uploadPhotos(files ?? [], options);
      const told = uploads.then((results) =>
        results.map((result) =>
          "photoKey" in result ? result.photoKey : result.status === "failed" ? String(result.error) : result.status,
        ),
      );
      Object.assign(globalThis, { results: told });
    },
    [album, more] as const,
  );
}

const results = (page: Page) => page.evaluate("results") as Promise<string[]>;

test("24 photos over a link that damages a third of the requests are all READY, none of them twice", async () => {
  const page = await openPage(browser, app);
  await page.setInputFiles("input", await photos(24));
  link.damage(1 / 3);
  link.longestDelayMs = 200;
  // Each attempt needs two requests, as a browser asks for leave before.
  await start(page, "bad link", { attempts: 30, backoffMs: 30, maxBackoffMs: 500, stallMs: 8000, checksum: true });
  const keys = await results(page);
  assert.deepEqual(
    keys.filter((key) => !key.startsWith("bad link/")),
    [],
  );
  assert.deepEqual([...keys].sort(), await areReadyOnce("bad link", 24));
  assert.ok(
    link.damaged > link.requests.length / 5,
    `${link.damaged} of ${link.requests.length} requests were damaged`,
  );
  for (const damage of ["cut before", "cut midway", "stall", "answer lost", "503"] as const) {
    assert.ok((link.counts.get(damage) ?? 0) > 0, `no request was damaged by: ${damage}`);
  }
  await page.close();
});

test("a page that is reloaded in the middle of 12 photos stores none of them twice", async () => {
  const page = await openPage(browser, app);
  const chosen = await photos(12);
  await page.setInputFiles("input", chosen);
  let puts = 0;
  link.damageOf = ({ method }) =>
    method === "PUT" && ++puts > 5 ? "stall" : method === "PUT" && puts > 3 ? "answer lost" : undefined;
  await start(page, "reload");
  while (puts < 8) await page.waitForTimeout(50);
  link.damageOf = () => undefined;
  await page.reload();
  await load(page);
  await page.setInputFiles("input", chosen);
  await start(page, "reload");
  const keys = await results(page);
  assert.deepEqual([...keys].sort(), await areReadyOnce("reload", 12));
  await page.close();
});

test("a photo that cannot be uploaded has what the function says of it, and the others are READY", async () => {
  const page = await openPage(browser, app);
  const text = join(folder, "notes.txt");
  await writeFile(text, "no photo");
  await page.setInputFiles("input", [...(await photos(2)), text]);
  await start(page, "refused");
  const [, , refused] = await results(page);
  assert.match(refused ?? "", /^UploadError: must be one of|^UploadError: .*image\/jpeg/);
  await areReadyOnce("refused", 2);
  await page.close();
});

test("a photo in parts over such a link is READY, once, and leaves no parts", async () => {
  const page = await openPage(browser, app);
  await page.setInputFiles("input", await largePhoto());
  link.damage(1 / 3);
  await start(page, "parts", { attempts: 30, backoffMs: 30, maxBackoffMs: 500, stallMs: 8000 });
  assert.deepEqual(await results(page), await areReadyOnce("parts", 1));
  assert.ok(link.requests.filter((request) => request === "PUT none").length >= 3, "it was sent in parts");
  assert.equal(await stack.unfinished(), 0);
  await page.close();
});

test("a photo in parts goes on after a reload with the parts that S3 has not", async () => {
  const page = await openPage(browser, app);
  const large = await largePhoto();
  await page.setInputFiles("input", large);
  link.damageOf = ({ method, url }) => (method === "PUT" && url?.includes("partNumber=3") ? "stall" : undefined);
  await start(page, "parts reload", { concurrency: 1 });
  await page.waitForFunction("Object.values(localStorage).some((state) => state.includes('\"2\":'))");
  assert.equal(await stack.unfinished(), 1);
  await page.reload();
  await load(page);
  link.damageOf = () => undefined;
  link.requests.length = 0;
  await page.setInputFiles("input", large);
  await start(page, "parts reload");
  assert.deepEqual(await results(page), await areReadyOnce("parts reload", 1));
  const sent = link.requests.filter((request) => !request.startsWith("OPTIONS"));
  assert.deepEqual(sent, ["PUT none", "POST none"]);
  assert.equal(await stack.unfinished(), 0);
  await page.close();
});

test("a photo in parts that is cancelled leaves nothing in S3", async () => {
  const page = await openPage(browser, app);
  await page.setInputFiles("input", await largePhoto());
  let hasBegun = false;
  link.damageOf = ({ method }) => {
    hasBegun ||= method === "PUT";
    return method === "PUT" ? "stall" : undefined;
  };
  const uploads = page.evaluate(async () => {
    const { uploadPhotos, urlsFrom } = client;
    const cancel = new AbortController();
    Object.assign(globalThis, { cancel });
    const { files } = document.querySelector("input") as HTMLInputElement;
    const options = { requestUrls: urlsFrom("/uploads"), album: "cancelled", signal: cancel.signal };
    return (await uploadPhotos(files ?? [], options)).map(({ status }) => status);
  });
  while (!hasBegun) await page.waitForTimeout(50);
  await page.evaluate("cancel.abort()");
  assert.deepEqual(await uploads, ["cancelled"]);
  assert.equal(await stack.unfinished(), 0);
  assert.deepEqual(await stack.originals("cancelled/"), []);
  await page.close();
});

test("a photo that its album has already is not sent again, whatever its name", async () => {
  const page = await openPage(browser, app);
  const [path = ""] = await photos(1);
  await page.setInputFiles("input", path);
  await start(page, "known", { ifNew: true });
  const [key] = await results(page);
  assert.deepEqual([key], await areReadyOnce("known", 1));
  const copy = join(folder, "copy.bmp");
  await copyFile(path, copy);
  link.requests.length = 0;
  await page.setInputFiles("input", copy);
  await start(page, "known", { ifNew: true });
  assert.deepEqual(await results(page), [key]);
  assert.deepEqual(link.requests, []);
  assert.deepEqual(await stack.originals("known/"), [key]);
  await page.close();
});

for (const [way, query] of [
  ["the client as its plugin", ""],
  ["its own plugin for S3", "&aws-s3"],
] as const) {
  test(`Uppy uploads photos by ${way}`, async () => {
    const album = `uppy${query.length}`;
    const page = await browser.newPage();
    await page.goto(`${app.origin}/example.html?album=${album}${query}`);
    await page.setInputFiles("input", await photos(6));
    await page.waitForFunction("document.querySelectorAll('li').length === 6");
    const lines = await page.locator("li").allTextContents();
    const keys = await areReadyOnce(album, 6);
    assert.deepEqual(lines.map((line) => line.replace(/^\d\.bmp: /, "")).sort(), keys);
    // Uppy tells its progress twice a second.
    await page.waitForFunction("document.querySelector('progress').value === 100");
    await page.close();
  });
}
