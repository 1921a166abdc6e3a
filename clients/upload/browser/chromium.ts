import { existsSync } from "node:fs";
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";

import { chromium, type Browser, type Page } from "playwright-core";

import type { RequestUrls, UrlRequest } from "../src/protocol.js";

const NAMES = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"]; // as in check_tools.py
const BROWSERS = NAMES.map((name) => `/usr/bin/${name}`);
const ROOT = new URL("../../", import.meta.url);

/** The browser of this machine, without a window. Playwright brings none. */
export async function startBrowser(): Promise<Browser> {
  const executablePath = process.env["CHROMIUM"] ?? BROWSERS.find(existsSync);
  if (!executablePath) throw new Error("there is no Chromium: install it, or set CHROMIUM to its path");
  const quiet = ["--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  return chromium.launch({
    executablePath,
    args: [...quiet, "--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"],
  });
}

/** The part of an app's server that the tests need: a page, the module, and the route that gives URLs. */
export interface App {
  readonly origin: string;
  stop(): Promise<void>;
}

const TYPES: Record<string, string> = { js: "text/javascript", html: "text/html" };

/** @param files - more that is served, by path */
export async function startApp(requestUrls: RequestUrls, files: Record<string, string> = {}): Promise<App> {
  const modules: Record<string, string> = {
    "/": "<!doctype html><title>test</title><input type=file multiple><progress></progress>",
    "/upload.js": await readFile(new URL("dist/upload.js", ROOT), "utf8"),
    ...files,
  };
  const server = createServer((request, response) => {
    const path = (request.url ?? "/").split("?")[0] ?? "/";
    const text = modules[path];
    if (request.method === "GET") {
      const type = TYPES[path.split(".")[1] ?? "html"] ?? "text/plain";
      return void response.writeHead(text === undefined ? 404 : 200, { "content-type": type }).end(text);
    }
    let body = "";
    request.on("data", (chunk) => (body += chunk));
    request.on("end", () => {
      void requestUrls(JSON.parse(body) as UrlRequest, new AbortController().signal).then((answer) => {
        const status = "uploads" in answer ? 201 : answer.status;
        response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(answer));
      });
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** A page of the app, with the module at hand as `client`. Errors of the page fail the test. */
export async function openPage(browser: Browser, app: App): Promise<Page> {
  const page = await browser.newPage();
  page.on("pageerror", (error) => {
    throw error;
  });
  await page.goto(app.origin);
  await load(page);
  return page;
}

/** Makes the module's exports a global of the page, again after a reload. */
export async function load(page: Page): Promise<void> {
  await page.addScriptTag({
    type: "module",
    content: 'import * as client from "/upload.js"; globalThis.client = client;',
  });
  await page.waitForFunction("globalThis.client !== undefined");
}

declare global {
  /** The exports of the module, in the page. */
  // eslint-disable-next-line no-var
  var client: typeof import("../src/index.js");
}
